"""An analysis to read: sentences, tables, and one JSON object."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from vadbench.report.formatting import NOT_AVAILABLE, STAND_IN, count, percent, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from vadbench.report.analysis import Analysis, Lost
    from vadbench.report.worst_stretches import Stretch
    from vadbench.store.record import RunRecord

CAUTION = "This explains a result by its test labels: a setting that is changed because of it is tuned on the test set."


def analysis_json(found: Analysis, record: RunRecord, run: str) -> dict[str, Any]:
    """Everything as plain values; shares and AUROC in [0, 1], differences too, null where undefined."""
    found_values = asdict(found)
    found_values["shares"] |= {"gain_within": found.shares.gain_within, "gain_between": found.shares.gain_between}
    head = {
        "run": run,
        "method": record.method.label,
        "seed": record.seed,
        "dataset": record.dataset.name,
        "stand_in": record.dataset.stand_in,
        "protocol": record.protocol,
        "protocol_digest": record.protocol_digest,
    }
    cleaned: dict[str, Any] = plain(head | found_values)
    return cleaned


def sentences(found: Analysis, record: RunRecord) -> list[str]:
    """What limits the figure, in plain words."""
    if math.isnan(found.auroc):
        return ["Only one class is present among the frames that count: no AUROC is defined, and nothing limits it."]
    shares, whole = found.shares, found.auroc - 0.5
    told = [
        f"{record.method.label}, seed {record.seed}, reaches {percent(found.auroc)} AUROC on {record.dataset.name} "
        f"under {record.protocol}{f' ({STAND_IN})' if record.dataset.stand_in else ''}.",
        f"A detector that only knew each clip's abnormal share would score {percent(found.oracles.clip_share)}; "
        f"one that only knew which clips have an anomaly {percent(found.oracles.clip_level)}.",
        f"Windows score {percent(found.coverage)} % of the abnormal frames. Right in every frame they score, and not smoothed, a "
        f"detector would reach {percent(found.ceiling)}.",
        f"{percent(shares.within_pairs)} % of the pairs that the AUROC counts lie in one clip. Between clips it is "
        f"{_percent(shares.between)}, within clips {_percent(shares.within)}; with each clip's mean score in all its frames "
        f"{percent(shares.clip_means)}.",
    ]
    if whole > 0:
        told.append(
            f"Of the {100 * whole:.1f} points above chance, {_points(shares.gain_between)} come from pairs of two clips, "
            f"{_points(shares.gain_within)} from pairs in one."
        )
    known = {change.name: change for change in found.changes}
    if "not smoothed" in known and not math.isnan(known["not smoothed"].auroc):
        told.append(f"Shift and smoothing are worth {_points(-known['not smoothed'].difference)} points.")
    return told


def tables(found: Analysis) -> list[RenderableType]:
    """Other pipelines, frames without a score, scenes, and the worst stretches."""
    made: list[RenderableType] = [_changes(found), _lost(found.lost), _scenes(found)]
    for title, stretches in (
        ("Costliest false alarms: normal frames above the median abnormal one", found.false_alarms),
        ("Costliest misses: abnormal events ranked below normal frames", found.misses),
    ):
        if stretches:
            made.append(_stretches(title, stretches))
    made += [Text(note) for note in (*found.notes, CAUTION)]
    return made


def _changes(found: Analysis) -> Table:
    table = _table("The same window scores with one step of the protocol changed")
    _columns(table, ("change", "AUROC", "points"))
    for change in found.changes:
        table.add_row(Text(f"{change.name}: {change.meaning}"), _percent(change.auroc), _points(change.difference))
    return table


def _lost(lost: Sequence[Lost]) -> Table:
    table = _table("Frames that no window scores")
    _columns(table, ("reason", "frames", "abnormal", "AUROC without", "points", "ceiling"))
    for i, each in enumerate(lost):
        table.add_row(
            Text(f"  {each.label}" if i else each.label),
            count(each.frames),
            count(each.abnormal),
            _percent(each.auroc_without),
            _points(each.difference),
            _points(each.ceiling_gain),
        )
    table.caption = Text(
        "Indented: for this reason. AUROC without: when these frames are left out of the evaluation. "
        "Ceiling: points by which it would rise if windows scored them."
    )
    return table


def _scenes(found: Analysis) -> Table:
    table = _table("Scenes")
    _columns(table, ("scene", "AUROC", "frames", "abnormal"))
    for scene in found.scenes:
        table.add_row(Text(scene.name), _percent(scene.auroc), count(scene.frames), count(scene.abnormal))
    return table


def _stretches(title: str, stretches: Sequence[Stretch]) -> Table:
    table = _table(title)
    _columns(table, ("clip", "frames", "points lost", "place", "scored", "person"))
    for each in stretches:
        table.add_row(
            Text(each.clip),
            f"{each.first}-{each.last}",
            _points(each.cost, signed=False),
            f"{percent(each.percentile)}",
            f"{percent(each.scored)}",
            NOT_AVAILABLE if each.person is None else str(each.person),
        )
    table.caption = Text("Place: mean rank of its scores among all frames, in percent; 100 is the most anomalous.")
    return table


def _table(title: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title_justify="left", caption_justify="left")
    table.title, table.title_style, table.caption_style = Text(title, style="bold"), "", ""
    return table


def _columns(table: Table, names: Sequence[str]) -> None:
    for i, name in enumerate(names):
        table.add_column(name, justify="right" if i else "left", overflow="fold", no_wrap=bool(i), min_width=4)


def _percent(share: float) -> str:
    return NOT_AVAILABLE if math.isnan(share) else percent(share)


def _points(share: float, *, signed: bool = True) -> str:
    if math.isnan(share):
        return NOT_AVAILABLE
    # Rounded first, so that there is no minus zero.
    rounded = round(100 * share, 2 if not signed else 1) + 0.0
    return f"{rounded:+.1f}" if signed else f"{rounded:.2f}"
