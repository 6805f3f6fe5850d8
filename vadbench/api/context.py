"""What a component is given while it fits and scores: device, seeds, progress, log, training loop.

A component takes everything it needs from here: it never touches global seeds, prints, or chooses a device. It leaves the process
as it was, and its files go to `Context.work_folder`; what it changes all the same is put back (`vadbench.api.process_state`).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, get_args

from vadbench.api.errors import PluginError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from vadbench.api.training_plan import TrainingPlan

Advance = Callable[[int], None]
"""Reports that so many more units of a task are done."""

ChosenBy = Literal["training", "held-out", "validation"]
"""What a choice may be made by: the training data themselves, a part of them held out, or the validation split."""
_CHOSEN_BY: Final = get_args(ChosenBy)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that a component chose while it was fitted, and by what.

    Args:
        component: Path of the component within the run.
        what: What was chosen, e.g. ``epoch``.
        value: What it came to: a value that JSON can hold.
        by: By which data.
    """

    component: str
    what: str
    value: Any
    by: ChosenBy


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
        groups: NDArray[Any] | torch.Tensor | None = None,
        generators: Sequence[torch.Generator] = (),
    ) -> list[float]:
        """Minimises ``loss`` over ``module``'s parameters.

        Args:
            module: Moved to ``context.device`` and put in training mode; left in evaluation mode. All that training changes must
                be its parameters and buffers, or it is lost where a killed run is taken up again.
            loss: Given the indices (B,) int64, on the CPU, of the examples of a step, or what ``prepare`` made of them, returns
                the scalar mean loss. With held-out examples it is called in evaluation mode as well: a loss with side effects,
                such as a codebook that follows moving averages, must look at ``module.training`` and have them in training only.
            examples: Number of examples; shuffled anew every epoch from the context's seed.
            plan: Optimiser, schedule, and what is held out.
            context: Of the component that trains.
            prepare: Gathers the examples of a step while the step before runs, in another thread; it must not use the module, and
                draw nothing at random.
            groups: (N,) the track of each example, as a number: what is held out is whole tracks, as windows of one track are
                nearly copies of one another. Without it, single examples are held out.
            generators: The random generators that the loss draws from, so that their states are kept with the rest.

        Returns:
            The mean training loss of each epoch.

        Raises:
            PluginError: when the loss or the norm of its gradient is not finite; names the epoch, the step and the examples. The
                parameters are those before that step.
            DataError: when there are too few tracks to hold any out.
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
        choices: What the components of this run chose; see `chosen`. A context shares it with its children.
        compiler: Compiles what batches are scored with, where the user asked for it; see `compiled`.
    """

    device: str = "cpu"
    seed: int = 0
    name: str = "component"
    progress: Progress = field(default_factory=Silent)
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("vadbench"))
    work_folder: Path | None = None
    trainer: Trainer = _no_trainer
    choices: list[Choice] = field(default_factory=list)
    compiler: Callable[[Callable[..., torch.Tensor], Context], Callable[..., torch.Tensor]] | None = None

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

    def compiled(self, function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        """What scores a batch, compiled with ``torch.compile`` where the user asked for that and torch can; else as it is.

        Ask for it once, before the first batch. The function is pure: tensors in, a tensor out.
        """
        return function if self.compiler is None else self.compiler(function, self)

    def tensor(self, array: NDArray[Any]) -> torch.Tensor:
        """An array as a tensor on the context's device; on the CPU they share their memory."""
        import torch

        return torch.from_numpy(array).to(self.device)

    def train(
        self,
        module: torch.nn.Module,
        loss: Callable[[Any], torch.Tensor],
        *,
        examples: int,
        plan: TrainingPlan,
        prepare: Callable[[torch.Tensor], Any] | None = None,
        groups: NDArray[Any] | torch.Tensor | None = None,
        generators: Sequence[torch.Generator] = (),
    ) -> list[float]:
        """Runs the harness's training loop with this context; see `Trainer`."""
        return self.trainer(
            module, loss, examples=examples, plan=plan, context=self, prepare=prepare, groups=groups, generators=generators
        )

    def chosen(self, what: str, value: object, *, by: ChosenBy) -> None:
        """Declares a choice that was made by data: an epoch, a threshold, a number of clusters.

        It is logged, and stands in the run's record. There is no way to declare one that was made by test data, as a
        component is given none and a result that needed them is none.

        Args:
            what: What was chosen.
            value: What it came to: a number, a text, or a list or table of those.
            by: ``training``, ``held-out`` (a part of the training data that was not trained on) or ``validation``.

        Raises:
            PluginError: for any other ``by``, or a value that a record cannot hold.
        """
        if by not in _CHOSEN_BY:
            raise PluginError(
                f"{what!r} was chosen by {by!r}, which no component may choose by",
                where=self.name,
                remedy=f"choose by {', '.join(_CHOSEN_BY)}; test data decide nothing",
            )
        try:
            # What a record will give back; and a copy, so that nothing changes it later.
            plain = json.loads(json.dumps(value, allow_nan=False, default=_plain))
        except (TypeError, ValueError) as error:
            raise PluginError(
                f"what was chosen as {what!r} cannot be recorded: {error}",
                where=self.name,
                remedy="give a finite number, a text, or a list or table of those",
            ) from error
        self.choices.append(Choice(self.name, what, plain, by))
        self.logger.info("%s: %s = %s, chosen by %s", self.name, what, json.dumps(plain), by)


def _plain(value: Any) -> Any:
    """Numbers and arrays of NumPy and torch as those of Python."""
    if not hasattr(value, "tolist"):
        raise TypeError(f"{type(value).__name__} is neither a number nor a text")
    return value.tolist()
