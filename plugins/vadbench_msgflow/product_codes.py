"""Codes that are made of several digits: how the digits of a token become one whole number, and how they come back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 1 << 16
"""Codes that a codebook may have: a prior gives each a probability, and diagnostics count each."""


class ProductCode:
    """Digits (..., S) with ``sizes[s]`` values each, and codes (...) in [0, product of the sizes), the first digit slowest.

    Args:
        sizes: Of each digit.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = tuple(sizes)
        self.size = math.prod(self.sizes)
        self._places = tuple(math.prod(self.sizes[s + 1 :]) for s in range(len(self.sizes)))

    def join(self, digits: torch.Tensor) -> torch.Tensor:
        """Digits (..., S) int64 to codes (...) int64."""
        return (digits * digits.new_tensor(self._places)).sum(dim=-1)

    def split(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (...) int64 to digits (..., S) int64."""
        return torch.stack([codes // place % size for place, size in zip(self._places, self.sizes, strict=True)], dim=-1)


def checked_sizes(sizes: list[int]) -> list[int]:
    """The sizes; raises `ValueError` if there are more codes than can be counted."""
    if math.prod(sizes) > MOST:
        raise ValueError(f"they multiply to {math.prod(sizes)} codes; at most {MOST} can be told apart")
    return sizes
