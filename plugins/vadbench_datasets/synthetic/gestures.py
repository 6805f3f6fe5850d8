"""Postures and gestures of normal people: what arms and head do besides swinging along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench_datasets.synthetic.body import UPPER, Channel
from vadbench_datasets.synthetic.curves import drift, window

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.curves import Floats


@dataclass(frozen=True, slots=True)
class Overlay:
    """Replaces some channels of a motion for a while.

    Args:
        weight: (T,) in [0, 1]; 0 leaves the motion as it is, 1 replaces it.
        channels: The channels that are replaced.
        values: (T, len(channels)) their angles, radians (metres for the last three channels).
    """

    weight: Floats
    channels: tuple[int, ...]
    values: Floats

    def onto(self, motion: Floats) -> None:
        """Changes ``motion`` (T, 24) in place."""
        where = list(self.channels)
        weight = self.weight[:, None]
        motion[:, where] = (1.0 - weight) * motion[:, where] + weight * self.values


# One arm: shoulder flexion, abduction, elbow flexion, inward rotation of the forearm, and how far the head bows, radians.
_ARM: Final = {
    "phone at the ear": (0.50, 0.40, 2.35, 0.50, 0.05),
    "screen": (0.45, 0.12, 1.65, 0.45, 0.35),
    "pocket": (-0.30, 0.28, 0.80, 0.45, 0.05),
    "bag": (0.00, 0.10, 0.12, 0.00, 0.00),
    "folded": (0.35, 0.15, 1.75, 1.05, 0.05),
    "on the hip": (-0.40, 0.70, 1.50, 0.95, 0.00),
    "at the chin": (0.60, 0.10, 2.30, 0.55, 0.10),
    "raised": (0.90, 0.90, 1.40, 0.00, -0.05),
}
_WHILE_WALKING: Final = (("phone at the ear", 1), ("screen", 1), ("screen", 2), ("pocket", 1), ("pocket", 2), ("bag", 1))
_WHILE_STANDING: Final = (
    *(("phone at the ear", 1), ("screen", 2), ("pocket", 2), ("folded", 2)),
    *(("on the hip", 2), ("on the hip", 1), ("at the chin", 1), ("raised", 1)),
)


def _hold(weight: Floats, name: str, arms: int, rng: np.random.Generator, liveliness: float) -> Overlay:
    frames = len(weight)
    first = int(rng.integers(2))
    sides = (0, 1) if arms == 2 else (first,)
    shoulder, out, elbow, inward, nod = np.array(_ARM[name]) + rng.normal(0.0, 0.06, 5)
    wander = drift(rng, frames, 4 * len(sides), 0.5) * liveliness
    channels: list[int] = []
    values: list[Floats] = []
    starts = (Channel.SHOULDER_L, Channel.OUT_L, Channel.ELBOW_L, Channel.INWARD_L)
    for k, side in enumerate(sides):
        for m, (channel, angle) in enumerate(zip(starts, (shoulder, out, elbow, inward), strict=True)):
            channels.append(channel + side)
            values.append(angle + wander[:, 4 * k + m])
    return Overlay(weight, (*channels, Channel.NOD), np.stack([*values, nod + 0.5 * wander[:, 0]], axis=1))


def habit(time: Floats, rng: np.random.Generator) -> tuple[Overlay, ...]:
    """What about four people in ten do with their arms while they walk: carry, telephone, pocket their hands."""
    if rng.random() > 0.42:
        return ()
    name, arms = _WHILE_WALKING[int(rng.integers(len(_WHILE_WALKING)))]
    return (_hold(np.ones_like(time), name, arms, rng, 0.04),)


def pastime(time: Floats, start: float, stop: float, rng: np.random.Generator) -> tuple[Overlay, ...]:
    """What people do who stand from ``start`` to ``stop`` (seconds): shift their weight, look about, move their arms."""
    frames = len(time)
    standing = window(time, start, stop, 0.8)
    slow = drift(rng, frames, 3, 1.2)
    channels = (Channel.LOOK, Channel.SIDE, Channel.ASIDE)
    sway = Overlay(standing, channels, np.stack([0.40 * slow[:, 0], 0.025 * slow[:, 1], 0.03 * slow[:, 2]], axis=1))
    overlays = [sway]
    now = start + rng.uniform(0.2, 1.5)
    while now < stop - 1.5:
        until = min(now + rng.uniform(1.5, 5.0), stop)
        name, arms = _WHILE_STANDING[int(rng.integers(len(_WHILE_STANDING)))]
        overlays.append(_hold(window(time, now, until, rng.uniform(0.5, 0.9)), name, arms, rng, 0.06))
        now = until + rng.uniform(0.3, 2.5)
    return tuple(overlays)


def talk(time: Floats, start: float, stop: float, rng: np.random.Generator) -> tuple[Overlay, ...]:
    """Talking hands from ``start`` to ``stop`` (seconds): both forearms raised, moving in bouts."""
    frames = len(time)
    lively = drift(rng, frames, 8, 0.28)
    bout = 0.35 + 0.65 * (drift(rng, frames, 1, 1.0)[:, 0] > 0.0)
    centre = (0.25, 0.25, 0.18, 0.18, 1.25, 1.25, 0.35, 0.35)
    spread = (0.20, 0.20, 0.08, 0.08, 0.35, 0.35, 0.20, 0.20)
    values = np.array(centre) + np.array(spread) * lively * bout[:, None]
    values[:, 4:6] = np.maximum(values[:, 4:6], 0.1)
    hands = Overlay(window(time, start, stop, 0.8) * (0.4 + 0.6 * bout), UPPER, values)
    nod = Overlay(window(time, start, stop, 0.8), (Channel.NOD,), 0.05 + 0.08 * drift(rng, frames, 1, 0.2))
    return (hands, nod)
