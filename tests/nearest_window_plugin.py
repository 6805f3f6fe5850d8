"""The method of ``docs/examples/foreign`` as a detector of this process, to hold the command's scores against."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import torch

from vadbench.api import Registry, hookimpl

VADBENCH_API = 1
EXAMPLE: Final = Path(__file__).parents[1] / "docs" / "examples" / "foreign"


def script() -> ModuleType:
    """The example's program as a module."""
    spec = importlib.util.spec_from_file_location("nearest_window_of_the_docs", EXAMPLE / "nearest_window.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class NearestWindow:
    """Distance to the nearest training window, in process."""

    def __init__(self, config, poses) -> None:
        self.bank = np.zeros((0, 2 * poses.frames * poses.joints), dtype=np.float32)

    def fit(self, windows, context) -> None:
        self.bank = script().learn(windows.batch(slice(None)).x, context.seed)

    def score(self, windows, context):
        return script().distances(windows.batch(slice(None)).x, self.bank)

    def state_dict(self):
        return {"bank": torch.from_numpy(self.bank)}

    def load_state_dict(self, state_dict) -> None:
        self.bank = state_dict["bank"].numpy()


@hookimpl
def vadbench_register(registry: Registry) -> None:
    registry.detector("nearest-in-process", "nearest_window_plugin:NearestWindow")


def settings_of(toml: str, interpreter: str) -> str:
    """The example's TOML file with another interpreter than the one of its own environment."""
    assert toml.count('".venv/bin/python"') == 2
    return toml.replace('".venv/bin/python"', f'"{interpreter}"')
