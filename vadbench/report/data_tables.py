"""The statistics of a data set as tables for the terminal: its splits side by side, and the scenes of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from vadbench.data.stats import LOW_CONFIDENCE
from vadbench.report.coverage import REASONS
from vadbench.report.formatting import NOT_AVAILABLE, count, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vadbench.data.stats import Spread
    from vadbench.report.coverage import Reach
    from vadbench.report.data_statistics import Group, SplitStatistics


_JOINTS_NAMED: Final = 3


def split_table(stats: Sequence[SplitStatistics]) -> Table:
    """A row a figure, a column a split; what the figures are stands below."""
    table = _table(None)
    table.add_column("")
    for each in stats:
        table.add_column(each.split, justify="right")
    groups = [each.whole for each in stats]
    for name, figure in _ROWS.items():
        cells = [figure(group) for group in groups]
        if any(cells):
            table.add_row(Text(name, style="dim" if name.startswith(" ") else ""), *cells)
    table.caption = Text(_notes(stats))
    return table


def scene_table(stats: SplitStatistics) -> Table | None:
    """A row a scene of a split; None where there is one scene only."""
    if len(stats.scenes) < 2:
        return None
    table = _table(f"{stats.split}, by scene (height and length: medians, in pixels and poses)")
    columns = {name: figure for name, figure in _SCENE_COLUMNS.items() if any(figure(group) for group in stats.scenes.values())}
    table.add_column("scene")
    for name in columns:
        table.add_column(name, justify="right")
    for scene, group in stats.scenes.items():
        table.add_row(Text(scene), *(figure(group) for figure in columns.values()))
    return table


def _table(title: str | None) -> Table:
    return Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        caption_style="",
    )


def _quantiles(spread: Spread) -> str:
    """5, 50 and 95 %."""
    if math.isnan(spread.median):
        return NOT_AVAILABLE
    return " / ".join(f"{value:,.0f}" for value in (spread.q05, spread.median, spread.q95))


def _median(spread: Spread) -> str:
    return NOT_AVAILABLE if math.isnan(spread.median) else f"{spread.median:,.0f}"


def _with_share(part: int, whole: int) -> str:
    return f"{count(part)} ({percent(part / whole)} %)" if whole else count(part)


def _share(share: float) -> str:
    return NOT_AVAILABLE if math.isnan(share) else f"{percent(share)} %"


def _abnormal(group: Group) -> str:
    return "" if group.abnormal is None else _with_share(group.abnormal, group.counted)


def _uncounted(group: Group) -> str:
    left_out = group.summary.frames - group.counted
    return _with_share(left_out, group.summary.frames) if left_out else ""


def _scored(reach: Reach | None) -> str:
    return "" if reach is None else _share(reach.scored)


def _unscored(reason: str) -> Callable[[Group], str]:
    """Share of the frames, and of the abnormal ones, that a reason keeps unscored."""

    def shares(group: Group) -> str:
        found = [each for each in (group.reach, group.abnormal_reach) if each is not None]
        return " / ".join(_share(each.unscored[reason] / each.frames if each.frames else math.nan) for each in found)

    return shares


def _ceiling(group: Group) -> str:
    return "" if group.ceiling is None else percent(group.ceiling)


def _persons(group: Group) -> str:
    persons = group.summary.persons_a_frame
    return NOT_AVAILABLE if math.isnan(persons.mean) else f"{persons.mean:.1f}, at most {persons.largest:.0f}"


def _gaps(group: Group) -> str:
    s = group.summary
    if not s.gaps:
        return "0"
    return f"{count(s.gaps)} in {count(s.tracks_with_gaps)} tracks"


_ROWS: Final[dict[str, Callable[[Group], str]]] = {
    "clips": lambda g: count(g.summary.clips),
    "  without a pose": lambda g: count(g.summary.clips_without_poses) if g.summary.clips_without_poses else "",
    "frames": lambda g: count(g.summary.frames),
    "  with nobody": lambda g: _with_share(g.summary.frames_with_nobody, g.summary.frames),
    "  that do not count": _uncounted,
    "  abnormal, of those that count": _abnormal,
    "persons a frame": _persons,
    "poses": lambda g: count(g.summary.poses),
    "  height, pixels (5 / 50 / 95 %)": lambda g: _quantiles(g.summary.height),
    "  joints missing": lambda g: _share(g.summary.joints_missing),
    f"  joints below confidence {LOW_CONFIDENCE:g}": lambda g: _share(g.summary.joints_unsure),
    "tracks": lambda g: count(g.summary.tracks),
    "  length, poses (5 / 50 / 95 %)": lambda g: _quantiles(g.summary.poses_a_track),
    "  gaps": _gaps,
    "  frames missing in gaps": lambda g: f"{count(g.summary.frames_in_gaps)}, at most {g.summary.longest_gap} at once",
    "windows": lambda g: count(g.summary.windows),
    "  refused because of gaps": lambda g: count(g.summary.windows_refused),
    "  tracks too short for one": lambda g: _with_share(g.summary.tracks_too_short, g.summary.tracks),
    "  tracks without one because of gaps": lambda g: count(g.summary.tracks_too_broken) if g.summary.tracks_too_broken else "",
    "  poses that some window holds": lambda g: _share(g.summary.poses_in_windows),
    "frames that a window scores": lambda g: _scored(g.reach),
    "abnormal frames that a window scores": lambda g: _scored(g.abnormal_reach),
    **{f"  not scored: {reason.label}": _unscored(name) for name, reason in REASONS.items()},
    "highest AUROC possible, not smoothed": _ceiling,
}

_SCENE_COLUMNS: Final[dict[str, Callable[[Group], str]]] = {
    "clips": lambda g: count(g.summary.clips),
    "frames": lambda g: count(g.summary.frames),
    "nobody": lambda g: _share(g.summary.frames_with_nobody / g.summary.frames if g.summary.frames else math.nan),
    "abnormal": lambda g: "" if g.abnormal is None else _share(g.abnormal / g.counted if g.counted else math.nan),
    "persons": lambda g: _persons(g).partition(",")[0],
    "poses": lambda g: count(g.summary.poses),
    "height": lambda g: _median(g.summary.height),
    "tracks": lambda g: count(g.summary.tracks),
    "length": lambda g: _median(g.summary.poses_a_track),
    "windows": lambda g: count(g.summary.windows),
    "scored": lambda g: _scored(g.reach),
    "of abnormal": lambda g: _scored(g.abnormal_reach),
}


def _notes(stats: Sequence[SplitStatistics]) -> str:
    rule = stats[0].measures.rule
    strides = ", ".join(f"{each.measures.rule.stride} ({each.split})" for each in stats)
    lines = [
        f"Windows of T = {rule.length} poses, stride {strides}; {rule.missing} of them may lie beyond T frames"
        f"{'; the last of a track is used' if rule.keep_last else ''}."
    ]
    for each in stats:
        lines += _weak_joints(each)
        lines += _limits(each)
        if each.problem is not None:
            lines.append(f"{each.split}: no frame labels ({each.problem}).")
    return "\n".join(lines)


def _weak_joints(stats: SplitStatistics) -> list[str]:
    """The joints that are most often missing or unsure; none where all are there."""
    measures = stats.measures
    weak = measures.joint_missing + measures.joint_unsure
    worst = [int(j) for j in np.argsort(-weak, kind="stable")[:_JOINTS_NAMED] if weak[j] > 0]
    if not worst:
        return []
    named = ", ".join(f"{measures.joints[j]} {percent(float(weak[j]))} %" for j in worst)
    return [f"{stats.split}: joints that are most often missing or below confidence {LOW_CONFIDENCE:g}: {named}."]


def _limits(stats: SplitStatistics) -> list[str]:
    """What most of the unscored frames are lost to; of the abnormal ones where there are any."""
    abnormal, every = stats.whole.abnormal_reach, stats.whole.reach
    what, found = ("abnormal frames", abnormal) if abnormal and any(abnormal.unscored.values()) else ("frames", every)
    if found is None or not any(found.unscored.values()):
        return []
    name = max(found.unscored, key=found.unscored.__getitem__)
    lost, reason = found.unscored[name] / found.frames, REASONS[name]
    lines = ["Two shares: of the frames that count / of the abnormal ones."] if abnormal else []
    return [
        *lines,
        f"{stats.split}: most of the {what} that no window scores ({percent(lost)} % of all {what}) are lost to "
        f"{reason.label}: {reason.meaning}. {reason.remedy[0].upper()}{reason.remedy[1:]}.",
    ]
