"""Convolutions over time that the learned tokenizers share: a window becomes a feature for every few frames, and comes back.

Encoder and decoder are those of T2M-GPT (arXiv 2301.06052) in a smaller size, as poses are 2-D: stages that halve the number
of frames, dilated residual units, and their mirror image. What differs between tokenizers is what becomes of the features.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import smooth_l1_loss

from vadbench.api import ConfigError, EarlyStopping, PoseShape, TrainingPlan


class ConvolutionalConfig(EarlyStopping):
    """Settings of the convolutions and of their training."""

    hidden: int = Field(default=64, ge=1, description="channels of the convolutions")
    downsampling: int = Field(default=4, ge=1, description="frames of a token; a power of two that divides the window")
    velocity: float = Field(default=0.5, ge=0, description="weight of the loss on frame-to-frame differences")
    epochs: int = Field(default=15, ge=1, description="passes over the training windows")
    batch_size: int = Field(default=256, ge=1, description="windows a step")
    learning_rate: float = Field(default=1e-3, gt=0, description="of the first epoch")
    decay: float = Field(default=0.9, gt=0, le=1, description="factor of the learning rate after each epoch")

    def plan(self) -> TrainingPlan:
        """How the harness is to train it."""
        return TrainingPlan(
            self.epochs,
            self.batch_size,
            self.learning_rate,
            decay=self.decay,
            clip_norm=1.0,
            held_out=self.held_out,
            patience=self.patience,
            amp=False,  # at half precision the nearest code is another, and a codebook's averages lose what they gather
        )


class Convolutions(nn.Module):
    """An encoder to features and a decoder from them; made in this order, so that a seed gives the same weights everywhere.

    Args:
        poses: Shape of a window.
        width: D, numbers of a feature.
        hidden: Channels of the convolutions.
        downsampling: Frames of a token.

    Attributes:
        tokens: L, features of a window.

    Raises:
        ConfigError: if the down-sampling is no power of two or does not divide the window.
    """

    def __init__(self, poses: PoseShape, *, width: int, hidden: int, downsampling: int) -> None:
        super().__init__()
        if downsampling & (downsampling - 1) or poses.frames % downsampling:
            raise ConfigError(
                f"a down-sampling of {downsampling} does not fit windows of {poses.frames} frames",
                where="tokenizer.downsampling",
                remedy="choose a power of two that divides windows.length",
            )
        self.poses, self.tokens = poses, poses.frames // downsampling
        stages, inputs = range(downsampling.bit_length() - 1), poses.channels * poses.joints
        down = [layer for _ in stages for layer in (nn.Conv1d(hidden, hidden, 4, stride=2, padding=1), Residual(hidden))]
        up = [
            layer
            for _ in stages
            for layer in (Residual(hidden), nn.Upsample(scale_factor=2), nn.Conv1d(hidden, hidden, 3, padding=1))
        ]
        self.encoder = nn.Sequential(
            nn.Conv1d(inputs, hidden, 3, padding=1), nn.ReLU(), *down, nn.Conv1d(hidden, width, 3, padding=1)
        )
        self.decoder = nn.Sequential(
            nn.Conv1d(width, hidden, 3, padding=1), nn.ReLU(), *up, nn.ReLU(), nn.Conv1d(hidden, inputs, 3, padding=1)
        )

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Windows (B, C, T, J) to features (B, L, D)."""
        features: torch.Tensor = self.encoder(x.transpose(2, 3).flatten(1, 2))
        return features.transpose(1, 2)

    def windows(self, vectors: torch.Tensor) -> torch.Tensor:
        """Vectors (B, L, D) to windows (B, C, T, J)."""
        x: torch.Tensor = self.decoder(vectors.transpose(1, 2))
        x = x.unflatten(1, (self.poses.channels, self.poses.joints))
        return x.transpose(2, 3)

    @torch.no_grad()
    def start_at_mean_pose(self, x: torch.Tensor) -> None:
        """Lets the untrained decoder say the mean pose of windows (B, C, T, J), whatever the vectors.

        Otherwise the first steps of training push all features the same way, towards that pose; they come to lie beside one
        another, and where rounding saturates they never come back.
        """
        last = self.decoder[-1]
        assert isinstance(last, nn.Conv1d)  # noqa: S101 - Sequential forgets what it holds
        assert last.bias is not None  # noqa: S101
        last.bias.copy_(x.mean(dim=(0, 2)).flatten())


class Residual(nn.Module):
    """Two dilated residual units on (B, channels, T)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.units = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(), nn.Conv1d(channels, channels, 3, padding=d, dilation=d), nn.ReLU(), nn.Conv1d(channels, channels, 1)
            )
            for d in (3, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, channels, T), as it came."""
        for unit in self.units:
            x = x + unit(x)
        return x


def motion_loss(decoded: torch.Tensor, x: torch.Tensor, velocity: float) -> torch.Tensor:
    """Smooth-L1 distance of windows (B, C, T, J), and ``velocity`` times that of their frame-to-frame differences."""
    return smooth_l1_loss(decoded, x) + velocity * smooth_l1_loss(decoded.diff(dim=2), x.diff(dim=2))
