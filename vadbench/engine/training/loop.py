"""One training: its steps and epochs, what stops it, and where it is kept and taken up.

What it computes depends on the plan, the seed and the examples. Neither checkpoints nor events change a bit of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING, Any, Final

import torch

from vadbench.api import Context, PluginError, TrainingPlan
from vadbench.engine.prefetch import prefetched
from vadbench.engine.training.compilation import compiled_where_possible
from vadbench.engine.training.held_out import best_epoch, held_out_loss, is_exhausted
from vadbench.engine.training.optimisation import learning_rate

if TYPE_CHECKING:
    from vadbench.engine.training.checkpoints import Checkpoint
    from vadbench.engine.training.events import Scalar
    from vadbench.engine.training.state import TrainingState

Batches = Generator[tuple[torch.Tensor, Any], None, None]
_NAMED: Final = 5
"""Examples that an error names."""
_CALMER: Final = "lower its learning_rate or raise its gradient clipping"


class TrainingLoop:
    """One training, from wherever it stands to its end.

    Args:
        state: Of the module that is trained.
        loss: Given what ``prepare`` makes of indices.
        prepare: Gathers examples.
        parameters: Those that are learned.
        plan: Optimiser, schedule, and when to stop.
        context: Of the component.
        split: Indices of the examples to train on, and of those held out.
        checkpoint: Where the training is kept; None to keep nothing.
    """

    def __init__(
        self,
        state: TrainingState,
        *,
        loss: Callable[[Any], torch.Tensor],
        prepare: Callable[[torch.Tensor], Any],
        parameters: list[torch.nn.Parameter],
        plan: TrainingPlan,
        context: Context,
        split: tuple[torch.Tensor, torch.Tensor],
        checkpoint: Checkpoint | None,
    ) -> None:
        self.state, self.plan, self.context, self.checkpoint = state, plan, context, checkpoint
        self.loss, self.prepare, self.parameters = loss, prepare, parameters
        self.used, held = split
        self.held = torch.split(held, plan.batch_size) if len(held) else ()
        self.steps = math.ceil(len(self.used) / plan.batch_size)
        self.order = context.generator()
        # Batches are made ahead of the steps that use them, so the order may be one epoch further on than the training is.
        self.orders = {0: self.order.get_state()}
        self.began, self.spent_before = time.perf_counter(), 0.0

    def take_up(self) -> float:
        """Goes on where a checkpoint says a killed process was; returns the seconds that were spent until then."""
        saved = self.checkpoint.load() if self.checkpoint is not None else None
        if saved is None or self.checkpoint is None:
            return 0.0
        try:
            order = self.state.restore(saved)
        except ValueError as error:
            self.checkpoint.set_aside(str(error))
            return 0.0
        at, name = self.state.position, self.context.name
        self.order.set_state(order)
        self.orders, self.spent_before = {at.epoch: order}, at.seconds
        if at.finished:
            self.context.logger.info("%s: trained before, after %d of %d epochs", name, at.epoch, self.plan.epochs)
        else:
            told = (at.epoch + 1, self.plan.epochs, at.step, self.steps)
            self.context.logger.info("%s: taken up again in epoch %d of %d, after step %d of %d", name, *told)
        return at.seconds

    def compile(self) -> None:
        """Compiles the loss if torch can."""
        sizes = {self.plan.batch_size, len(self.used) % self.plan.batch_size or self.plan.batch_size}
        batches = [self.prepare(self.used[: min(size, len(self.used))]) for size in sorted(sizes, reverse=True)]
        with self.state.amp.autocast():
            self.loss = compiled_where_possible(self.loss, self.state, batches, self.context)

    def run(self, scalar: Scalar) -> None:
        """Trains to the end, or finds that it is reached."""
        at, plan = self.state.position, self.plan
        if not at.finished:
            with self._told() as advance, closing(self._batches(at.epoch, at.step)) as batches:
                if done := at.epoch * self.steps + at.step:
                    advance(done)
                while at.epoch < plan.epochs and not is_exhausted(at.held, plan.patience):
                    for step in range(at.step, self.steps):
                        self._step(*next(batches), step, scalar)
                        advance(1)
                        if at.step < self.steps:
                            self._keep_when_due()
                    self._end_epoch(scalar)
                    self._keep_when_due()
            if self.state.best:
                self.state.put(self.state.best)
            at.finished = True
            self._keep()
        self.state.module.eval()
        if at.held:
            self.context.chosen("epoch", best_epoch(at.held) + 1, by="held-out")

    def _step(self, index: torch.Tensor, batch: Any, step: int, scalar: Scalar) -> None:
        at, plan, amp, optimiser = self.state.position, self.plan, self.state.amp, self.state.optimiser
        rate = learning_rate(plan, at.epoch, step, self.steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        with amp.autocast():
            value = self.loss(batch)
        number = value.item()
        if not math.isfinite(number):
            raise self._spoilt("loss", number, step, index)
        optimiser.zero_grad(set_to_none=True)
        amp.scaler.scale(value).backward()
        amp.scaler.unscale_(optimiser)
        # With no bound the gradients stay as they are: they are multiplied by 1.
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, plan.clip_norm or math.inf, foreach=True))
        if not math.isfinite(norm) and not amp.overflow_is_normal():
            raise self._spoilt("gradient norm", norm, step, index)
        amp.scaler.step(optimiser)
        amp.scaler.update()
        at.total += number * len(index)
        at.step = step + 1
        done = at.epoch * self.steps + step
        scalar("loss/step", number, done)
        scalar("gradient_norm", norm, done)
        scalar("learning_rate", rate, done)

    def _end_epoch(self, scalar: Scalar) -> None:
        at, plan, told = self.state.position, self.plan, ""
        at.history.append(at.total / len(self.used))
        done = (at.epoch + 1) * self.steps - 1
        scalar("loss/epoch", at.history[-1], done)
        if self.held:
            seed = self.context.child("held-out").seed
            value = held_out_loss(self.state.module, self._prepared_loss, self.held, self.state.generators, seed)
            if not math.isfinite(value):
                raise PluginError(
                    f"the held-out loss is {value} after epoch {at.epoch + 1}", where=self.context.name, remedy=_CALMER
                )
            at.held.append(value)
            if best_epoch(at.held) == at.epoch:
                self.state.keep_best()
            scalar("loss/held_out", value, done)
            told = f", held-out {value:.5f}"
        at.epoch, at.step, at.total = at.epoch + 1, 0, 0.0
        epoch = (at.epoch, plan.epochs, at.history[-1], told)
        self.context.logger.info("%s: epoch %d of %d, loss %.5f%s", self.context.name, *epoch)

    def _prepared_loss(self, index: torch.Tensor) -> torch.Tensor:
        with self.state.amp.autocast():
            return self.loss(self.prepare(index))

    def _batches(self, epoch: int, step: int) -> Batches:
        """Examples and what was prepared of them, from a step on, made ahead in another thread."""

        def indices() -> Iterator[torch.Tensor]:
            skipped = step
            for number in range(epoch, self.plan.epochs):
                drawn = torch.randperm(len(self.used), generator=self.order)
                self.orders[number + 1] = self.order.get_state()
                # The examples themselves where none is held out: used[drawn] is drawn.
                yield from torch.split(self.used[drawn], self.plan.batch_size)[skipped:]
                skipped = 0

        return prefetched(lambda index: (index, self.prepare(index)), indices())

    def _keep_when_due(self) -> None:
        if self.checkpoint is not None and self.checkpoint.due():
            self._keep()

    def _keep(self) -> None:
        if self.checkpoint is None:
            return
        at = self.state.position
        at.seconds = self.spent_before + time.perf_counter() - self.began
        self.orders = {epoch: order for epoch, order in self.orders.items() if epoch >= at.epoch}
        saved = self.state.saved(self.orders[at.epoch])
        self.checkpoint.save(saved.tensors, {**saved.facts, "epochs": self.plan.epochs, "steps": self.steps})

    def _told(self) -> AbstractContextManager[Callable[[int], None]]:
        return self.context.progress.task(f"train {self.context.name}", self.plan.epochs * self.steps)

    def _spoilt(self, what: str, number: float, step: int, index: torch.Tensor) -> PluginError:
        first = ", ".join(map(str, index[:_NAMED].tolist())) + (", ..." if len(index) > _NAMED else "")
        return PluginError(
            f"the training {what} is {number} at epoch {self.state.position.epoch + 1}, step {step + 1} of {self.steps} "
            f"(examples {first})",
            where=self.context.name,
            remedy=_CALMER,
        )
