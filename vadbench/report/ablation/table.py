"""An ablation to read: the same blocks as terminal tables and as Markdown, and what has to be known to read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from vadbench.report.comparison_text import bracket
from vadbench.report.formatting import NOT_AVAILABLE, STAND_IN, count, percent, seconds
from vadbench.report.markdown_text import markdown_line, markdown_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vadbench.engine.ablation.runs import Ablation
    from vadbench.evaluation.intervals import Interval
    from vadbench.report.ablation.main_effects import MainEffects
    from vadbench.report.ablation.rows import AblationTable

INTERVAL: Final = "95 % interval"
TUNING: Final = (
    "These figures are computed with test labels. Whoever chooses a variant by them and reports it on the same data tunes on "
    "test labels, and the figure is no result; this holds for a fusion weight read off a curve as well. Choose by what needs no "
    "test labels: the likelihood of held-out training clips, or a labelled validation split (docs/ablations.md)."
)
"""What every ablation says below its figures, in every format."""
_LEFT: Final = frozenset({"variant", "question", "same runs as", "factor", "level"})


@dataclass(frozen=True, slots=True)
class AblationBlock:
    """A table with a heading; in ``columns`` the names, in ``lines`` the cells."""

    heading: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


def figures_block(table: AblationTable) -> AblationBlock:
    """Each variant with its figure and its difference from the base."""
    questions = [row.question for row in table.rows]
    return AblationBlock(
        _heading(table.method, table.dataset, table.protocol, table.stand_in, f"{table.clips} clips, {table.frames:,} frames"),
        ("variant", "question", "AUROC", INTERVAL, f"from {table.base}", f"{INTERVAL} of it", "p"),
        tuple(
            (
                row.variant,
                # A sweep asks the same of all its variants: once is enough.
                row.question if i == 0 or row.question != questions[i - 1] else "",
                percent(row.auroc.mean, row.auroc.sd),
                bracket(ends(row.interval)),
                _points(row.difference, row.difference_sd),
                "" if row.difference_interval is None else bracket(ends(row.difference_interval)),
                "" if row.p is None else p_value(row.p),
            )
            for i, row in enumerate(table.rows)
        ),
    )


def parts_block(table: AblationTable) -> AblationBlock:
    """Each variant with runs of its own: the terms of its score alone, what its parts say of their training, and its cost."""
    terms = list(dict.fromkeys(name for row in table.rows for name in row.terms))
    told = list(dict.fromkeys(name for row in table.rows for name in row.diagnostics))
    lines = []
    for row in table.rows:
        if row.source:
            continue
        alone = [_spread(row.terms[name].mean, row.terms[name].sd) if name in row.terms else "" for name in terms]
        said = [_plain(row.diagnostics[name].mean) if name in row.diagnostics else "" for name in told]
        cost = ("" if row.fit_s is None else seconds(row.fit_s), count(row.parameters))
        lines.append((row.variant, *alone, *said, *cost, str(len(row.seeds)), row.same_as))
    return AblationBlock(
        "what it is made of", ("variant", *terms, *told, "fit s", "parameters", "seeds", "same runs as"), tuple(lines)
    )


def effects_block(effects: MainEffects) -> AblationBlock:
    """Each level of each factor with its mean over all runs with it."""
    lines = []
    for slot, levels in effects.factors.items():
        for level in levels:
            ends_of_effect = bracket(ends(level.effect_interval))
            figures = (percent(level.mean), bracket(ends(level.interval)), _points(level.effect, None), ends_of_effect)
            lines.append((slot, level.name, *figures, str(len(level.single))))
    return AblationBlock(
        _heading("main effects", effects.dataset, effects.protocol, effects.stand_in, f"{effects.runs} runs"),
        ("factor", "level", "AUROC", INTERVAL, "from mean", f"{INTERVAL} of it", "runs"),
        tuple(lines),
    )


def terminal(block: AblationBlock) -> Table:
    """A rich table."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in block.columns:
        # Names of diagnostics are long and break at their dot.
        heading = Text(name.replace(".", ".\n"))
        table.add_column(heading, justify="left" if name in _LEFT else "right", no_wrap=name != "question", overflow="fold")
    for line in block.lines:
        table.add_row(*map(Text, line))
    return table


def markdown(blocks: Iterable[AblationBlock], notes: Sequence[str]) -> str:
    """Markdown tables, a second-level heading each, and the notes below."""
    parts = []
    for block in blocks:
        rule = "|" + "|".join("---" if name in _LEFT else "---:" for name in block.columns) + "|"
        heading = f"## {markdown_text(block.heading)}"
        parts.append("\n".join([heading, "", markdown_line(block.columns), rule, *map(markdown_line, block.lines)]))
    parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts) + "\n"


def notes(ablation: Ablation, tables: Sequence[AblationTable]) -> list[str]:
    """What has to be known to read the tables, a sentence or two each; `TUNING` has to follow."""
    rows = [row for table in tables for row in table.rows]
    found = [
        "AUROC in percent, computed from the stored scores; ± is the standard deviation over seeds. Intervals are over clips, "
        "drawn with replacement: they cover which clips the test set happened to have, not how training happened to go."
    ]
    if any(row.difference is not None for row in rows):
        found.append(
            f"from {ablation.plan.grid.base}: the difference from it on the same seeds and clips; p is of a permutation test "
            "that swaps the two in some clips. No correction is made for the number of variants."
        )
    read = list(dict.fromkeys(f"{row.variant} ({row.source})" for row in rows if row.source))
    if read:
        found.append(f"Read from stored runs, with nothing trained: {', '.join(read)}.")
    if any(len(row.seeds) == 1 for row in rows):
        found.append("With one seed it is not known how much a figure changes from one training to the next.")
    if any(len(row.seeds) < len(table.seeds) for table in tables for row in table.rows):
        found.append("A variant with fewer seeds than were asked for is compared over those that it and the base have.")
    found += [
        f"{table.dataset}: no interval, since {table.rows[0].interval.reason}."
        for table in tables
        if not table.rows[0].interval.known
    ]
    if any(row.fit_s is not None for row in rows):
        found.append("fit s: what training takes, that of parts which other runs trained before included.")
    return found


def effects_notes(effects: Sequence[MainEffects]) -> list[str]:
    """What has to be known to read main effects; `TUNING` has to follow."""
    found = [
        "AUROC in percent: the mean over all runs with the level, whatever the other parts. from mean: its difference from the "
        "mean over all runs; in its interval each resample draws the same clips for all of them. What two parts do "
        "together, beyond what each does by itself, does not show."
    ]
    for each in effects:
        if not each.balanced:
            found.append(
                f"{each.dataset}: combinations are missing in every seed, so that the means of levels are over unlike runs: read "
                "them with care."
            )
        if each.absent:
            found.append(f"{each.dataset}: no run with {', '.join(each.absent)}.")
    return found


def ends(interval: Interval) -> tuple[float, float] | None:
    """Both ends, or nothing where nothing can be said."""
    return (interval.low, interval.high) if interval.known else None


def p_value(p: float) -> str:
    """Two digits that count, no fewer than four decimals for small ones."""
    return f"{p:.2g}" if p >= 0.001 else f"{p:.4f}"


def _heading(what: str, dataset: str, protocol: str, stand_in: bool, size: str) -> str:
    return f"{what} on {dataset}, {protocol}, {size}" + (f" ({STAND_IN})" if stand_in else "")


def _points(difference: float | None, sd: float | None) -> str:
    if difference is None:
        return ""
    return f"{100 * difference:+.1f}" + ("" if sd is None else f" ± {100 * sd:.1f}")


def _spread(mean: float | None, sd: float | None) -> str:
    return NOT_AVAILABLE if mean is None else percent(mean, sd)


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"
