"""What holds of most people in most pictures, whatever they do, as long as the joints are what they are called.

Each rule is a plain fact about a standing or walking body, and is given as the share of poses in which it holds. In simulated
street scenes, on motion capture and on a real estimator's output every share is above 0.7, and above 0.8 of what is above
what; with two joints exchanged at least one is below 0.15. People who sit, lie or climb break some, but seldom in most poses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

BROKEN: Final = {"above": 0.65, "nearer": 0.4, "straight": 0.4}
"""A rule of a kind that holds in a smaller share of the poses is broken. What is above what is a toss-up in pictures that lie on
their side, so more is asked of it."""
FEWEST: Final = 100
"""A rule is not judged on fewer poses that have its joints."""

_ABOVE: Final = (
    *(("nose", "shoulder"), ("eye", "shoulder"), ("ear", "shoulder"), ("shoulder", "elbow"), ("shoulder", "hip")),
    *(("elbow", "knee"), ("wrist", "ankle"), ("hip", "knee"), ("knee", "ankle")),
)
"""The first joint stands above the second in the picture."""
_NEARER: Final = (
    *(("shoulder", "elbow", "wrist"), ("shoulder", "elbow", "hip"), ("wrist", "elbow", "shoulder")),
    *(("hip", "knee", "ankle"), ("ankle", "knee", "hip"), ("shoulder", "nose", "hip")),
    *(("nose", "eye", "shoulder"), ("eye", "ear", "shoulder")),
)
"""The first joint is nearer to the second than to the third."""
_STRAIGHT: Final = (
    *(("eye", "ear"), ("shoulder", "elbow"), ("elbow", "wrist")),
    *(("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle")),
)
"""Joined left to left and right to right, the two pairs lie closer together than joined crosswise."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One fact, in words, and in which share of the poses it holds.

    Args:
        text: The fact.
        kind: ``above`` depends on which way is up, ``nearer`` and ``straight`` do not.
        holds: Share of the poses that have its joints.
    """

    text: str
    kind: str
    holds: float

    @property
    def broken(self) -> bool:
        """Whether it fails in most poses."""
        return self.holds < BROKEN[self.kind]


def body_rules(right: NDArray[np.float32], down: NDArray[np.float32], joints: Sequence[str]) -> list[Rule]:
    """Every rule that can be judged.

    Args:
        right: (n, J), how far to the right each joint stands; NaN for a missing one.
        down: (n, J), how far down.
        joints: What is taken to stand at each index.
    """
    body = _Body(right, down, {name: place for place, name in enumerate(joints[: right.shape[1]])})
    return [*_above(body), *_nearer(body), *_straight(body)]


@dataclass(frozen=True, slots=True)
class _Body:
    right: NDArray[np.float32]
    down: NDArray[np.float32]
    index: dict[str, int]

    def sides(self, *parts: str) -> Iterator[list[int]]:
        """The indices of body parts on the left, then on the right; a part in the middle has no side."""
        for side in ("left_", "right_"):
            found = [self.index.get(part, self.index.get(side + part, -1)) for part in parts]
            if min(found) >= 0:
                yield found

    def apart(self, a: int, b: int) -> NDArray[np.float32]:
        return np.asarray(np.hypot(self.right[:, a] - self.right[:, b], self.down[:, a] - self.down[:, b]))


def _above(body: _Body) -> Iterator[Rule]:
    for parts in _ABOVE:
        differences = [body.down[:, b] - body.down[:, a] for a, b in body.sides(*parts)]
        yield from _rule(f"{parts[0]} above {parts[1]}", "above", differences)


def _nearer(body: _Body) -> Iterator[Rule]:
    for parts in _NEARER:
        differences = [body.apart(a, c) - body.apart(a, b) for a, b, c in body.sides(*parts)]
        yield from _rule(f"{parts[0]} nearer to {parts[1]} than to {parts[2]}", "nearer", differences)


def _straight(body: _Body) -> Iterator[Rule]:
    for parts in _STRAIGHT:
        sides = list(body.sides(*parts))
        if len(sides) == 2:
            (a, b), (c, d) = sides
            crossed = body.apart(a, d) + body.apart(c, b) - body.apart(a, b) - body.apart(c, d)
            yield from _rule(f"left {parts[0]} on the side of the left {parts[1]}", "straight", [crossed])


def _rule(text: str, kind: str, differences: list[NDArray[np.float32]]) -> Iterator[Rule]:
    """The rule that differences are positive; equal is neither."""
    if not differences:
        return
    values = np.concatenate(differences)
    yes, no = int((values > 0).sum()), int((values < 0).sum())
    if yes + no >= FEWEST:
        yield Rule(text, kind, yes / (yes + no))
