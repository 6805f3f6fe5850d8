"""What commands about one data set share: naming it, opening it, and finding its entry and its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vadbench.api.errors import UsageError
from vadbench.cli.installed import installed_plugins

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from vadbench.api import Dataset, Entry, Split

Status = Literal["found", "not found", "generated", "any folder", "unknown"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A data set, its entry in the registry, and the settings that were given."""

    dataset: Dataset
    entry: Entry
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Location:
    """Whether a data set's files are there, and where.

    Args:
        status: ``found`` or ``not found`` where the data set tells; ``generated`` for a stand-in without files;
            ``any folder`` for one that has to be named by a path; ``unknown`` where it does not tell.
        where: The folder that holds all its files, or where it looks for them; None where it does not say.
    """

    status: Status
    where: str | None


def open_named(name: str, root: Path | None, changes: tuple[str, ...]) -> Opened:
    """Opens the data set of a name or a path; raises as `open_dataset` does."""
    from vadbench.engine.datasets import data_root, dataset_settings, open_dataset

    registry = installed_plugins().registry
    settings = dataset_settings(changes)
    dataset = open_dataset(name, registry, root=data_root(root), settings=settings)
    entries = registry.entries("dataset")
    # What is no name was opened as a path, by the first data set that opens folders.
    entry = next((each for each in entries if each.name == name), None) or next(each for each in entries if each.opens_folders)
    return Opened(dataset, entry, settings)


def chosen_splits(dataset: Dataset, chosen: tuple[Split, ...]) -> tuple[Split, ...]:
    """The splits of these names, in the data set's order, or all of them; raises `UsageError` for one that there is not."""
    known = dataset.info.splits
    for split in chosen:
        if split not in known:
            raise UsageError(f"{dataset.info.name} has no {split} split", remedy=f"its splits are {', '.join(known)}")
    return tuple(split for split in known if not chosen or split in chosen)


def locate(dataset: Dataset, entry: Entry) -> Location:
    """Whether and where a data set's files are; reads none of them."""
    from vadbench.api import Locatable
    from vadbench.engine.plugin_faults import dataset_step

    if not isinstance(dataset, Locatable):
        return Location("generated" if dataset.info.stand_in else "unknown", None)
    with dataset_step("say whether its files are there", dataset):
        found = dataset.available()
        where = _where(dataset)
    if not found and where is None and entry.opens_folders:
        return Location("any folder", None)
    return Location("found" if found else "not found", where)


def _where(dataset: Dataset) -> str | None:
    from vadbench.api import ConfigError, DataError, Sourced

    if not isinstance(dataset, Sourced):
        return None
    folders: set[str] = set()
    looked = None
    for split in dataset.info.splits:
        try:
            folders |= {str(path.parent.absolute()) for paths in dataset.sources(split).values() for path in paths}
        except DataError as error:
            looked = looked or error.where
        except ConfigError:
            # A setting is wanting that says where to look, as in a data set that opens any folder.
            return None
    return os.path.commonpath(folders) if folders else looked
