"""The optimiser of a training plan, and the learning rate of each of its steps."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from vadbench.api import TrainingPlan


def make_optimiser(parameters: list[torch.nn.Parameter], plan: TrainingPlan) -> torch.optim.Optimizer:
    """The optimiser of a plan."""
    if plan.optimiser == "adamax":
        # foreach: the same arithmetic over all parameters at once; small ones are many here, and each cost more than its numbers.
        return torch.optim.Adamax(parameters, lr=plan.learning_rate, foreach=True)
    return torch.optim.AdamW(parameters, lr=plan.learning_rate, betas=(0.9, 0.99), weight_decay=plan.weight_decay, foreach=True)


def learning_rate(plan: TrainingPlan, epoch: int, step: int, steps: int) -> float:
    """The learning rate of a step; it depends on nothing but the plan, so no checkpoint need hold it.

    Args:
        plan: The plan.
        epoch: From 0.
        step: Within the epoch, from 0.
        steps: Of an epoch.
    """
    done, warm = epoch * steps + step, plan.warmup * steps
    rise = (done + 1) / warm if done + 1 < warm else 1.0
    return _scheduled(plan, epoch, done, warm, steps) * rise


def _scheduled(plan: TrainingPlan, epoch: int, done: int, warm: float, steps: int) -> float:
    rate = plan.learning_rate
    if plan.schedule == "exponential":
        # Multiplied one epoch after another, as torch's ExponentialLR does: a power is rounded differently.
        for _ in range(epoch):
            rate *= plan.decay
    if plan.schedule == "cosine":
        left = plan.epochs * steps - warm
        rate *= 0.5 * (1 + math.cos(math.pi * max(done - warm, 0) / left)) if left > 0 else 1.0
    return rate


class Amp:
    """Automatic low precision: on CUDA where the plan allows it, elsewhere nothing.

    bfloat16 where the GPU computes in it (compute capability 8, Ampere, and later), else float16 with a loss that is scaled
    so that small gradients do not vanish.
    """

    def __init__(self, device: torch.device, plan: TrainingPlan) -> None:
        self.device = device.type
        self.on = plan.amp and device.type == "cuda"
        half = self.on and torch.cuda.get_device_capability(device)[0] < 8
        self.dtype = torch.float16 if half else torch.bfloat16
        self.scaler = torch.amp.GradScaler(device.type if half else "cpu", enabled=half)

    def autocast(self) -> AbstractContextManager[object]:
        """Around the loss."""
        return torch.autocast(self.device, dtype=self.dtype) if self.on else nullcontext()

    def overflow_is_normal(self) -> bool:
        """Whether a gradient that is not finite only means that the loss was scaled too much, so that the step is left out."""
        return bool(self.scaler.is_enabled() and self.scaler.get_scale() > 1)
