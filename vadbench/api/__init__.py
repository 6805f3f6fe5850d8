"""All that a plug-in author imports: contracts, data types, hook marker, errors.

Names are imported on first use, so that a plug-in which only registers components costs neither torch nor NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vadbench.api.config import ComponentConfig, NoConfig
    from vadbench.api.context import Context, Progress, Silent, Trainer, TrainingPlan
    from vadbench.api.contracts import (
        Dataset,
        DatasetInfo,
        Detector,
        Diagnosed,
        Flow,
        Locatable,
        Prior,
        Scorer,
        Split,
        Stateful,
        TermDetector,
        Terms,
        Tokenizer,
        Tokens,
        TokenShape,
    )
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
    from vadbench.api.registry import KINDS, Entry, Kind, Registry
    from vadbench.api.scores import WindowScores
    from vadbench.api.skeleton import COCO_17, COCO_18, LAYOUTS, SkeletonLayout
    from vadbench.api.tracks import Clip, FrameLabels, Tracks
    from vadbench.api.windows import Batch, Normaliser, PoseShape, WindowRule, Windows

VERSION: Final = 1
"""Version of these contracts; it rises when a plug-in written for the one before may break."""

_HOME: Final = {
    "config": ("ComponentConfig", "NoConfig"),
    "context": ("Context", "Progress", "Silent", "Trainer", "TrainingPlan"),
    "contracts": (
        *("Dataset", "DatasetInfo", "Detector", "Diagnosed", "Flow", "Locatable", "Prior", "Scorer", "Split", "Stateful"),
        *("TermDetector", "Terms", "TokenShape", "Tokenizer", "Tokens"),
    ),
    "errors": (
        *("ConfigError", "DataError", "DriftError", "PluginError", "RunFailedError"),
        *("UsageError", "VadbenchError", "did_you_mean"),
    ),
    "hooks": ("hookimpl",),
    "registry": ("KINDS", "Entry", "Kind", "Registry"),
    "scores": ("WindowScores",),
    "skeleton": ("COCO_17", "COCO_18", "LAYOUTS", "SkeletonLayout"),
    "tracks": ("Clip", "FrameLabels", "Tracks"),
    "windows": ("Batch", "Normaliser", "PoseShape", "WindowRule", "Windows"),
}
_MODULE_OF: Final = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "COCO_17",
    "COCO_18",
    "KINDS",
    "LAYOUTS",
    "VERSION",
    "Batch",
    "Clip",
    "ComponentConfig",
    "ConfigError",
    "Context",
    "DataError",
    "Dataset",
    "DatasetInfo",
    "Detector",
    "Diagnosed",
    "DriftError",
    "Entry",
    "Flow",
    "FrameLabels",
    "Kind",
    "Locatable",
    "NoConfig",
    "Normaliser",
    "PluginError",
    "PoseShape",
    "Prior",
    "Progress",
    "Registry",
    "RunFailedError",
    "Scorer",
    "Silent",
    "SkeletonLayout",
    "Split",
    "Stateful",
    "TermDetector",
    "Terms",
    "TokenShape",
    "Tokenizer",
    "Tokens",
    "Tracks",
    "Trainer",
    "TrainingPlan",
    "UsageError",
    "VadbenchError",
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
