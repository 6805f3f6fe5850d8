"""PCA whitening of pose windows, with the way back from whitened directions to joints, where confidences can weigh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from vadbench.api import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.api import Context, PoseShape, Windows

_BATCH = 4096
_FLAT = 1e-6
"""Variance of a direction, as a share of the largest, below which it counts as this much: a rounding error is no motion."""


class PCAWhitening(nn.Module):
    """Windows to their first K principal components, each of unit variance in training.

    A joint that is missing takes its mean place in the rest of its window; one that the window never shows takes its mean
    place in training. So what stands in x where the confidence is 0 changes nothing.

    Args:
        poses: Shape of the windows; N = C T J numbers each.
        components: K, at most N.
    """

    mean: torch.Tensor
    directions: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, poses: PoseShape, components: int) -> None:
        super().__init__()
        self.poses = poses
        numbers = poses.channels * poses.frames * poses.joints
        self.width = min(components, numbers)
        self.register_buffer("mean", torch.zeros(poses.channels, poses.frames, poses.joints))
        self.register_buffer("directions", torch.eye(numbers)[: self.width].contiguous())
        self.register_buffer("deviation", torch.ones(self.width))

    @torch.no_grad()
    def learn(self, windows: Windows, context: Context) -> float:
        """Mean and principal components of the windows; the share of their variance that is kept.

        Raises:
            DataError: for fewer than two windows, or windows that are all alike.
        """
        if len(windows) < 2:
            raise DataError(
                f"{len(windows)} training windows have no principal components",
                where=context.name,
                remedy="train on more or longer tracks",
            )
        # In float64: the directions in which windows hardly vary are found by cancellation.
        total = torch.zeros_like(self.mean, dtype=torch.float64)
        seen = torch.zeros_like(total[0])
        for x, confidence in _batches(windows, context):
            there = (confidence > 0).double()
            total += torch.einsum("bctj,btj->ctj", x.double(), there)
            seen += there.sum(dim=0)
        self.mean.copy_(total / seen.clamp(min=1))
        rows, squares = torch.zeros_like(total).flatten(), torch.zeros(total.numel(), total.numel(), dtype=torch.float64)
        squares = squares.to(total.device)
        for x, confidence in _batches(windows, context):
            left = (self.filled(x, confidence) - self.mean).flatten(1).double()
            rows += left.sum(dim=0)
            squares.addmm_(left.T, left)
        shift = rows / len(windows)
        variance, vectors = torch.linalg.eigh(squares / len(windows) - torch.outer(shift, shift))
        variance, vectors = variance.flip(0).clamp(min=0), vectors.flip(1)
        if not float(variance[0]) > 0:
            raise DataError("the training windows are all alike", where=context.name, remedy="train on poses that move")
        self.mean += shift.view_as(self.mean)
        self.directions.copy_(vectors.T[: self.width])
        self.deviation.copy_(variance[: self.width].clamp(min=_FLAT * float(variance[0])).sqrt())
        return float(variance[: self.width].sum() / variance.sum())

    def filled(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """Windows (B, C, T, J) with a place for each missing joint that depends on the joints that are there alone."""
        there = (confidence > 0)[:, None]
        count = there.sum(dim=2, keepdim=True)
        own = torch.where(there, x, 0).sum(dim=2, keepdim=True) / count.clamp(min=1)
        return torch.where(there, x, torch.where(count > 0, own, self.mean))

    def forward(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """Windows (B, C, T, J) with confidences (B, T, J) to whitened components (B, K)."""
        left = (self.filled(x, confidence) - self.mean).flatten(1)
        return left @ self.directions.T / self.deviation

    def weighted_square(self, error: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """The mean square (B,) of an error (B, K) in whitened directions, each joint counted by its confidence (B, T, J).

        The error is rotated to the joints, where it has the same length as the directions are orthonormal: with equal
        confidences the result is the mean of ``error ** 2``. Where no joint is there it is 0.
        """
        at_joints = (error @ self.directions).unflatten(1, tuple(self.mean.shape)).square().sum(dim=1)
        weight = confidence.sum(dim=(1, 2))
        mean = (at_joints * confidence).sum(dim=(1, 2)) / torch.where(weight > 0, weight, 1)
        found: torch.Tensor = mean * (self.poses.frames * self.poses.joints / self.width)
        return found


def _batches(windows: Windows, context: Context) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for begin in range(0, len(windows), _BATCH):
        batch = windows.batch(slice(begin, begin + _BATCH))
        yield context.tensor(batch.x), context.tensor(batch.confidence)
