"""All that a plug-in author imports: contracts, data types, hook marker, errors.

Names are imported on first use, so that a plug-in which only registers components costs neither torch nor NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vadbench.api.bundle_arrays import read_window_scores, write_window_scores
    from vadbench.api.bundle_meta import BundleMeta, read_bundle_meta
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
    from vadbench.api.entry import KINDS, Entry, Kind
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
    from vadbench.api.method_preset import MethodPreset
    from vadbench.api.registered import register
    from vadbench.api.registry import Registry
    from vadbench.api.released import ReadsReleased, Released, Track
    from vadbench.api.scores import WindowScores
    from vadbench.api.skeleton import SkeletonLayout
    from vadbench.api.tracks import Clip, FrameLabels, Tracks
    from vadbench.api.training_plan import TrainingPlan
    from vadbench.api.windows import Batch, PoseShape, WindowRule, Windows

VERSION: Final = 1
"""Version of these contracts; it rises when a plug-in written for the one before may break."""

_HOME: Final = {
    "bundle_arrays": ("read_window_scores", "write_window_scores"),
    "bundle_meta": ("BundleMeta", "read_bundle_meta"),
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
    "entry": ("KINDS", "Entry", "Kind"),
    "errors": (
        *("ConfigError", "DataError", "DriftError", "PluginError", "RunFailedError"),
        *("UsageError", "VadbenchError", "did_you_mean"),
    ),
    "hooks": ("hookimpl",),
    "layouts": ("COCO_17", "COCO_18", "HALPE_26", "LAYOUTS", "NTU_25", "OPENPOSE_18", "OPENPOSE_25"),
    "released": ("Released", "ReadsReleased", "Track"),
    "registered": ("register",),
    "method_preset": ("MethodPreset",),
    "registry": ("Registry",),
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
    "BundleMeta",
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
    "MethodPreset",
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
    "read_bundle_meta",
    "read_window_scores",
    "register",
    "write_window_scores",
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
