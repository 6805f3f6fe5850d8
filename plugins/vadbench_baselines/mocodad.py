"""MoCoDAD (Flaborea et al., ICCV 2023, arXiv 2307.07205): diffusion of the motion to come, conditioned on past motion.

Of each window the first frames are the condition. The others are generated several times from noise, and the score is how far
the best of the generations is from what was seen: what is normal has many possible continuations, and one of them fits.
"""

from __future__ import annotations

from typing import Final

import torch
from pydantic import Field
from torch.nn.functional import mse_loss, smooth_l1_loss

from vadbench.api import ConfigError, Context, DataError, PoseShape, Windows
from vadbench_baselines.diffusion import NoiseSchedule, Schedule
from vadbench_baselines.mocodad_network import ConditionAutoencoder, Denoiser, TimeEmbedding
from vadbench_baselines.neural_detector import NeuralConfig, NeuralDetector

_COLUMNS: Final = {"cpu": 512, "cuda": 65_536}
"""Generations at a time: on the CPU their features stay in its cache."""


class MoCoDADConfig(NeuralConfig):
    """Settings of MoCoDAD."""

    condition_frames: int | None = Field(
        default=None, ge=1, description="frames of the window that are the condition; half of them by default"
    )
    generations: int = Field(default=5, ge=1, description="N, of which the best counts; scoring takes N times as long")
    steps: int = Field(default=10, ge=2, description="steps of the diffusion")
    schedule: Schedule = Field(default="cosine", description="how much noise each step adds")
    width: int = Field(default=16, ge=1, description="channels of the U-Net's outer level; the inner levels have twice as many")
    condition_channels: tuple[int, ...] = Field(
        default=(32, 16, 32), min_length=1, description="channels of the layers that encode the condition"
    )
    latent: int = Field(default=16, ge=2, description="numbers that stand for the condition, and for a step")
    reconstruction_weight: float = Field(default=0.01, ge=0, description="weight of the condition's reconstruction in the loss")
    epochs: int = Field(default=12, ge=1, description="passes over the training windows")


class MoCoDAD(NeuralDetector):
    """Smooth L1 distance (W,) of the frames to come from the best of N generations of them; fulfils `vadbench.api.Detector`.

    The noise of the N generations is drawn once, when it is fitted, and is the same for every window: a score is a function of
    the window, and with more generations it never rises.
    """

    noise: torch.Tensor

    def __init__(self, config: MoCoDADConfig, poses: PoseShape) -> None:
        super().__init__(poses)
        self.config = config
        frames, joints = poses.frames, poses.joints
        self.past = frames // 2 if config.condition_frames is None else config.condition_frames
        if self.past >= frames:
            raise ConfigError(
                f"{self.past} frames of condition leave nothing to generate of windows of {frames} frames",
                where="detector.condition_frames",
                remedy=f"choose at most {frames - 1}, or longer windows (windows.length)",
            )
        if min(config.condition_channels) < 1:
            raise ConfigError(
                f"a layer cannot have {min(config.condition_channels)} channels",
                where="detector.condition_channels",
                remedy="choose numbers of at least 1",
            )
        self.diffusion = NoiseSchedule(config.steps, config.schedule)
        self.times = TimeEmbedding(config.steps, config.latent)
        self.condition = ConditionAutoencoder(config.condition_channels, self.past, joints, config.latent)
        self.denoiser = Denoiser(config.width, frames - self.past, joints, config.latent)
        # noise[s] is what is there, or added, once s + 1 steps of noise are left.
        self.register_buffer("noise", torch.zeros(config.steps, frames - self.past, joints, 2, config.generations, 1))

    def fit(self, windows: Windows, context: Context) -> None:
        """Learns to predict noise in the frames to come; raises `DataError` without windows."""
        if len(windows) == 0:
            raise DataError("there is no window to learn from", where=context.name, remedy="train on more data")
        config = self.config
        self.to(context.device)
        chance = context.child("generations").generator()
        # One generation after another: the first ones are the same however many there are.
        drawn = [torch.randn(self.noise.shape[:4], generator=chance) for _ in range(config.generations)]
        self.noise.copy_(torch.stack(drawn, dim=-1)[..., None])
        generator = context.generator()

        def loss(x: torch.Tensor, _confidence: torch.Tensor) -> torch.Tensor:
            step = torch.randint(config.steps, (len(x),), generator=generator).to(x.device)
            noise = torch.randn((*self.noise.shape[1:4], 1, len(x)), generator=generator).to(x.device)
            return self.loss(x, step, noise)

        self.learn(loss, windows, config.plan(schedule="cosine", clip_norm=1.0), context, generators=(generator,))

    def loss(self, x: torch.Tensor, step: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Smooth L1 of the predicted noise, plus the weighted squared error of the condition's reconstruction: ().

        Args:
            x: (B, 2, T, J) windows.
            step: (B,) int64 in [0, S).
            noise: (F, J, 2, 1, B) standard normal, for the F frames to come.
        """
        past, future = self._parted(x)
        latent = self.condition.encode(past)
        offsets = self.denoiser.offsets(latent + self.times()[step])
        predicted = self.denoiser(self.diffusion.noised(future, step, noise), offsets)
        rebuilt = mse_loss(self.condition.decode(latent), past)
        return smooth_l1_loss(predicted, noise) + self.config.reconstruction_weight * rebuilt

    def surprise(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - as in the paper, all joints count
        """(B,) scores of windows (B, 2, T, J)."""
        at_once = max(_COLUMNS.get(x.device.type, 512) // self.config.generations, 1)
        return torch.cat([self._distance(piece) for piece in x.split(at_once)])

    def generate(self, latent: torch.Tensor) -> torch.Tensor:
        """The N generations (F, J, 2, N, B) of the frames to come, of windows whose conditions (B, E) are given.

        All generations go through the network together. Where an offset comes from the condition or the step alone it is
        computed once, and the first layer of the first step sees the noise alone: it is the same for all windows.
        """
        by_step, by_window = self.denoiser.offsets(self.times()), self.denoiser.offsets(latent)
        x = self.noise[-1]
        for step in reversed(range(self.config.steps)):
            offsets = [time[:, step, None] + window for time, window in zip(by_step, by_window, strict=True)]
            predicted = self.denoiser(x, offsets)
            x = self.diffusion.previous(x, step, predicted, self.noise[step - 1] if step else None)
        return x

    def _distance(self, x: torch.Tensor) -> torch.Tensor:
        past, future = self._parted(x)
        generated = self.generate(self.condition.encode(past))
        error = smooth_l1_loss(generated, future.expand_as(generated), reduction="none")
        return error.mean(dim=(0, 1, 2)).amin(dim=0)

    def _parted(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Windows (B, 2, T, J) as past (P, J, 2, 1, B) and future (F, J, 2, 1, B)."""
        turned = x.permute(2, 3, 1, 0)[:, :, :, None].contiguous()
        return turned[: self.past], turned[self.past :]
