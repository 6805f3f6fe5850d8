"""Test labels that are known without the data set: those of rows that were published, and those in ``labels.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vadbench.api import DataError, VadbenchError
from vadbench.engine.presets import shipped_folder
from vadbench.report.row_files import open_row, row_name, shipped_rows
from vadbench.store.submission import ROW

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.report.submission.findings import Findings
    from vadbench.store.row_record import RowRecord

KNOWN: Final = "labels.csv"
_COLUMNS: Final = ["dataset", "labels", "source"]


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Who knows the labels of data sets.

    Args:
        leaderboards: Folder whose rows and ``labels.csv`` are believed.
        without: Files in it that are not, for they come with what is checked.
        trust: Whether the maintainer has compared the labels of what is checked with the data set.
    """

    leaderboards: Path
    without: frozenset[Path] = frozenset()
    trust: bool = False


def check_known(row: RowRecord, witnesses: Witnesses, findings: Findings) -> None:
    """Whether labels that were sent in are those of the data set, as far as somebody here knows.

    Args:
        row: Whose labels have the fingerprint that it names.
        witnesses: Who knows.
        findings: Takes by whom they are known, or that nobody knows them.

    Raises:
        DataError: if ``labels.csv`` cannot be read.
    """
    where, name = f"{ROW}: dataset.labels", row.dataset.name
    same = _rows_with_them(row, witnesses)
    _check_alike(row, same, findings)
    if same:
        findings.note(f"{len(same)} rows of {name} have the same labels: {', '.join(list(same)[:3])}", where)
    elif (source := _listed(row, witnesses)) is not None:
        findings.note(f"the labels are those that {KNOWN} names for {name}: {source}", where)
    elif witnesses.trust:
        findings.warning("--trust-labels: the labels are taken as they were sent in, and nobody here knows them", where)
    else:
        findings.undecided(
            f"labels unknown: the data set is not here, and neither a row of {name} in {witnesses.leaderboards} nor its "
            f"{KNOWN} has these labels; check it where the data are (--data-root), or compare the labels with the data set and "
            "say so with --trust-labels",
            where,
        )


def _rows_with_them(row: RowRecord, witnesses: Witnesses) -> dict[str, RowRecord]:
    """The other rows of a leaderboard on the same data set with the same labels."""
    found = {}
    for name, path in shipped_rows(witnesses.leaderboards).items():
        if path.parent.name == row.dataset.name and name != row_name(row) and path.resolve() not in witnesses.without:
            try:
                other = open_row(path)
            except VadbenchError:
                continue  # that file has its own check
            if other.dataset.name == row.dataset.name and other.dataset.labels == row.dataset.labels:
                found[name] = other
    return found


def _check_alike(row: RowRecord, others: dict[str, RowRecord], findings: Findings) -> None:
    for name, other in list(others.items())[:1]:
        for key in ("title", "stand_in", "frame_rate"):
            told, has = getattr(row.dataset, key), getattr(other.dataset, key)
            if told != has:
                what = f"{key} of the data set: the row says {told!r}, the row {name} {has!r}"
                findings.tampered(what, f"{ROW}: dataset.{key}")


def _listed(row: RowRecord, witnesses: Witnesses) -> str | None:
    """Where labels were taken from that vadbench, or the maintainer of these leaderboards, knows."""
    for path in dict.fromkeys((witnesses.leaderboards / KNOWN, shipped_folder("leaderboards") / KNOWN)):
        if not path.is_file() or path.resolve() in witnesses.without:
            continue
        for line in _lines(path):
            if (line["dataset"], line["labels"]) == (row.dataset.name, row.dataset.labels):
                return line["source"]
    return None


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            lines = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"the known labels cannot be read: {error}", where=path, remedy="restore the file") from error
    if reader.fieldnames != _COLUMNS or any(None in line or None in line.values() for line in lines):
        raise DataError(f"the columns are not {','.join(_COLUMNS)}", where=path, remedy="restore the file")
    return lines
