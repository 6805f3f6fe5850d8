"""All that a plug-in author imports: contracts, data types, hook marker, errors.

Names are imported on first use, so that a plug-in which only registers components costs neither torch nor NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vadbench.api.config import ComponentConfig, NoConfig
    from vadbench.api.context import Context, Progress, Silent, Trainer
    from vadbench.api.contracts import (
        CodeVectors,
        Detector,
        Diagnosed,
        Flow,
        Localised,
        Predictive,
        Prior,
        Quality,
        Scorer,
        Stateful,
        TermChecking,
        TermDetector,
        Terms,
        Tokenizer,
        Tokens,
        TokenSequences,
        TokenShape,
        ValidatedScorer,
    )
    from vadbench.api.coordinates import Normaliser, PixelWindows, Placement, View
    from vadbench.api.dataset import (
        Dataset,
        DatasetInfo,
        Expected,
        Finding,
        Inspectable,
        Inspection,
        Locatable,
        Severity,
        Sourced,
        Split,
    )
    from vadbench.api.early_stopping import EarlyStopping
    from vadbench.api.errors import (
        ConfigError,
        DataError,
        DriftError,
        PluginError,
        RunFailedError,
        UsageError,
        VadbenchError,
        did_you_mean,
    )
    from vadbench.api.hooks import hookimpl
    from vadbench.api.layouts import COCO_17, COCO_18, HALPE_26, LAYOUTS, NTU_25, OPENPOSE_18, OPENPOSE_25
    from vadbench.api.registry import KINDS, Entry, Kind, Registry
    from vadbench.api.released import ReadsReleased, Released, Track
    from vadbench.api.scores import WindowScores
    from vadbench.api.skeleton import SkeletonLayout
    from vadbench.api.tracks import Clip, FrameLabels, Tracks
    from vadbench.api.training_plan import TrainingPlan
    from vadbench.api.windows import Batch, PoseShape, WindowRule, Windows

VERSION: Final = 1
"""Version of these contracts; it rises when a plug-in written for the one before may break."""

_HOME: Final = {
    "config": ("ComponentConfig", "NoConfig"),
    "context": ("Context", "Progress", "Silent", "Trainer"),
    "contracts": (
        *("CodeVectors", "Detector", "Diagnosed", "Flow", "Localised", "Predictive", "Prior", "Quality", "Scorer", "Stateful"),
        *("TermChecking", "TermDetector", "Terms", "TokenSequences", "TokenShape", "Tokenizer", "Tokens", "ValidatedScorer"),
    ),
    "dataset": (
        *("Dataset", "DatasetInfo", "Expected", "Finding", "Inspectable", "Inspection", "Locatable"),
        *("Severity", "Sourced", "Split"),
    ),
    "early_stopping": ("EarlyStopping",),
    "errors": (
        *("ConfigError", "DataError", "DriftError", "PluginError", "RunFailedError"),
        *("UsageError", "VadbenchError", "did_you_mean"),
    ),
    "hooks": ("hookimpl",),
    "layouts": ("COCO_17", "COCO_18", "HALPE_26", "LAYOUTS", "NTU_25", "OPENPOSE_18", "OPENPOSE_25"),
    "released": ("Released", "ReadsReleased", "Track"),
    "registry": ("KINDS", "Entry", "Kind", "Registry"),
    "scores": ("WindowScores",),
    "skeleton": ("SkeletonLayout",),
    "tracks": ("Clip", "FrameLabels", "Tracks"),
    "training_plan": ("TrainingPlan",),
    "windows": ("Batch", "PoseShape", "WindowRule", "Windows"),
    "coordinates": ("Normaliser", "PixelWindows", "Placement", "View"),
}
_MODULE_OF: Final = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "COCO_17",
    "COCO_18",
    "HALPE_26",
    "KINDS",
    "LAYOUTS",
    "NTU_25",
    "OPENPOSE_18",
    "OPENPOSE_25",
    "VERSION",
    "Batch",
    "Clip",
    "CodeVectors",
    "ComponentConfig",
    "ConfigError",
    "Context",
    "DataError",
    "Dataset",
    "DatasetInfo",
    "Detector",
    "Diagnosed",
    "DriftError",
    "EarlyStopping",
    "Entry",
    "Expected",
    "Finding",
    "Flow",
    "FrameLabels",
    "Inspectable",
    "Inspection",
    "Kind",
    "Localised",
    "Locatable",
    "NoConfig",
    "Normaliser",
    "PixelWindows",
    "Placement",
    "PluginError",
    "PoseShape",
    "Predictive",
    "Prior",
    "Progress",
    "Quality",
    "ReadsReleased",
    "Registry",
    "Released",
    "RunFailedError",
    "Scorer",
    "Severity",
    "Silent",
    "SkeletonLayout",
    "Sourced",
    "Split",
    "Stateful",
    "TermChecking",
    "TermDetector",
    "Terms",
    "TokenSequences",
    "TokenShape",
    "Tokenizer",
    "Tokens",
    "Track",
    "Tracks",
    "Trainer",
    "TrainingPlan",
    "UsageError",
    "VadbenchError",
    "ValidatedScorer",
    "View",
    "WindowRule",
    "WindowScores",
    "Windows",
    "did_you_mean",
    "hookimpl",
]


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
