"""The base density of the flow: a Gaussian whose mean the condition may move, and whose covariance may be learned.

STG-NF's base is N(3, 1) in every element. VQ-Flow (arXiv 2409.00942) lets a code move it; the mean here is an affine map of
the code vectors.

With one variance for every element, errors of a wrist and of a hip count the same, and frame after frame as if they were
independent. The separable covariance is that of a matrix-variate Gaussian (Dutilleul 1999): one covariance over the frames,
one over coordinates and joints, their Kronecker product over both. It starts from the maximum-likelihood estimate of the
first latents, and is trained with the rest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

if TYPE_CHECKING:
    from vadbench.api import PoseShape, TokenShape

Covariance = Literal["identity", "separable"]

_FLIP_FLOPS = 8
"""Rounds of the alternating estimate; it settles in a few."""
_FLOOR = 1e-6
"""Added to the variances of the first estimate, in units of their mean, for joints that hardly move."""


class BaseDensity(nn.Module):
    """Density of latents z (B, C, T, J).

    Args:
        poses: Shape of the windows.
        condition: Shape of the code vectors; None where the mean does not move.
        centre: Mean of every element before the condition moves it.
        covariance: ``identity``, or ``separable`` in time and joints.
    """

    whiten_frames: torch.Tensor
    whiten_joints: torch.Tensor

    def __init__(self, poses: PoseShape, condition: TokenShape | None, *, centre: float, covariance: Covariance) -> None:
        super().__init__()
        self.poses, self.centre, self.separable = poses, centre, covariance == "separable"
        numbers = poses.channels * poses.joints * poses.frames
        self.mean = None if condition is None else zero_linear(condition.width, numbers // condition.tokens)
        if self.separable:
            sides = {"frames": poses.frames, "joints": poses.channels * poses.joints}
            for name, side in sides.items():
                # The estimate stays as it is; what is learned is a triangular change of it, which starts at none.
                self.register_buffer(f"whiten_{name}", torch.eye(side))
                setattr(self, f"change_{name}", nn.Parameter(torch.zeros(side, side)))

    @torch.no_grad()
    def start(self, z: torch.Tensor, condition: torch.Tensor | None) -> None:
        """Takes the covariance of latents (B, C, T, J) by maximum likelihood; the mean has not moved yet."""
        if not self.separable:
            return
        rows = (z - self.centred(condition)).transpose(1, 2).flatten(2).double()
        rows = rows - rows.mean(dim=0)
        count, frames, joints = rows.shape
        over_frames = torch.eye(frames, dtype=rows.dtype, device=rows.device)
        over_joints = torch.eye(joints, dtype=rows.dtype, device=rows.device)
        for _ in range(_FLIP_FLOPS):
            seen = rows @ torch.linalg.inv(over_joints)
            over_frames = _floored(torch.einsum("btv,bsv->ts", seen, rows) / (count * joints))
            seen = torch.linalg.inv(over_frames) @ rows
            over_joints = _floored(torch.einsum("btv,btw->vw", seen, rows) / (count * frames))
        for buffer, covariance in ((self.whiten_frames, over_frames), (self.whiten_joints, over_joints)):
            buffer.copy_(torch.linalg.inv(torch.linalg.cholesky(covariance)))

    def log_prob(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B,) nats."""
        away = z - self.centred(condition)
        constant = 0.5 * math.prod(z.shape[1:]) * math.log(2 * math.pi)
        if not self.separable:
            return -0.5 * away.square().sum(dim=(1, 2, 3)) - constant
        frames, joints, log_det = self._factors()
        white = frames @ away.transpose(1, 2).flatten(2) @ joints.T
        out: torch.Tensor = log_det - constant - 0.5 * white.square().sum(dim=(1, 2))
        return out

    def elementwise(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Shares of ``log_prob`` by element, (B, C, T, J) nats; where elements covary they share what they have in common."""
        away = z - self.centred(condition)
        constant = 0.5 * math.log(2 * math.pi)
        if not self.separable:
            return -0.5 * away.square() - constant
        frames, joints, log_det = self._factors()
        rows = away.transpose(1, 2).flatten(2)
        weighed = (frames.T @ frames) @ rows @ (joints.T @ joints)
        shares: torch.Tensor = -0.5 * rows * weighed + log_det / math.prod(z.shape[1:]) - constant
        return shares.unflatten(2, (z.shape[1], z.shape[3])).transpose(1, 2)

    def centred(self, condition: torch.Tensor | None) -> torch.Tensor | float:
        """Mean of the latents, (B, C, T, J) where a condition moves it: each token those of its own frames."""
        if self.mean is None or condition is None:
            return self.centre
        moved: torch.Tensor = self.mean(condition).unflatten(2, (self.poses.channels, -1, self.poses.joints))
        return self.centre + moved.transpose(1, 2).flatten(2, 3)

    def _factors(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Whitening matrices of frames (T, T) and of joints (C * J, C * J), and the log-determinant of their product, nats."""
        frames, frames_log = _changed(self.whiten_frames, self.change_frames)  # type: ignore[arg-type]
        joints, joints_log = _changed(self.whiten_joints, self.change_joints)  # type: ignore[arg-type]
        return frames, joints, frames_log * len(joints) + joints_log * len(frames)


def zero_linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer that gives zeros until it is trained."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _changed(whiten: torch.Tensor, change: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A triangular matrix times the estimate, both lower triangular; and the log-determinant of the product."""
    diagonal = change.diagonal()
    factor = change.tril(-1) + torch.diag_embed(diagonal.exp())
    return factor @ whiten, diagonal.sum() + whiten.diagonal().log().sum()


def _floored(covariance: torch.Tensor) -> torch.Tensor:
    return covariance + _FLOOR * covariance.diagonal().mean() * torch.eye(
        len(covariance), dtype=covariance.dtype, device=covariance.device
    )
