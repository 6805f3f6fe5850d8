"""All that is told of an ablation, computed once: tables, main effects and notes; and the files that hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vadbench.api import Silent, UsageError
from vadbench.evaluation.intervals import RESAMPLES
from vadbench.report.ablation.export import ablation_csv, ablation_json, effects_csv
from vadbench.report.ablation.figure import draw_forest, draw_sweeps
from vadbench.report.ablation.main_effects import main_effects
from vadbench.report.ablation.main_effects_figure import draw_main_effects
from vadbench.report.ablation.rows import make_table, read_variants
from vadbench.report.ablation.table import TUNING, effects_block, effects_notes, figures_block, markdown, notes, parts_block
from vadbench.report.figures import save_figure

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import Progress
    from vadbench.engine.ablation.runs import Ablation
    from vadbench.report.ablation.main_effects import MainEffects
    from vadbench.report.ablation.rows import AblationTable
    from vadbench.report.ablation.table import AblationBlock


@dataclass(frozen=True, slots=True)
class AblationReport:
    """What is known of an ablation.

    Args:
        ablation: That was run.
        factorial: Whether its variants are the combinations of a factorial.
        tables: One a data set that has a figure.
        effects: Of a factorial, one a data set; else none.
        notes: What has to be known, a sentence or two each.
    """

    ablation: Ablation
    factorial: bool
    tables: tuple[AblationTable, ...]
    effects: tuple[MainEffects, ...]
    notes: tuple[str, ...]

    @property
    def json(self) -> str:
        """One JSON object."""
        return ablation_json(self.ablation, self.tables, self.effects, self.notes)

    @property
    def blocks(self) -> list[AblationBlock]:
        """Every table, data set after data set; main effects before the combinations that they are of."""
        combinations = [make(table) for table in self.tables for make in (figures_block, parts_block)]
        return [*map(effects_block, self.effects), *combinations]


def make_report(
    ablation: Ablation, *, factorial: bool, resamples: int = RESAMPLES, progress: Progress | None = None
) -> AblationReport:
    """Computes every figure from the stored scores.

    Args:
        ablation: That was run.
        factorial: Whether its variants are the combinations of a factorial.
        resamples: For intervals and tests.
        progress: Where to show it.
    """
    plan = ablation.plan
    tables, effects = [], []
    with (progress or Silent()).task("report", len(plan.datasets)) as advance:
        for i in range(len(plan.datasets)):
            read = read_variants(ablation, i)
            table = make_table(ablation, read, resamples=resamples)
            if table is not None:
                tables.append(table)
            found = main_effects(read, plan.grid.factorial, resamples=resamples) if factorial else None
            if found is not None:
                effects.append(found)
            advance(1)
    told = [*(effects_notes(effects) if effects else ()), *notes(ablation, tables), TUNING]
    return AblationReport(ablation, factorial, tuple(tables), tuple(effects), tuple(told))


def write_report(report: AblationReport, folder: Path) -> list[Path]:
    """Writes tables and pictures into a folder; the files written. Those of a factorial have names of their own.

    Raises:
        UsageError: where nothing can be written.
    """
    stem = "factorial" if report.factorial else "ablation"
    texts = {
        f"{stem}.json": report.json,
        f"{stem}.csv": ablation_csv(report.tables),
        f"{stem}.md": markdown(report.blocks, report.notes),
    }
    if report.effects:
        texts["main-effects.csv"] = effects_csv(report.effects)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the report cannot be written: {error.strerror}", where=folder, remedy="name another folder with --report"
        ) from error
    figures = {"main-effects.png": draw_main_effects(report.effects) if report.effects else None}
    if not report.factorial:
        figures |= {
            "differences.png": draw_forest(report.tables, report.ablation.plan.grid),
            "sweeps.png": draw_sweeps(report.tables, report.ablation.plan.grid),
        }
    for name, figure in figures.items():
        if figure is not None:
            save_figure(figure, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)  # of an earlier report, which this one replaces
    return [folder / name for name in (*texts, *(name for name, figure in figures.items() if figure is not None))]
