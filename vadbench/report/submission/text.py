"""The figures of a checked submission as a terminal table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from vadbench.report.formatting import NOT_AVAILABLE, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.report.submission.figures import SeedFigures


def figures_table(seeds: Sequence[SeedFigures]) -> Table:
    """Seed by seed: the AUROC that the row says, and what the scores give, in percent."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("seed", "AUROC of the row", "from the scores", "not smoothed", "AP", "frames scored", "windows"):
        table.add_column(name, justify="right")
    for each in seeds:
        metrics = each.metrics
        figures = (each.row, metrics.auroc, metrics.auroc_raw, metrics.ap, metrics.coverage.get("frames"))
        table.add_row(str(each.seed), *map(_points, figures), count(each.windows))
    return table


def _points(share: float | None) -> str:
    return NOT_AVAILABLE if share is None else f"{100 * share:.3f}"
