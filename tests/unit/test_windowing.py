"""Window starts against a literal restatement of STG-NF's rule."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracks import made_tracks

from vadbench.api import WindowRule
from vadbench.data.normalisation import NONE
from vadbench.data.windowing import cut_windows, window_starts


def reference(frames: list[int], rule: WindowRule) -> list[int]:
    """Rows of one track at which windows begin: ceil((L - T) / stride) candidates; a candidate counts if at least
    T - missing of its T rows lie in frames [k, k + T), k its first frame."""
    length, found = rule.length, []
    span = len(frames) - length + (1 if rule.keep_last else 0)
    for i in range(max(math.ceil(span / rule.stride), 0)):
        rows = frames[i * rule.stride : i * rule.stride + length]
        assert len(rows) == length
        if sum(rows[0] <= frame < rows[0] + length for frame in rows) >= length - rule.missing:
            found.append(i * rule.stride)
    return found


frames_seen = st.lists(st.sampled_from([1, 1, 1, 1, 1, 2, 3, 9]), max_size=40).map(lambda gaps: np.cumsum(gaps).tolist())
rules = st.builds(WindowRule, st.integers(4, 10), st.integers(1, 7), st.integers(0, 3), st.booleans())


@settings(deadline=None, max_examples=200)
@given(st.lists(st.dictionaries(st.integers(0, 5), frames_seen, max_size=3), min_size=1, max_size=3), rules)
def test_against_the_reference(clips, rule):
    expected, row = [], 0
    for persons in clips:
        for _, frames in sorted(persons.items()):
            expected += [row + start for start in reference(frames, rule)]
            row += len(frames)
    starts = window_starts(made_tracks(*clips), rule)
    assert starts.tolist() == expected
    assert starts.dtype == np.int64


@given(st.integers(0, 60), st.integers(2, 30), st.integers(1, 9))
def test_number_of_windows_of_an_unbroken_track(rows, length, stride):
    starts = window_starts(made_tracks({1: range(5, 5 + rows)}), WindowRule(length, stride, missing=0))
    assert len(starts) == max(math.ceil((rows - length) / stride), 0)


@pytest.mark.parametrize(("rows", "kept", "plain"), [(7, 0, 0), (8, 1, 0), (9, 2, 1)])
def test_the_last_window(rows, kept, plain):
    tracks = made_tracks({1: range(rows)})
    assert len(window_starts(tracks, WindowRule(8))) == plain
    assert len(window_starts(tracks, WindowRule(8, keep_last=True))) == kept


def test_gap_rule_by_hand():
    tracks = made_tracks({1: [0, 1, 2, 5, 6, 7, 8, 9, 10]})
    # Rows from frame 0: 0 1 2 5 6, two of five beyond frame 4. From 1: 1 2 5 6 7, two beyond 5. From 2: 2 5 6 7 8, two.
    assert window_starts(tracks, WindowRule(5, missing=2)).tolist() == [0, 1, 2, 3]
    assert window_starts(tracks, WindowRule(5, missing=1)).tolist() == [3]
    assert window_starts(tracks, WindowRule(5, missing=0)).tolist() == [3]


def test_no_pose():
    assert window_starts(made_tracks({}), WindowRule(8)).tolist() == []


def test_windows_do_not_cross_tracks():
    tracks = made_tracks({1: range(6), 2: range(6)}, {1: range(6)})
    assert window_starts(tracks, WindowRule(8)).tolist() == []
    assert window_starts(tracks, WindowRule(5)).tolist() == [0, 6, 12]


def test_views_follow():
    windows = cut_windows(made_tracks({1: range(12)}), WindowRule(8), NONE, ["flip", "rotate:90"])
    assert windows.first.tolist() == [0, 1, 2, 3] * 3
    assert windows.view.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert [view.name for view in windows.views] == ["flip", "rotate:90"]
