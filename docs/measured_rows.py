"""Puts the measured rows into the pages of the methods: ``python docs/measured_rows.py`` after rows were written anew.

Figures on the pages come from row files and are never typed: ``leaderboards/`` has those of synthetic-campus, ``docs/measured/``
those of mocap-street. A test compares the pages with the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from vadbench.report.row_files import open_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.store.row_record import RowRecord

DOCS: Final = Path(__file__).parent
PAGES: Final = DOCS / "methods"
FOLDERS: Final = (DOCS.parent / "leaderboards" / "synthetic-campus", DOCS / "measured" / "mocap-street")
MARK: Final = "<!-- measured -->\n"
TABLE_MARK: Final = "<!-- table -->\n"
_HEAD: Final = (
    "| method | data set | AUROC | 95 % interval | not smoothed | AP | fit, s | windows/s | numbers learned |",
    "|---|---|---|---|---|---|---|---|---|",
)


def rows() -> Iterator[tuple[str, RowRecord]]:
    """Each measured row and the name of the page that it belongs on: the longest that its method's name begins with."""
    pages = sorted((path.stem for path in PAGES.glob("*.md")), key=len)
    for folder in FOLDERS:
        for path in sorted(folder.glob("*.json")):
            record = open_row(path)
            if record.scores_only:
                continue  # of a method that is not here, and so has no page
            page = [name for name in pages if record.method.name == name or record.method.name.startswith(f"{name}-")]
            yield page[-1], record


def filled(text: str, page: str) -> str:
    """A page with its rows behind the mark; one without a mark stays as it is."""
    before, mark, _ = text.partition(MARK)
    if not mark:
        return text
    lines = [_line(record) for name, record in rows() if name == page]
    note = (
        "Protocol `standard-v1`, five seeds (mean, and standard deviation in brackets), one thread. "
        "Times are of a computer with other work: up to twice those of an idle one."
    )
    return before + mark + "\n".join(["", note, "", *_HEAD, *lines, ""])


def with_table(text: str) -> str:
    """The page of mocap-street with the table of its rows."""
    before, mark, _ = text.partition(TABLE_MARK)
    table = (FOLDERS[1] / "README.md").read_text(encoding="utf-8")
    # Without the title, and without what is said of the files that lie beside it.
    lines = [line for line in table.splitlines() if not line.startswith(("# ", "Written by "))]
    return before + mark + "\n".join(lines) + "\n"


def _line(record: RowRecord) -> str:
    interval = "" if record.interval is None else f"{100 * record.interval[0]:.1f} to {100 * record.interval[1]:.1f}"
    speed = record.cost.windows_per_s
    cells = (
        record.method.name,
        f"{record.dataset.name}{' (stand-in)' if record.dataset.stand_in else ''}",
        f"{_percent(record.auroc.mean)} ({_percent(record.auroc.sd)})",
        interval,
        _percent(record.auroc_raw.mean),
        _percent(record.ap.mean),
        f"{record.cost.fit_s:.1f}",
        "" if speed is None else f"{speed:,.0f}",
        f"{record.cost.parameters:,}",
    )
    return f"| {' | '.join(cells)} |"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


if __name__ == "__main__":
    for path in PAGES.glob("*.md"):
        path.write_text(filled(path.read_text(encoding="utf-8"), path.stem), encoding="utf-8")
    street = DOCS / "mocap-street.md"
    street.write_text(with_table(street.read_text(encoding="utf-8")), encoding="utf-8")
