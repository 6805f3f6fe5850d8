"""The published pipelines restated as plain loops over dictionaries, from the description of each released code.

Nothing is shared with `vadbench.evaluation`. A line is a list with one number a frame; higher means more anomalous.

Where a description leaves a question open, this is the answer taken here:

- A window of T rows that starts at frame f covers the frames f .. f + T - 1. One score a window stands for each of them.
- Codes that shift a line write it into an array of zeros: the first frames are 0.
- Pipelines made for errors, which are never negative, see all window scores of the test set moved up until the lowest is 0,
  where any is negative.
- In a mean, minimum or maximum over persons with "absent = 0" takes part who has a window in the clip.
- A test set without any window is 0 everywhere; so is, where nobody counts as 0, a clip without one.
- What a placement puts behind the end of its clip is dropped.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

Line = list[float]
Window = tuple[str, int, int, list[float]]


@dataclass
class Case:
    """A test set: clips with their lengths, scenes and frames that count, and windows as (clip, person, start, T scores)."""

    length: int
    clips: dict[str, int]
    scenes: dict[str, str]
    keep: dict[str, list[bool]]
    windows: list[Window] = field(default_factory=list)
    terms: dict[str, list[float]] = field(default_factory=dict)
    """Name to one score a window."""


@dataclass
class Outcome:
    """Per clip: the filled line, the line after every step (None at frames that left before), which frames have a score."""

    raw: dict[str, Line]
    final: dict[str, list[float | None]]
    scored: dict[str, list[bool]]


# --- steps


def gaussian(line: Line, sigma: float) -> Line:
    """A Gaussian filter cut off at four sigma; the line is mirrored at its ends, end values twice: c b a | a b c."""
    radius = int(4 * sigma + 0.5)
    weights = [math.exp(-0.5 * (k / sigma) ** 2) for k in range(-radius, radius + 1)]
    total = sum(weights)
    n = len(line)
    smooth = []
    for t in range(n):
        value = 0.0
        for k, weight in zip(range(-radius, radius + 1), weights, strict=True):
            place = (t + k) % (2 * n)
            value += weight / total * line[place if place < n else 2 * n - 1 - place]
        smooth.append(value)
    return smooth


def cascade(line: Line, sigmas: tuple[float, ...]) -> Line:
    for sigma in sigmas:
        line = gaussian(line, sigma)
    return line


def shifted(line: Line, by: int, vacated: float = 0.0) -> Line:
    return [line[t - by] if t >= by else vacated for t in range(len(line))]


def persons_of(case: Case, clip: str) -> dict[int, list[tuple[int, list[float]]]]:
    """Person to windows in order of their starts."""
    found = defaultdict(list)
    for name, person, start, scores in case.windows:
        if name == clip:
            found[person].append((start, scores))
    return {person: sorted(windows) for person, windows in found.items()}


def never_negative(case: Case) -> Case:
    lowest = min((score for window in case.windows for score in window[3]), default=0.0)
    if lowest >= 0:
        return case
    moved = [(clip, person, start, [score - lowest for score in scores]) for clip, person, start, scores in case.windows]
    return Case(case.length, case.clips, case.scenes, case.keep, moved)


def centre(windows, length) -> dict[int, float]:
    return {start + length // 2: scores[length // 2] for start, scores in windows}


def mean_over_windows(windows, offsets, *, zero_is_none: bool = False) -> dict[int, float]:
    covering = defaultdict(list)
    for start, scores in windows:
        for j in offsets:
            if scores[j] != 0 or not zero_is_none:
                covering[start + j].append(scores[j])
    return {t: sum(values) / len(values) for t, values in covering.items()}


def max_over_windows(windows, offsets) -> dict[int, float]:
    covering = defaultdict(list)
    for start, scores in windows:
        for j in offsets:
            covering[start + j].append(scores[j])
    return {t: max(values) for t, values in covering.items()}


def all_person_lines(case: Case, of_person) -> dict[str, dict[int, dict[int, float]]]:
    """Clip to person to frame to score, frames inside the clip only; frames where a person has no score are not there."""
    lines = {}
    for clip, n in case.clips.items():
        lines[clip] = {
            person: {t: s for t, s in of_person(windows).items() if 0 <= t < n}
            for person, windows in persons_of(case, clip).items()
        }
    return lines


def scored_frames(case: Case, lines) -> dict[str, list[bool]]:
    return {clip: [any(t in line for line in lines[clip].values()) for t in range(n)] for clip, n in case.clips.items()}


def most_anomalous(case: Case, lines) -> dict[str, list[float | None]]:
    """The highest score of the persons that have one in the frame; None where nobody has."""
    found = {}
    for clip, n in case.clips.items():
        found[clip] = [max((line[t] for line in lines[clip].values() if t in line), default=None) for t in range(n)]
    return found


def filled(found: dict[str, list[float | None]], below_the_lowest: float) -> dict[str, Line]:
    values = [value for line in found.values() for value in line if value is not None]
    fill = min(values) - below_the_lowest if values else 0.0
    return {clip: [fill if value is None else value for value in line] for clip, line in found.items()}


def at_least_zero(found: dict[str, list[float | None]]) -> dict[str, Line]:
    return {clip: [0.0 if value is None else max(0.0, value) for value in line] for clip, line in found.items()}


def without_left_frames(case: Case, raw: dict[str, Line], in_time) -> dict[str, list[float | None]]:
    """Frames leave first; what remains is put side by side, treated in time, and put back in its places."""
    final = {}
    for clip, line in raw.items():
        rest = iter(in_time([value for value, counts in zip(line, case.keep[clip], strict=True) if counts]))
        final[clip] = [next(rest) if counts else None for counts in case.keep[clip]]
    return final


# --- pipelines


def stg_nf(case: Case) -> Outcome:
    """p_i[f + T/2] = a(f); highest over persons; nobody: the lowest of the test set; sigma 1, 2, ... 6 in turn per clip."""
    lines = all_person_lines(case, lambda windows: centre(windows, case.length))
    raw = filled(most_anomalous(case, lines), 0.0)
    final = {clip: cascade(line, (1, 2, 3, 4, 5, 6)) for clip, line in raw.items()}
    return Outcome(raw, final, scored_frames(case, lines))


def sparta(case: Case) -> Outcome:
    """One branch: p_i[f + T/2] = a(f), highest over persons, nobody: the lowest, the cascade of STG-NF. Two, current and future,
    the latter at f + T/2 + T: z(S_C) + z(S_F), each standardised by its mean and deviation over all frames of the test set."""
    if not case.terms:
        return stg_nf(case)
    (raw_c, final_c, scored_c), (raw_f, final_f, scored_f) = [
        (standardised(raw), standardised(final), scored) for raw, final, scored in branches_of_sparta(case)
    ]
    return Outcome(
        {clip: [a + b for a, b in zip(raw_c[clip], raw_f[clip], strict=True)] for clip in case.clips},
        {clip: [a + b for a, b in zip(final_c[clip], final_f[clip], strict=True)] for clip in case.clips},
        {clip: [a or b for a, b in zip(scored_c[clip], scored_f[clip], strict=True)] for clip in case.clips},
    )


def branches_of_sparta(case: Case) -> list[tuple[dict[str, Line], dict[str, Line], dict[str, list[bool]]]]:
    """Of both branches the filled lines, the smoothed lines, and the frames that have a score."""
    branches = []
    for name, ahead in (("current", 0), ("future", case.length)):
        windows = [(*w[:3], [s] * case.length) for w, s in zip(case.windows, case.terms[name], strict=True)]
        branch = Case(case.length, case.clips, case.scenes, case.keep, windows)
        lines = all_person_lines(branch, lambda found, by=ahead: {t + by: s for t, s in centre(found, case.length).items()})
        raw = filled(most_anomalous(branch, lines), 0.0)
        final = {clip: cascade(line, (1, 2, 3, 4, 5, 6)) for clip, line in raw.items()}
        branches.append((raw, final, scored_frames(branch, lines)))
    return branches


def standardised(lines: dict[str, Line]) -> dict[str, Line]:
    values = [value for line in lines.values() for value in line]
    if max(values, default=0.0) - min(values, default=0.0) < 1e-12:
        return {clip: [0.0] * len(line) for clip, line in lines.items()}
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return {clip: [(value - mean) / deviation for value in line] for clip, line in lines.items()}


def gepc(case: Case) -> Outcome:
    """p_i[f] = normality, else 0; HIGHEST normality over persons; clips joined, shifted by T + T // 2 - 1 (17 for its T = 12),
    sigma 40; here with the sign of an anomaly score."""
    lines = all_person_lines(case, lambda windows: {start: -scores[0] for start, scores in windows})
    normality = {}
    for clip, n in case.clips.items():
        persons = lines[clip].values()
        normality[clip] = [max((line.get(t, 0.0) for line in persons), default=0.0) for t in range(n)]
    joined = [value for clip in case.clips for value in normality[clip]]
    smooth = iter(gaussian(shifted(joined, gepc_shift(case)), 40)) if joined else iter(())
    final = {clip: [-next(smooth) for _ in range(n)] for clip, n in case.clips.items()}
    return Outcome({c: [-v for v in line] for c, line in normality.items()}, final, scored_frames(case, lines))


def gepc_shift(case: Case) -> int:
    return case.length + case.length // 2 - 1


def gepc_fixed(case: Case) -> Outcome:
    """Not published: p_i[f] = a(f); most anomalous person; nobody, and what the shift leaves empty: the lowest of the data set;
    each clip by itself."""
    lines = all_person_lines(case, lambda windows: {start: scores[0] for start, scores in windows})
    raw = filled(most_anomalous(case, lines), 0.0)
    lowest = min((value for line in raw.values() for value in line), default=0.0)
    final = {clip: gaussian(shifted(line, gepc_shift(case), lowest), 40) for clip, line in raw.items()}
    return Outcome(raw, final, scored_frames(case, lines))


def mped_rnn(case: Case) -> Outcome:
    """p_i[t] = mean over the covering windows; S = max(0, max_i); uniform quantiles per camera."""
    case = never_negative(case)
    lines = all_person_lines(case, lambda windows: mean_over_windows(windows, range(case.length)))
    raw = at_least_zero(most_anomalous(case, lines))
    final = {clip: list(line) for clip, line in raw.items()}
    for scene in set(case.scenes.values()):
        ordered = sorted(value for clip, line in raw.items() if case.scenes[clip] == scene for value in line)
        for clip in case.clips:
            if case.scenes[clip] == scene:
                final[clip] = [uniform_quantile(ordered, value) for value in raw[clip]]
    return Outcome(raw, final, scored_frames(case, lines))


def uniform_quantile(ordered: Line, value: float) -> float:
    """The place of a value among all values in [0, 1]; equal values share the middle of their places, but the lowest have 0 and
    else the highest 1."""
    if value == ordered[0]:
        return 0.0
    if value == ordered[-1]:
        return 1.0
    first = ordered.index(value)
    last = first + ordered.count(value) - 1
    return (first + last) / 2 / (len(ordered) - 1)


def coskad(case: Case) -> Outcome:
    """p_i[t] = mean over the covering windows, a 0 being none of them; S = max_i, 0 if none; frames leave; shift 11; sigma 30 per
    clip."""
    case = never_negative(case)
    lines = all_person_lines(case, lambda windows: mean_over_windows(windows, range(case.length), zero_is_none=True))
    raw = at_least_zero(most_anomalous(case, lines))
    final = without_left_frames(case, raw, lambda line: gaussian(shifted(line, 11), 30))
    return Outcome(raw, final, scored_frames(case, lines))


MOCODAD_IN_TIME = {"shanghaitech": (9, 15, 0), "ubnormal": (18, 30, 0), "avenue": (6, 30, 12)}
"""Data set to shift, sigma and pad."""


def mocodad(case: Case, dataset: str) -> Outcome:
    """p_i[t] = max over the covering windows, 0 if absent or within the pad of an absence;
    S = mean_i p_i + log((1 + max_i p_i) / (1 + min_i p_i)); frames leave; shift and sigma of the data set per clip."""
    case = never_negative(case)
    lines = all_person_lines(case, lambda windows: max_over_windows(windows, range(case.length)))
    shift, sigma, pad = MOCODAD_IN_TIME[dataset]
    lines = {clip: {i: padded(line, case.clips[clip], pad) for i, line in found.items()} for clip, found in lines.items()}
    raw = {}
    for clip, n in case.clips.items():
        raw[clip] = []
        for t in range(n):
            p = [line.get(t, 0.0) for line in lines[clip].values()]
            raw[clip].append(sum(p) / len(p) + math.log((1 + max(p)) / (1 + min(p))) if p else 0.0)
    final = without_left_frames(case, raw, lambda line: gaussian(shifted(line, shift), sigma))
    return Outcome(raw, final, scored_frames(case, lines))


def padded(line: dict[int, float], n: int, pad: int) -> dict[int, float]:
    """Without the frames that lie within ``pad`` frames of one of the clip in which the person has no score."""
    absent = [t for t in range(n) if t not in line]
    return {t: score for t, score in line.items() if all(abs(t - gap) > pad for gap in absent)}


def trajrec(case: Case) -> Outcome:
    """p_i[t] = mean over windows of the errors of their last 6 frames (12 observed, 6 predicted); S = max(0, max_i)."""
    case = never_negative(case)
    targets = range(max(0, case.length - 6), case.length)
    lines = all_person_lines(case, lambda windows: mean_over_windows(windows, targets))
    raw = at_least_zero(most_anomalous(case, lines))
    return Outcome(raw, {clip: list(line) for clip, line in raw.items()}, scored_frames(case, lines))


def seeker(case: Case) -> Outcome:
    """p_i[f + T] = score; the first T frames of a track, and of a resumed one at most the gap, have the score of the window that
    follows; persons with fewer than T windows are skipped; highest over persons; nobody: the lowest - 1; sigma 1 per clip."""

    def of_person(windows) -> dict[int, float]:
        line: dict[int, float] = {}
        if len(windows) < case.length:
            return line
        last = -math.inf
        for start, scores in windows:
            for t in range(start, start + case.length + 1):
                if t > last:
                    line[t] = scores[-1]
            last = start + case.length
        return line

    lines = all_person_lines(case, of_person)
    raw = filled(most_anomalous(case, lines), 1.0)
    return Outcome(raw, {clip: gaussian(line, 1) for clip, line in raw.items()}, scored_frames(case, lines))
