"""One picture of a data set: track lengths, persons a frame, heights, and the frames that no window scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from vadbench.data.stats import scene_order
from vadbench.report.coverage import REASONS
from vadbench.report.figure_style import COLOURS, FAINT, as_text, figure_style
from vadbench.report.formatting import STAND_IN, count, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from vadbench.api import DatasetInfo
    from vadbench.report.data_statistics import Group, SplitStatistics

_SPLIT_COLOURS: Final = {"train": COLOURS[0], "validation": COLOURS[2], "test": COLOURS[1]}
_REASON_COLOURS: Final = dict(zip(REASONS, (FAINT, *COLOURS[3:]), strict=False))
_CROWD: Final = 12
"""From here on numbers of persons share one bar."""
_TITLE_INCHES, _TOP_INCHES, _ROW_INCHES, _LEGEND_INCHES = 0.9, 3.7, 0.3, 0.8
_LEAST_ROWS, _SCENE_LETTERS = 4, 12
_GRID: Final[dict[str, Any]] = {"color": "#E6E6E6", "linewidth": 0.8}


def draw_statistics(info: DatasetInfo, stats: Sequence[SplitStatistics], protocol: str) -> Figure:
    """Four panels of all splits together; three where none of the splits is scored.

    Args:
        info: Of the data set.
        stats: Of its splits, one or more, cut into windows of one length.
        protocol: Name of the protocol that the scored splits are scored under.
    """
    scored = next((each for each in reversed(stats) if each.states is not None), None)
    scenes = sorted({scene for each in stats for scene in each.scenes}, key=scene_order)
    heights = [_TOP_INCHES, _LEGEND_INCHES, 1 + _ROW_INCHES * max(len(scenes) + 1, _LEAST_ROWS), _LEGEND_INCHES]
    with figure_style():
        figure = Figure(figsize=(12, _TITLE_INCHES + sum(heights)), layout="constrained")
        grid = figure.add_gridspec(4, 2, height_ratios=heights)
        lengths, persons = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
        _draw_lengths(lengths, stats)
        _draw_persons(persons, stats)
        _put_legend(figure.add_subplot(grid[1, 0]), _marks_of(lengths), ncols=1)
        _put_legend(figure.add_subplot(grid[1, 1]), _marks_of(persons), ncols=1)
        left = 0 if scored else slice(None)
        _draw_heights(figure.add_subplot(grid[2, left]), stats, scenes)
        _put_legend(figure.add_subplot(grid[3, left]), _height_marks(stats), ncols=3)
        if scored is not None:
            _draw_unscored(figure.add_subplot(grid[2, 1]), scored)
            _put_legend(figure.add_subplot(grid[3, 1]), _unscored_marks(), ncols=2)
        figure.suptitle(as_text(_title(info, stats, protocol if scored else None), 120), x=0.01, ha="left")
    return figure


def _title(info: DatasetInfo, stats: Sequence[SplitStatistics], protocol: str | None) -> str:
    strides = ", ".join(f"{each.measures.rule.stride} ({each.split})" for each in stats)
    title = f"{info.title}: windows of T = {stats[0].measures.rule.length} poses, stride {strides}"
    title += f"; protocol {protocol}" if protocol else ""
    return f"{title}\n({STAND_IN})" if info.stand_in else title


def _draw_lengths(axes: Axes, stats: Sequence[SplitStatistics]) -> None:
    """Share of the tracks that are longer than so many poses."""
    length = stats[0].measures.rule.length
    longest = length
    for each in stats:
        poses, summary = np.sort(each.measures.track_poses), each.whole.summary
        label = f"{each.split}: no tracks"
        if len(poses):
            longest = max(longest, int(poses[-1]))
            without = (summary.tracks_too_short + summary.tracks_too_broken) / summary.tracks
            label = f"{each.split}: {count(len(poses))} tracks, {percent(without)} % without a window"
        longer = np.arange(len(poses), -1, -1) / max(len(poses), 1)
        axes.step(
            np.concatenate([[1], poses]), 100 * longer, where="post", color=_SPLIT_COLOURS[each.split], linewidth=2, label=label
        )
    axes.axvline(length, color="black", linewidth=1, linestyle="--", label=f"T = {length}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set(xlim=(1, 1.05 * longest), ylim=(0, 102))
    axes.set(title="Track length", xlabel="poses of a track", ylabel="tracks that are longer (%)")
    axes.grid(**_GRID)


def _draw_persons(axes: Axes, stats: Sequence[SplitStatistics]) -> None:
    """Share of the frames with so many persons."""
    persons = [np.minimum(each.measures.frame_persons, _CROWD) for each in stats]
    most = max(int(each.max(initial=0)) for each in persons)
    width = 0.8 / len(stats)
    for i, (each, seen) in enumerate(zip(stats, persons, strict=True)):
        mean = each.whole.summary.persons_a_frame.mean
        axes.bar(
            np.arange(most + 1) + (i - (len(stats) - 1) / 2) * width,
            100 * np.bincount(seen, minlength=most + 1) / max(len(seen), 1),
            width,
            color=_SPLIT_COLOURS[each.split],
            label=f"{each.split}: {count(len(seen))} frames, {mean:.1f} persons on average" if len(seen) else each.split,
        )
    axes.set_xticks(range(most + 1), [f"{n}+" if n == _CROWD else str(n) for n in range(most + 1)])
    axes.set(title="Persons a frame", xlabel="persons with a pose in the frame", ylabel="frames (%)")
    axes.grid(axis="y", **_GRID)
    axes.set_axisbelow(True)


def _draw_heights(axes: Axes, stats: Sequence[SplitStatistics], scenes: Sequence[str]) -> None:
    """Quantiles of the heights of poses, a row a scene."""
    apart = 0.5 / len(stats)
    for i, each in enumerate(stats):
        shift, colour = (i - (len(stats) - 1) / 2) * apart, _SPLIT_COLOURS[each.split]
        for row, group in _rows(each, scenes):
            height = group.summary.height
            axes.plot([height.q05, height.q95], [row + shift] * 2, color=colour, linewidth=1)
            axes.plot([height.q25, height.q75], [row + shift] * 2, color=colour, linewidth=4, solid_capstyle="butt")
            axes.plot(height.median, row + shift, marker="o", color="white", markeredgecolor=colour, markersize=4.5)
    _name_rows(axes, scenes)
    axes.set_xlim(left=0)
    axes.set(title="Height of a pose, by scene", xlabel="highest to lowest joint (pixels)")


def _height_marks(stats: Sequence[SplitStatistics]) -> dict[str, Artist]:
    splits: dict[str, Artist] = {each.split: Patch(color=_SPLIT_COLOURS[each.split]) for each in stats}
    return splits | {
        "median": Line2D([], [], marker="o", color="white", markeredgecolor="black", markersize=4.5),
        "25 to 75 % of the poses": Line2D([], [], color="black", linewidth=4, solid_capstyle="butt"),
        "5 to 95 % of the poses": Line2D([], [], color="black", linewidth=1),
    }


def _draw_unscored(axes: Axes, stats: SplitStatistics) -> None:
    """Share of the frames that no window scores, by what keeps them unscored, a row a scene; a mark for the abnormal ones."""
    scenes, widest = list(stats.scenes), 5.0
    for row, group in _rows(stats, scenes):
        left = 0.0
        for name, colour in _REASON_COLOURS.items():
            if group.reach is not None and group.reach.frames:
                share = 100 * group.reach.unscored[name] / group.reach.frames
                axes.barh(row, share, 0.6, left=left, color=colour)
                left += share
        widest = max(widest, left)
        if group.abnormal_reach is not None and group.abnormal_reach.frames:
            missed = 100 * (1 - group.abnormal_reach.scored)
            axes.plot(missed, row, marker="D", color="black", markersize=5, linestyle="none", zorder=4, clip_on=False)
            widest = max(widest, missed)
    _name_rows(axes, scenes)
    axes.set_xlim(0, min(100.0, 1.05 * widest))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set(title=f"Frames that no window scores, by scene ({stats.split})", xlabel=_coverage_line(stats.whole))


def _unscored_marks() -> dict[str, Artist]:
    bars: dict[str, Artist] = {REASONS[name].label: Patch(color=colour) for name, colour in _REASON_COLOURS.items()}
    return bars | {"abnormal frames, all reasons": Line2D([], [], marker="D", color="black", markersize=5, linestyle="none")}


def _coverage_line(group: Group) -> str:
    """The axis, and what it comes to over all scenes."""
    axis = "share of the frames that count (%)"
    if group.reach is None or not group.reach.frames:
        return axis
    text = f"{axis}\nscored: {percent(group.reach.scored)} % of the frames"
    if group.ceiling is not None and group.abnormal_reach is not None:
        text += f", {percent(group.abnormal_reach.scored)} % of the abnormal ones"
    return text


def _rows(stats: SplitStatistics, scenes: Sequence[str]) -> Iterator[tuple[int, Group]]:
    """Row 0 for the split as a whole, then a row for each scene that it has."""
    yield 0, stats.whole
    for row, scene in enumerate(scenes, start=1):
        if scene in stats.scenes:
            yield row, stats.scenes[scene]


def _name_rows(axes: Axes, scenes: Sequence[str]) -> None:
    axes.set_yticks(range(len(scenes) + 1), ["all", *map(_scene_label, scenes)])
    axes.set_ylim(len(scenes) + 0.6, -0.6)
    axes.axhline(0.5, color=FAINT, linewidth=0.8)
    axes.grid(axis="x", **_GRID)
    axes.set_axisbelow(True)


def _scene_label(scene: str) -> str:
    """A scene's name, cut where it is too long to stand beside a row, in which a dollar sign starts no formula."""
    return as_text(scene if len(scene) <= _SCENE_LETTERS else f"{scene[: _SCENE_LETTERS - 3]}...", 2 * _SCENE_LETTERS)


def _marks_of(axes: Axes) -> dict[str, Artist]:
    """What is labelled in a panel, by its label."""
    handles, labels = axes.get_legend_handles_labels()
    return dict(zip(labels, handles, strict=True))


def _put_legend(axes: Axes, marks: dict[str, Artist], *, ncols: int) -> None:
    """A legend of its own room, in which it can hide nothing."""
    axes.axis("off")
    legend = axes.legend(list(marks.values()), list(marks), loc="upper left", ncols=ncols, borderaxespad=0, borderpad=0)
    legend.set_in_layout(False)
