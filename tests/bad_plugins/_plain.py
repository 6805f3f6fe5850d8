"""No plug-in, but what the bad ones share: a detector without faults. Files that begin with _ are passed over."""

from __future__ import annotations

import numpy as np

from vadbench.api import ComponentConfig


class PlainConfig(ComponentConfig):
    """No settings."""


class Plain:
    """Mean distance of a window from the mean training window."""

    def __init__(self, config, poses):
        self.mean = np.zeros(1)

    def fit(self, windows, context):
        self.mean = windows.batch(slice(None)).x.mean(axis=0)

    def score(self, windows, context):
        return np.abs(windows.batch(slice(None)).x - self.mean).mean(axis=(1, 2, 3)).astype(np.float64)

    def state_dict(self):
        return {"mean": self.mean}

    def load_state_dict(self, state_dict):
        self.mean = np.asarray(state_dict["mean"])
