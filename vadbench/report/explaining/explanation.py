"""Everything that is found of a run for one call, and the pictures of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench.engine.explaining.clip import clip_lines, frame_alarms, top_alarms, windows_of
from vadbench.engine.explaining.codebook import codebook_of, nearest_training
from vadbench.engine.explaining.explanation import token_edges
from vadbench.report.explaining.alarm_strips import draw_alarms, draw_frame
from vadbench.report.explaining.codebook_gallery import animate_codebook, draw_codebook
from vadbench.report.explaining.token_timeline import draw_token_timeline
from vadbench.report.explaining.transition_diagram import draw_transitions
from vadbench.report.figure_style import figure_title, run_label
from vadbench.report.figures import save_figure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.engine.explaining.clip import Alarm, ClipLines
    from vadbench.engine.explaining.codebook import Codebook, Example
    from vadbench.engine.explaining.explanation import Explained
    from vadbench.store.folders import StoredRun


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for.

    Args:
        clip: Of which clip; None for the run as a whole.
        frame: Which frame of it.
        person: Which person of it.
        top: Alarms at most.
        primitives: Primitives at most.
    """

    clip: str | None = None
    frame: int | None = None
    person: int | None = None
    top: int = 6
    primitives: int = 24


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found.

    Args:
        notes: What cannot be shown, and why.
        statistics: Term to mean and standard deviation on training windows.
        alarms: The top ones, of the clip or of the run.
        nearest_training: Of each alarm the training window that lies nearest.
        lines: The persons of the clip, if one is named.
        frame: As asked for.
        at_frame: Each person at the frame, the highest score first.
        book: The codebook, with the primitives nearest to the first of these at the frame; None without a tokenizer.
    """

    notes: tuple[str, ...]
    statistics: Mapping[str, tuple[float, float]]
    alarms: tuple[Alarm, ...]
    nearest_training: tuple[Example, ...]
    lines: ClipLines | None
    frame: int | None
    at_frame: tuple[Alarm, ...]
    book: Codebook | None


def explain(run: Explained, asked: Question) -> Explanation:
    """Answers a question; no label takes part in it.

    Raises:
        UsageError: for a clip, a person or a frame that is not there.
        PluginError: if a part of the composition fails.
    """
    at_frame: list[Alarm] = []
    if asked.clip is None or asked.frame is None:
        among = windows_of(run, asked.clip, asked.person, asked.frame)
    else:
        among = windows_of(run, asked.clip, asked.person)
        at_frame = frame_alarms(run, asked.clip, asked.frame, asked.person)
    alarms = top_alarms(run, among, asked.top, once=asked.clip is None)
    like = _stretch_at(run, at_frame[0], asked.frame) if at_frame and asked.frame is not None else None
    book = codebook_of(run, asked.primitives, like)
    windows = run.test.select(np.array([alarm.window for alarm in alarms], dtype=np.int64))
    return Explanation(
        notes=tuple(run.missing()),
        statistics=run.statistics,
        alarms=tuple(alarms),
        nearest_training=tuple(nearest_training(run, windows)) if alarms else (),
        lines=None if asked.clip is None else clip_lines(run, asked.clip, asked.person),
        frame=asked.frame,
        at_frame=tuple(at_frame),
        book=book,
    )


def draw_explanation(stored: StoredRun, run: Explained, found: Explanation, folder: Path) -> list[Path]:
    """Writes every picture that there is something to show in, and says which.

    The labels that the run holds shade the timeline, and do nothing else.

    Raises:
        UsageError: where one cannot be written.
        DriftError: if the stored labels have changed since they were recorded.
    """
    layout, made = run.test.tracks.layout, []

    def title(what: str) -> str:
        return figure_title([stored], f"{what}: {run_label(stored)}")

    clip = "" if found.lines is None else f"-{_file_name(found.lines.clip)}"
    if found.lines is not None and found.lines.persons:
        labels, _ = stored.labels()
        abnormal = labels.abnormal[labels.clips.index(found.lines.clip)]
        figure = draw_token_timeline(
            run, found.lines, found.alarms, abnormal=abnormal, title=title(f"Clip {found.lines.clip}"), frame=found.frame
        )
        save_figure(figure, path := folder / f"tokens{clip}.png")
        made.append(path)
    if found.alarms:
        where = "" if found.lines is None else f" of clip {found.lines.clip}"
        figure = draw_alarms(run, found.alarms, found.nearest_training, title(f"Top alarms{where}"))
        save_figure(figure, path := folder / f"alarms{clip}.png")
        made.append(path)
    if found.at_frame and found.frame is not None and found.lines is not None:
        near = () if found.book is None else found.book.nearest
        figure = draw_frame(run, found.at_frame[0], found.frame, near, title(f"Clip {found.lines.clip}, frame {found.frame}"))
        save_figure(figure, path := folder / f"frame{clip}-{found.frame}.png")
        made.append(path)
    if found.book is not None and found.book.primitives:
        save_figure(draw_codebook(found.book, layout, title("Codebook")), path := folder / "codebook.png")
        animate_codebook(found.book, layout, animated := folder / "codebook.gif")
        save_figure(draw_transitions(found.book, layout, title("Transitions")), last := folder / "transitions.png")
        made += [path, animated, last]
    return made


def _stretch_at(run: Explained, alarm: Alarm, frame: int) -> NDArray[np.float32] | None:
    """(2, t, J) what the window shows while the token lasts that covers the frame, or the one nearest to it."""
    if not alarm.tokens:
        return None
    windows = run.test.select(np.array([alarm.window]))
    away = [max(token.first - frame, frame - token.last, 0) for token in alarm.tokens]
    length, count = windows.rule.length, len(alarm.tokens)
    begin = int(token_edges(length, count)[int(np.argmin(away))])
    return np.asarray(windows.batch(slice(None)).x[0][:, begin : begin + length // count])


def _file_name(clip: str) -> str:
    """A clip's name as part of a file's."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in clip)
