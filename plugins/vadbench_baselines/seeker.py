"""SeeKer: a skeleton sequence as keypoints one after another, each a Gaussian given all before it (arXiv 2506.18368).

A window's score is how unlikely the keypoints of its last frame are, weighted by their confidences. Nothing after that frame is
needed, so a camera can be scored as it runs.
"""

from __future__ import annotations

import math

import torch
from pydantic import Field

from vadbench.api import ConfigError, Context, DataError, PoseShape, Windows
from vadbench_baselines.masked_network import KeypointNetwork
from vadbench_baselines.neural_detector import NeuralConfig, NeuralDetector

RAW = 5
"""Raw numbers of a keypoint: place (2), logarithms of deviations (2), correlation (1)."""
_WIDEST = 10.0
"""Largest standard deviation, in those of the body's height."""
_STRONGEST = 0.99
"""Largest correlation of x and y, so that every covariance can be inverted in float32."""


class SeeKerConfig(NeuralConfig):
    """Settings of SeeKer."""

    width: int = Field(default=512, ge=1, description="hidden units a layer")
    blocks: int = Field(default=1, ge=0, description="residual blocks of two layers")
    narrowest: float = Field(
        default=0.01,
        gt=0,
        lt=_WIDEST,
        description="smallest standard deviation of a keypoint, in units of the body's spread in y",
    )
    epochs: int = Field(default=16, ge=1, description="passes over the training windows")
    learning_rate: float = Field(default=3e-3, gt=0, description="of the first step; it falls to 0 by a half cosine")


class SeeKer(NeuralDetector):
    """Keypoint-level Gaussians with full covariances; fulfils `vadbench.api.Detector`.

    Raises:
        ConfigError: for windows of fewer than two frames, as the first is given.
    """

    typical: torch.Tensor

    def __init__(self, config: SeeKerConfig, poses: PoseShape) -> None:
        super().__init__(poses)
        if poses.frames < 2:
            raise ConfigError("a window of one frame has no frame before it", where="windows.length", remedy="2 or more")
        self.config = config
        self.network = KeypointNetwork(poses.frames, poses.joints, RAW, config.width, config.blocks)
        self.register_buffer("typical", torch.zeros(()))

    def fit(self, windows: Windows, context: Context) -> None:
        """Maximises the weighted likelihood of every keypoint after the first frame; raises `DataError` without windows."""
        if len(windows) == 0:
            raise DataError("there is no training window", where=context.name, remedy="train on tracks longer than a window")
        plan = self.config.plan(schedule="cosine", clip_norm=1.0, amp=False)
        self.learn(self.loss, windows, plan, context)
        with torch.no_grad():
            self._take_typical(windows, context)

    def loss(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """Mean negative log-likelihood of a keypoint in nats, weighted by confidence."""
        weight = confidence[:, 1:]
        return (self.keypoint_nll(x, confidence) * weight).sum() / weight.sum().clamp(min=1e-6)

    def keypoint_nll(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """Negative log-density (B, T - 1, J), nats, of each keypoint after the first frame given all keypoints before it.

        In the units of `placed_by_first_frame`.

        Args:
            x: (B, 2, T, J).
            confidence: (B, T, J).
        """
        keypoints = placed_by_first_frame(x, confidence)
        raw = self.network(keypoints)
        expected = keypoints[:, :-1] + raw[..., :2]
        return gaussian_nll(keypoints[:, 1:] - expected, *covariance_parts(raw[..., 2:], self.config.narrowest))

    def surprise(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """(B,): mean over the joints of the last frame, weighted by confidence; an average score where none is there."""
        weight = confidence[:, -1]
        total = weight.sum(dim=1)
        mean = (self.keypoint_nll(x, confidence)[:, -1] * weight).sum(dim=1) / torch.where(total > 0, total, 1)
        return torch.where(total > 0, mean, self.typical)

    def _take_typical(self, windows: Windows, context: Context) -> None:
        scores = torch.from_numpy(self.score(windows, context))
        self.typical.copy_(scores.median())


def placed_by_first_frame(x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
    """Keypoints (B, T, J, 2) relative to the first frame: minus its mean place, over the deviation of its heights.

    The normalisation of a window looks at all of its frames and so tells of each what the others leave open: the sum of all
    is 0. This takes it off again, as far as a place and one scale go, and puts one on that nothing but the given frame decides.

    A joint that is missing stands where it was last, or at the first frame's mean if it was not there before: the window's
    own filling looks ahead.

    Args:
        x: (B, 2, T, J).
        confidence: (B, T, J).
    """
    keypoints, there = x.permute(0, 2, 3, 1), confidence > 0
    first = there[:, 0, :, None]
    number = first.sum(dim=1, keepdim=True).clamp(min=1)
    mean = torch.where(first, keypoints[:, 0], 0).sum(dim=1, keepdim=True) / number
    away = torch.where(first, keypoints[:, 0] - mean, 0)[..., 1:]
    deviation = (away.square().sum(dim=1, keepdim=True) / number).sqrt()
    # A first frame with hardly a joint has no size; then the window's scale, which is about 1, stays.
    deviation = torch.where(deviation > 0.1, deviation, 1)
    placed = (keypoints - mean[:, None]) / deviation[:, None]
    frames = torch.arange(x.shape[2], device=x.device)[:, None]
    latest = torch.where(there, frames, -1).cummax(dim=1).values
    held = placed.gather(1, latest.clamp(min=0)[..., None].expand_as(placed))
    return torch.where(latest[..., None] >= 0, held, 0)


def covariance_parts(raw: torch.Tensor, narrowest: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Standard deviations (..., 2) and correlation (...) from raw numbers (..., 3), whatever those are.

    The deviations lie between ``narrowest`` and 10 and are halfway in ratio at 0, where the correlation is 0, too.
    """
    low, high = math.log(narrowest), math.log(_WIDEST)
    deviation = (low + (high - low) * raw[..., :2].sigmoid()).exp()
    return deviation, _STRONGEST * raw[..., 2].tanh()


def gaussian_nll(away: torch.Tensor, deviation: torch.Tensor, correlation: torch.Tensor) -> torch.Tensor:
    """Negative log-density (...) in nats of a Gaussian in the plane, at (..., 2) away from its mean."""
    x, y = (away / deviation).unbind(dim=-1)
    free = 1 - correlation.square()
    square = x.square() + (y - correlation * x).square() / free
    return 0.5 * (square + free.log()) + deviation.log().sum(dim=-1) + math.log(2 * math.pi)
