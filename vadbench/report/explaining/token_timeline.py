"""The tokens of every person of a clip over its frames, with the surprise of each, and of each joint of one person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.colors import TwoSlopeNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from vadbench.evaluation.events import Stretches
from vadbench.report.explaining.skeleton_strip import MOST_SD
from vadbench.report.figure_style import ABNORMAL, COLOURS, as_text, figure_style, term_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from vadbench.engine.explaining.clip import Alarm, ClipLines, PersonLine, Token
    from vadbench.engine.explaining.explanation import Explained

_PERSONS: Final = len(COLOURS)
"""Persons that are shown, those with the highest scores."""
_COLOURED: Final = len(COLOURS)
_RARE: Final = ("#DADADA", "#C2C2C2")
"""Codes beyond the coloured ones are grey, in turn lighter and darker, so that one sees where one ends."""
_WIDTH: Final = 14.0
_PLOT_INCHES: Final = 11.5
"""How wide the frames are about, which decides where a code's number fits."""
_DIFFERENCE_COLOURS: Final = "PuOr_r"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What all panels share: abnormal frames, colours of codes, and the highest surprise of a token and range of detail."""

    abnormal: NDArray[np.bool_]
    colours: dict[int, str]
    highest: float
    detail: tuple[float, float]


def draw_token_timeline(
    run: Explained,
    lines: ClipLines,
    alarms: Sequence[Alarm],
    *,
    abnormal: NDArray[np.bool_],
    title: str,
    frame: int | None = None,
) -> Figure:
    """Scores of the persons; of each the codes and their surprise; and of the most anomalous the surprise of its joints.

    Args:
        run: The run.
        lines: Of the clip.
        alarms: Marked in the scores, by their numbers from 1.
        abnormal: (n_frames,) by the stored labels: shown, and used for nothing.
        title: Of the picture.
        frame: Marked by a line.
    """
    peak = {line.person: float(run.scores.score[line.windows].max()) for line in lines.persons}
    first = sorted(lines.persons, key=lambda line: -peak[line.person])[:_PERSONS]
    persons = sorted(first, key=lambda line: line.person)
    tokens = [token for line in persons for token in line.tokens]
    heights = [1.7]
    for line in persons:
        heights += ([0.33] if line.tokens else []) + [0.85]
    joints = first[0] if first and first[0].odd is not None else None
    heights += [3.3] if joints is not None else []
    shown = _Shown(
        abnormal,
        code_colours([token.code for token in tokens]),
        max([token.surprise for token in tokens if token.surprise is not None], default=1.0),
        _detail_range(run, persons),
    )
    with figure_style():
        figure = Figure(figsize=(_WIDTH, 2.0 + sum(heights)))
        figure.set_layout_engine("constrained", h_pad=0.03)
        panels: list[Axes] = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0].tolist()
        rest = iter(panels)
        _draw_scores(next(rest), run, persons, alarms, shown)
        for line in persons:
            if line.tokens:
                _draw_codes(next(rest), line, shown, lines.n_frames)
            _draw_surprise(next(rest), run, line, shown)
        if joints is not None:
            _draw_joints(next(rest), run, joints, shown, figure)
        for axes in panels:
            if frame is not None:
                axes.axvline(frame, color="black", linewidth=1.0, linestyle="--", zorder=9)
        panels[-1].set(xlim=(-0.5, lines.n_frames - 0.5), xlabel=f"frame of clip {as_text(lines.clip, 60)}")
        panels[-1].tick_params(bottom=True)
        left_out = len(lines.persons) - len(persons)
        rest_of = f"; {left_out} persons with lower scores are left out" if left_out else ""
        figure.suptitle(as_text(f"{title}{rest_of}", 120), x=0.01, ha="left")
        figure.legend(handles=_marks(run, shown), loc="outside lower center", ncols=6, fontsize=9)
    return figure


def code_colours(codes: Sequence[int]) -> dict[int, str]:
    """The most frequent codes in colours that can be told apart, the others in two greys; which carry their numbers."""
    ranked = [code for code, _ in sorted(Counter(codes).items(), key=lambda entry: (-entry[1], entry[0]))]
    return {code: COLOURS[i] if i < _COLOURED else _RARE[i % 2] for i, code in enumerate(ranked)}


def _draw_scores(axes: Axes, run: Explained, persons: Sequence[PersonLine], alarms: Sequence[Alarm], shown: _Shown) -> None:
    _draw_truth(axes, shown.abnormal)
    for i, line in enumerate(persons):
        x, y = _broken(line.middle, run.scores.score[line.windows])
        # The dots show windows that stand alone, which no line joins.
        axes.plot(x, y, color=COLOURS[i], linewidth=1.3, marker=".", markersize=3, label=f"person {line.person}")
    for number, alarm in enumerate(alarms, start=1):
        axes.annotate(
            str(number),
            (alarm.frame, alarm.score),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            weight="bold",
        )
        axes.plot(alarm.frame, alarm.score, marker="v", color="black", markersize=5, linestyle="none", zorder=6)
    axes.margins(y=0.3)
    axes.set_ylabel("window score")
    if persons:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=8, borderpad=0, borderaxespad=0.2, fontsize=9)


def _draw_codes(axes: Axes, line: PersonLine, shown: _Shown, n_frames: int) -> None:
    """A band of codes; a stretch of one code is one piece."""
    axes.set(ylim=(0, 1), yticks=[])
    axes.set_ylabel(f"person {line.person}\ncodes", rotation=0, ha="right", va="center", fontsize=9)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(bottom=False)
    for code, first, last in _runs(line.tokens):
        colour = shown.colours[code]
        axes.add_patch(Rectangle((first - 0.5, 0), last - first + 1, 1, facecolor=colour, edgecolor="white", linewidth=0.5))
        inches = (last - first + 1) * _PLOT_INCHES / n_frames
        flat = inches >= 0.085 * len(str(code)) + 0.05
        if flat or inches >= 0.1:
            axes.text(
                (first + last) / 2,
                0.47,
                str(code),
                ha="center",
                va="center",
                fontsize=8 if flat else 6.5,
                rotation=0 if flat else 90,
                color="white" if np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) < 0.5 else "black",
                clip_on=True,
            )


def _draw_surprise(axes: Axes, run: Explained, line: PersonLine, shown: _Shown) -> None:
    """Surprise of the tokens as steps on the left axis; the detail term as a line on the right one."""
    _draw_truth(axes, shown.abnormal)
    name = "" if line.tokens else f"person {line.person}\n"
    if any(token.surprise is not None for token in line.tokens):
        colour = term_colour(0)
        for token in line.tokens:
            width = token.last - token.first + 1
            axes.bar(token.first - 0.5, token.surprise or 0.0, width, align="edge", color=colour, alpha=0.75, linewidth=0)
        axes.set_ylim(0, 1.05 * shown.highest)
        axes.set_ylabel(f"{name}nats", color=colour, fontsize=9)
        axes.tick_params(axis="y", colors=colour, labelsize=8)
    else:
        axes.set_yticks([])
        axes.set_ylabel(name, fontsize=9)
    if "detail" in run.scores.terms:
        right = axes.twinx()
        colour = COLOURS[0]
        right.plot(*_broken(line.middle, _detail(run, line)), color=colour, linewidth=1.3, marker=".", markersize=3)
        right.set_ylim(*shown.detail)
        right.set_ylabel("detail\n(sd)" if run.statistics else "detail\n(nats)", color=colour, fontsize=9)
        right.tick_params(axis="y", colors=colour, labelsize=8)
        right.spines[["top", "left"]].set_visible(False)


def _draw_joints(axes: Axes, run: Explained, line: PersonLine, shown: _Shown, figure: Figure) -> None:
    """A row for each joint, a column for each frame."""
    assert line.odd is not None  # noqa: S101 - see draw_token_timeline
    layout = run.test.tracks.layout
    picture = np.full((len(layout), len(shown.abnormal)), np.nan)
    picture[:, line.frames] = line.odd.T
    reach = min(max(float(np.percentile(np.abs(line.odd), 98)), 1e-3), MOST_SD)
    image = axes.imshow(
        picture,
        aspect="auto",
        interpolation="nearest",
        cmap=_DIFFERENCE_COLOURS,
        norm=TwoSlopeNorm(0, -reach, reach),
        extent=(-0.5, len(shown.abnormal) - 0.5, len(layout) - 0.5, -0.5),
    )
    axes.set_yticks(range(len(layout)), [name.replace("_", " ") for name in layout.joints], fontsize=8)
    axes.set_title(f"Joints of person {line.person}, who has the highest score", fontsize=10)
    bar = figure.colorbar(image, ax=axes, pad=0.01, aspect=18, extend="both")
    bar.set_label("surprise, sd from its\nmean in training", fontsize=9)
    for first, last in _stretches(shown.abnormal):
        axes.plot(
            [first - 0.5, last + 0.5], [-0.5] * 2, color=COLOURS[1], linewidth=5, solid_capstyle="butt", clip_on=False, zorder=5
        )


def _marks(run: Explained, shown: _Shown) -> list[Patch | Line2D]:
    marks: list[Patch | Line2D] = [Patch(color=ABNORMAL, label="abnormal (labels, shown only)")]
    if shown.colours:
        marks.append(Patch(color=_RARE[0], label=f"codes beyond the {_COLOURED} most frequent"))
    if "semantic" in run.scores.terms:
        marks.append(Patch(color=term_colour(0), alpha=0.75, label="surprise of a token"))
    if "detail" in run.scores.terms:
        marks.append(Line2D([], [], color=COLOURS[0], label="detail term of the window around the frame"))
    return [*marks, Line2D([], [], color="black", marker="v", linestyle="none", label="alarm, by number")]


def _detail(run: Explained, line: PersonLine) -> NDArray[np.float64]:
    values = run.scores.terms["detail"][line.windows]
    return run.standardised("detail", values) if run.statistics else values


def _detail_range(run: Explained, persons: Sequence[PersonLine]) -> tuple[float, float]:
    """The same for all persons, so that they can be compared."""
    if "detail" not in run.scores.terms or not persons:
        return 0.0, 1.0
    values = np.concatenate([_detail(run, line) for line in persons])
    low, high = float(values.min()), float(values.max())
    return low - 0.05 * (high - low) - 1e-6, high + 0.05 * (high - low) + 1e-6


def _runs(tokens: Sequence[Token]) -> list[tuple[int, int, int]]:
    """Code, first and last frame of each stretch of one code; a gap ends it."""
    ends, found = 0, []
    gap = np.cumsum([0] + [int(b.first > a.last + 1) for a, b in pairwise(tokens)]).tolist()
    for (code, _), group in groupby(range(len(tokens)), key=lambda i: (tokens[i].code, gap[i])):
        ends = len(list(group)) + (begin := ends)
        found.append((code, tokens[begin].first, tokens[ends - 1].last))
    return found


def _broken(frames: NDArray[np.int64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A line that is broken where windows are missing, not where their stride leaves frames out."""
    gaps = np.diff(frames)
    breaks = np.flatnonzero(gaps > gaps.min(initial=np.iinfo(np.int64).max)) + 1
    return np.insert(frames.astype(np.float64), breaks, np.nan), np.insert(values, breaks, np.nan)


def _draw_truth(axes: Axes, abnormal: NDArray[np.bool_]) -> None:
    for first, last in _stretches(abnormal):
        axes.axvspan(first - 0.5, last + 0.5, color=ABNORMAL, linewidth=0, zorder=0)


def _stretches(abnormal: NDArray[np.bool_]) -> list[tuple[int, int]]:
    found = Stretches.of(abnormal, [len(abnormal)])
    return [(int(first), int(end) - 1) for first, end in zip(found.first, found.end, strict=True)]
