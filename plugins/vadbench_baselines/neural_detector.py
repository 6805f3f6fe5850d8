"""What the neural baselines have in common: training by batches of windows, and scoring by batches of windows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import nn

from vadbench.api import Context, EarlyStopping, PoseShape, TrainingPlan, Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""The mean loss () of windows x (B, 2, T, J) with their confidences (B, T, J)."""


class NeuralConfig(EarlyStopping):
    """How a neural baseline is trained; what the defaults of a method are, its own config says."""

    epochs: int = Field(default=10, ge=1, description="passes over the training windows")
    batch_size: int = Field(default=256, ge=1, description="windows a step")
    learning_rate: float = Field(default=1e-3, gt=0, description="step size of the optimiser")
    weight_decay: float = Field(default=0.0, ge=0, description="decay of the weights, apart from the loss (AdamW)")

    def plan(self, **more: Any) -> TrainingPlan:
        """The training plan of these settings, and whatever else a method decides."""
        return TrainingPlan(
            self.epochs,
            self.batch_size,
            self.learning_rate,
            weight_decay=self.weight_decay,
            held_out=self.held_out,
            patience=self.patience,
            **more,
        )


class NeuralDetector(nn.Module, ABC):
    """A network that tells of each window how unexpected it is; fulfils `vadbench.api.Detector` once `fit` is there.

    A subclass gives `fit`, which usually ends in `learn`, and `surprise`. All that training changes is a parameter or a buffer.
    """

    scored_at_once: ClassVar[int] = 1024
    """Windows a batch in scoring: a matter of memory alone."""

    def __init__(self, poses: PoseShape) -> None:
        super().__init__()
        self.poses = poses

    @abstractmethod
    def fit(self, windows: Windows, context: Context) -> None:
        """Learns from normal windows."""

    @abstractmethod
    def surprise(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """Scores (B,), or (B, T) of each frame, of windows (B, 2, T, J) with confidences (B, T, J); in evaluation mode."""

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        """(W,), or (W, T) where `surprise` tells it by frame."""
        pieces, surprise = [], context.compiled(self.surprise)
        with torch.inference_mode(), context.progress.task(f"score {context.name}", len(windows)) as advance:
            # One batch at least, so that no windows have scores of the right shape as well.
            for begin in range(0, max(len(windows), 1), self.scored_at_once):
                batch = windows.batch(slice(begin, begin + self.scored_at_once))
                found = surprise(context.tensor(batch.x), context.tensor(batch.confidence))
                # A copy: it would hold on to the block that torch keeps its numbers in, and those blocks would pile up.
                pieces.append(found.double().cpu().numpy().copy())
                advance(len(batch.index))
        return np.concatenate(pieces)

    def learn(
        self, loss: Loss, windows: Windows, plan: TrainingPlan, context: Context, *, generators: Sequence[torch.Generator] = ()
    ) -> list[float]:
        """Minimises a loss over batches of the windows; the mean loss of each epoch."""

        def batch(index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            found = windows.batch(index.numpy())
            return context.tensor(found.x), context.tensor(found.confidence)

        return context.train(
            self,
            lambda given: loss(*given),
            examples=len(windows),
            plan=plan,
            prepare=batch,
            groups=windows.track,
            generators=generators,
        )
