"""What a composition says of one test clip: every person's tokens over time, and the windows that raised the alarm."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api import UsageError, did_you_mean
from vadbench.engine.explaining.explanation import token_edges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vadbench.api import Windows
    from vadbench.engine.explaining.explanation import Explained, Surprises


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of frames of one person that one token stands for.

    Args:
        place: Of the token in its window, from 0.
        code: Its code.
        first: First frame.
        last: Last frame, inclusive.
        surprise: -log p of the token given those before it, nats; None without a prior.
    """

    place: int
    code: int
    first: int
    last: int
    surprise: float | None


@dataclass(frozen=True, slots=True)
class Joint:
    """How odd a joint is in a window.

    Args:
        name: Of the joint.
        surprise: Summed over the frames, nats.
        excess: The same above its mean on training windows.
        standardised: The excess in standard deviations over training windows.
    """

    name: str
    surprise: float
    excess: float
    standardised: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """A window and why it scores as it does.

    Args:
        window: Its index among the test windows.
        clip: Name of the clip.
        person: Track id.
        frame: The frame of its middle row.
        first: Its first frame.
        last: Its last frame.
        score: As stored.
        terms: As stored; nats where they are likelihoods.
        standardised: Each term in standard deviations from its mean on training windows; empty without statistics.
        level: The term with the largest standardised value; None without statistics.
        tokens: In order of time; empty without a tokenizer.
        joints: The oddest first, by standardised excess; empty where the flow does not localise.
    """

    window: int
    clip: str
    person: int
    frame: int
    first: int
    last: int
    score: float
    terms: dict[str, float]
    standardised: dict[str, float]
    level: str | None
    tokens: tuple[Token, ...]
    joints: tuple[Joint, ...]


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person of a clip over time.

    Args:
        person: Track id.
        windows: (n,) the person's test windows, as indices, in order.
        middle: (n,) the frame of the middle row of each.
        tokens: The timeline; see `tiling`. Empty without a tokenizer.
        frames: (F,) frames that the timeline covers.
        odd: (F, J) surprise of each joint in standard deviations from its mean in training, by the window that the timeline
            takes a frame from; None where the flow does not localise.
    """

    person: int
    windows: NDArray[np.int64]
    middle: NDArray[np.int64]
    tokens: tuple[Token, ...]
    frames: NDArray[np.int64]
    odd: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class ClipLines:
    """Every person of a clip who has a window; by track id."""

    clip: str
    n_frames: int
    persons: tuple[PersonLine, ...]


def windows_of(run: Explained, clip: str | None = None, person: int | None = None, frame: int | None = None) -> NDArray[np.int64]:
    """Test windows of a clip, a person of it, and covering a frame, as far as they are named.

    Raises:
        UsageError: for a clip that is not there, a frame outside it, a person without windows in it.
    """
    if clip is None:
        if frame is not None or person is not None:
            raise UsageError(
                "a frame or a person is of a clip, and none is named", remedy=f"add --clip, such as --clip {run.clips[0]}"
            )
        return np.arange(len(run.test), dtype=np.int64)
    if clip not in run.clips:
        raise UsageError(f"the test set has no clip {clip!r}", remedy=did_you_mean(clip, run.clips))
    at = run.clips.index(clip)
    length = run.test.tracks.clips[at].n_frames
    if frame is not None and not 0 <= frame < length:
        raise UsageError(f"clip {clip} has no frame {frame}", remedy=f"frames count from 0 to {length - 1}")
    here = run.test.clip == at
    if person is not None:
        known = np.unique(run.test.person[here]).tolist()
        if person not in known:
            raise UsageError(
                f"person {person} has no window in clip {clip}",
                remedy=f"choose one of {', '.join(map(str, known))}" if known else "no person of this clip has a window",
            )
        here &= run.test.person == person
    if frame is not None:
        rows = run.test.tracks.frame
        here &= (rows[run.test.first] <= frame) & (rows[run.test.first + run.test.rule.length - 1] >= frame)
    return np.flatnonzero(here)


def clip_lines(run: Explained, clip: str, person: int | None = None) -> ClipLines:
    """The persons of a clip over time; raises as `windows_of` does."""
    every = windows_of(run, clip, person)
    windows = run.test.select(every)
    persons = tuple(_line(run, every[windows.person == each]) for each in np.unique(windows.person).tolist())
    return ClipLines(clip, run.test.tracks.clips[run.clips.index(clip)].n_frames, persons)


def top_alarms(run: Explained, among: NDArray[np.int64], top: int, *, once: bool = False) -> list[Alarm]:
    """The highest windows, no two of one person in frames that overlap: of overlapping ones the highest stands for the others.

    Args:
        run: The run.
        among: Indices of test windows.
        top: How many at most.
        once: Whether no two are of one person at all.
    """
    chosen: list[int] = []
    clip, person, first = run.test.clip, run.test.person, run.test.first
    for window in among[np.argsort(-run.scores.score[among], kind="stable")].tolist():
        near = [w for w in chosen if clip[w] == clip[window] and person[w] == person[window]]
        if not near or (not once and all(abs(first[w] - first[window]) >= run.test.rule.length for w in near)):
            chosen.append(window)
        if len(chosen) == top:
            break
    return alarms(run, np.array(chosen, dtype=np.int64))


def frame_alarms(run: Explained, clip: str, frame: int, person: int | None = None) -> list[Alarm]:
    """Of every person whose windows cover a frame the one in whose middle it lies, or nearest to it; the highest score first.

    Raises:
        UsageError: as `windows_of` does, and where no window covers the frame.
    """
    every = windows_of(run, clip, person, frame)
    if not len(every):
        raise UsageError(
            f"no window{'' if person is None else f' of person {person}'} covers frame {frame} of clip {clip}",
            remedy="choose a frame that vadbench explain --clip shows tokens or scores in",
        )
    rows = run.test.tracks.frame
    away = np.abs(rows[run.test.first[every] + run.test.rule.length // 2] - frame)
    persons = run.test.person[every]
    chosen = [every[persons == each][away[persons == each].argmin()] for each in np.unique(persons)]
    found = alarms(run, np.array(chosen, dtype=np.int64))
    return sorted(found, key=lambda alarm: -alarm.score)


def alarms(run: Explained, chosen: NDArray[np.int64]) -> list[Alarm]:
    """Why each of some test windows scores as it does, in their order."""
    if not len(chosen):
        return []
    windows = run.test.select(chosen)
    pieces = run.surprises(windows)
    return [_alarm(run, int(window), windows, pieces, i) for i, window in enumerate(chosen)]


def tiling(windows: Windows) -> Iterator[tuple[int, slice]]:
    """Windows of one track that cover each of its covered rows once: an honest timeline, though windows overlap.

    From the first window on, the window that begins where the last one ended; where there is none, the last that still
    covers that row, of which only the rows not covered yet are taken (the end of a track); and where none covers it, the
    next one (after a gap).

    Yields:
        Index of a window and the rows of it (counted from its beginning) that are taken.
    """
    length, first = windows.rule.length, windows.first
    covered = -1
    order = np.argsort(first, kind="stable")
    starts = first[order]
    while len(order):
        at = int(np.searchsorted(starts, covered, side="right")) - 1
        if at < 0 or starts[at] + length <= covered:
            at += 1
        if at >= len(starts):
            return
        begin = max(covered, int(starts[at]))
        yield int(order[at]), slice(begin - int(starts[at]), length)
        covered = int(starts[at]) + length


def _line(run: Explained, every: NDArray[np.int64]) -> PersonLine:
    windows = run.test.select(every)
    tiles = list(tiling(windows))
    picked = windows.select(np.array([window for window, _ in tiles], dtype=np.int64))
    pieces = run.surprises(picked)
    tokens = [token for i, (_, rows) in enumerate(tiles) for token in _tokens(picked, pieces, i, rows)]
    frame, length = run.test.tracks.frame, windows.rule.length
    covered = [frame[first : first + length][rows] for first, (_, rows) in zip(picked.first.tolist(), tiles, strict=True)]
    odd = None
    if pieces.odd is not None:
        odd = np.concatenate([pieces.odd[i][rows] for i, (_, rows) in enumerate(tiles)])
    return PersonLine(
        person=int(windows.person[0]),
        windows=every,
        middle=frame[windows.first + length // 2].astype(np.int64),
        tokens=tuple(tokens),
        frames=np.concatenate(covered).astype(np.int64),
        odd=odd,
    )


def _tokens(windows: Windows, pieces: Surprises, i: int, rows: slice = slice(0, None)) -> Iterator[Token]:
    """Tokens of window ``i``, those that have a row at ``rows.start`` or later, cut there."""
    if pieces.codes is None:
        return
    edges = token_edges(windows.rule.length, pieces.codes.shape[1]).tolist()
    frame, first = windows.tracks.frame, int(windows.first[i])
    for place, (begin, end) in enumerate(pairwise(edges)):
        start = max(begin, rows.start)
        if start < end:
            surprise = None if pieces.tokens is None else float(pieces.tokens[i, place])
            code = int(pieces.codes[i, place])
            yield Token(place, code, int(frame[first + start]), int(frame[first + end - 1]), surprise)


def _alarm(run: Explained, window: int, windows: Windows, pieces: Surprises, i: int) -> Alarm:
    first, length, frame = int(windows.first[i]), windows.rule.length, windows.tracks.frame
    terms = {name: float(values[window]) for name, values in run.scores.terms.items()}
    standard = {
        name: (value - run.statistics[name][0]) / run.statistics[name][1] for name, value in terms.items() if run.statistics
    }
    joints: list[Joint] = []
    if pieces.joints is not None and pieces.excess is not None and run.spread is not None:
        own, excess = pieces.joints[i].sum(axis=0), pieces.excess[i].sum(axis=0)
        names = windows.tracks.layout.joints
        odd = excess / run.spread
        joints = [Joint(names[j], float(own[j]), float(excess[j]), float(odd[j])) for j in np.argsort(-odd, kind="stable")]
    return Alarm(
        window=window,
        clip=run.clips[int(windows.clip[i])],
        person=int(windows.person[i]),
        frame=int(frame[first + length // 2]),
        first=int(frame[first]),
        last=int(frame[first + length - 1]),
        score=float(run.scores.score[window]),
        terms=terms,
        standardised=standard,
        level=max(standard, key=lambda name: standard[name]) if standard else None,
        tokens=tuple(_tokens(windows, pieces, i)),
        joints=tuple(joints),
    )
