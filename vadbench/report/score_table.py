"""The matrix method x protocol to read in a terminal: figures and ranks, the protocols in words, and what has to be known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from vadbench.report.formatting import NOT_AVAILABLE, STAND_IN, percent
from vadbench.report.protocol_matrix import FEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.report.protocol_matrix import Matrix

_LONGEST_METHOD: Final = 28
_APART: Final = 2
UNPUBLISHED: Final = "*"
"""Marks a protocol whose values for the data set nobody published."""


def matrix_tables(matrix: Matrix, width: int) -> list[Table]:
    """The matrix as one table, or, where ``width`` columns of text are too few, as several with some of the protocols each."""
    headings = [column.protocol.name + UNPUBLISHED * (not column.published) for column in matrix.columns]
    cells = [[matrix_cell(matrix, i, j, apart="\n") for j in range(len(headings))] for i in range(len(matrix.labels))]
    needed = [
        _APART + max(len(line) for text in (*_broken(heading), *(row[j] for row in cells)) for line in text.splitlines() or [""])
        for j, heading in enumerate(headings)
    ]
    method = min(_LONGEST_METHOD, max(len(label) for label in ("method", *matrix.labels))) + _APART
    tables: list[Table] = []
    for part in _parts(needed, width - method):
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column("method", overflow="fold", max_width=_LONGEST_METHOD)
        for j in part:
            table.add_column(Text("\n".join(_broken(headings[j]))), justify="right", no_wrap=True)
        for label, row in zip(matrix.labels, cells, strict=True):
            table.add_row(Text(label), *(Text(row[j]) for j in part))
        tables.append(table)
    return tables


def protocol_table(matrix: Matrix) -> Table:
    """Each protocol in words, and how the ranks under it differ from those under the reference."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("protocol", no_wrap=True)
    compared = len(matrix.labels) >= FEWEST and len(matrix.columns) > 1
    if compared:
        table.add_column("tau", justify="right", no_wrap=True)
        table.add_column("moved", justify="right", no_wrap=True)
    table.add_column("steps")
    for j, column in enumerate(matrix.columns):
        name = Text(column.protocol.name + UNPUBLISHED * (not column.published))
        tau = "" if j == matrix.reference else NOT_AVAILABLE if column.tau is None else f"{column.tau:.2f}"
        moved = "" if j == matrix.reference else f"{column.moved} of {len(matrix.labels)}"
        table.add_row(name, *((tau, moved) if compared else ()), Text(column.steps))
    return table


def matrix_heading(matrix: Matrix) -> str:
    """Data set and track, and whether the data are a stand-in."""
    board = matrix.board
    return f"{board.dataset}, {board.track}" + (f" ({STAND_IN})" if board.stand_in else "")


def matrix_cell(matrix: Matrix, row: int, column: int, *, apart: str) -> str:
    """AUROC in percent and rank, ``73.2 (1)``; from two seeds on with the standard deviation after ``apart``."""
    spread, rank = matrix.aurocs[row][column], matrix.ranks[row][column]
    text = percent(spread.mean) + ("" if rank is None else f" ({rank})")
    return text if spread.sd is None else f"{text}{apart}± {100 * spread.sd:.1f}"


def matrix_notes(matrix: Matrix) -> list[str]:
    """What has to be known to read the figures, a line each."""
    names = [column.protocol.name for column in matrix.columns]
    rows = matrix.board.rows
    lines = ["AUROC in percent and, in brackets, the rank within the protocol; ± is the standard deviation over seeds."]
    if any(len(row.scored) == 1 for row in rows):
        lines[0] += " Without ±: one seed."
    if any(column.tau is not None for column in matrix.columns):
        lines.append(
            f"tau: Kendall's, between the AUROCs under the protocol and under {names[matrix.reference]} (1: the same order, "
            "-1: the opposite one); moved: methods with another rank than there."
        )
    unpublished = [column.protocol.name for column in matrix.columns if not column.published]
    if unpublished:
        lines.append(
            f"{UNPUBLISHED} {', '.join(unpublished)}: shift and smoothing were published for other data sets only; "
            f"those for ShanghaiTech stand in on {matrix.board.dataset}."
        )
    raised = [name for name in names if any(each.cells[name].raised_by for row in rows for each in row.scored)]
    if raised:
        lines.append(f"Scores below 0: under {', '.join(raised)} all scores of a method were raised, so that the lowest is 0.")
    if any(mean.mean is None for line in matrix.aurocs for mean in line):
        lines.append(f"{NOT_AVAILABLE}: only one class, or scores that the protocol cannot take.")
    lines += _problems(matrix)
    lines += [f"{column.protocol.name}: {note}" for column in matrix.columns for note in column.protocol.notes]
    lines += _as_one(matrix)
    lines += matrix.board.notes
    for label, row in zip(matrix.labels, rows, strict=True):
        missing = max(each.clips_without_window for each in row.scored)
        if missing:
            lines.append(f"{label}: no window in {missing} of {matrix.board.clips} clips.")
        lines += [f"{label}: {note}" for note in dict.fromkeys(note for each in row.scored for note in each.notes)]
    return lines


def _as_one(matrix: Matrix) -> Iterator[str]:
    """Protocols that add several terms, and the methods whose scores do not have them."""
    for column in matrix.columns:
        name, needed = column.protocol.name, [term for term, _ in column.protocol.on(matrix.board.dataset).branches]
        lacking = [
            label
            for label, row in zip(matrix.labels, matrix.board.rows, strict=True)
            if any(note.startswith("Scored as one") for each in row.scored for note in each.cells[name].notes)
        ]
        if lacking:
            yield f"{name}: no terms {' and '.join(needed)} in {', '.join(lacking)}; what is scored there is the score itself."


def _problems(matrix: Matrix) -> Iterator[str]:
    for label, row in zip(matrix.labels, matrix.board.rows, strict=True):
        for column in matrix.columns:
            name = column.protocol.name
            for problem in dict.fromkeys(each.cells[name].problem for each in row.scored if each.cells[name].problem):
                yield f"{label} under {name}: {problem}."


def _broken(heading: str) -> list[str]:
    """A protocol's name on two lines where it has a hyphen in the middle."""
    before, hyphen, after = heading.partition("-")
    return [before + hyphen, after] if after else [heading]


def _parts(needed: list[int], room: int) -> list[list[int]]:
    """Columns that fit side by side, one at least."""
    parts: list[list[int]] = [[]]
    used = 0
    for j, wide in enumerate(needed):
        if parts[-1] and used + wide > room:
            parts.append([])
            used = 0
        parts[-1].append(j)
        used += wide
    return parts
