"""A comparison to read: a table, one plain sentence, and what the figures mean; and the same as JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from vadbench.report.formatting import NOT_AVAILABLE, STAND_IN, percent

if TYPE_CHECKING:
    from vadbench.evaluation.intervals import Interval
    from vadbench.report.comparison import Comparison, Side


def bracket(ends: tuple[float, float] | None) -> str:
    """An interval of shares in percent, ``[71.0, 75.2]``."""
    return NOT_AVAILABLE if ends is None else f"[{percent(ends[0])}, {percent(ends[1])}]"


def comparison_table(found: Comparison) -> Table:
    """Both methods and their difference, in percent."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title_justify="left")
    stand_in = f" ({STAND_IN})" if found.stand_in else ""
    table.title = Text(f"{found.dataset}, {found.protocol}, {found.clips} clips, {found.frames:,} frames{stand_in}", style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("method", overflow="fold")
    for name in ("AUROC", f"{100 * found.interval.level:g} % interval", "sd over seeds", "seeds", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for letter, side in (("A", found.a), ("B", found.b)):
        sd = "" if side.auroc.sd is None else percent(side.auroc.sd)
        figures = (percent(side.auroc.mean), bracket(_ends(side.interval)), sd, str(len(side.seeds)), "")
        table.add_row(letter, Text(side.name), *map(Text, figures))
    points = NOT_AVAILABLE if found.difference is None else f"{100 * found.difference:+.1f}"
    table.add_row("A - B", "", *map(Text, (points, bracket(_ends(found.interval)), "", "", _p(found.test.p))))
    return table


def sentence(found: Comparison) -> str:
    """What the comparison comes to, in one sentence."""
    a, b = _names(found)
    if found.difference is None or not found.interval.known:
        why = found.interval.reason or "only one class is present"
        return f"Nothing can be said of {a} and {b}: {why}."
    points, ends = f"{100 * abs(found.difference):.1f}", bracket(_ends(found.interval))
    # With the sign that A has over B, as in the table.
    if found.difference == 0:
        said = f"{a} and {b} have the same AUROC"
    elif found.difference > 0:
        said = f"{a} is {points} points above {b}"
    else:
        said = f"{a} is {points} points below {b}"
    if found.interval.includes(0.0):
        told = f"{said}; the interval {ends} of the difference includes 0, so these test clips do not settle which is better"
        if found.test.p <= 1 - found.interval.level:
            return f"{told}, although the permutation test (p = {_p(found.test.p)}) tells them apart: it is a close call."
        return f"{told}."
    better = a if found.difference > 0 else b
    told = f"{said}; the interval {ends} of the difference excludes 0, so on clips such as these {better} is better"
    alpha = 1 - found.interval.level
    if found.test.p > alpha:
        return f"{told}, although the permutation test (p = {_p(found.test.p)}) does not say so: it is a close call."
    return f"{told}."


def explanations(found: Comparison) -> list[str]:
    """What the figures mean, and what has to be known of these runs; a sentence or two each."""
    test = found.test
    how = "all" if test.exact else "random"
    lines = [
        "Intervals are over clips, drawn with replacement: they cover which clips the test set happened to have. The standard "
        "deviation over seeds covers how training happened to go, and is not part of them.",
    ]
    if not math.isnan(test.p):
        lines.append(
            f"p is of {test.permutations:,} {how} permutations, each of which swaps the two methods in some clips; two-sided."
        )
    left_out = max(found.a.interval.left_out, found.b.interval.left_out, found.interval.left_out)
    if left_out:
        lines.append(f"{left_out:,} resamples in which a class is absent were left out.")
    lines += [
        f"{letter}: no interval, since {side.interval.reason}."
        for letter, side in (("A", found.a), ("B", found.b))
        if not side.interval.known
    ]
    return [*lines, *found.notes]


def comparison_json(found: Comparison) -> str:
    """One JSON object, AUROCs and differences in percent, p in [0, 1]; null where nothing can be said."""
    content: dict[str, Any] = {
        "unit": "percent",
        "dataset": found.dataset,
        "stand_in": found.stand_in,
        "protocol": found.protocol,
        "clips": found.clips,
        "frames": found.frames,
        "a": _side_cells(found.a),
        "b": _side_cells(found.b),
        "difference": _percent(found.difference),
        "difference_interval": _interval_cells(found.interval),
        "permutation_test": {
            "p": None if math.isnan(found.test.p) else found.test.p,
            "permutations": found.test.permutations,
            "exact": found.test.exact,
        },
        "sentence": sentence(found),
        "notes": list(found.notes),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _side_cells(side: Side) -> dict[str, Any]:
    return {
        "method": side.name,
        "auroc": _percent(side.auroc.mean),
        "auroc_sd": _percent(side.auroc.sd),
        "seeds": list(side.seeds),
        "auroc_interval": _interval_cells(side.interval),
        "runs": [str(path) for path in side.runs],
    }


def _interval_cells(interval: Interval) -> dict[str, Any]:
    return {
        "low": _percent(interval.low),
        "high": _percent(interval.high),
        "level": interval.level,
        "method": interval.method,
        "resamples": interval.resamples,
        "left_out": interval.left_out,
        "reason": interval.reason,
    }


def _names(found: Comparison) -> tuple[str, str]:
    if found.a.name == found.b.name:
        return f"{found.a.name} (A)", f"{found.b.name} (B)"
    return found.a.name, found.b.name


def _ends(interval: Interval) -> tuple[float, float] | None:
    return (interval.low, interval.high) if interval.known else None


def _percent(share: float | None) -> float | None:
    return None if share is None or math.isnan(share) else round(100 * share, 6)


def _p(p: float) -> str:
    """Two digits that count, no fewer than four decimals for small ones."""
    return NOT_AVAILABLE if math.isnan(p) else f"{p:.2g}" if p >= 0.001 else f"{p:.4f}"
