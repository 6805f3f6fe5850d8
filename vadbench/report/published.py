"""Published rows: what papers print, read from ``leaderboards/published.csv`` and checked line by line."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from vadbench.api import DataError, Track
from vadbench.engine.presets import shipped_folder

_REMEDY = "correct the line; leaderboards/README.md says what the columns are"


def _empty_to_none(value: object) -> object:
    return None if value == "" else value


class PublishedRow(BaseModel):
    """One figure of one paper; a column of ``published.csv`` each."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    method: str = Field(min_length=1)
    arxiv: Annotated[str | None, BeforeValidator(_empty_to_none)] = Field(pattern=r"^\d{4}\.\d{4,5}$")
    venue: str = Field(min_length=1)
    year: int = Field(ge=2000, le=2100)
    pose_family: Literal["json", "csv", "own", "unknown"]
    track: Track
    dataset: str = Field(min_length=1)
    auroc: Decimal = Field(ge=0, le=100, allow_inf_nan=False)
    """Percent, with the digits of the source."""
    status: Literal["seen", "unverified"]
    note: str


def load_published(path: Path | None = None) -> list[PublishedRow]:
    """Published figures by data set, track, and AUROC from high to low.

    Args:
        path: Of the CSV; None for the one that travels with vadbench.

    Raises:
        DataError: if the file is missing or a line is wrong; ``where`` names the file and the line.
    """
    path = path or shipped_folder("leaderboards") / "published.csv"
    rows: list[PublishedRow] = []
    first_line: dict[tuple[str, str, str], int] = {}
    for line, values in _lines(path):
        try:
            row = PublishedRow.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}, not {first['input']!r}"
            raise DataError(what, where=f"{path}, line {line}", remedy=_REMEDY) from error
        key = (row.method, row.track, row.dataset)
        if key in first_line:
            raise DataError(
                f"{row.method} has a second {row.track} figure on {row.dataset}; the first is in line {first_line[key]}",
                where=f"{path}, line {line}",
                remedy="keep one figure for each method, track and data set",
            )
        first_line[key] = line
        rows.append(row)
    return sorted(rows, key=lambda row: (row.dataset, row.track, -row.auroc, row.method))


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and cells by column of every line but the header."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = next(reader, [])
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"the published figures cannot be read: {error}", where=path, remedy="check the file") from error
    expected = list(PublishedRow.model_fields)
    if header != expected:
        raise DataError(
            f"the columns are {','.join(header)}; {','.join(expected)} were expected", where=f"{path}, line 1", remedy=_REMEDY
        )
    for line, cells in lines:
        if len(cells) != len(header):
            raise DataError(
                f"the line has {len(cells)} cells, the header {len(header)}", where=f"{path}, line {line}", remedy=_REMEDY
            )
    return [(line, dict(zip(header, cells, strict=True))) for line, cells in lines]
