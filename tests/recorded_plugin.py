"""A plug-in for tests: a data set and a detector that write down when they are called, and that can misbehave."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

import numpy as np
import torch
from made_tracks import made_tracks

from vadbench.api import COCO_17, ComponentConfig, DataError, DatasetInfo, FrameLabels, Registry, hookimpl

CALLS: Final[list[str]] = []
"""Every call, in order; a test clears it."""
FRAMES: Final = 40


class DataConfig(ComponentConfig):
    fault: Literal["none", "tracks", "data-error", "labels", "other-clips", "other-length", "one-class"] = "none"
    last_abnormal: int = 30


class Data:
    def __init__(self, config: DataConfig, data_root) -> None:
        self.config = config

    @property
    def info(self) -> DatasetInfo:
        return DatasetInfo("recorded", "Recorded", "coco-17", 24.0, "none", "none", "nowhere")

    def tracks(self, split):
        CALLS.append(f"tracks {split}")
        if self.config.fault == "tracks":
            raise RuntimeError("disk on fire")
        if self.config.fault == "data-error":
            raise DataError("the poses are gone", where=split)
        return made_tracks(
            {1: range(FRAMES), 2: range(5, 36)}, {1: range(FRAMES)}, {}, layout=COCO_17, seed=len(split), missing=0.05
        )

    def labels(self, split):
        CALLS.append(f"labels {split}")
        if self.config.fault == "labels":
            raise RuntimeError("no labels")
        abnormal = np.zeros((3, FRAMES), dtype=bool)
        abnormal[:2, 10 : self.config.last_abnormal] = self.config.fault != "one-class"
        lengths = (FRAMES, FRAMES, 2 if self.config.fault == "other-length" else 1)
        parts = tuple(line[:n] for line, n in zip(abnormal, lengths, strict=True))
        labels = FrameLabels(("c0", "c1", "c2"), parts, tuple(np.ones(len(part), dtype=bool) for part in parts))
        return replace(labels, clips=("c1", "c0", "c2")) if self.config.fault == "other-clips" else labels


class WholeConfig(ComponentConfig):
    act: Literal[
        *("well", "raise in fit", "raise in score", "raise in init", "interrupt", "nan", "too few", "by frame", "by frame, odd"),
        *("draw", "odd state", "odd diagnostics", "unhelpful error"),
    ] = "well"


class Whole:
    """Its score is how far a window's joints are from their training mean."""

    def __init__(self, config: WholeConfig, poses) -> None:
        CALLS.append("init")
        self.act = config.act
        self.mean = torch.zeros(2, poses.frames, poses.joints)
        if self.act == "raise in init":
            raise ValueError("no such shape")

    def fit(self, windows, context) -> None:
        CALLS.append("fit")
        if self.act == "raise in fit":
            raise RuntimeError("boom")
        if self.act == "unhelpful error":
            raise AssertionError
        self.mean = torch.from_numpy(windows.batch(slice(None)).x.mean(axis=0))
        if self.act == "draw":
            self.mean = self.mean + torch.nn.functional.dropout(torch.ones_like(self.mean))

    def score(self, windows, context):
        CALLS.append("score")
        x = torch.from_numpy(windows.batch(slice(None)).x)
        by_frame = (x - self.mean).square().mean(dim=(1, 3)).double().numpy()
        match self.act:
            case "raise in score":
                raise RuntimeError("boom")
            case "interrupt":
                raise KeyboardInterrupt
            case "nan":
                by_frame[3] = np.nan
            case "too few":
                by_frame = by_frame[:-1]
            case "by frame":
                return by_frame
            case "by frame, odd":
                return by_frame[:, :-1]
        return by_frame.mean(axis=1)

    def state_dict(self):
        return {"mean": "text" if self.act == "odd state" else self.mean}

    def load_state_dict(self, state_dict) -> None:
        self.mean = state_dict["mean"]

    def diagnostics(self):
        return {"loss": float("nan") if self.act == "odd diagnostics" else 0.5}


@hookimpl
def vadbench_register(registry: Registry) -> None:
    registry.dataset("recorded", "recorded_plugin:Data", config="recorded_plugin:DataConfig")
    registry.detector("recorded", "recorded_plugin:Whole", config="recorded_plugin:WholeConfig")
