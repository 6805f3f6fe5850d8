"""TrajREC (Stergiou et al., WACV 2024, arXiv 2311.01851): hidden segments of a trajectory, reconstructed from what is left of it.

One network is trained on three tasks: the hidden frames are the first of the window (past), those in its middle (present) or
the last (future). The score is the error with which the frames of one task, or of all three, are reconstructed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import torch
from pydantic import Field

from vadbench.api import ConfigError, Context, DataError, PoseShape, Windows
from vadbench_baselines.neural_detector import NeuralConfig, NeuralDetector
from vadbench_baselines.trajectory_transformer import TrajectoryTransformer

_TASKS: Final = ("past", "present", "future")
_SMALLEST: Final = 1e-3
"""Standard deviation below which what is observed has no size."""


class TrajRECConfig(NeuralConfig):
    """Settings of TrajREC."""

    task: Literal["future", "present", "past", "mean"] = Field(
        default="future", description="whose error is the score; mean is that of all three, at three times the cost"
    )
    target_frames: int = Field(default=6, ge=1, description="frames that are hidden")
    weights: tuple[float, float, float] = Field(default=(3.0, 3.0, 5.0), description="of past, present and future in the loss")
    width: int = Field(default=64, ge=1, description="numbers of a token; a multiple of heads")
    heads: int = Field(default=4, ge=1, description="heads of the attention")
    encoder_layers: int = Field(default=2, ge=1, description="layers that see the observed frames")
    decoder_layers: int = Field(default=1, ge=1, description="layers that see them with the hidden ones")
    epochs: int = Field(default=12, ge=1, description="passes over the training windows")
    batch_size: int = Field(default=128, ge=1, description="windows a step")
    learning_rate: float = Field(default=2e-3, gt=0, description="of the end of the first epoch; a half cosine from there")


@dataclass(frozen=True, slots=True)
class Observed:
    """What is left of B windows once frames are hidden, in units of its own.

    Args:
        x: (B, O, 2, J) places of joints in the O observed frames, about their mean, in units of their standard deviation in y.
        centre: (B, 1, 2, 1), that mean.
        size: (B, 1, 1, 1), that standard deviation.
    """

    x: torch.Tensor
    centre: torch.Tensor
    size: torch.Tensor


class TrajREC(NeuralDetector):
    """Squared error of the reconstruction of hidden frames; fulfils `vadbench.api.Detector`.

    Scores are (W, T) for a single task: a hidden frame has its own error, and a frame that was observed has their mean. For
    ``mean`` they are (W,): the mean of the three tasks.
    """

    hidden: torch.Tensor
    observed: torch.Tensor
    weights: torch.Tensor

    def __init__(self, config: TrajRECConfig, poses: PoseShape) -> None:
        super().__init__(poses)
        self.config = config
        frames, target = poses.frames, config.target_frames
        if frames < target + 2:
            raise ConfigError(
                f"{target} hidden frames leave {max(frames - target, 0)} of windows of {frames} frames",
                where="detector.target_frames",
                remedy=f"choose at most {max(frames - 2, 0)}, or longer windows (windows.length)",
            )
        if config.width % config.heads:
            raise ConfigError(
                f"{config.width} numbers cannot be shared by {config.heads} heads",
                where="detector.width",
                remedy="choose a multiple of detector.heads",
            )
        if min(config.weights) < 0 or max(config.weights) == 0:
            raise ConfigError(
                f"the three tasks cannot have the weights {config.weights}",
                where="detector.weights",
                remedy="choose numbers of at least 0, and one above it",
            )
        begins = (0, (frames - target) // 2, frames - target)
        hidden = torch.stack([torch.arange(begin, begin + target) for begin in begins])
        everything = torch.arange(frames)
        observed = torch.stack([everything[~torch.isin(everything, row)] for row in hidden])
        # Which frames (3, F) and (3, O) each task hides and shows; the config says it, so it is not in the state.
        self.register_buffer("hidden", hidden, persistent=False)
        self.register_buffer("observed", observed, persistent=False)
        self.register_buffer("weights", torch.tensor(config.weights), persistent=False)
        self.network = TrajectoryTransformer(
            2 * poses.joints,
            frames,
            width=config.width,
            heads=config.heads,
            encoder_layers=config.encoder_layers,
            decoder_layers=config.decoder_layers,
        )

    def fit(self, windows: Windows, context: Context) -> None:
        """Learns to reconstruct hidden frames; raises `DataError` without windows."""
        if len(windows) == 0:
            raise DataError("there is no window to learn from", where=context.name, remedy="train on more data")
        warmup = min(1.0, self.config.epochs / 2)
        self.learn(self.loss, windows, self.config.plan(schedule="cosine", warmup=warmup, clip_norm=1.0), context)

    def loss(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """The weighted mean () of the errors of the three tasks, for windows (B, 2, T, J) with confidences (B, T, J).

        In training each window has one task: the windows of a step come in random order, so they take turns. That is a third
        of the cost, and its expectation is the same. Otherwise each window has all three.
        """
        if self.training:
            task = torch.arange(len(x), device=x.device) % len(_TASKS)
            error = self.errors(x, confidence, task).mean(dim=1)
        else:
            task = torch.arange(len(_TASKS), device=x.device).repeat_interleave(len(x))
            error = self.errors(x.repeat(3, 1, 1, 1), confidence.repeat(3, 1, 1), task).mean(dim=1)
        weight = self.weights[task]
        # A step of one or two windows may have no task of any weight.
        return (weight * error).sum() / weight.sum().clamp(min=self.weights.max() * 1e-6)

    def surprise(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """Scores of windows (B, 2, T, J) with confidences (B, T, J): (B, T) of a single task, (B,) of all three."""
        if self.config.task == "mean":
            return torch.stack([self._of_task(x, confidence, task).mean(dim=1) for task in range(len(_TASKS))]).mean(dim=0)
        task = _TASKS.index(self.config.task)
        error = self._of_task(x, confidence, task)
        scores = error.mean(dim=1, keepdim=True).repeat(1, self.poses.frames)
        scores[:, self.hidden[task]] = error
        return scores

    def errors(self, x: torch.Tensor, confidence: torch.Tensor, task: torch.Tensor) -> torch.Tensor:
        """(B, F): mean squared error of each hidden frame, over the coordinates of the joints that were seen in it.

        Args:
            x: (B, 2, T, J) windows.
            confidence: (B, T, J); a joint with 0 was not seen, and takes no part.
            task: (B,) int64: 0 past, 1 present, 2 future.

        In units of the observed part's standard deviation in y; 0 for a frame in which nothing was seen.
        """
        row, frames = torch.arange(len(x), device=x.device)[:, None], self.hidden[task]
        poses = x.transpose(1, 2)
        given = self.given(x, confidence, task)
        wanted = (poses[row, frames] - given.centre) / given.size
        seen = (confidence[row, frames] > 0).to(x.dtype)
        square = (self.predicted(given, task) - wanted).square().mean(dim=2)
        by_frame: torch.Tensor = (square * seen).sum(dim=2) / seen.sum(dim=2).clamp(min=1)
        return by_frame

    def given(self, x: torch.Tensor, confidence: torch.Tensor, task: torch.Tensor) -> Observed:
        """The observed frames of windows, of which nothing depends on the hidden ones; arguments as in `errors`.

        The harness normalises whole windows, and puts a missing joint where it is on average in the whole window: both would
        tell of the hidden frames. So a missing joint is put where it is on average in the observed frames, or in their middle
        where none shows it, and their mean and standard deviation become 0 and 1.
        """
        row, frames = torch.arange(len(x), device=x.device)[:, None], self.observed[task]
        poses = x.transpose(1, 2)[row, frames]
        seen = (confidence[row, frames] > 0).to(x.dtype)[:, :, None]
        number = seen.sum(dim=(1, 3), keepdim=True).clamp(min=1)
        centre = (poses * seen).sum(dim=(1, 3), keepdim=True) / number
        away = (poses - centre) * seen
        size = (away[:, :, 1:].square().sum(dim=(1, 3), keepdim=True) / number).sqrt()
        size = torch.where(size > _SMALLEST, size, 1.0)
        mean = away.sum(dim=1, keepdim=True) / seen.sum(dim=1, keepdim=True).clamp(min=1)
        return Observed(torch.where(seen > 0, away, mean) / size, centre, size)

    def predicted(self, given: Observed, task: torch.Tensor) -> torch.Tensor:
        """(B, F, 2, J): the hidden frames as reconstructed, in units of the observed part.

        What the network adds to the simplest guess: that of the nearest observed frame, or, between two, on the line from one
        to the other.
        """
        hidden, observed = self.hidden[task], self.observed[task]
        change: torch.Tensor = self.network(given.x.flatten(2), observed, hidden).view(*hidden.shape, 2, self.poses.joints)
        after = (observed[:, None] > hidden[..., None]).to(torch.int64).argmax(dim=2)
        last = observed.shape[1] - 1
        none_after = hidden > observed[:, -1:]
        after = torch.where(none_after, last, after)
        before = torch.where(none_after, last, (after - 1).clamp(min=0))
        row = torch.arange(len(task), device=task.device)[:, None]
        left, right = observed[row, before], observed[row, after]
        share = ((hidden - left) / (right - left).clamp(min=1)).clamp(0, 1)[..., None, None]
        guess: torch.Tensor = torch.lerp(given.x[row, before], given.x[row, after], share)
        return guess + change

    def _of_task(self, x: torch.Tensor, confidence: torch.Tensor, task: int) -> torch.Tensor:
        return self.errors(x, confidence, torch.full((len(x),), task, device=x.device))
