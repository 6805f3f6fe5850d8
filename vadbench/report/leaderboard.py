"""The leaderboard: reproduced rows, stand-in rows, oracles, published rows, and what was left out; as JSON and CSV.

Reproduced figures, those of oracles and published ones never share a column, in any format. All are in percent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import UsageError, did_you_mean
from vadbench.report.oracle_rows import oracle_rows
from vadbench.report.published import PublishedRow, load_published
from vadbench.report.reproduced import reproduced_rows, rows_of_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from vadbench.api import VadbenchError
    from vadbench.report.oracle_rows import OracleRow
    from vadbench.report.reproduced import ReproducedRow
    from vadbench.store.folders import StoredRun
    from vadbench.store.row_record import RowRecord

COLUMNS: Final = (
    *(
        "kind",
        "rank",
        "place",
        "tie",
        "transductive",
        "method",
        "dataset",
        "dataset_settings",
        "track",
        "protocol",
        "protocol_digest",
        "config_hash",
        "data",
    ),
    "seeds",
    *("auroc_reproduced", "auroc_sd", "auroc_low", "auroc_high", "auroc_raw", "auroc_raw_sd", "ap", "ap_sd"),
    *("parameters", "fit_s", "windows_per_s", "peak_rss_mb", "runs"),
    *("auroc_oracle", "labels"),
    *("auroc_published", "arxiv", "venue", "year", "pose_family", "status", "note"),
)
"""Columns of the CSV; ``kind`` is ``reproduced``, ``scores-only``, ``stand-in``, ``stand-in scores-only``, ``oracle`` or
``published``."""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """What a leaderboard shows.

    Args:
        reproduced: Rows of real data sets, ranked.
        scores_only: Rows of real data sets that were computed from scores which were sent in; not ranked.
        stand_ins: Rows of stand-in data, of either kind, which are never a result.
        oracles: What the labels of these data sets alone would give; no methods, and they compete with none.
        published: What papers print; None where it was not asked for.
        left_out: Why runs were left out, one error a run.
    """

    reproduced: tuple[ReproducedRow, ...]
    scores_only: tuple[ReproducedRow, ...]
    stand_ins: tuple[ReproducedRow, ...]
    oracles: tuple[OracleRow, ...]
    published: tuple[PublishedRow, ...] | None
    left_out: tuple[VadbenchError, ...]


def make_leaderboard(
    runs: Iterable[StoredRun], *, datasets: Sequence[str] = (), published: bool = False, published_file: Path | None = None
) -> Leaderboard:
    """The leaderboard of stored runs.

    Args:
        runs: As `vadbench.store.folders.find_runs` gives them.
        datasets: Data sets to show; none for all. Upper and lower case are the same.
        published: Whether to show what papers print as well.
        published_file: Of the published figures; None for the one that travels with vadbench.

    Raises:
        UsageError: for a data set that no stored run and no published figure is on.
        DataError: if the published figures cannot be read.
    """
    runs = list(runs)
    papers = load_published(published_file) if published or datasets else []
    wanted = {name.lower() for name in datasets}
    known = {run.record.dataset.name for run in runs} | {row.dataset.lower() for row in papers}
    for name in datasets:
        if name.lower() not in {each.lower() for each in known}:
            raise UsageError(
                f"no stored run and no published figure is on the data set {name!r}", remedy=did_you_mean(name, known)
            )
    rows, left_out = reproduced_rows(run for run in runs if not wanted or run.record.dataset.name.lower() in wanted)
    chosen = tuple(row for row in papers if not wanted or row.dataset.lower() in wanted) if published else None
    return _board(rows, published=chosen, left_out=tuple(left_out))


def leaderboard_of_records(records: Iterable[RowRecord]) -> Leaderboard:
    """The leaderboard of rows that were read from files; raises `DriftError` if oracles of the same labels differ."""
    return _board(rows_of_records(records), published=None, left_out=())


def _board(
    rows: Sequence[ReproducedRow], *, published: tuple[PublishedRow, ...] | None, left_out: tuple[VadbenchError, ...]
) -> Leaderboard:
    return Leaderboard(
        reproduced=tuple(row for row in rows if not row.stand_in and not row.scores_only),
        scores_only=tuple(row for row in rows if not row.stand_in and row.scores_only),
        stand_ins=tuple(row for row in rows if row.stand_in),
        oracles=tuple(oracle_rows(row.record for row in rows)),
        published=published,
        left_out=left_out,
    )


def board_json(board: Leaderboard) -> str:
    """One JSON object: ``unit``, the rows by kind, ``oracles``, ``left_out``, and ``published`` if asked for."""
    content: dict[str, Any] = {
        "unit": "percent",
        "reproduced": [_cells(row) for row in board.reproduced],
        "scores_only": [_cells(row) for row in board.scores_only],
        "stand_in": [_cells(row) for row in board.stand_ins],
        "oracles": [_oracle_cells(row) for row in board.oracles],
    }
    if board.published is not None:
        content["published"] = [_published_cells(row) for row in board.published]
    content["left_out"] = [{"what": error.what, "where": error.where, "remedy": error.remedy} for error in board.left_out]
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def board_csv(board: Leaderboard) -> str:
    """One line a row, with the columns `COLUMNS`; lists are joined by blanks."""
    import pandas as pd

    lines: list[dict[str, Any]] = []
    for rows in (board.reproduced, board.scores_only, board.stand_ins):
        for row in rows:
            of_its_data = "stand-in scores-only" if row.scores_only else "stand-in"
            cells = {**_cells(row), "kind": of_its_data if row.stand_in else row.record.kind}
            lines.append({name: " ".join(map(str, v)) if isinstance(v, list) else v for name, v in cells.items()})
    lines += [{**cells, "kind": "oracle", "method": cells["oracle"]} for cells in map(_oracle_cells, board.oracles)]
    lines += [{**_published_cells(row), "kind": "published"} for row in board.published or ()]
    # As objects: an empty cell would otherwise turn the ranks and years of a column into 1.0 and 2023.0.
    text: str = pd.DataFrame(lines, columns=list(COLUMNS), dtype=object).to_csv(index=False, lineterminator="\n")
    return text


def _cells(row: ReproducedRow) -> dict[str, Any]:
    record = row.record
    cost = record.cost
    return {
        "kind": record.kind,
        "rank": row.rank,
        "place": row.place,
        "tie": row.tie,
        "transductive": record.transductive,
        "method": row.method,
        "dataset": row.dataset,
        "dataset_settings": row.dataset_settings,
        "track": row.track,
        "protocol": record.protocol,
        "protocol_digest": record.protocol_digest,
        "config_hash": row.config_hash,
        "data": row.data,
        "seeds": list(row.seeds),
        "auroc_reproduced": _percent(record.auroc.mean),
        "auroc_sd": _percent(record.auroc.sd),
        "auroc_low": None if record.interval is None else _percent(record.interval[0]),
        "auroc_high": None if record.interval is None else _percent(record.interval[1]),
        "auroc_raw": _percent(record.auroc_raw.mean),
        "auroc_raw_sd": _percent(record.auroc_raw.sd),
        "ap": _percent(record.ap.mean),
        "ap_sd": _percent(record.ap.sd),
        "parameters": None if cost is None else cost.parameters,
        "fit_s": None if cost is None else cost.fit_s,
        "windows_per_s": None if cost is None else _tenths(cost.windows_per_s),
        "peak_rss_mb": None if cost is None else _tenths(cost.peak_rss_mb),
        "runs": [str(path) for path in row.runs],
    }


def _oracle_cells(row: OracleRow) -> dict[str, Any]:
    return {
        "oracle": row.oracle,
        "dataset": row.dataset,
        "dataset_settings": row.dataset_settings,
        "protocol": row.protocol,
        "protocol_digest": row.protocol_digest,
        "labels": row.labels,
        "auroc_oracle": _percent(row.auroc),
    }


def _published_cells(row: PublishedRow) -> dict[str, Any]:
    cells = row.model_dump()
    del cells["auroc"]
    return {**cells, "auroc_published": float(row.auroc)}


def _tenths(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 6)
