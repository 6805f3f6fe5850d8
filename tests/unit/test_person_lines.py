"""Placement, overlap, filling backwards and absences, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from frame_axes import axis_of, scores_of
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import DataError, WindowScores
from vadbench.evaluation.person_lines import PersonLines, pad_absences, person_lines
from vadbench.evaluation.protocol import Pipeline

T = 4
NOTHING = None


def line_of(lines: PersonLines, person: int, n_frames: int) -> list[float | None]:
    """One person's scores, None where there are none."""
    (i,) = np.flatnonzero(lines.name == person)
    found: list[float | None] = [NOTHING] * n_frames
    for cell in range(lines.bounds[i], lines.bounds[i + 1]):
        if lines.scored[cell]:
            found[lines.frame[cell]] = float(lines.value[cell])
    return found


def placed(windows: dict[tuple[str, int, int], object], n_frames: int = 10, **steps) -> list[float | None]:
    return line_of(person_lines(scores_of(windows, T), axis_of({"a": n_frames}), Pipeline(**steps)), 1, n_frames)


ONE = {("a", 1, 2): 7.0}
OVERLAPPING = {("a", 1, 0): 1.0, ("a", 1, 1): 4.0, ("a", 1, 3): 0.0}


class TestPlacement:
    @pytest.mark.parametrize(
        ("placement", "frames"),
        [("centre", [4]), ("start", [2]), ("last", [5]), ("next", [6]), ("every", [2, 3, 4, 5])],
    )
    def test_of_one_window(self, placement, frames):
        assert placed(ONE, placement=placement) == [7.0 if t in frames else None for t in range(10)]

    @pytest.mark.parametrize(("number", "frames"), [(1, [5]), (3, [3, 4, 5]), (4, [2, 3, 4, 5]), (9, [2, 3, 4, 5])])
    def test_target_frames_are_the_last_ones(self, number, frames):
        assert placed(ONE, placement="target", target_frames=number) == [7.0 if t in frames else None for t in range(10)]

    @pytest.mark.parametrize(
        ("placement", "expected"),
        [
            ("centre", {4: 30.0}),
            ("start", {2: 10.0}),
            ("last", {5: 40.0}),
            ("next", {6: 40.0}),
            ("every", {2: 10.0, 3: 20.0, 4: 30.0, 5: 40.0}),
        ],
    )
    def test_of_scores_frame_by_frame_the_placed_frames_count(self, placement, expected):
        scores = WindowScores(np.array(["a"]), np.array([1]), np.array([2]), np.array([[10.0, 20, 30, 40]]), T)
        lines = person_lines(scores, axis_of({"a": 10}), Pipeline(placement=placement))
        assert line_of(lines, 1, 10) == [expected.get(t) for t in range(10)]

    def test_what_falls_behind_the_end_is_dropped(self):
        assert placed({("a", 1, 6): 7.0}, placement="next") == [None] * 10
        assert placed({("a", 1, 7): 7.0}, placement="every") == [None] * 7 + [7.0] * 3

    def test_a_branch_lies_whole_windows_further_on(self):
        lines = person_lines(scores_of(ONE, T), axis_of({"a": 10}), Pipeline(), ahead=1)
        assert line_of(lines, 1, 10) == [None] * 8 + [7.0, None]

    @pytest.mark.parametrize("start", [-1, 8])
    def test_a_window_outside_its_clip(self, start):
        with pytest.raises(DataError, match="of a clip of 10 frames"):
            placed({("a", 1, start): 1.0}, placement="every")


class TestOverlap:
    @pytest.mark.parametrize(
        ("overlap", "expected"),
        [
            ("max", [1, 4, 4, 4, 4, 0, 0]),
            ("mean", [1, 2.5, 2.5, 5 / 3, 2, 0, 0]),
            ("mean-nonzero", [1, 2.5, 2.5, 2.5, 4, None, None]),
        ],
    )
    def test_by_hand(self, overlap, expected):
        found = placed(OVERLAPPING, 7, placement="every", overlap=overlap)
        assert found == pytest.approx(expected) if None not in expected else found == expected

    @given(st.permutations(range(9)))
    def test_the_order_of_windows_changes_no_bit(self, order):
        rng = np.random.default_rng(0)
        every = [(("a", 1 + i % 2, i), float(value)) for i, value in enumerate(rng.normal(size=9))]
        axis = axis_of({"a": 20})
        for overlap in ("max", "mean", "mean-nonzero"):
            rule = Pipeline(placement="every", overlap=overlap)
            straight = person_lines(scores_of(dict(every), T), axis, rule)
            mixed = person_lines(scores_of(dict(every[i] for i in order), T), axis, rule)
            np.testing.assert_array_equal(straight.value, mixed.value)
            np.testing.assert_array_equal(straight.frame, mixed.frame)


class TestBackfill:
    def filled(self, starts: dict[int, float], n_frames: int = 20) -> list[float | None]:
        return placed({("a", 1, start): value for start, value in starts.items()}, n_frames, placement="next", backfill=True)

    def test_the_first_window_also_scores_the_frames_before(self):
        assert self.filled({3: 1.0, 4: 2.0}, 10) == [None] * 3 + [1.0] * 5 + [2.0, None]

    def test_after_a_long_gap_as_many_frames_as_a_window(self):
        # Placed at 4 and at 14: 9 frames between them, of which the last 4 are filled.
        assert self.filled({0: 1.0, 10: 2.0}) == [1.0] * 5 + [None] * 5 + [2.0] * 5 + [None] * 5

    def test_after_a_short_gap_no_more_than_the_gap(self):
        assert self.filled({0: 1.0, 3: 2.0}, 10) == [1.0] * 5 + [2.0] * 3 + [None] * 2

    def test_a_window_that_ends_with_the_clip_still_scores_its_own_frames(self):
        assert self.filled({6: 5.0}, 10) == [None] * 6 + [5.0] * 4

    @pytest.mark.parametrize(("placement", "first"), [("start", 6), ("centre", 6), ("last", 6), ("next", 6), ("every", 6)])
    def test_a_track_is_filled_to_where_it_begins_whatever_the_placement(self, placement, first):
        line = placed({("a", 1, 6): 1.0, ("a", 1, 7): 2.0}, 20, placement=placement, backfill=True)
        assert min(t for t, value in enumerate(line) if value is not None) == first
        assert line[first] == 1.0

    def test_of_target_frames_too(self):
        line = placed({("a", 1, 6): 1.0}, 20, placement="target", target_frames=1, backfill=True)
        assert line == [1.0 if 6 <= t < 10 else None for t in range(20)]

    def test_persons_do_not_fill_each_other(self):
        windows = {("a", 1, 0): 1.0, ("a", 2, 8): 2.0, ("b", 1, 2): 3.0}
        lines = person_lines(scores_of(windows, T), axis_of({"a": 16, "b": 16}), Pipeline(placement="next", backfill=True))
        assert lines.name.tolist() == [1, 2, 1]
        assert lines.clip.tolist() == [0, 0, 1]
        assert lines.frame.tolist() == [*range(5), *range(8, 13), *range(2, 7)]


class TestShortTracks:
    def test_those_with_fewer_windows_than_frames_of_one_are_left_out(self):
        windows = {("a", 1, t): 1.0 for t in range(T)} | {("a", 2, t): 1.0 for t in range(T - 1)}
        lines = person_lines(scores_of(windows, T), axis_of({"a": 10}), Pipeline(short_tracks="leave-out"))
        assert line_of(lines, 1, 10) == [None] * 2 + [1.0] * T + [None] * 4
        assert line_of(lines, 2, 10) == [None] * 10


class TestAbsencePad:
    @given(
        scored=st.lists(st.booleans(), min_size=1, max_size=25),
        pad=st.integers(0, 6),
    )
    def test_against_the_definition(self, scored, pad):
        there = [t for t, yes in enumerate(scored) if yes]
        windows = {("a", 1, t): 1.0 + t for t in there}
        axis = axis_of({"a": len(scored)})
        # Windows of one frame: placed exactly where they start.
        lines = person_lines(scores_of(windows, 1), axis, Pipeline(placement="start"))
        kept = pad_absences(lines, axis, pad)
        expected = [t for t in there if all(scored[other] for other in range(max(0, t - pad), min(len(scored), t + pad + 1)))]
        assert kept.frame[kept.scored].tolist() == expected
        assert (kept.value[~kept.scored] == 0).all()


def test_no_window():
    lines = person_lines(scores_of({}, T), axis_of({"a": 5}), Pipeline(placement="every", backfill=False))
    assert len(lines.name) == len(lines.frame) == 0
    assert lines.bounds.tolist() == [0]


def test_track_ids_may_be_any_numbers():
    windows = {("a", -5, 0): 1.0, ("a", 2**62, 1): 2.0, ("b", -5, 2): 3.0}
    lines = person_lines(scores_of(windows, T), axis_of({"a": 9, "b": 9}), Pipeline())
    assert lines.name.tolist() == [-5, 2**62, -5]
    assert lines.value.tolist() == [1, 2, 3]
