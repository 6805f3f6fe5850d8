"""``vadbench data``: what there is to know and to do about data sets, before a method is run on them."""

from __future__ import annotations

from typing import Final

import click

from vadbench.cli.lazy import Commands, LazyGroup

_HERE: Final = "vadbench.cli.data"
COMMANDS: Final[Commands] = {
    "list": (f"{_HERE}.listing:list_datasets", "Every data set, and whether its files are found."),
    "info": (f"{_HERE}.info:info", "One data set: licence, citation, how to get it, where to put it, counts."),
    "doctor": (f"{_HERE}.doctor:doctor", "Look for defects in a data set's files; say what to do about each."),
    "stats": (f"{_HERE}.stats:stats", "Counts, track lengths and coverage of a data set, with a plot."),
    "import": (f"{_HERE}.importing:import_poses", "Make a pose folder from the output of a pose estimator."),
    "export": (f"{_HERE}.exporting:export", "Write a data set in the layout that other repositories read."),
    "cache": (f"{_HERE}.cache:cache", "Parsed poses kept on disk: where, how much, verify, clear."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def data() -> None:
    """Data sets: list, describe, check, import, export, count; and the cache of parsed poses."""
