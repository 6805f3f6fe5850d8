"""Every protocol by hand, against plain-loop restatements, and by its laws."""

from __future__ import annotations

import math

import numpy as np
import published_pipelines as published
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from published_pipelines import Case
from scipy.ndimage import gaussian_filter1d
from sklearn.metrics import roc_auc_score

from vadbench.api import WindowScores
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.protocol import Pipeline
from vadbench.evaluation.published_protocols import PROTOCOLS

RESTATED = {
    ("standard-v1", "shanghaitech"): published.stg_nf,
    ("sparta", "shanghaitech"): published.sparta,
    ("gepc", "shanghaitech"): published.gepc,
    ("gepc-fixed", "shanghaitech"): published.gepc_fixed,
    ("mped-rnn", "shanghaitech"): published.mped_rnn,
    ("trajrec", "shanghaitech"): published.trajrec,
    ("coskad", "ubnormal"): published.coskad,
    ("seeker", "shanghaitech"): published.seeker,
    **{
        ("mocodad", f"{hr}{name}"): (lambda case, name=name: published.mocodad(case, name))
        for name in ("shanghaitech", "ubnormal", "avenue")
        for hr in ("", "hr-")
    },
}
NAMES = sorted(PROTOCOLS)


def scores_of(case: Case, *, flat: bool = False) -> WindowScores:
    """The windows of a case; ``flat`` gives one score a window, which all its frames must share."""
    score = np.array([w[3] for w in case.windows], dtype=np.float64).reshape(len(case.windows), case.length)
    return WindowScores(
        clip=np.array([w[0] for w in case.windows], dtype=np.str_),
        person=np.array([w[1] for w in case.windows], dtype=np.int64),
        start=np.array([w[2] for w in case.windows], dtype=np.int64),
        score=score[:, 0] if flat else score,
        length=case.length,
        terms={name: np.array(values) for name, values in case.terms.items()},
    )


def axis_of(case: Case) -> FrameAxis:
    keep = tuple(np.array(case.keep[clip], dtype=bool) for clip in case.clips)
    return FrameAxis(tuple(case.clips), tuple(case.clips.values()), tuple(case.scenes[c] for c in case.clips), keep)


def outcome(case: Case, pipeline: Pipeline, *, flat: bool = False):
    return frame_scores(scores_of(case, flat=flat), axis_of(case), pipeline)


def assert_as_restated(case: Case, expected: published.Outcome, got, places: float = 0.0) -> None:
    """``places`` is how far final scores in [0, 1] may be off, in places of one value among those of its scene."""
    assert got.clips == tuple(case.clips)
    for i, clip in enumerate(case.clips):
        final = [math.nan if value is None else value for value in expected.final[clip]]
        np.testing.assert_allclose(got.raw[i], expected.raw[clip], atol=1e-9, err_msg=f"raw {clip}")
        among = sum(n for name, n in case.clips.items() if case.scenes[name] == case.scenes[clip])
        near = places / max(among - 1, 1) + 1e-9
        np.testing.assert_allclose(got.smoothed[i], final, rtol=1e-9, atol=near, err_msg=f"smoothed {clip}")
        assert got.scored[i].tolist() == expected.scored[clip], f"scored {clip}"


# --- by hand
#
# T = 3. Clip A has 16 frames and persons 1 and 2; frame 1 is not part of the subset. Clip B has 6 frames and person 7.
#
#   person 1: windows at 0 (score 2), 1 (score 5), and after a gap at 5 (score 3)
#   person 2: windows at 1 (score 4), 2 (score 1)
#   person 7: window at 2 (score 6)
BY_HAND = Case(
    length=3,
    clips={"A": 16, "B": 6},
    scenes={"A": "01", "B": "02"},
    keep={"A": [t != 1 for t in range(16)], "B": [True] * 6},
    windows=[
        *(("A", 1, 0, [2.0] * 3), ("A", 1, 1, [5.0] * 3), ("A", 1, 5, [3.0] * 3)),
        *(("A", 2, 1, [4.0] * 3), ("A", 2, 2, [1.0] * 3)),
        ("B", 7, 2, [6.0] * 3),
    ],
)


def by_hand(name: str):
    found = outcome(BY_HAND, PROTOCOLS[name].on("shanghaitech"), flat=True)
    return [part.tolist() for part in found.raw], list(found.smoothed), [np.flatnonzero(part).tolist() for part in found.scored]


def cascade(line) -> np.ndarray:
    for sigma in (1, 2, 3, 4, 5, 6):
        line = gaussian_filter1d(np.asarray(line, dtype=float), sigma)
    return line


@pytest.mark.parametrize("name", ["standard-v1", "sparta"])
def test_centre_frames_and_the_lowest_score_elsewhere(name):
    # Centre f + 1. Person 1: 1 -> 2, 2 -> 5, 6 -> 3. Person 2: 2 -> 4, 3 -> 1. Frame 2: max(5, 4) = 5. Person 7: 3 -> 6.
    # The lowest frame score of both clips is 1.
    a, b = [1, 2, 5, 1, 1, 1, 3] + [1] * 9, [1, 1, 1, 6, 1, 1]
    raw, smoothed, scored = by_hand(name)
    assert raw == [a, b]
    assert scored == [[1, 2, 3, 6], [3]]
    for got, line in zip(smoothed, (a, b), strict=True):
        np.testing.assert_allclose(got, cascade(line), atol=1e-12)


def test_two_branches_of_sparta_by_hand():
    # T = 2. The window at 0: current 3 at frame 0 + 1, future 5 at frame 0 + 1 + 2. The one at 2: current 1 at 3, future 1 at 5.
    case = Case(2, {"A": 8}, {"A": "1"}, {"A": [True] * 8}, [("A", 1, 0, [0.0] * 2), ("A", 1, 2, [0.0] * 2)])
    case.terms = {"current": [3.0, 1.0], "future": [5.0, 1.0]}
    got = outcome(case, PROTOCOLS["sparta"].on("shanghaitech"), flat=True)
    # current: one 3, seven 1: mean 1.25, sd sqrt((1.75^2 + 7 * 0.25^2) / 8) = sqrt(7) / 4; future: one 5, seven 1: likewise.
    high, low = 1.75 / (math.sqrt(7) / 4), -0.25 / (math.sqrt(7) / 4)
    np.testing.assert_allclose(got.raw[0], [2 * low, high + low, 2 * low, low + high, *[2 * low] * 4], atol=1e-12)
    c, f = cascade([1, 3, 1, 1, 1, 1, 1, 1]), cascade([1, 1, 1, 5, 1, 1, 1, 1])
    np.testing.assert_allclose(got.smoothed[0], (c - c.mean()) / c.std() + (f - f.mean()) / f.std(), atol=1e-9)
    assert np.flatnonzero(got.scored[0]).tolist() == [1, 3, 5]


def test_gepc_as_published():
    # First frames. Frame 1: both persons, normalities -5 and -4, the highest -4: anomaly 4. Frames 0, 2, 5: one of the two is
    # absent, counts as 0, the highest normality is 0. Clip B has person 7 alone: frame 2 -> 6.
    raw, smoothed, scored = by_hand("gepc")
    assert raw == [[0, 4] + [0] * 14, [0, 0, 6, 0, 0, 0]]
    assert scored == [[0, 1, 2, 5], [2]]
    # Shift 3 + 3 // 2 - 1 = 3 over both clips: 4 goes from 1 to 4; 6 from 16 + 2 = 18 to 21.
    joined = np.zeros(22)
    joined[4], joined[21] = 4, 6
    np.testing.assert_allclose(np.concatenate(smoothed), gaussian_filter1d(joined, 40), atol=1e-12)


def test_gepc_fixed():
    # First frames, the most anomalous person, the lowest (1) elsewhere: 0 -> 2, 1 -> max(5, 4), 2 -> 1, 5 -> 3; B: 2 -> 6.
    raw, smoothed, _ = by_hand("gepc-fixed")
    assert raw == [[2, 5, 1, 1, 1, 3] + [1] * 10, [1, 1, 6, 1, 1, 1]]
    # Shift 3, each clip by itself; the first three frames get the lowest.
    a, b = [1, 1, 1, 2, 5, 1, 1, 1, 3] + [1] * 7, [1, 1, 1, 1, 1, 6]
    for got, line in zip(smoothed, (a, b), strict=True):
        np.testing.assert_allclose(got, gaussian_filter1d(np.array(line, float), 40), atol=1e-12)


# Every frame of each window, mean. Person 1: 0 -> 2; 1, 2 -> (2 + 5) / 2; 3 -> 5; 5, 6, 7 -> 3.
# Person 2: 1 -> 4; 2, 3 -> (4 + 1) / 2; 4 -> 1. The higher of the two: 2, 4, 3.5, 5, 1, 3, 3, 3. Person 7: 2, 3, 4 -> 6.
MEANS = [[2, 4, 3.5, 5, 1, 3, 3, 3] + [0] * 8, [0, 0, 6, 6, 6, 0]]


TIES = 0.5
"""Places by which scikit-learn's quantiles of equal values may be off: it finds its percentiles with rounding, and where an end
of a row of equal values is met only nearly, the row seems one place shorter there."""


def test_mped_rnn_quantiles():
    raw, smoothed, scored = by_hand("mped-rnn")
    assert raw == MEANS
    assert scored == [[0, 1, 2, 3, 4, 5, 6, 7], [2, 3, 4]]
    # Places of clip A's sixteen values: 0 has 0 to 7, as the lowest it counts 0; 1 has 8; 2 has 9; 3 has 10, 11, 12: 11;
    # 3.5 has 13; 4 has 14; 5 has 15. Over 15.
    np.testing.assert_allclose(15 * smoothed[0], [9, 14, 13, 15, 8, 11, 11, 11] + [0] * 8, atol=TIES + 1e-9)
    np.testing.assert_allclose(smoothed[1], [0, 0, 1, 1, 1, 0], atol=1e-9)


def test_trajrec_of_short_windows():
    # A window of 3 frames has fewer than 6: all are targets. No smoothing.
    raw, smoothed, _ = by_hand("trajrec")
    assert raw == MEANS
    assert [part.tolist() for part in smoothed] == MEANS


def test_trajrec_takes_the_last_six_frames():
    case = Case(8, {"A": 10}, {"A": "1"}, {"A": [True] * 10}, [("A", 1, 0, [1, 2, 3, 4, 5, 6, 7, 8]), ("A", 1, 2, [9.0] * 8)])
    # Targets 2 .. 7 of the first window, 4 .. 9 of the second; both on 4 .. 7: (5 + 9) / 2 ...
    assert outcome(case, PROTOCOLS["trajrec"].on("avenue")).raw[0].tolist() == [0, 0, 3, 4, 7, 7.5, 8, 8.5, 9, 9]


def test_coskad():
    raw, smoothed, _ = by_hand("coskad")
    assert raw == MEANS
    # Without frame 1: 2, 3.5, 5, 1, 3, ... of 15 frames; moved by 11 four are left.
    np.testing.assert_allclose(np.delete(smoothed[0], 1), gaussian_filter1d(np.array([0] * 11 + [2, 3.5, 5, 1]), 30), atol=1e-12)
    assert math.isnan(smoothed[0][1])
    # Clip B has 6 frames, nothing of it is left.
    assert smoothed[1].tolist() == [0] * 6


def test_coskad_takes_no_zero_into_a_mean():
    case = Case(2, {"A": 4}, {"A": "1"}, {"A": [True] * 4}, [("A", 1, 0, [0.0] * 2), ("A", 1, 1, [6.0] * 2)])
    assert outcome(case, PROTOCOLS["coskad"].on("ubnormal")).raw[0].tolist() == [0, 6, 6, 0]


def test_mocodad():
    # The highest of the covering windows. Person 1: 2, 5, 5, 5, -, 3, 3, 3. Person 2: -, 4, 4, 4, 1. Absent = 0.
    # (2, 0): mean 1, log(3 / 1). (5, 4): 4.5 + log(6 / 5), three times. (0, 1): 0.5 + log(2 / 1). (3, 0): 1.5 + log(4 / 1).
    # Clip B has person 7 alone: 6 + log(7 / 7).
    first, both, second, third = 1 + math.log(3), 4.5 + math.log(1.2), 0.5 + math.log(2), 1.5 + math.log(4)
    raw, smoothed, _ = by_hand("mocodad")
    np.testing.assert_allclose(raw[0], [first, both, both, both, second, third, third, third] + [0] * 8, atol=1e-12)
    np.testing.assert_allclose(raw[1], [0, 0, 6, 6, 6, 0], atol=1e-12)
    # Without frame 1, 15 frames moved by 9: six are left.
    line = np.array([0] * 9 + [first, both, both, second, third, third])
    np.testing.assert_allclose(np.delete(smoothed[0], 1), gaussian_filter1d(line, 15), atol=1e-12)
    assert math.isnan(smoothed[0][1])
    assert smoothed[1].tolist() == [0] * 6


def test_seeker():
    # Person 1, three windows: 3 -> 2, 4 -> 5, 8 -> 3; backwards 0, 1, 2 -> 2, and the gap 5, 6, 7 -> 3. The others have fewer
    # than T = 3 windows. Elsewhere 2 - 1.
    a, b = [2, 2, 2, 2, 5, 3, 3, 3, 3] + [1] * 7, [1] * 6
    raw, smoothed, scored = by_hand("seeker")
    assert raw == [a, b]
    assert scored == [list(range(9)), []]
    for got, line in zip(smoothed, (a, b), strict=True):
        np.testing.assert_allclose(got, gaussian_filter1d(np.array(line, float), 1), atol=1e-12)


# --- against plain loops


@st.composite
def cases(draw, *, least_windows: int = 0, lowest: int | None = None) -> Case:
    """Small test sets: clips without windows, tracks with gaps, many ties, scores of either sign; scores are quarters."""
    length = draw(st.integers(1, 8))
    names = draw(st.permutations(["01_1", "01_2", "02_1", "03_1"]))[: draw(st.integers(1, 4))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    clips = {name: int(rng.integers(length, 45)) for name in names}
    bottom = draw(st.sampled_from([-9, 0, 3])) if lowest is None else lowest
    top = bottom + draw(st.sampled_from([0, 4, 60]))
    share = draw(st.sampled_from([0.2, 0.7, 1.0]))
    per_frame = draw(st.booleans())
    windows = []
    for name, n in clips.items():
        for person in rng.choice(9, size=rng.integers(0, 4), replace=False).tolist():
            first, end = sorted(rng.integers(0, n - length + 1, 2).tolist())
            for start in range(first, end + 1):
                if rng.uniform() < share:
                    drawn = rng.integers(bottom, top + 1, length if per_frame else 1) / 4
                    windows.append((name, person, start, np.broadcast_to(drawn, length).tolist()))
    for _ in range(max(0, least_windows - len(windows))):
        windows.append((names[0], 20 + len(windows), 0, (rng.integers(bottom, top + 1, 1).repeat(length) / 4).tolist()))
    keep = {name: (rng.uniform(size=n) < draw(st.sampled_from([0.5, 1.0]))).tolist() for name, n in clips.items()}
    order = rng.permutation(len(windows))
    return Case(length, clips, {name: name[:2] for name in names}, keep, [windows[i] for i in order])


@pytest.mark.parametrize(("name", "dataset"), RESTATED)
@settings(max_examples=60)
@given(case=cases())
def test_as_plain_loops(name, dataset, case):
    places = TIES if name == "mped-rnn" else 0
    assert_as_restated(case, RESTATED[name, dataset](case), outcome(case, PROTOCOLS[name].on(dataset)), places)


@settings(max_examples=60)
@given(case=cases(), seed=st.integers(0, 2**32))
def test_two_branches_as_plain_loops(case, seed):
    rng = np.random.default_rng(seed)
    case.terms = {name: (rng.integers(-8, 9, len(case.windows)) / 4).tolist() for name in ("current", "future")}
    # Smoothing may leave next to nothing of a short line, and what is left, mostly rounding, is then scaled up to deviation 1.
    for raw, final, _ in published.branches_of_sparta(case):
        for lines in (raw, final):
            every = [value for line in lines.values() for value in line]
            assume(max(every) - min(every) > 1e-3 or max(every) == min(every))
    assert_as_restated(case, published.sparta(case), outcome(case, PROTOCOLS["sparta"].on("shanghaitech")))


# --- laws


def pooled(got) -> np.ndarray:
    return np.concatenate(got.smoothed)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(case=cases())
def test_one_score_a_window_is_the_same_score_for_all_its_frames(name, case):
    same = Case(case.length, case.clips, case.scenes, case.keep, [(*w[:3], [w[3][0]] * case.length) for w in case.windows])
    pipeline = PROTOCOLS[name].on("shanghaitech")
    np.testing.assert_allclose(pooled(outcome(same, pipeline, flat=True)), pooled(outcome(same, pipeline)), atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(case=cases(), seed=st.integers(0, 2**32))
def test_order_of_windows_and_names_of_persons_do_not_matter(name, case, seed):
    rng = np.random.default_rng(seed)
    renamed = rng.permutation(200).tolist()
    windows = [(clip, renamed[person], start, scores) for clip, person, start, scores in case.windows]
    other = Case(case.length, case.clips, case.scenes, case.keep, [windows[i] for i in rng.permutation(len(windows))])
    pipeline = PROTOCOLS[name].on("shanghaitech")
    np.testing.assert_allclose(pooled(outcome(other, pipeline)), pooled(outcome(case, pipeline)), atol=1e-9)


def in_reverse(case: Case) -> Case:
    return Case(case.length, dict(reversed(case.clips.items())), case.scenes, case.keep, case.windows)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "gepc"])
@settings(max_examples=25)
@given(case=cases())
def test_order_of_clips_does_not_matter(name, case):
    pipeline = PROTOCOLS[name].on("shanghaitech")
    forwards, backwards = outcome(case, pipeline), outcome(in_reverse(case), pipeline)
    for one, other in zip(forwards.smoothed, reversed(backwards.smoothed), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_order_of_clips_matters_to_gepc():
    """It shifts and smooths across their borders."""
    case = Case(3, {"A": 20, "B": 300}, {"A": "1", "B": "1"}, {"A": [True] * 20, "B": [True] * 300}, [("A", 1, 0, [9.0] * 3)])
    pipeline = PROTOCOLS["gepc"].on("shanghaitech")
    one, other = outcome(case, pipeline).smoothed[0], outcome(in_reverse(case), pipeline).smoothed[1]
    assert np.abs(one - other).max() > 0.01
    # The score, at frame 3 after the shift, is seen by the other clip as well.
    assert outcome(case, pipeline).smoothed[1][0] > 0.01


def auroc_of(case: Case, got, seed: int, unit: float = 1.0) -> float:
    """AUROC against labels drawn by chance; scores nearer than rounding to one another are taken for ties."""
    counts = np.concatenate([np.array(case.keep[clip], dtype=bool) for clip in case.clips])
    truth = (np.random.default_rng(seed).uniform(size=len(counts)) < 0.5)[counts]
    if truth.all() or not truth.any():
        return math.nan
    score = pooled(got)[counts]
    order = np.argsort(score)
    ranks = np.empty(len(score))
    ranks[order] = np.cumsum(np.diff(score[order], prepend=-np.inf) > 1e-10 * unit)
    return roc_auc_score(truth, ranks)


def mapped(case: Case, factor: float, constant: float) -> Case:
    windows = [(*w[:3], [factor * score + constant for score in w[3]]) for w in case.windows]
    return Case(case.length, case.clips, case.scenes, case.keep, windows)


@pytest.mark.parametrize("name", ["standard-v1", "sparta", "gepc-fixed"])
@settings(max_examples=40)
@given(case=cases(least_windows=1), seed=st.integers(0, 2**32), factor=st.sampled_from([1, 2, 8]), constant=st.integers(-9, 9))
def test_maps_that_keep_order_and_proportion_change_no_auroc(name, case, seed, factor, constant):
    """Placement, maximum, a fill by the minimum and smoothing all commute with an increasing affine map."""
    pipeline = PROTOCOLS[name].on("shanghaitech")
    before, after = outcome(case, pipeline), outcome(mapped(case, factor, constant), pipeline)
    np.testing.assert_allclose(pooled(after), factor * pooled(before) + constant, atol=1e-9)
    assert auroc_of(case, after, seed, unit=factor) == pytest.approx(auroc_of(case, before, seed), nan_ok=True)


@settings(max_examples=40)
@given(case=cases(least_windows=1), constant=st.integers(-9, 9))
def test_a_constant_moves_seeker_but_a_factor_does_not_scale_it(case, constant):
    """Its fill lies 1 below the minimum, whatever the unit of the scores."""
    pipeline = PROTOCOLS["seeker"].on("shanghaitech")
    if any(scored.any() for scored in outcome(case, pipeline).scored):
        np.testing.assert_allclose(
            pooled(outcome(mapped(case, 1, constant), pipeline)), pooled(outcome(case, pipeline)) + constant, atol=1e-9
        )
    by_hand = pooled(outcome(BY_HAND, pipeline))
    assert np.abs(pooled(outcome(mapped(BY_HAND, 8, 0), pipeline)) - 8 * by_hand).max() > 1


@pytest.mark.parametrize("name", ["mped-rnn", "trajrec"])
@settings(max_examples=40)
@given(case=cases(lowest=0), factor=st.sampled_from([2, 8]))
def test_a_factor_changes_no_ranks_of_means(name, case, factor):
    pipeline = PROTOCOLS[name].on("shanghaitech")
    expected = pooled(outcome(case, pipeline)) * (1 if name == "mped-rnn" else factor)
    np.testing.assert_allclose(pooled(outcome(mapped(case, factor, 0), pipeline)), expected, atol=1e-9)


@pytest.mark.parametrize("name", ["mped-rnn", "trajrec", "coskad", "mocodad"])
@settings(max_examples=40)
@given(case=cases(least_windows=1, lowest=-9), constant=st.integers(1, 9))
def test_scores_below_zero_are_told_from_a_constant_by_nothing(name, case, constant):
    """Pipelines made for errors see them from their lowest."""
    pipeline = PROTOCOLS[name].on("shanghaitech")
    if min(min(w[3]) for w in case.windows) < 0:
        np.testing.assert_allclose(
            pooled(outcome(mapped(case, 1, -constant), pipeline)), pooled(outcome(case, pipeline)), atol=1e-9
        )


@pytest.mark.parametrize("name", ["mocodad", "coskad", "gepc"])
def test_a_constant_changes_what_counts_zero_as_nobody(name):
    pipeline = PROTOCOLS[name].on("shanghaitech")
    before, after = (np.concatenate(outcome(case, pipeline).raw) for case in (BY_HAND, mapped(BY_HAND, 1, 4)))
    assert np.ptp(after - before) > 1


@settings(max_examples=40)
@given(case=cases())
def test_without_shift_and_smoothing_the_line_stays(case):
    for pipeline in (Pipeline(), Pipeline(smoothing=(0.0,)), Pipeline(shift=0, smoothing=(0.0, 0.0), smoothing_over="test-set")):
        got = outcome(case, pipeline)
        for one, other in zip(got.smoothed, got.raw, strict=True):
            np.testing.assert_array_equal(one, other)


def test_there_is_something_to_compare():
    """The properties above would hold of nothing as well."""
    seen: list[Case] = []

    @settings(max_examples=60, database=None, derandomize=True)
    @given(case=cases())
    def gather(case):
        seen.append(case)

    gather()
    assert sum(len(case.windows) > 20 for case in seen) > 15
    assert sum(any(not all(line) for line in case.keep.values()) for case in seen) > 10
    assert any(any(True in line for line in published.seeker(case).scored.values()) for case in seen)
    padded = [published.mocodad(case, "avenue").raw for case in seen]
    assert any(value > 0 for raw in padded for line in raw.values() for value in line)
