"""The leaderboard to read: the same blocks as terminal tables and as Markdown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from vadbench.api.plain_text import shown
from vadbench.report.comparison_text import bracket
from vadbench.report.formatting import NOT_AVAILABLE, count, percent, seconds
from vadbench.report.markdown_text import markdown_line, markdown_text
from vadbench.report.oracle_rows import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vadbench.report.leaderboard import Leaderboard
    from vadbench.report.oracle_rows import OracleRow
    from vadbench.report.published import PublishedRow
    from vadbench.report.reproduced import ReproducedRow

_INTERVAL: Final = "95 % interval"
_FIGURES: Final = ("AUROC", _INTERVAL, "not smoothed", "AP", "seeds", "parameters", "fit s", "windows/s", "peak MiB")
_LEFT: Final = frozenset(
    {
        "method",
        "tie",
        "data set",
        "track",
        "published in",
        "poses",
        "note",
        "config",
        "data",
        "oracle",
        "knows",
        "labels",
        "protocol",
    }
)
_MAY_WRAP: Final = frozenset({"method", "tie", "note", "knows"})
_WRAPPED: Final = 20
"""Columns of text that a cell which may wrap always gets."""
_EXPENDABLE: Final = ("peak MiB", "windows/s", "fit s", "parameters", "poses", "AP", "not smoothed")
STAND_IN_HEADING: Final = "stand-in data, never a result"
ORACLES_HEADING: Final = "oracles: no methods, they know the test labels"


@dataclass(frozen=True, slots=True)
class Block:
    """A table with a heading, and what has to be known to read it."""

    heading: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    note: str


def blocks(board: Leaderboard) -> list[Block]:
    """One block a data set, track and protocol; then the same of stand-in data; the oracles; and what papers print."""
    # Stable: within a table rows keep their order, and those of scores only stand below the others.
    real = sorted((*board.reproduced, *board.scores_only), key=lambda row: (*_table(row), row.scores_only))
    found = [
        _row_block(heading, list(rows)) for rows_of in (real, board.stand_ins) for heading, rows in groupby(rows_of, key=_heading)
    ]
    if board.oracles:
        found.append(_oracle_block(board.oracles))
    found += [
        _published_block(dataset, list(rows)) for dataset, rows in groupby(board.published or (), key=lambda row: row.dataset)
    ]
    return found


def markdown(found: Iterable[Block]) -> str:
    """Markdown tables, a second-level heading each."""
    parts = []
    for block in found:
        rule = ["---" if name in _LEFT else "---:" for name in block.columns]
        lines = [markdown_line(block.columns), "|" + "|".join(rule) + "|", *map(markdown_line, block.lines)]
        parts.append("\n".join([f"## {markdown_text(block.heading)}", "", *lines, "", block.note]))
    return "\n\n".join(parts) + ("\n" if parts else "")


def terminal_table(block: Block, width: int) -> Table:
    """A rich table of at most ``width`` columns of text; where they are too few, it leaves out costs before figures."""
    columns = list(range(len(block.columns)))
    for name in _EXPENDABLE:
        if name in block.columns and _least_width(block, columns) > width:
            columns.remove(block.columns.index(name))
    left_out = [name for i, name in enumerate(block.columns) if i not in columns]
    note = f"{block.note} Too narrow for: {', '.join(left_out)}." if left_out else block.note
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left", caption_justify="left", caption_style="")
    # Notes, headings and labels are plain text: rich would take the brackets of a label for markup.
    table.title, table.caption = Text(shown(block.heading), style="bold"), Text(note)
    for i in columns:
        name = block.columns[i]
        table.add_column(name, justify="left" if name in _LEFT else "right", overflow="fold", no_wrap=name not in _MAY_WRAP)
    for line in block.lines:
        table.add_row(*(Text(shown(line[i])) for i in columns))
    return table


def _least_width(block: Block, shown: Sequence[int]) -> int:
    """Columns of text that the table needs when every column that may wrap has wrapped."""
    total = 1
    for i in shown:
        name = block.columns[i]
        longest = max(len(line[i]) for line in (block.columns, *block.lines))
        total += 2 + (min(longest, _WRAPPED) if name in _MAY_WRAP else longest)
    return total


def _heading(row: ReproducedRow) -> str:
    what = f"{_read_as(row)}, {row.track}, {row.protocol}"
    return f"{STAND_IN_HEADING}: {what}" if row.stand_in else what


def _table(row: ReproducedRow) -> tuple[str, ...]:
    return (row.dataset, row.dataset_settings, row.track, row.protocol, row.record.protocol_digest)


def _row_block(heading: str, rows: Sequence[ReproducedRow]) -> Block:
    marks, mark_columns = _marks(rows)
    ranks = [(name, of) for name, of in _PLACES if any(of(row) for row in rows)]
    return Block(
        heading,
        (*(name for name, _ in ranks), "method", *_FIGURES, *mark_columns),
        tuple(
            (*(of(row) for _, of in ranks), _called(row), *_figures(row), *mark) for row, mark in zip(rows, marks, strict=True)
        ),
        ("Generated to try the software out, and not ranked. " if rows[0].stand_in else "") + _note(rows),
    )


def _called(row: ReproducedRow) -> str:
    if row.scores_only:
        return f"{row.method} (scores only)"
    return f"{row.method} (transductive)" if row.record.transductive else row.method


def _read_as(row: ReproducedRow | OracleRow) -> str:
    """The data set, and the settings it was read with: the other family of poses is other data under the same name."""
    return f"{row.dataset} [{row.dataset_settings}]" if row.dataset_settings else row.dataset


def _oracle_block(rows: Sequence[OracleRow]) -> Block:
    names = {(_read_as(row), row.protocol) for row in rows}
    several = len({(_read_as(row), row.protocol, row.labels) for row in rows}) > len(names)
    return Block(
        ORACLES_HEADING,
        ("data set", "protocol", *(("labels",) if several else ()), "oracle", "AUROC of the labels", "knows"),
        tuple(
            (
                _read_as(row) + (" (stand-in)" if row.stand_in else ""),
                row.protocol,
                *((row.labels,) if several else ()),
                row.oracle,
                percent(row.auroc),
                MEANINGS[row.oracle],
            )
            for row in rows
        ),
        "In percent, over the frames that count, from the test labels alone. Nothing was detected, so they have no rank and "
        "compete with no row: they say how much of the task is telling clips apart.",
    )


def _published_block(dataset: str, rows: Sequence[PublishedRow]) -> Block:
    return Block(
        f"published, not reproduced here: {dataset}",
        ("track", "method", "AUROC published", "published in", "poses", "note"),
        tuple((row.track, row.method, str(row.auroc), f"{row.venue} {row.year}", row.pose_family, _remark(row)) for row in rows),
        "AUROC in percent as printed, each under its own protocol and on its own poses: not to be ranked with reproduced rows.",
    )


def _remark(row: PublishedRow) -> str:
    parts = (row.note, "unverified: not yet checked at its source" if row.status == "unverified" else "")
    return "; ".join(part for part in parts if part)


def _figures(row: ReproducedRow) -> tuple[str, ...]:
    record, cost = row.record, row.record.cost
    seeds = "1 seed" if len(row.seeds) == 1 else f"{len(row.seeds)} seeds"
    auroc, raw, ap = (percent(spread.mean, spread.sd) for spread in (record.auroc, record.auroc_raw, record.ap))
    figures = (auroc, bracket(record.interval), raw, ap, seeds)
    if cost is None:
        return (*figures, *4 * (NOT_AVAILABLE,))
    return (*figures, count(cost.parameters), seconds(cost.fit_s), count(cost.windows_per_s), count(cost.peak_rss_mb))


def _rank(row: ReproducedRow) -> str:
    if row.place is not None:
        return f"({row.place})"
    return "" if row.rank is None else str(row.rank)


def _tie(row: ReproducedRow) -> str:
    return row.tie or ""


_PLACES: Final = (("rank", _rank), ("tie", _tie))
"""Columns that stand where some row has a place; those of stand-in data have none, and rows read from files no tie."""


def _marks(rows: Sequence[ReproducedRow]) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Further columns, where rows could not be told apart without them: configuration and data."""
    names = Counter((_read_as(row), row.track, row.method) for row in rows)
    if all(number == 1 for number in names.values()) and not _mixed(rows):
        return [() for _ in rows], ()
    return [(row.config_hash or NOT_AVAILABLE, row.data) for row in rows], ("config", "data")


def _mixed(rows: Sequence[ReproducedRow]) -> bool:
    """Whether rows of one data set were made from different data; on which poses scores only were made is not known."""
    known = [row for row in rows if not row.scores_only]
    return len({(_read_as(row), row.data) for row in known}) > len({_read_as(row) for row in known})


def _note(rows: Sequence[ReproducedRow]) -> str:
    parts = ["AUROC and AP in percent, computed from the stored scores; ± is the standard deviation over seeds."]
    parts.append(f"{_INTERVAL}: of the AUROC, over resampled test clips; it covers which clips were tested, not the seeds.")
    if any(row.tie for row in rows):
        parts.append(
            "tie: going down, a row that the clips tell from the first of its letter (95 % interval of their difference without "
            "0) begins the next letter."
        )
    if any(row.record.transductive for row in rows):
        parts.append("transductive: a score depends on which other test clips are scored, so the row is not ranked.")
    if any(row.scores_only for row in rows):
        parts.append(
            "scores only: computed from scores that were sent in; how they were made, and on which poses, nobody can check, so "
            "such a row takes no rank from others."
        )
    if any(row.place is not None for row in rows):
        parts.append("In brackets, the rank that it would have.")
    if any(len(row.seeds) == 1 for row in rows):
        parts.append("1 seed: the spread is not known.")
    if any(row.auroc.mean is None for row in rows):
        parts.append("n/a: only one class.")
    if _mixed(rows):
        parts.append("Rows of one data set were made from different poses or labels; ranks hold among equal test data only.")
    return " ".join(parts)
