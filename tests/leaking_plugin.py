"""A plug-in for tests: detectors that look beyond the clip they score, each in its own way, and one that does not."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import torch

from vadbench.api import ComponentConfig, Registry, hookimpl

CHEATS: Final = ("standardises", "ranks", "adapts", "counts clips", "reads other clips")
"""What a detector may do that a check finds."""


class LeakingConfig(ComponentConfig):
    act: Literal[
        *("well", "standardises", "ranks", "adapts", "adapts afterwards", "counts clips", "reads other clips"),
        *("draws", "forgets", "loses its weights"),
    ] = "well"


class Leaking:
    """Its score is how far a window's joints are from their training mean, and what it makes of other clips."""

    def __init__(self, config: LeakingConfig, poses) -> None:
        self.act = config.act
        self.mean = torch.zeros(2, poses.frames, poses.joints)

    def fit(self, windows, context) -> None:
        self.mean = torch.from_numpy(windows.batch(slice(None)).x.mean(axis=0))

    def score(self, windows, context):
        x = torch.from_numpy(windows.batch(slice(None)).x)
        scores = (x - self.mean).square().mean(dim=(1, 2, 3)).double().numpy()
        match self.act:
            case "standardises":
                return (scores - scores.mean()) / (scores.std() + 1e-9)
            case "ranks":
                return scores.argsort().argsort() / len(scores)
            case "adapts":
                # What it has scored moves what counts as normal.
                for at, window in enumerate(x):
                    scores[at] = float((window - self.mean).square().mean())
                    self.mean = 0.95 * self.mean + 0.05 * window
            case "adapts afterwards":
                self.mean = 0.9 * self.mean + 0.1 * x.mean(dim=0)
            case "counts clips":
                return scores + 0.1 * np.array([int(clip.name) for clip in windows.tracks.clips])[windows.clip]
            case "reads other clips":
                return scores + float(np.nanmean(windows.tracks.keypoints[..., 0])) / 1000
            case "draws":
                return scores + 0.1 * torch.rand(len(scores)).numpy()
        return scores

    def state_dict(self):
        return {} if self.act == "forgets" else {"mean": self.mean}

    def load_state_dict(self, state_dict) -> None:
        if self.act == "loses its weights":
            raise RuntimeError("size mismatch")
        self.mean = state_dict.get("mean", self.mean)


@hookimpl
def vadbench_register(registry: Registry) -> None:
    registry.detector("leaking", "leaking_plugin:Leaking", config="leaking_plugin:LeakingConfig")
