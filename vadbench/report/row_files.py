"""The files of a leaderboard: ``<data set>/<row>.json``, checked when they are read, and the table beside them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from vadbench.api import DataError, DriftError, UsageError, did_you_mean
from vadbench.data.whole_folder import whole_folder
from vadbench.engine.presets import shipped_folder
from vadbench.report.leaderboard import leaderboard_of_records
from vadbench.report.leaderboard_text import blocks, markdown
from vadbench.report.markdown_text import markdown_code, markdown_text
from vadbench.report.row_agreement import disagreements
from vadbench.report.row_command import title_of
from vadbench.store.folders import open_run
from vadbench.store.row_record import RowRecord
from vadbench.store.untrusted import unplain_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vadbench.api import Registry
    from vadbench.report.reproduced import ReproducedRow
    from vadbench.store.record import Environment

TABLE: Final = "README.md"
SUBMISSIONS: Final = "submissions"
"""The folder of a leaderboard that holds what was sent in; none of it is a row."""
_LONGEST_STEM: Final = 60
_REMEDY: Final = (
    "restore the file, or write the row again from its runs with vadbench leaderboard --write; figures are never typed"
)


def row_name(record: RowRecord) -> str:
    """``<data set>/<row>``: the method's name, and, where it or its data set were changed, 12 hex digits over how.

    The name of a method that only sent in scores is written in small letters, digits and dashes, and says what it is; where
    that is not all of it, 8 hex digits over it stand there, too.
    """
    stem, settings = record.method.name, record.dataset.settings
    if record.scores_only:
        stem = f"{_in_small_letters(stem)}-scores-only"
    if record.method.changes or settings:
        stem = f"{stem}-{_hex(repr((record.method.config_hash, sorted(settings.items()))), 12)}"
    return f"{record.dataset.name}/{stem}"


def _in_small_letters(name: str) -> str:
    """A name of any letters as a part of a file's name: two names that differ in more than capitals and blanks differ in it."""
    told = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_STEM].strip("-")
    if told == name.lower().replace(" ", "-"):
        return told
    return f"{told or 'method'}-{_hex(name, 8)}"


def _hex(told: str, digits: int) -> str:
    return hashlib.sha256(told.encode(errors="backslashreplace")).hexdigest()[:digits]


def shipped_rows(folder: Path | None = None) -> dict[str, Path]:
    """Name to file of the rows in a folder of leaderboards; by default those that travel with vadbench."""
    folder = shipped_folder("leaderboards") if folder is None else folder
    return {
        f"{path.parent.name}/{path.stem}": path for path in sorted(folder.glob("*/*.json")) if path.parent.name != SUBMISSIONS
    }


def find_row(told: str) -> Path:
    """The file of a row.

    Args:
        told: A path, or the name of a row that travels with vadbench.

    Raises:
        UsageError: if there is no such row.
    """
    path = Path(told)
    if path.is_file():
        return path
    rows = shipped_rows()
    if told in rows:
        return rows[told]
    if path.suffix == ".json":
        raise UsageError("there is no such file", where=path, remedy="give the path of a row, or its name: DATASET/METHOD")
    remedy = did_you_mean(told, rows) if rows else "no row travels with this version; give the path of one"
    raise UsageError(f"no row is named {told!r}", remedy=remedy)


def open_row(path: Path) -> RowRecord:
    """The row of a file, if it agrees with itself.

    Raises:
        DataError: if the file cannot be read or is not a row.
        DriftError: if a figure of the row does not follow from its seeds, or its configuration is not the one it names.
    """
    try:
        # Strict: of another type a value is none that vadbench writes, and "1" or true would pass for a seed.
        record = RowRecord.model_validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise DataError(f"the row cannot be read: {error.strerror}", where=path, remedy="check the path") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "as a whole"
        raise DataError(f"this is no row of a leaderboard: {key}: {first['msg']}", where=path, remedy=_REMEDY) from error
    for key, text in unplain_texts(record.model_dump()):
        raise DataError(f"{key}: {text!a} holds a control character", where=path, remedy=_REMEDY)
    for fault in disagreements(record):
        raise DriftError(fault, where=path, remedy=_REMEDY)
    return record


def write_rows(rows: Sequence[ReproducedRow], folder: Path, *, registry: Registry, at_least: int = 1) -> list[Path]:
    """Writes rows, one file each, and the table of each of their data sets; all of it or nothing.

    Rows that lie there already and are not among these stay, and stand in the tables.

    Args:
        rows: Of stored runs.
        folder: Of the leaderboards; made if it is not there.
        registry: Of the installed components, for the titles.
        at_least: Seeds that a row must have.

    Returns:
        The files that were written.

    Raises:
        UsageError: if there is no row, a row has too few seeds, two rows have one name, or nothing can be written here.
        DataError: if the seeds of a row were run in different environments, or a file that lies there is no row.
        DriftError: if a row that lies there does not agree with itself.
    """
    if not rows:
        raise UsageError(
            "there is no row to write", where="--runs", remedy="run something first: vadbench run METHOD --seed 0 --seed 1"
        )
    if short := [row for row in rows if len(row.seeds) < at_least]:
        told = "; ".join(f"{row.method} on {row.dataset}: {', '.join(map(str, row.seeds))}" for row in short)
        raise UsageError(
            f"{len(short)} of {len(rows)} rows have fewer than {at_least} seeds: {told}",
            where="--min-seeds",
            remedy="run the seeds that are missing (vadbench run METHOD --seed N), or ask for fewer; nothing was written",
        )
    new: dict[str, RowRecord] = {}
    for row in rows:
        record = publishable(row, registry)
        name = row_name(record)
        if name in new:
            first = next(other for other in rows if row_name(other.record) == name)
            raise UsageError(
                f"two rows would be {name}.json: another configuration goes by the same name, or the data set was another",
                where=f"{first.runs[0]} and {row.runs[0]}",
                remedy="keep the runs of one of them below --runs; nothing was written",
            )
        new[name] = record
    return write_records(new, folder)


def publishable(row: ReproducedRow, registry: Registry) -> RowRecord:
    """What a row of stored runs says in a file: with its title, and only if its command alone makes it again.

    Raises:
        DataError: if its seeds were run in different environments.
        UsageError: if it was compiled or took weights from a file, or a control character stands in it.
    """
    _check_environment(row)
    _check_trained(row)
    for key, text in unplain_texts(row.record.model_dump()):
        raise UsageError(
            f"{key} of {row.method} on {row.dataset}: {text!a} holds a control character",
            where=row.runs[0],
            remedy="run it without; nothing was written",
        )
    method = row.record.method.model_copy(update={"title": title_of(row.record.method, registry)})
    return row.record.model_copy(update={"method": method})


def write_records(new: Mapping[str, RowRecord], folder: Path) -> list[Path]:
    """Writes rows by their names, and the table of each of their data sets; raises as `write_rows` does."""
    files = {f"{name}.json": row_text(record) for name, record in new.items()}
    for dataset in sorted({record.dataset.name for record in new.values()}):
        kept = {
            name: open_row(path)
            for name, path in shipped_rows(folder).items()
            if name.partition("/")[0] == dataset and name not in new
        }
        here = {name: record for name, record in new.items() if record.dataset.name == dataset}
        files[f"{dataset}/{TABLE}"] = table_text(dataset, {**kept, **here})
    with whole_folder(folder, list(files), replace=True) as made:
        for name, text in files.items():
            (made / name).parent.mkdir(exist_ok=True)
            (made / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def row_text(record: RowRecord) -> str:
    """A row as its file holds it."""
    return record.model_dump_json(indent=2) + "\n"


def stale_tables(folder: Path) -> list[str]:
    """What of a folder of leaderboards is not what its rows give, a sentence each; none where tables and rows agree.

    Raises:
        DataError: if a file is no row.
        DriftError: if a row does not agree with itself.
    """
    by_dataset: dict[str, dict[str, RowRecord]] = {}
    found = []
    for name, path in shipped_rows(folder).items():
        record = open_row(path)
        by_dataset.setdefault(path.parent.name, {})[name] = record
        if row_name(record) != name:
            found.append(f"{path} holds the row {row_name(record)}")
    for table in sorted(folder.glob(f"*/{TABLE}")):
        if table.parent.name not in by_dataset and table.parent.name != SUBMISSIONS:
            found.append(f"{table} is the table of no row")
    for dataset, rows in by_dataset.items():
        table = folder / dataset / TABLE
        if not table.is_file():
            found.append(f"{table} is missing")
        elif table.read_text(encoding="utf-8") != table_text(dataset, rows):
            found.append(f"{table} is not what the rows beside it give")
    return found


def table_text(dataset: str, rows: Mapping[str, RowRecord]) -> str:
    """The page of a data set in Markdown, from its rows alone.

    Args:
        dataset: Its name.
        rows: Name to row.
    """
    ordered = [rows[name] for name in sorted(rows)]
    example = min((name for name, record in rows.items() if not record.scores_only), default=f"{dataset}/METHOD")
    parts = [
        f"# {markdown_text(dataset)}: reproduced rows",
        "Written by `vadbench leaderboard --write` from the JSON files beside this page; do not edit it. "
        f"{markdown_code(f'vadbench reproduce {example}')} makes a row again and compares it, seed by seed.",
        markdown(blocks(leaderboard_of_records(ordered))).rstrip("\n"),
    ]
    if other := [name for name in sorted(rows) if name != f"{dataset}/{rows[name].method.label}"]:
        parts.append("## Rows by other names than their method's")
        parts.append("\n".join(f"- {markdown_code(name)}: {markdown_text(_other(rows[name]))}" for name in other))
    parts.append("## Where they were run")
    places: dict[str, list[str]] = {}
    for name in sorted(rows):
        environment = rows[name].environment
        place = "not known, scores only" if environment is None else markdown_text(_place(environment))
        places.setdefault(place, []).append(markdown_text(name.partition("/")[2]))
    parts.append("\n".join(f"- {', '.join(names)}: {place}" for place, names in places.items()))
    return "\n\n".join(part for part in parts if part) + "\n"


def _other(record: RowRecord) -> str:
    return f"{record.method.label}, {_settings(record)}"


def _settings(record: RowRecord) -> str:
    told = ", ".join(f"{key}={value}" for key, value in sorted(record.dataset.settings.items()))
    if record.scores_only:
        return f"{record.dataset.name} [{told}], scores only" if told else "scores only"
    return f"{record.dataset.name} [{told}]" if told else f"configuration {record.method.config_hash}"


def _place(environment: Environment) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in environment.packages.items())
    threads = "1 thread" if environment.threads == 1 else f"{environment.threads} threads"
    return f"{environment.device}, {threads}; Python {environment.python}, {environment.platform}; {packages}"


def _check_environment(row: ReproducedRow) -> None:
    """A row has one environment: costs of different machines have no mean, and no command would make such a row."""
    environments = {path: open_run(path).record.environment for path in row.runs}
    other = [path for path, environment in environments.items() if environment != row.record.environment]
    if other:
        raise DataError(
            f"the seeds of {row.method} on {row.dataset} were not all run in one environment: "
            f"{_place(row.record.ran_in)}; {_place(environments[other[0]])}",
            where=f"{row.runs[0]} and {other[0]}",
            remedy="run all seeds of a row on one machine, with the same packages and --threads; nothing was written",
        )


def _check_trained(row: ReproducedRow) -> None:
    """A row is made again by its command alone."""
    record = row.record
    weights = (record.method.config or {}).get("weights")
    if weights or record.ran_in.compiled:
        how = "took weights from a file" if weights else "was compiled"
        raise UsageError(
            f"{row.method} on {row.dataset} {how}: the command of a row would not make it again",
            where=row.runs[0],
            remedy="keep such runs out of the folder below --runs; nothing was written",
        )
