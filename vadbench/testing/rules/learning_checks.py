"""Whatever is fitted can be stored, taken back and fitted again with the same outcome."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

from vadbench.store.arrays import load_weights, save_weights
from vadbench.testing.conformance import expect_same
from vadbench.testing.rules.budget_checks import check_budget
from vadbench.testing.trial import SEED

if TYPE_CHECKING:
    from vadbench.testing.trial import LearningTrial


def check_same_seed_same_outputs(trial: LearningTrial[Any]) -> None:
    """Made and fitted twice with the same seeds, a component puts out the same numbers, bit for bit on the CPU."""
    first, second = (trial.outputs(trial.fitted()) for _ in range(2))
    for name, values in first.items():
        expect_same(second[name], values, f"the same seed to give the same {name}", trial.contract, exactly=True)


def check_state_round_trip(trial: LearningTrial[Any]) -> None:
    """What ``state_dict`` gives can be stored, and makes another object of the same config the same component."""
    component = trial.trained()
    wanted = trial.outputs(component)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_weights(path, component.state_dict())
        state = load_weights(path)
    # Other initial weights than the first one had, so that whatever the state leaves out is seen.
    other = trial.fresh(SEED + 1)
    other.load_state_dict(state)
    if isinstance(other, torch.nn.Module):
        other.eval()
    got = trial.outputs(other)
    for name, values in wanted.items():
        expect_same(got[name], values, f"the same {name} once its state was stored and loaded", "Stateful")


CHECKS: Final = (check_same_seed_same_outputs, check_state_round_trip, check_budget)
"""Of every kind but the data sets."""
