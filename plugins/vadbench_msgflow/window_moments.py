"""Means and covariances of training windows, summed batch by batch so that memory does not grow with their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from vadbench.api import DataError
from vadbench_msgflow.convolutions import windows_at

if TYPE_CHECKING:
    from vadbench.api import Context, Windows

_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Moments:
    """Of windows, flattened to N numbers, followed by those of their conditions, E numbers or none.

    Args:
        count: Windows.
        mean: (N + E,) float64.
        covariance: (N + E, N + E) float64, divided by ``count``.
    """

    count: int
    mean: torch.Tensor
    covariance: torch.Tensor


def window_moments(windows: Windows, condition: torch.Tensor | None, context: Context) -> Moments:
    """Moments of windows and of their conditions (W, L, D), both flattened; raises `DataError` for fewer than two windows."""
    if len(windows) < 2:
        raise DataError(
            f"{len(windows)} training windows have no covariance", where=context.name, remedy="train on more or longer tracks"
        )
    origin: torch.Tensor | None = None
    total = squares = torch.zeros(())
    for index in torch.split(torch.arange(len(windows)), _BATCH):
        rows = windows_at(windows, index, context).flatten(1).double()
        if condition is not None:
            rows = torch.cat([rows, condition[index].to(rows.device).flatten(1).double()], dim=1)
        if origin is None:
            # Sums about a mean that is about right: squares of large numbers would cancel.
            origin = rows.mean(dim=0)
            total, squares = torch.zeros_like(origin), rows.new_zeros((len(origin), len(origin)))
        rows = rows - origin
        total = total + rows.sum(dim=0)
        squares = squares.addmm_(rows.T, rows)
    assert origin is not None  # noqa: S101 - there are windows
    shift = total / len(windows)
    return Moments(len(windows), origin + shift, squares / len(windows) - torch.outer(shift, shift))
