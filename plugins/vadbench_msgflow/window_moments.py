"""Means and covariances of training windows, summed batch by batch so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from vadbench.api import DataError

if TYPE_CHECKING:
    from vadbench.api import Context, Windows

_BATCH = 4096
Latent = Callable[[torch.Tensor, "torch.Tensor | None"], torch.Tensor]


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

    def of_first(self, numbers: int) -> Moments:
        """Those of the first numbers alone, as if there were no others."""
        return Moments(self.count, self.mean[:numbers], self.covariance[:numbers, :numbers])


def window_moments(windows: Windows, condition: torch.Tensor | None, context: Context, latent: Latent | None = None) -> Moments:
    """Moments of windows and of their conditions, both flattened.

    Args:
        windows: W of them.
        condition: (W, L, D), or None.
        context: Of the component.
        latent: What to take instead of the windows x (B, C, T, J), given x and its condition.

    Raises:
        DataError: for fewer than two windows.
    """
    if len(windows) < 2:
        raise DataError(
            f"{len(windows)} training windows have no covariance", where=context.name, remedy="train on more or longer tracks"
        )
    origin: torch.Tensor | None = None
    total = squares = torch.zeros(())
    for index in torch.split(torch.arange(len(windows)), _BATCH):
        x = context.tensor(windows.batch(index.numpy()).x)
        given = None if condition is None else condition[index].to(x.device)
        rows = (x if latent is None else latent(x, given)).flatten(1).double()
        if given is not None:
            rows = torch.cat([rows, given.flatten(1).double()], dim=1)
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
