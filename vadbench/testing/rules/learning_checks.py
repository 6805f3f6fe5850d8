"""Whatever is fitted can be stored, taken back and fitted again with the same outcome."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vadbench.store.arrays import load_weights, save_weights
from vadbench.testing.conformance import expect, expect_same
from vadbench.testing.rules.budget_checks import check_budget
from vadbench.testing.trial import SEED

if TYPE_CHECKING:
    from vadbench.testing.trial import LearningTrial

_TENSORS: Final = (torch.Tensor, np.ndarray, np.generic, int, float)


def check_same_seed_same_outputs(trial: LearningTrial[Any]) -> None:
    """Made and fitted twice with the same seeds, a component puts out the same numbers, bit for bit on the CPU."""
    first, second = (trial.outputs(trial.fitted()) for _ in range(2))
    for name, values in first.items():
        expect_same(second[name], values, f"the same seed to give the same {name}", trial.contract, exactly=True)


def check_same_answer_twice(trial: LearningTrial[Any]) -> None:
    """Asked twice, a fitted component gives the same answer: it draws nothing of its own, and asking changes nothing."""
    component = trial.trained()
    first = trial.outputs(component)
    again = trial.outputs(component)
    remedy = "call eval() at the end of fit, so that dropout and batch statistics are off; keep nothing of what is scored"
    for name, values in first.items():
        expect_same(again[name], values, f"the same {name} when it is asked again", trial.contract, remedy=remedy)


def check_state_round_trip(trial: LearningTrial[Any]) -> None:
    """What ``state_dict`` gives can be stored, and makes another object of the same config the same component."""
    component = trial.trained()
    wanted = trial.outputs(component)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_weights(path, _tensors(component.state_dict()))
        state = load_weights(path)
    # Other initial weights than the first one had, so that whatever the state leaves out is seen.
    other = trial.fresh(SEED + 1)
    other.load_state_dict(state)
    if isinstance(other, torch.nn.Module):
        other.eval()
    got = trial.outputs(other)
    for name, values in wanted.items():
        expect_same(got[name], values, f"the same {name} once its state was stored and loaded", "Stateful")


def _tensors(state: Any) -> Mapping[str, Any]:
    """The state, which must map names to tensors, or to arrays and numbers, which are taken for tensors."""
    wanted, remedy = "state_dict() to map names to tensors", "name parts of parts with a dot: 'model.weight'"
    expect(isinstance(state, Mapping), wanted, f"{type(state).__module__}.{type(state).__name__}", "Stateful")
    for name, value in state.items():
        expect(isinstance(name, str), wanted, f"the name {name!r}", "Stateful")
        fine = isinstance(value, _TENSORS) and getattr(value, "dtype", None) != np.dtype(object)
        got = f"state_dict()[{name!r}] is a {type(value).__name__}, expected a tensor"
        expect(fine, wanted, got, "Stateful", remedy if isinstance(value, Mapping) else None)
    return dict(state)


CHECKS: Final = (check_same_seed_same_outputs, check_same_answer_twice, check_state_round_trip, check_budget)
"""Of every kind but the data sets."""
