"""What a component is given while it fits and scores: device, seeds, progress, log, training loop.

A component takes everything it needs from here: it never touches global seeds, prints, or chooses a device.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import torch

Advance = Callable[[int], None]
"""Reports that so many more units of a task are done."""


class Progress(Protocol):
    """Where a component reports how far it is; the harness decides whether and how it is shown."""

    def task(self, description: str, total: int) -> AbstractContextManager[Advance]:
        """A task of ``total`` units, open as long as the context manager is."""
        ...


class Silent:
    """Progress that nobody watches."""

    def task(self, description: str, total: int) -> AbstractContextManager[Advance]:  # noqa: ARG002 - the protocol's
        """A task that is not shown."""
        return nullcontext(lambda _n: None)


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How a torch component is optimised.

    Args:
        epochs: Passes over the examples.
        batch_size: Examples a step; the last, smaller batch of an epoch is used too.
        optimiser: ``adamw`` or ``adamax``.
        learning_rate: At the first epoch.
        decay: The learning rate is multiplied by this after each epoch.
        weight_decay: Decoupled weight decay (AdamW only).
        clip_norm: Largest gradient norm; 0 for no clipping.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    optimiser: Literal["adamw", "adamax"] = "adamw"
    decay: float = 1.0
    weight_decay: float = 0.0
    clip_norm: float = 0.0


class Trainer(Protocol):
    """The harness's training loop, so that a component brings a loss and nothing else."""

    def __call__(
        self,
        module: torch.nn.Module,
        loss: Callable[[Any], torch.Tensor],
        *,
        examples: int,
        plan: TrainingPlan,
        context: Context,
        prepare: Callable[[torch.Tensor], Any] | None = None,
    ) -> list[float]:
        """Minimises ``loss`` over ``module``'s parameters.

        Args:
            module: Moved to ``context.device`` and put in training mode; left in evaluation mode.
            loss: Given the indices (B,) int64, on the CPU, of the examples of a step, or what ``prepare`` made of them, returns
                the scalar mean loss.
            examples: Number of examples; shuffled anew every epoch from the context's seed.
            plan: Optimiser and schedule.
            context: Of the component that trains.
            prepare: Gathers the examples of a step while the step before runs, in another thread; it must not use the module.

        Returns:
            The mean loss of each epoch.

        Raises:
            PluginError: when the loss is not finite; names the epoch and the step.
        """
        ...


def _no_trainer(*_: object, **__: object) -> list[float]:
    raise RuntimeError("this context has no trainer; the harness gives one to every component it fits")


@dataclass(frozen=True)
class Context:
    """What the harness gives a component with every ``fit`` and ``score``.

    Args:
        device: Torch device on which to compute, e.g. ``cpu`` or ``cuda:0``.
        seed: The component's own seed, derived from the run's.
        name: The component's path within the run, e.g. ``msgflow.tokenizer``.
        progress: Where to report progress.
        logger: Where to log; ends in the run's ``log.txt``.
        work_folder: A folder for intermediate files, deleted after the run; None outside a run.
        trainer: The harness's training loop.
    """

    device: str = "cpu"
    seed: int = 0
    name: str = "component"
    progress: Progress = field(default_factory=Silent)
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("vadbench"))
    work_folder: Path | None = None
    trainer: Trainer = _no_trainer

    def child(self, name: str) -> Context:
        """The context of a part of this component, with a seed of its own that depends on nothing but seed and name."""
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        return replace(self, name=f"{self.name}.{name}", seed=int.from_bytes(digest[:4], "little"))

    def rng(self) -> np.random.Generator:
        """A NumPy generator from the seed; the same at each call."""
        import numpy as np

        return np.random.default_rng(self.seed)

    def generator(self) -> torch.Generator:
        """A CPU torch generator from the seed; the same at each call."""
        import torch

        return torch.Generator().manual_seed(self.seed)

    def train(
        self,
        module: torch.nn.Module,
        loss: Callable[[Any], torch.Tensor],
        *,
        examples: int,
        plan: TrainingPlan,
        prepare: Callable[[torch.Tensor], Any] | None = None,
    ) -> list[float]:
        """Runs the harness's training loop with this context; see `Trainer`."""
        return self.trainer(module, loss, examples=examples, plan=plan, context=self, prepare=prepare)
