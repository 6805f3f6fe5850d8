"""Linked windows against a slow reference that walks a track backwards, row by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracks import made_windows

from vadbench.api import Tracks, WindowRule, Windows

LENGTH = 4


def rows_before(tracks: Tracks, row: int, rule: WindowRule) -> list[int]:
    """The rows at which the windows before the one at ``row`` begin, nearest first."""
    found: list[int] = []
    frame = tracks.frame.tolist()
    while True:
        before = row - rule.length
        same_track = before >= 0 and tracks.clip[before] == tracks.clip[row] and tracks.person[before] == tracks.person[row]
        if not same_track:
            return found
        within = sum(frame[before] <= frame[before + i] < frame[before] + rule.length for i in range(rule.length))
        if within < rule.length - rule.missing or frame[row] - frame[before] > rule.length + rule.missing:
            return found
        found.append(before)
        row = before


def walked(windows: Windows, previous: np.ndarray, at: int) -> list[tuple[int, int]]:
    chain = []
    while (at := int(previous[at])) >= 0:
        chain.append((int(windows.first[at]), int(windows.view[at])))
    return chain


@st.composite
def seen(draw) -> list[int]:
    """The frames of one track: mostly one after another, with gaps of up to 6 frames."""
    gaps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 3, 7]), min_size=1, max_size=30))
    return np.cumsum(gaps).tolist()


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.lists(seen(), max_size=3), min_size=1, max_size=2),
    st.integers(1, 6),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([(), ("flip",), ("flip", "shear:0.1")]),
)
def test_against_the_reference(clips, stride, missing, keep_last, views):
    rule = WindowRule(LENGTH, stride, missing, keep_last)
    persons = [dict(enumerate(tracks)) for tracks in clips]
    windows = made_windows(*persons, rule=rule, views=views)
    linked, previous = windows.linked()
    count = len(windows)
    assert linked.first[:count].tolist() == windows.first.tolist()
    assert linked.view[:count].tolist() == windows.view.tolist()
    assert len(previous) == len(linked)
    everything = list(zip(linked.first.tolist(), linked.view.tolist(), strict=True))
    assert len(set(everything)) == len(everything)
    needed = set(zip(windows.first.tolist(), windows.view.tolist(), strict=True))
    for at, (first, view) in enumerate(everything):
        expected = [(row, view) for row in rows_before(windows.tracks, first, rule)]
        assert walked(linked, previous, at) == expected
        if at < count:
            needed |= set(expected)
    assert set(everything) == needed, "nothing is linked in that no window asks for"


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 5, 8])
def test_an_unbroken_track_is_tiled_back_to_its_beginning(stride):
    windows = made_windows({1: range(30)}, rule=WindowRule(LENGTH, stride))
    linked, previous = windows.linked()
    for at in range(len(windows)):
        first = int(windows.first[at])
        assert [row for row, _ in walked(linked, previous, at)] == list(range(first - LENGTH, -1, -LENGTH))


@pytest.mark.parametrize(("missing", "gap", "joined"), [(0, 1, True), (0, 2, False), (2, 3, True), (2, 4, False)])
def test_how_long_a_gap_may_be_between_two_windows(missing, gap, joined):
    after = 3 + gap
    windows = made_windows({1: [0, 1, 2, 3, *range(after, after + 4)]}, rule=WindowRule(LENGTH, 1, missing, keep_last=True))
    last = windows.select(windows.start == after)
    linked, previous = last.linked()
    assert walked(linked, previous, 0) == ([(0, 0)] if joined else [])


def test_no_window_at_all():
    linked, previous = made_windows({1: range(3)}).linked()
    assert len(linked) == len(previous) == 0


def test_no_pose_at_all():
    linked, previous = made_windows({}).linked()
    assert len(linked) == len(previous) == 0


def test_selection_keeps_its_history():
    windows = made_windows({1: range(30)}, rule=WindowRule(LENGTH))
    last = windows.select(np.array([len(windows) - 1]))
    linked, previous = last.linked()
    assert [row for row, _ in walked(linked, previous, 0)] == [21, 17, 13, 9, 5, 1]
    np.testing.assert_array_equal(linked.batch(slice(1, 2)).x, windows.batch(np.array([21])).x)
