"""How a torch component is optimised: the part of training that is a matter of settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

from vadbench.api.errors import ConfigError, did_you_mean

Optimiser = Literal["adamw", "adamax"]
Schedule = Literal["exponential", "cosine", "constant"]
_CHOICES: Final = {"optimiser": get_args(Optimiser), "schedule": get_args(Schedule)}


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How a torch component is optimised.

    Args:
        epochs: Passes over the examples.
        batch_size: Examples a step; the last, smaller batch of an epoch is used too.
        learning_rate: The highest one, at the first epoch or where the warm-up ends.
        optimiser: ``adamw`` or ``adamax``.
        decay: The learning rate is multiplied by this after each epoch; of the schedule ``exponential`` alone.
        weight_decay: Decoupled weight decay (AdamW only).
        clip_norm: Largest gradient norm; 0 for no clipping.
        schedule: What becomes of the learning rate: ``exponential`` decay from epoch to epoch, a half ``cosine`` from step to
            step that comes to 0 after the last (Loshchilov and Hutter, ICLR 2017, arXiv 1608.03983), or ``constant``.
        warmup: Epochs, whole or not, in which it rises in equal steps from 0 to what the schedule says.
        held_out: Share of the training tracks that is not trained on but tells after which epoch the weights were best: those
            are kept. 0 trains on all, and keeps the last weights.
        patience: Epochs without a better loss on what is held out before training stops; 0 never stops before the last.
        amp: Compute in low precision on CUDA where torch deems it safe. A component whose result needs every digit, such as a
            flow with its log-determinants, says False. On the CPU nothing changes.

    Raises:
        ConfigError: for a value that cannot be meant.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    optimiser: Optimiser = "adamw"
    decay: float = 1.0
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    schedule: Schedule = "exponential"
    warmup: float = 0.0
    held_out: float = 0.0
    patience: int = 0
    amp: bool = True

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise _refused(name, getattr(self, name), did_you_mean(str(getattr(self, name)), known))
        for name in ("epochs", "batch_size"):
            self._check(name, at_least=1)
        for name in ("learning_rate", "decay"):
            self._check(name, above=0)
        for name in ("weight_decay", "clip_norm", "warmup", "held_out", "patience"):
            self._check(name, at_least=0)
        if self.held_out >= 1:
            raise _refused(
                "held_out", self.held_out, "it is the share of the tracks that is not trained on: choose one below 1, such as 0.1"
            )
        if self.warmup > self.epochs:
            raise _refused(
                "warmup", self.warmup, f"it is counted in epochs, of which there are {self.epochs}: choose a smaller one"
            )
        if self.patience and not self.held_out:
            raise _refused(
                "patience",
                self.patience,
                "nothing is held out that could tell when to stop: set held_out to 0.1, or patience to 0",
            )

    def _check(self, name: str, *, at_least: float = -math.inf, above: float = -math.inf) -> None:
        value = getattr(self, name)
        if not (math.isfinite(value) and value >= at_least and value > above):
            bound = f"of at least {at_least:g}" if above == -math.inf else f"above {above:g}"
            raise _refused(name, value, f"choose a finite number {bound}")


def _refused(name: str, value: object, remedy: str) -> ConfigError:
    return ConfigError(f"a training plan cannot have {name} = {value!r}", where=f"TrainingPlan.{name}", remedy=remedy)
