"""The table that ``vadbench run`` ends with: one line a run, its terms below it, and what the figures are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from vadbench.api import VadbenchError
from vadbench.report.formatting import NOT_AVAILABLE, STAND_IN, count, percent, seconds
from vadbench.report.recompute import recompute, recompute_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.store.folders import StoredRun
    from vadbench.store.record import Metrics


def run_table(runs: Sequence[StoredRun]) -> Table:
    """Runs side by side, in the order given, with metrics recomputed from their raw scores.

    A run whose stored scores do not give its recorded figures has no figures in the table; the caption says why.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, caption_justify="left", caption_style="")
    table.add_column("method", overflow="fold", min_width=10)
    table.add_column("data set", no_wrap=True)
    for name in ("seed", "AUROC", "not smoothed", "AP", "seconds", "parameters"):
        table.add_column(name, justify="right", no_wrap=name != "not smoothed", min_width=4)
    notes = _Notes()
    for run in runs:
        record = run.record
        # Labels hold brackets, which rich would take for markup in a plain string.
        label, dataset = Text(record.method.label), Text(record.dataset.name)
        if record.dataset.stand_in:
            dataset.append("\n(stand-in)", style="bold")
        cost = (seconds(record.cost.fit_s + record.cost.score_s), count(record.cost.parameters))
        try:
            metrics, terms = recompute(run), recompute_terms(run)
        except VadbenchError as error:
            notes.problem(f"{record.method.label}, seed {record.seed}: {error}")
            table.add_row(label, dataset, str(record.seed), "drifted", "", "", *cost)
            continue
        table.add_row(label, dataset, str(record.seed), *_figures(metrics), *cost)
        for name, alone in terms.items():
            table.add_row(Text(f"  {name}", style="dim"), "", "", *(Text(text, style="dim") for text in _figures(alone)))
        notes.of(run, metrics)
    table.caption = notes.text()
    return table


def _figures(metrics: Metrics) -> tuple[str, str, str]:
    return percent(metrics.auroc), percent(metrics.auroc_raw), percent(metrics.ap)


class _Notes:
    """Collects what has to be said below the table, each thing once."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.stand_ins: dict[str, None] = {}
        self.protocols: dict[str, None] = {}
        self.coverage: dict[str, None] = {}
        self.one_class = self.terms = False

    def problem(self, text: str) -> None:
        self.problems.append(text)

    def of(self, run: StoredRun, metrics: Metrics) -> None:
        dataset = run.record.dataset
        self.protocols[run.record.protocol] = None
        if dataset.stand_in:
            self.stand_ins[dataset.name] = None
        self.one_class |= metrics.auroc is None
        self.terms |= bool(run.record.terms)
        shares = (metrics.coverage.get("frames"), metrics.coverage.get("abnormal_frames"))
        frames, abnormal = (NOT_AVAILABLE if share is None else f"{percent(share)} %" for share in shares)
        length = run.record.method.config.get("windows", {}).get("length")
        windows = "windows" if length is None else f"windows of {length} frames"
        self.coverage[f"{dataset.name}: {windows} score {frames} of the frames, {abnormal} of the abnormal ones."] = None

    def text(self) -> Text:
        text = Text()
        for name in self.stand_ins:
            text.append(f"{name}: {STAND_IN}.\n", style="bold")
        if self.protocols:
            text.append(f"Protocol {', '.join(self.protocols)}; AUROC and AP in percent, over all frames that count.\n")
        if self.terms:
            text.append("Indented: each term of the score taken alone.\n")
        for line in self.coverage:
            text.append(f"{line}\n")
        if self.one_class:
            text.append(f"{NOT_AVAILABLE}: only one class is present among the frames that count.\n", style="bold")
        for problem in self.problems:
            text.append(f"Left out: {problem}\n", style="bold")
        text.rstrip()
        return text
