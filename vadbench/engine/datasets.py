"""Finding the data sets of a run: by name below the data root, or any folder in a known layout."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import (
    ConfigError,
    DataError,
    Dataset,
    DatasetInfo,
    Locatable,
    PluginError,
    Registry,
    UsageError,
    VadbenchError,
)
from vadbench.api.faults import blamed
from vadbench.api.process_state import process_kept
from vadbench.data.user_paths import expanded
from vadbench.engine.config import parse_change, validated_config
from vadbench.engine.plugin_faults import dataset_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger(__name__)

DATA_ROOT_VARIABLE: Final = "VADBENCH_DATA"
DATASET_SECTION: Final = "dataset."
"""Changes whose key begins so are settings of the data set, not of the method."""


def data_root(given: Path | None) -> Path | None:
    """The folder below which data sets lie: the one given, else ``$VADBENCH_DATA``, else none.

    Raises:
        DataError: if there is no such folder.
    """
    variable = os.environ.get(DATA_ROOT_VARIABLE)
    root = given if given is not None else Path(variable) if variable else None
    if root is not None and not expanded(root).is_dir():
        said = "--data-root" if given is not None else f"${DATA_ROOT_VARIABLE}"
        raise DataError("the data root is not a folder", where=f"{said} {root}", remedy="name a folder that is there")
    return root


def split_changes(changes: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Changes to the method, and settings of the data set."""
    method = [text for text in changes if not text.startswith(DATASET_SECTION)]
    pairs = [parse_change(text) for text in changes if text.startswith(DATASET_SECTION)]
    return method, {key.removeprefix(DATASET_SECTION): value for key, value in pairs}


def dataset_settings(changes: Sequence[str]) -> dict[str, Any]:
    """The settings of a data set, for a command that has no method.

    Raises:
        ConfigError: for a change that is not one of the data set.
    """
    other, settings = split_changes(changes)
    if other:
        remedy = f"write it as {DATASET_SECTION}{other[0].rpartition('.')[2]}"
        raise ConfigError(f"{other[0]!r} is not a setting of the data set", where="--set", remedy=remedy)
    return settings


def open_dataset(name: str, registry: Registry, *, root: Path | None, settings: Mapping[str, Any]) -> Dataset:
    """A data set by name, or a folder by path.

    Anything that looks like a path (has a separator, or is a folder that exists and no registered name) is opened by
    the data set that opens folders.

    Raises:
        UsageError: for an unknown name.
        ConfigError: for a setting that the data set does not have.
    """
    names = registry.names("dataset")
    path = expanded(name)
    looks_like_path = os.sep in name or name.startswith(("~", "."))
    if looks_like_path or (name not in names and path.is_dir()):
        openers = [entry for entry in registry.entries("dataset") if entry.opens_folders]
        if not openers:
            raise UsageError("no installed data set opens folders", where=name, remedy="install the plug-in for its layout")
        return _make(openers[0].name, registry, root, {**settings, "root": str(path)})
    if name not in names:
        raise UsageError(f"no data set is named {name!r}, and there is no such folder", remedy=registry.remedy_for(name, names))
    return _make(name, registry, root, settings)


def default_datasets(registry: Registry, *, root: Path | None) -> list[str]:
    """What is run when the user names no data set: the default ones that are found, else the default stand-in."""
    candidates = {}
    for entry in registry.entries("dataset"):
        if entry.default:
            try:
                data = _make(entry.name, registry, root, {})
                candidates[entry.name] = (data, _available(data))
            except VadbenchError as error:
                # Nobody asked for this one by name, so it must not stop the others.
                logger.warning("data set %s is left out: %s", entry.name, error)
    found = [name for name, (data, available) in candidates.items() if available and not data.info.stand_in]
    return found or [name for name, (data, _) in candidates.items() if data.info.stand_in]


def _available(dataset: Dataset) -> bool:
    with dataset_step("say whether its files are there", dataset):
        return not isinstance(dataset, Locatable) or dataset.available()


def _make(name: str, registry: Registry, root: Path | None, settings: Mapping[str, Any]) -> Dataset:
    entry = registry.get("dataset", name)
    config = validated_config(entry, settings)
    with process_kept(), blamed(f"dataset {name!r} cannot be opened", f"plug-in {entry.plugin}"):
        dataset: Dataset = entry.load()(config, root)
    if not isinstance(getattr(dataset, "info", None), DatasetInfo):
        raise PluginError(
            f"dataset {name!r} has no info",
            where=f"{entry.target}, plug-in {entry.plugin}",
            remedy="a dataset has an attribute info, a DatasetInfo, as soon as it is made",
        )
    return dataset
