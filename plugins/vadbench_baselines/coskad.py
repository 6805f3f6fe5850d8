"""COSKAD (Flaborea et al., Pattern Recognition 2024, arXiv 2301.09489): latent vectors of normal motion drawn to one centre.

An encoder of separable graph convolutions; how far a window's vector is from the centre is its score. The space that distances
are taken in is Euclidean, spherical or hyperbolic.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import nn

from vadbench.api import Context, DataError, PoseShape, Windows
from vadbench_baselines.latent_geometry import Space, latent_geometry
from vadbench_baselines.neural_detector import NeuralConfig, NeuralDetector
from vadbench_baselines.separable_graph_convolution import SeparableGraphConvolution

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FOR_CENTRE: Final = 4096
"""Training windows whose mean is the centre."""


class CoskadConfig(NeuralConfig):
    """Settings of COSKAD."""

    space: Space = Field(default="euclidean", description="where distances are taken")
    curvature: float = Field(default=1.0, gt=0, le=100, description="c of the hyperbolic space, whose curvature is -c")
    channels: tuple[int, ...] = Field(default=(16, 8, 16), min_length=1, description="channels after each graph convolution")
    latent: int = Field(default=8, ge=2, description="numbers of a latent vector")
    epochs: int = Field(default=4, ge=1, description="passes over the training windows")
    batch_size: int = Field(default=128, ge=1, description="windows a step")
    learning_rate: float = Field(default=1e-3, gt=0, description="step size of the optimiser")
    weight_decay: float = Field(default=1e-6, ge=0, description="of AdamW; Deep SVDD's")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if any(channels < 1 for channels in self.channels):
            raise ValueError("channels must each be at least 1")
        if self.curvature != 1 and self.space != "hyperbolic":
            raise ValueError(f'curvature is for space = "hyperbolic" alone, and space is "{self.space}"')
        return self


class Coskad(NeuralDetector):
    """Geodesic distance of a window's latent vector from the centre; fulfils `vadbench.api.Detector`.

    Nothing in the encoder is added to what it computes: neither bias nor shift of a batch norm, so that it has no constant by
    which all windows could be sent to the centre (Ruff et al., ICML 2018, proposition 2). Zero weights do not reach it either,
    as the centre is fixed at the mean of the untrained vectors, away from the origin.
    """

    centre: torch.Tensor

    def __init__(self, config: CoskadConfig, poses: PoseShape) -> None:
        super().__init__(poses)
        self.config = config
        self.geometry = latent_geometry(config.space, config.curvature)
        widths = (poses.channels, *config.channels)
        self.encoder = nn.Sequential(
            *(SeparableGraphConvolution(before, after, poses.frames, poses.joints) for before, after in pairwise(widths)),
            nn.Flatten(),
            nn.Linear(widths[-1] * poses.frames * poses.joints, config.latent, bias=False),
        )
        self.register_buffer("centre", torch.zeros(config.latent, dtype=torch.float64))

    def fit(self, windows: Windows, context: Context) -> None:
        """Fixes the centre, then draws the windows to it; raises `DataError` without a window."""
        if len(windows) == 0:
            raise DataError(
                "there is no training window to contract", where=context.name, remedy="train on tracks longer than a window"
            )
        self.to(context.device)
        self.centre.copy_(self.geometry.centre(self._untrained(windows, context)))

        def loss(x: torch.Tensor, _confidence: torch.Tensor) -> torch.Tensor:
            return self.geometry.contraction(self.points(x), self.centre).mean()

        self.learn(loss, windows, self.config.plan(), context)

    def surprise(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - missing joints are filled
        """(B,) distances."""
        return self.geometry.distance(self.points(x), self.centre)

    def points(self, x: torch.Tensor) -> torch.Tensor:
        """Windows (B, 2, T, J) to points (B, D) float64 of the latent space."""
        return self.geometry.place(self.encoder(x))

    @torch.no_grad()
    def _untrained(self, windows: Windows, context: Context) -> torch.Tensor:
        """Points (N, D) of some training windows, as training will first see them: normalised batch by batch."""
        picked: NDArray[np.int64] = np.sort(context.child("centre").rng().permutation(len(windows))[:_FOR_CENTRE])
        self.train()
        pieces = np.array_split(picked, max(len(picked) // self.config.batch_size, 1))
        return torch.cat([self.points(context.tensor(windows.batch(piece).x)) for piece in pieces])
