"""The trainer that every torch component shares: seeded order, schedule, guard against NaN, held-out tracks, checkpoints."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch

from vadbench.api import Context, TrainingPlan
from vadbench.engine.training.held_out import split_examples
from vadbench.engine.training.loop import TrainingLoop
from vadbench.engine.training.optimisation import Amp, make_optimiser
from vadbench.engine.training.state import TrainingState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.engine.training.checkpoints import Checkpoint, Checkpoints
    from vadbench.engine.training.events import TensorBoardEvents


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's global generators seeded inside the block and put back after it.

    Layer constructors and dropout draw from the global generator, so the harness, and only the harness, scopes it.
    """
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


class Training:
    """The training loop of a run; fulfils `vadbench.api.Trainer`.

    Args:
        checkpoints: Where to keep what is trained so far, and to find what a killed process kept; None to keep nothing.
        compiled: Whether losses are compiled; see `vadbench.engine.training.compilation`.
        events: Where to write scalars for TensorBoard.

    Attributes:
        resumed_s: Seconds of training that earlier processes spent on what this one took up.
    """

    def __init__(
        self, checkpoints: Checkpoints | None = None, *, compiled: bool = False, events: TensorBoardEvents | None = None
    ) -> None:
        self.checkpoints, self.compiled, self.events = checkpoints, compiled, events
        self.resumed_s = 0.0
        self._trainings: Counter[str] = Counter()

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
        """Minimises ``loss``; see `vadbench.api.Trainer`."""
        number = self._trainings[context.name]
        if self.checkpoints is not None or self.events is not None:
            self._trainings[context.name] += 1
        used, held = torch.arange(examples), torch.empty(0, dtype=torch.int64)
        if plan.held_out:
            used, held = split_examples(examples, plan.held_out, groups, context)
        device = torch.device(context.device)
        module.to(device)
        module.train()
        parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        state = TrainingState(module, make_optimiser(parameters, plan), Amp(device, plan), generators, device)
        checkpoint = self._checkpoint(number, state, plan, context, (used, held))
        loop = TrainingLoop(
            state,
            loss=loss,
            prepare=prepare or (lambda index: index),
            parameters=parameters,
            plan=plan,
            context=context,
            split=(used, held),
            checkpoint=checkpoint,
        )
        self.resumed_s += loop.take_up()
        if self.compiled and not state.position.finished:
            loop.compile()
        name = context.name if number == 0 else f"{context.name}-{number}"
        at = state.position.epoch * loop.steps + state.position.step
        with self.events.of(name, at) if self.events and not state.position.finished else nullcontext(_nothing) as scalar:
            loop.run(scalar)
        return state.position.history

    def _checkpoint(
        self,
        number: int,
        state: TrainingState,
        plan: TrainingPlan,
        context: Context,
        split: tuple[torch.Tensor, torch.Tensor],
    ) -> Checkpoint | None:
        if self.checkpoints is None:
            return None
        identity = {
            "plan": {name: getattr(plan, name) for name in TrainingPlan.__slots__},
            "examples": [len(part) for part in split],
            "held_out": hashlib.sha256(split[1].numpy().tobytes()).hexdigest()[:12],
            "seed": context.seed,
            "device": state.device.type,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "compiled": self.compiled,
            "module": type(state.module).__qualname__,
            "shapes": state.shapes(),
            "generators": len(state.generators),
        }
        return self.checkpoints.of(context.name, number, identity, context.logger)


def _nothing(_tag: str, _value: float, _step: int) -> None:
    """Takes scalars that nobody asked for."""


train = Training()
"""The training loop without checkpoints, events or compilation."""
