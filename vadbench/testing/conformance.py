"""What a check says when a component breaks its contract, and when it cannot be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE: Final = 1e-4
"""How far two results may differ that should be the same but for rounding, as a share of how far results vary."""
ROUNDING: Final = 4e-6
"""And as a share of their size: some 30 roundings of a float32."""
_LEAST: Final = 1e-12
"""What results that are all the same and nearly 0 may differ by."""


class ConformanceError(AssertionError):
    """A component broke a rule of its contract; says what was expected, what came, and where the rule stands.

    Args:
        expected: What the rule asks for.
        got: What came instead.
        see: Where the rule stands; empty where the check's own sentence is the rule.
        remedy: What to do about it, where that is known.
        at: The line of the plug-in that it comes from, where that is known otherwise than by a traceback.
    """

    def __init__(self, expected: str, got: object, see: str = "", remedy: str | None = None, *, at: str | None = None) -> None:
        self.expected, self.got, self.see, self.remedy, self.at = expected, str(got), see, remedy, at
        place = f", see {see}" if see else ""
        # A whole rule is a sentence; what one line of it asks for is none.
        said = f"expected: {expected} Got {got}" if expected.endswith(".") else f"expected {expected}, got {got}"
        super().__init__(said + place + (f"; {remedy}" if remedy else ""))


class CheckSkipped(Exception):  # noqa: N818 - it is no error
    """A check that does not apply, or cannot be made here; the message is the reason."""


class Advice(Exception):  # noqa: N818 - it is no error
    """A rule that may be left unkept; the message is what would be better."""


def expect(holds: object, expected: str, got: object, contract: str, remedy: str | None = None) -> None:
    """Raises `ConformanceError` unless ``holds``.

    Args:
        holds: Whether the rule is kept.
        expected: What it asks for.
        got: What came instead.
        contract: The contract that it belongs to, or a dotted name where the rule stands elsewhere.
        remedy: What to do about it, where that is known.
    """
    if not holds:
        raise ConformanceError(expected, got, place_of(contract), remedy)


def place_of(contract: str) -> str:
    """Where a contract stands, for a reader: a name without a dot is one of `vadbench.api.contracts`."""
    return contract if "." in contract or not contract else f"{contract} in vadbench.api.contracts"


def expect_same(
    got: Any, wanted: Any, what: str, contract: str, *, exactly: bool = False, as_whole: bool = False, remedy: str | None = None
) -> None:
    """Raises `ConformanceError` unless two arrays have one shape and equal values, whole numbers exactly.

    Other numbers may differ by rounding: each by `TOLERANCE` of the spread of all (their interquartile range) and of its own
    distance from their median, so that it does not matter what units a score has or where its zero is. Numbers that lie far
    from zero and close together, such as scores about 1e6 computed in float32, are rounded more coarsely than their spread
    tells: each may also differ by `ROUNDING` of its size. What hides below that cannot be told from rounding.

    Args:
        got: Array or tensor.
        wanted: What it is held against.
        what: What should be the same as what, e.g. ``the codes of a batch to be those of its windows one by one``.
        contract: As for `expect`.
        exactly: Whether other numbers may not even differ by rounding.
        as_whole: Whether numbers belong together, as those of a latent: what is rounding is then told by the standard
            deviation of all, as some of them may not vary at all.
        remedy: As for `expect`.
    """
    left, right = as_array(got), as_array(wanted)
    expect(left.shape == right.shape, what, f"shapes {left.shape} and {right.shape}", contract, remedy)
    if left.size == 0:
        return
    # Whether numbers are finite is another check's question: here, NaN is the same as NaN.
    same = (left == right) | ((left != left) & (right != right))  # noqa: PLR0124 - NaN differs from itself
    if exactly or left.dtype.kind in "iub":
        expect(same.all(), what, f"{int((~same).sum())} of {same.size} values that differ", contract, remedy)
        return
    allowed = _allowed(right.astype(np.float64), as_whole)
    with np.errstate(invalid="ignore"):
        gaps = np.where(same, 0.0, np.abs(left.astype(np.float64) - right))
        # A gap to what is not finite is more than any that is allowed.
        worst = int(np.argmax(np.where(np.isfinite(gaps), gaps / allowed, np.inf)))
    gap, value = float(gaps.flat[worst]), float(right.flat[worst])
    within = f"{float(allowed.flat[worst]):.2g} is rounding"
    expect(gap <= allowed.flat[worst], what, f"a difference of {gap:.3g} from {value:.4g}, where {within}", contract, remedy)


def _allowed(values: NDArray[np.float64], as_whole: bool) -> NDArray[np.float64]:
    """By how much each may be off."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return np.full_like(values, _LEAST)
    low, median, high = np.quantile(finite, (0.25, 0.5, 0.75))
    # Where half of the values are one number they have no such range.
    spread = finite.std() if as_whole else (high - low) or finite.std()
    size = float(np.median(np.abs(finite)))
    known = np.where(np.isfinite(values), values, median)
    allowed: NDArray[np.float64] = TOLERANCE * (spread + np.abs(known - median)) + ROUNDING * np.maximum(np.abs(known), size)
    return allowed + _LEAST


def as_array(values: Any) -> NDArray[Any]:
    """A tensor, on whatever device, or anything else that has numbers, as a NumPy array."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def is_finite(values: Any) -> bool:
    """Whether every number is finite."""
    return bool(np.isfinite(as_array(values)).all())
