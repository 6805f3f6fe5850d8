"""The training loop that every torch component shares: seeded order, schedule, clipping, a guard against NaN."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import torch

from vadbench.api import Context, PluginError, TrainingPlan
from vadbench.engine.prefetch import prefetched


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's global generators seeded inside the block and put back after it.

    Layer constructors and dropout draw from the global generator, so the harness, and only the harness, scopes it.
    """
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def train(
    module: torch.nn.Module,
    loss: Callable[[Any], torch.Tensor],
    *,
    examples: int,
    plan: TrainingPlan,
    context: Context,
    prepare: Callable[[torch.Tensor], Any] | None = None,
) -> list[float]:
    """Minimises ``loss``; fulfils `vadbench.api.Trainer`."""
    module.to(context.device)
    module.train()
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimiser = _optimiser(parameters, plan)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, gamma=plan.decay)
    order = context.generator()
    history: list[float] = []
    steps = math.ceil(examples / plan.batch_size)
    batches = (
        index for _ in range(plan.epochs) for index in torch.split(torch.randperm(examples, generator=order), plan.batch_size)
    )

    def made(index: torch.Tensor) -> tuple[torch.Tensor, Any]:
        return index, index if prepare is None else prepare(index)

    with (
        context.progress.task(f"train {context.name}", plan.epochs * steps) as advance,
        closing(prefetched(made, batches)) as coming,
    ):
        for epoch in range(plan.epochs):
            total = 0.0
            for step in range(steps):
                index, batch = next(coming)
                value = loss(batch)
                optimiser.zero_grad(set_to_none=True)
                value.backward()
                if plan.clip_norm > 0:
                    torch.nn.utils.clip_grad_norm_(parameters, plan.clip_norm)
                optimiser.step()
                number = value.item()
                if not math.isfinite(number):
                    raise PluginError(
                        f"the training loss is {number} at epoch {epoch + 1}, step {step + 1} of {steps}",
                        where=context.name,
                        remedy="lower its learning_rate or raise its gradient clipping",
                    )
                total += number * len(index)
                advance(1)
            schedule.step()
            history.append(total / examples)
            context.logger.info("%s: epoch %d of %d, loss %.5f", context.name, epoch + 1, plan.epochs, history[-1])
    module.eval()
    return history


def _optimiser(parameters: list[torch.nn.Parameter], plan: TrainingPlan) -> torch.optim.Optimizer:
    if plan.optimiser == "adamax":
        return torch.optim.Adamax(parameters, lr=plan.learning_rate)
    return torch.optim.AdamW(parameters, lr=plan.learning_rate, betas=(0.9, 0.99), weight_decay=plan.weight_decay)
