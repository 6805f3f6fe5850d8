"""Where a component keeps its numbers, and whether it follows them to another device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import torch

from vadbench.engine.training.trainer import seeded
from vadbench.testing.conformance import CheckSkipped, as_array, expect, is_finite
from vadbench.testing.trial import trial_context

if TYPE_CHECKING:
    from vadbench.testing.trial import LearningTrial

_STATEFUL: Final = "Stateful"
_OWN: Final = frozenset({"_parameters", "_buffers", "_modules"})
_DEPTH: Final = 4
"""How many containers or objects deep an attribute is looked into."""


def check_tensors_registered(trial: LearningTrial[Any]) -> None:
    """A torch module keeps every tensor as a parameter or buffer, so that moving it to another device leaves none behind."""
    component = trial.trained()
    if not isinstance(component, torch.nn.Module):
        return
    registered = {id(tensor) for tensor in (*component.parameters(), *component.buffers())}
    modules = frozenset(map(id, component.modules()))
    stray = sorted(
        f"{path}.{name}".lstrip(".")
        for path, module in component.named_modules()
        for name, value in vars(module).items()
        if name not in _OWN and any(id(tensor) not in registered for tensor in _tensors(value, modules))
    )
    wanted = "every tensor of a torch module in its parameters or buffers (register_buffer)"
    remedy = "register_buffer for tensors, ModuleList for layers that stand in a list"
    expect(not stray, wanted, f"tensors in {', '.join(stray)}", _STATEFUL, remedy)


def check_moves_to_cuda(trial: LearningTrial[Any]) -> None:
    """Fitted and asked on a CUDA device, then on the CPU, it gives finite output of the same shapes; tried where there is one."""
    if not torch.cuda.is_available():
        raise CheckSkipped("there is no CUDA device")
    component, wanted = trial.fresh(), trial.outputs(trial.trained())
    context = trial_context("cuda:0")
    if isinstance(component, torch.nn.Module):
        component.to(context.device)
    with seeded(context.seed):
        trial.teach(component, context)
    trial.use_device(context.device)
    _expect_alike(trial.outputs(component), wanted, context.device, trial.contract)
    if isinstance(component, torch.nn.Module):
        component.to("cpu")
        trial.use_device("cpu")
        _expect_alike(trial.outputs(component), wanted, "the CPU after the GPU", trial.contract)


def _expect_alike(got: Mapping[str, Any], wanted: Mapping[str, Any], device: str, contract: str) -> None:
    for name, values in wanted.items():
        shape, found = as_array(values).shape, as_array(got[name])
        expect(found.shape == shape and is_finite(found), f"finite {name} of shape {shape} on {device}", found.shape, contract)


def _tensors(value: Any, modules: frozenset[int], depth: int = 0) -> Iterator[torch.Tensor]:
    """The tensors that an attribute reaches; those of ``modules``, the component's own by id, are looked at as theirs.

    A layer that is none of them, as in a plain list, is not moved, whatever it registers itself.
    """
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, torch.nn.Module):
        if id(value) not in modules:
            yield from (*value.parameters(), *value.buffers())
    elif depth == _DEPTH or isinstance(value, (type, str, bytes, int, float)):
        return
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _tensors(inner, modules, depth + 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from _tensors(inner, modules, depth + 1)
    elif hasattr(value, "__dict__") and not type(value).__module__.startswith(("torch.", "pydantic")):
        for inner in vars(value).values():
            yield from _tensors(inner, modules, depth + 1)


CHECKS: Final = (check_tensors_registered, check_moves_to_cuda)
"""Of every kind that computes with torch: all but data sets and scorers."""
