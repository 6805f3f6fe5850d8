"""The poses of a data set as a run reads them: through the cache, and known by their fingerprint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vadbench.api import VERSION, Dataset, Split, Tracks
from vadbench.engine.code_digests import code_digest
from vadbench.engine.loading.folder_imports import version_of_module
from vadbench.engine.loading.in_process import is_registered
from vadbench.engine.plugin_faults import dataset_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vadbench.data.cache.track_cache import TrackCache


def read_tracks(dataset: Dataset, split: Split, settings: Mapping[str, Any], cache: TrackCache | None) -> tuple[Tracks, str]:
    """The poses of a split and their fingerprint.

    Args:
        dataset: As `open_dataset` gave it.
        split: Which split.
        settings: Those that it was opened with; ``root`` says only where it lies.
        cache: Where parsed poses are kept; None to parse them.

    Raises:
        DataError: if files are missing or damaged.
    """
    with dataset_step("give its poses", dataset):
        if cache is not None and (reading := _reading(dataset, settings)) is not None:
            return cache.tracks(dataset, split, reading=reading)
        tracks = dataset.tracks(split)
        return tracks, tracks.fingerprint()


def _reading(dataset: Dataset, settings: Mapping[str, Any]) -> str | None:
    """All that decides how the data set is read; None where that cannot be told."""
    cls = type(dataset)
    if is_registered(cls):
        return None
    identity = {
        "api": VERSION,
        "class": f"{cls.__module__}:{cls.__qualname__}",
        "code": version_of_module(cls.__module__) or code_digest(cls.__module__.partition(".")[0]),
        "settings": {key: value for key, value in settings.items() if key != "root"},
    }
    return json.dumps(identity, sort_keys=True, default=str)
