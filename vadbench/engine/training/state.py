"""All that a training is at one moment, as tensors and facts, and back."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from vadbench.engine.training.checkpoints import Saved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vadbench.engine.training.optimisation import Amp


@dataclass(slots=True)
class Position:
    """How far a training has come.

    Args:
        epoch: Epochs done.
        step: Steps done of the next one.
        total: Sum of the losses of its examples so far.
        history: Mean loss of each epoch done.
        held: Held-out loss of each epoch done; empty where nothing is held out.
        seconds: Spent on it, in all processes.
        finished: Whether it is over.
    """

    epoch: int = 0
    step: int = 0
    total: float = 0.0
    history: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    seconds: float = 0.0
    finished: bool = False


@dataclass(slots=True)
class TrainingState:
    """The things that change while a module is trained.

    Args:
        module: With all its parameters and buffers.
        optimiser: Of its parameters.
        amp: Its loss scale changes.
        generators: That the loss draws from.
        device: Of the module.
        position: How far it has come.
        best: Parameters and buffers after the best epoch so far; empty where nothing is held out, or before the first.
    """

    module: torch.nn.Module
    optimiser: torch.optim.Optimizer
    amp: Amp
    generators: Sequence[torch.Generator]
    device: torch.device
    position: Position = field(default_factory=Position)
    best: dict[str, torch.Tensor] = field(default_factory=dict)

    def weights(self) -> dict[str, torch.Tensor]:
        """Parameters and buffers by name, also those buffers that a state dict leaves out; not copied."""
        found = {**dict(self.module.named_parameters()), **dict(self.module.named_buffers())}
        return {name: tensor.detach() for name, tensor in found.items()}

    def keep_best(self) -> None:
        """Takes the weights of now for the best."""
        self.best = {name: tensor.clone() for name, tensor in self.weights().items()}

    def put(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Puts values into the module's own parameters and buffers."""
        own = self.weights()
        with torch.no_grad():
            for name, value in weights.items():
                own[name].copy_(value)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever the block does to the module and to generators, torch's own among them, is undone after it."""
        before = {name: tensor.clone() for name, tensor in self.weights().items()}
        drawn = [generator.get_state() for generator in self.generators]
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            try:
                yield
            finally:
                self.put(before)
                self.module.zero_grad(set_to_none=True)
                for generator, state in zip(self.generators, drawn, strict=True):
                    generator.set_state(state)

    def shapes(self) -> dict[str, list[Any]]:
        """Name to type and shape of each parameter and buffer."""
        return {name: [str(tensor.dtype), *tensor.shape] for name, tensor in self.weights().items()}

    def saved(self, order: torch.Tensor) -> Saved:
        """Everything; ``order`` is the state that the order of examples had before the present epoch was drawn."""
        tensors = {"order": order, "random.cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        tensors |= {f"random.{number}": generator.get_state() for number, generator in enumerate(self.generators)}
        tensors |= {f"module.{name}": value for name, value in self.weights().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        numbers: list[list[Any]] = []
        for parameter, entries in self.optimiser.state_dict()["state"].items():
            for name, value in entries.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"optimiser.{parameter}.{name}"] = value
                else:
                    numbers.append([parameter, name, value])
        position = {name: getattr(self.position, name) for name in Position.__slots__}
        return Saved(tensors, {"position": position, "optimiser": numbers, "scaler": self.amp.scaler.state_dict()})

    def restore(self, saved: Saved) -> torch.Tensor:
        """Takes back what `saved` gave for a module of the same shapes; returns ``order``.

        Raises:
            ValueError: if something is missing; then nothing was changed.
        """
        tensors, facts = saved.tensors, saved.facts
        try:
            position = Position(**facts["position"])
            weights = _below("module.", tensors)
            states = [tensors[f"random.{number}"] for number in range(len(self.generators))]
            order, own = tensors["order"], tensors["random.cpu"]
            cuda = tensors["random.cuda"] if self.device.type == "cuda" else None
            optimiser = _optimiser_state(tensors, facts["optimiser"])
            scaler = facts["scaler"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"it lacks {error}") from error
        if weights.keys() != self.weights().keys():
            raise ValueError("it is of another module")
        self.put(weights)
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": optimiser})
        if scaler:
            self.amp.scaler.load_state_dict(scaler)
        for generator, state in zip(self.generators, states, strict=True):
            generator.set_state(state)
        torch.set_rng_state(own)
        if cuda is not None:
            torch.cuda.set_rng_state(cuda, self.device)
        self.best = {name: value.to(self.device) for name, value in _below("best.", tensors).items()}
        self.position = position
        return order


def _below(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _optimiser_state(tensors: Mapping[str, torch.Tensor], numbers: Sequence[Sequence[Any]]) -> dict[int, dict[str, Any]]:
    state: dict[int, dict[str, Any]] = {}
    for key, value in _below("optimiser.", tensors).items():
        parameter, _, name = key.partition(".")
        state.setdefault(int(parameter), {})[name] = value
    for parameter, name, value in numbers:
        state.setdefault(int(parameter), {})[name] = value
    return state
