"""A component on trial: made, seeded and trained as the harness does it, on the sample."""

from __future__ import annotations

import copy
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar

import torch

from vadbench.api import Context
from vadbench.engine.training.trainer import seeded, train

C = TypeVar("C")
SEED: Final = 41

_LOGGER: Final = logging.getLogger("vadbench.testing.trial")
# Without a handler of its own, a warning would be printed and be taken for a component that prints.
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False


def trial_context(device: str = "cpu") -> Context:
    """The context of a component under test: a fixed seed, the harness's training loop, a log that nobody reads."""
    return Context(device=device, seed=SEED, name="trial", logger=_LOGGER, trainer=train)


class Trial(ABC):
    """What every check can ask of a component, whatever its kind."""

    contract: ClassVar[str]
    """Name of the contract, as in `vadbench.api.contracts`."""

    @abstractmethod
    def fresh(self) -> Any:
        """A component made just now."""

    @abstractmethod
    def exercise(self) -> None:
        """Makes the component and has it do all that a run would ask of it."""

    @abstractmethod
    def inputs(self) -> Mapping[str, Any]:
        """The arrays and tensors that `exercise` hands to the component, by name."""


class LearningTrial(Trial, Generic[C]):
    """A component that is fitted, used, stored and taken back.

    Args:
        make: Makes an untrained component. Called as the class is by the harness, but without the config.
        memory: Where trained components are kept. Trials of one component may share it, so that it is trained once;
            each check works on a copy.
    """

    def __init__(self, make: Callable[..., C], memory: dict[str, Any] | None = None) -> None:
        self.make = make
        self.device = "cpu"
        self._memory = {} if memory is None else memory

    @abstractmethod
    def build(self) -> C:
        """Calls ``make`` with the shapes of the sample."""

    @abstractmethod
    def teach(self, component: C, context: Context) -> None:
        """Fits a component on the sample."""

    @abstractmethod
    def outputs(self, component: C) -> Mapping[str, Any]:
        """All that a trained component puts out on the sample, by name."""

    def use_device(self, device: str) -> None:
        """From now on, what a component is asked with lies on ``device``. What it is fitted on lies where the harness has it."""
        self.device = device
        for name, value in vars(self).items():
            if isinstance(value, torch.Tensor):
                setattr(self, name, value.to(device))

    def fresh(self, seed: int = SEED) -> C:
        """An untrained component; ``seed`` decides its initial weights."""
        with seeded(seed):
            component = self.build()
        return component.eval() if isinstance(component, torch.nn.Module) else component

    def fitted(self) -> C:
        """A component made and trained just now."""
        component, context = self.fresh(), trial_context()
        with seeded(context.seed):
            self.teach(component, context)
        return component

    def trained(self) -> C:
        """A trained component of one's own: a copy of the one in memory."""
        kept: C | None = self._memory.get("trained")
        if kept is None:
            kept = self._memory["trained"] = self.fitted()
        try:
            return copy.deepcopy(kept)
        except Exception:  # whatever a component holds that cannot be copied, it can be trained again
            return self.fitted()

    def exercise(self) -> None:
        """Makes, fits and uses a component."""
        self.outputs(self.fitted())
