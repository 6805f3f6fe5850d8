"""Frame scores against STG-NF's formula, written out slowly and in its own sense, normality."""

from __future__ import annotations

import math

import numpy as np
import pytest
from frame_axes import axis_of, scores_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from vadbench.api import DataError, WindowScores
from vadbench.evaluation.frame_steps import smooth
from vadbench.evaluation.frames import frame_scores, person_timelines
from vadbench.evaluation.published_protocols import STANDARD_V1

STANDARD = STANDARD_V1.on("any")

Windows = dict[tuple[str, int, int], float]
"""(clip, person, start) to anomaly score."""


def reference(windows: Windows, length: int, lengths: dict[str, int]) -> tuple[list[list[float]], list[np.ndarray]]:
    """Normality of each frame before and after smoothing: p_i[f + T/2] = s(f), else +inf; min over persons; +inf becomes
    the largest finite value of the whole data set; Gaussian filters of 1, 2, ..., 6 frames, one after another."""
    filled: list[list[float]] = []
    for clip, n_frames in lengths.items():
        persons: dict[int, list[float]] = {}
        for (name, person, start), anomaly in windows.items():
            if name == clip:
                persons.setdefault(person, [math.inf] * n_frames)[start + length // 2] = -anomaly
        filled.append([min((line[t] for line in persons.values()), default=math.inf) for t in range(n_frames)])
    finite = [value for line in filled for value in line if value != math.inf]
    filled = [[max(finite) if value == math.inf else value for value in line] for line in filled]
    smoothed = []
    for line in filled:
        values = np.array(line)
        for sigma in range(1, 7):
            values = gaussian_filter1d(values, sigma=sigma)
        smoothed.append(values)
    return filled, smoothed


@st.composite
def cases(draw):
    length = draw(st.integers(2, 9))
    lengths = {f"clip{i}": draw(st.integers(length, 40)) for i in range(draw(st.integers(1, 4)))}
    key = st.sampled_from(sorted(lengths)).flatmap(
        lambda clip: st.tuples(st.just(clip), st.integers(1, 3), st.integers(0, lengths[clip] - length))
    )
    return draw(st.dictionaries(key, st.floats(-1e6, 1e6), min_size=1, max_size=60)), length, lengths


@settings(deadline=None, max_examples=150)
@given(cases())
def test_against_the_reference(case):
    windows, length, lengths = case
    raw, smoothed = reference(windows, length, lengths)
    frames = frame_scores(scores_of(windows, length), axis_of(lengths), STANDARD)
    assert frames.clips == tuple(lengths)
    for ours, expected in zip(frames.raw, raw, strict=True):
        assert (-ours).tolist() == expected
    for ours, expected in zip(frames.smoothed, smoothed, strict=True):
        np.testing.assert_array_equal(-ours, expected)
    centres = {(clip, start + length // 2) for clip, _, start in windows}
    for clip, scored in zip(lengths, frames.scored, strict=True):
        assert {(clip, t) for t in np.flatnonzero(scored).tolist()} == {c for c in centres if c[0] == clip}


@pytest.mark.parametrize(("length", "centre"), [(8, 14), (9, 14), (24, 22)])
def test_a_window_scores_its_centre_frame(length, centre):
    frames = frame_scores(scores_of({("a", 1, 10): 5.0, ("b", 1, 0): 1.0}, length), axis_of({"a": 40, "b": 40}), STANDARD)
    assert np.flatnonzero(frames.raw[0] == 5.0).tolist() == [centre]


def test_the_most_anomalous_person_counts():
    windows = {("a", 1, 0): 1.0, ("a", 2, 0): 3.0, ("a", 3, 0): 2.0, ("a", 1, 1): -7.0}
    raw = frame_scores(scores_of(windows, 4), axis_of({"a": 6}), STANDARD).raw[0]
    assert raw.tolist() == [-7, -7, 3, -7, -7, -7]


def test_scores_frame_by_frame_use_the_centre_column():
    by_frame = np.arange(8.0).reshape(2, 4) * 10
    scores = WindowScores(np.array(["a", "a"]), np.array([1, 1]), np.array([0, 3]), by_frame, 4)
    raw = frame_scores(scores, axis_of({"a": 8}), STANDARD).raw[0]
    assert raw[2] == 20
    assert raw[5] == 60
    assert person_timelines(scores, axis_of({"a": 8}), STANDARD, "a")[1][[2, 5]].tolist() == [20, 60]


def test_the_fill_is_of_the_whole_test_set():
    windows = {("a", 1, 0): 5.0, ("b", 1, 0): -2.0}
    frames = frame_scores(scores_of(windows, 4), axis_of({"a": 6, "b": 6, "nobody": 5}), STANDARD)
    assert frames.raw[0].tolist() == [-2, -2, 5, -2, -2, -2]
    assert frames.raw[2].tolist() == [-2] * 5
    assert frames.smoothed[2].tolist() == pytest.approx([-2] * 5)
    assert not frames.scored[2].any()


def test_no_window_at_all():
    frames = frame_scores(scores_of({}, 4), axis_of({"a": 3, "b": 2}), STANDARD)
    assert [line.tolist() for line in frames.smoothed] == [[0, 0, 0], [0, 0]]
    assert not any(line.any() for line in frames.scored)


def test_clip_without_frames():
    frames = frame_scores(scores_of({("b", 1, 0): 2.0}, 4), axis_of({"a": 0, "b": 5}), STANDARD)
    assert [len(line) for line in frames.smoothed] == [0, 5]


def test_unknown_clip():
    with pytest.raises(DataError) as caught:
        frame_scores(scores_of({("a", 1, 0): 1.0, ("z", 1, 0): 1.0, ("y", 1, 0): 1.0}, 4), axis_of({"a": 9}), STANDARD)
    assert "2 clips" in caught.value.what
    assert "y, z" in caught.value.what


@pytest.mark.parametrize("start", [-3, 7, 2**40])
def test_window_beyond_the_clip(start):
    with pytest.raises(DataError) as caught:
        frame_scores(scores_of({("a", 1, 0): 1.0, ("a", 4, start): 1.0}, 4), axis_of({"a": 9, "b": 99}), STANDARD)
    assert f"frame {start + 2} of a clip of 9 frames" in caught.value.what
    assert caught.value.where == f"clip a, person 4, window at frame {start}"


def test_windows_that_hang_over_the_end_count_when_their_centre_does_not():
    raw = frame_scores(scores_of({("a", 1, 6): 1.0, ("a", 1, 0): 0.0}, 4), axis_of({"a": 9}), STANDARD).raw[0]
    assert raw[8] == 1.0


def test_smoothing_keeps_the_mean_of_a_constant_and_the_length():
    assert smooth(np.full(3, 2.0), STANDARD.smoothing).tolist() == pytest.approx([2, 2, 2])
    assert smooth(np.array([1.0, 5.0]), ()).tolist() == [1, 5]


class TestTimelines:
    def test_each_person(self):
        windows = {("a", 1, 0): 1.0, ("a", 2, 3): 3.0, ("b", 1, 1): 9.0}
        lines = person_timelines(scores_of(windows, 4), axis_of({"a": 8, "b": 8}), STANDARD, "a")
        assert sorted(lines) == [1, 2]
        assert np.flatnonzero(~np.isnan(lines[1])).tolist() == [2]
        assert np.flatnonzero(~np.isnan(lines[2])).tolist() == [5]
        assert lines[2][5] == 3

    def test_clip_without_windows(self):
        assert person_timelines(scores_of({("b", 1, 1): 9.0}, 4), axis_of({"a": 8, "b": 8}), STANDARD, "a") == {}
