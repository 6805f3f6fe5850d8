"""The matrix method x protocol: ranks within each protocol, how they move from one to another, and all of it as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from scipy.stats import kendalltau

from vadbench.evaluation.protocol import in_words
from vadbench.evaluation.published_protocols import stand_in_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.api import VadbenchError
    from vadbench.evaluation.protocol import Protocol
    from vadbench.report.rescoring import Board, Row
    from vadbench.store.row_record import Spread

REFERENCE: Final = "standard-v1"
"""The protocol that the others' ranks are compared with, where it is among them; else the first."""
FEWEST: Final = 3
"""Methods from which on ranks are compared."""


@dataclass(frozen=True, slots=True)
class Column:
    """A protocol on a data set.

    Args:
        protocol: The rule.
        steps: What it does on this data set, in words.
        published: False where the values of another data set stand in for ones that nobody published.
        tau: Kendall's tau-b between the methods' AUROC under the reference and under this protocol; None with fewer than
            `FEWEST` methods that have both, where it is not defined, and for the reference itself.
        moved: Methods whose rank is another than under the reference.
    """

    protocol: Protocol
    steps: str
    published: bool
    tau: float | None
    moved: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """A board, its rows sorted and ranked.

    Args:
        board: What was scored; its rows are in the order of the matrix.
        labels: What each row is called; no two the same.
        columns: The protocols.
        aurocs: Rows x columns.
        ranks: Rows x columns; 1 is the highest AUROC, equals share a rank, None without AUROC.
        reference: The column that the others are compared with.
    """

    board: Board
    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    aurocs: tuple[tuple[Spread, ...], ...]
    ranks: tuple[tuple[int | None, ...], ...]
    reference: int


def make_matrix(board: Board, protocols: Sequence[Protocol]) -> Matrix:
    """The matrix of a board: rows by AUROC under the reference protocol, protocols in the order given."""
    names = [protocol.name for protocol in protocols]
    reference = names.index(REFERENCE) if REFERENCE in names else 0
    rows = sorted(board.rows, key=lambda row: _order(row, names[reference]))
    aurocs = [tuple(row.auroc(name) for name in names) for row in rows]
    by_column = [[line[i].mean for line in aurocs] for i in range(len(names))]
    ranks = [ranked(means) for means in by_column]
    columns = tuple(
        Column(
            protocol=protocol,
            steps=in_words(protocol.on(board.dataset)),
            published=not stand_in_values(protocol, board.dataset),
            tau=None if i == reference else tau(by_column[reference], by_column[i]),
            moved=sum(here != there for here, there in zip(ranks[i], ranks[reference], strict=True)),
        )
        for i, protocol in enumerate(protocols)
    )
    by_row = tuple(tuple(column[i] for column in ranks) for i in range(len(rows)))
    return Matrix(replace(board, rows=tuple(rows)), row_labels(rows), columns, tuple(aurocs), by_row, reference)


def ranked(means: Sequence[float | None]) -> list[int | None]:
    """The place of each AUROC, 1 for the highest; equals share the better place."""
    return [None if mean is None else 1 + sum(other is not None and other > mean for other in means) for mean in means]


def tau(reference: Sequence[float | None], other: Sequence[float | None]) -> float | None:
    """Kendall's tau-b over the methods that have a figure under both; None for fewer than `FEWEST`, or all equal."""
    pairs = [(a, b) for a, b in zip(reference, other, strict=True) if a is not None and b is not None]
    if len(pairs) < FEWEST:
        return None
    found = float(kendalltau(*zip(*pairs, strict=True)).statistic)
    return None if math.isnan(found) else found


def row_labels(rows: Sequence[Row]) -> tuple[str, ...]:
    """The method of each row; where a name stands twice, what tells them apart: source, settings, configuration or file."""
    found = [row.method for row in rows]
    for told in (_source, _settings, _config):
        seen: dict[str, set[str]] = {}
        for label, row in zip(found, rows, strict=True):
            seen.setdefault(label, set()).add(told(row))
        found = [
            f"{label} ({told(row)})" if len(seen[label]) > 1 and told(row) else label
            for label, row in zip(found, rows, strict=True)
        ]
    return tuple(found)


def matrices_json(matrices: Sequence[Matrix], left_out: Sequence[VadbenchError]) -> dict[str, Any]:
    """``protocols``, ``datasets`` with a row for each method, and ``left_out``; every share of 1, nothing rounded."""
    protocols = [column.protocol for column in matrices[0].columns] if matrices else []
    return {
        "protocols": [
            {
                "name": each.name,
                "version": each.version,
                "digest": each.digest(),
                "source": each.source,
                "notes": list(each.notes),
            }
            for each in protocols
        ],
        "datasets": [_matrix_json(matrix) for matrix in matrices],
        "left_out": [{"what": error.what, "where": error.where, "remedy": error.remedy} for error in left_out],
    }


def _matrix_json(matrix: Matrix) -> dict[str, Any]:
    board = matrix.board
    return {
        "dataset": board.dataset,
        "stand_in": board.stand_in,
        "track": board.track,
        "labels": board.labels,
        "clips": board.clips,
        "notes": list(board.notes),
        "reference": matrix.columns[matrix.reference].protocol.name,
        "protocols": {
            column.protocol.name: {
                "digest": column.protocol.digest(),
                "steps": column.steps,
                "published_values": column.published,
                "kendall_tau": column.tau,
                "ranks_moved": column.moved,
            }
            for column in matrix.columns
        },
        "rows": [_row_json(matrix, i) for i in range(len(board.rows))],
    }


def _row_json(matrix: Matrix, i: int) -> dict[str, Any]:
    row = matrix.board.rows[i]
    return {
        "label": matrix.labels[i],
        "method": row.method,
        "kind": row.kind,
        "dataset_settings": row.settings,
        "seeds": [each.seed for each in row.scored],
        "sources": [
            {
                "seed": each.seed,
                "path": str(each.path),
                "windows": each.windows,
                "clips_without_window": each.clips_without_window,
                "notes": list(each.notes),
            }
            for each in row.scored
        ],
        "protocols": {
            column.protocol.name: {
                "digest": column.protocol.digest(),
                "published_values": column.published,
                "auroc": matrix.aurocs[i][j].mean,
                "auroc_sd": matrix.aurocs[i][j].sd,
                "rank": matrix.ranks[i][j],
                "seeds": [
                    {
                        "seed": each.seed,
                        "metrics": each.cells[column.protocol.name].metrics,
                        "notes": list(each.cells[column.protocol.name].notes),
                    }
                    for each in row.scored
                ],
            }
            for j, column in enumerate(matrix.columns)
        },
    }


def _order(row: Row, reference: str) -> tuple[object, ...]:
    mean = row.auroc(reference).mean
    return (mean is None, -(mean or 0.0), row.method, row.kind, row.config, row.settings)


def _source(row: Row) -> str:
    return "scores" if row.kind == "bundle" else "run"


def _settings(row: Row) -> str:
    return row.settings


def _config(row: Row) -> str:
    return row.config if row.kind == "run" else str(row.scored[0].path)
