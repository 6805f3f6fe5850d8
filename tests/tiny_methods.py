"""Shipped methods made so small that a test can train them."""

from __future__ import annotations

from importlib import metadata
from typing import Final

from modules_on_disk import entry_point

from vadbench.engine.plugins import Plugins, load_plugins

TINY_MSGFLOW: Final = (
    *("windows.length=8", "windows.train_stride=4"),
    *("tokenizer.codebook_size=8", "tokenizer.width=4", "tokenizer.hidden=8", "tokenizer.epochs=1"),
    *("prior.width=8", "prior.layers=1", "prior.heads=2", "prior.epochs=1"),
    *("flow.steps=2", "flow.epochs=1"),
)
"""Changes to msgflow."""
TINY_KNN: Final = ("windows.length=8", "detector.components=8", "detector.windows=100")
"""Changes to knn."""


def plugins_with_recorded() -> Plugins:
    """The installed plug-ins and `recorded_plugin`."""
    return load_plugins([*metadata.entry_points(group="vadbench"), entry_point("recorded_plugin")])
