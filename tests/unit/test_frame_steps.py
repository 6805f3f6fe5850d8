"""Persons, fill, shift, smoothing, quantiles and standardisation, each by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from frame_axes import axis_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter1d
from scipy.stats import rankdata
from sklearn.preprocessing import quantile_transform

from vadbench.api import DataError, WindowScores
from vadbench.evaluation.frame_steps import UNSCORED, fill, over_persons, quantiles, shift, smooth, standardised
from vadbench.evaluation.person_lines import person_lines
from vadbench.evaluation.protocol import Pipeline

lines = arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e3, 1e3))

PRESENT = {1: {0: 3.0, 1: 5.0}, 2: {1: 2.0, 2: -4.0}, 3: {1: 2.0}}
"""Person to frame to score, in a clip of 4 frames; a second clip of 2 frames has nobody."""


def combined(rule: str, *, absent_zero: bool, present=PRESENT):
    rows = [(person, frame, value) for person, frames in present.items() for frame, value in frames.items()]
    scores = WindowScores(
        np.array(["a"] * len(rows)), *(np.array([row[i] for row in rows]) for i in (0, 1)), np.array([r[2] for r in rows]), 1
    )
    axis = axis_of({"a": 4, "b": 2})
    made = person_lines(scores, axis, Pipeline(placement="start"))
    return over_persons(made, axis, rule=rule, absent_zero=absent_zero)


class TestPersons:
    @pytest.mark.parametrize(
        ("rule", "absent_zero", "expected"),
        [
            ("max", False, [3, 5, -4, UNSCORED]),
            ("min", False, [3, 2, -4, UNSCORED]),
            # With absent persons at 0: frame 0 lacks two, frame 2 two, frame 3 all three, frame 1 none.
            ("max", True, [3, 5, 0, 0]),
            ("min", True, [0, 2, -4, 0]),
        ],
    )
    def test_highest_and_lowest(self, rule, absent_zero, expected):
        score, scored = combined(rule, absent_zero=absent_zero)
        assert score.tolist() == [*expected, UNSCORED, UNSCORED]
        assert scored.tolist() == [True, True, True, False, False, False]

    def test_mean_plus_log_range(self):
        present = {1: {0: 3.0, 1: 5.0}, 2: {1: 2.0}}
        score, _ = combined("mean-plus-log-range", absent_zero=True, present=present)
        assert score[:4].tolist() == pytest.approx([1.5 + math.log(4 / 1), 3.5 + math.log(6 / 3), 0, 0])
        score, _ = combined("mean-plus-log-range", absent_zero=False, present=present)
        assert score[:4].tolist() == pytest.approx([3.0, 3.5 + math.log(6 / 3), UNSCORED, UNSCORED])

    def test_there_is_no_logarithm_of_everything(self):
        with pytest.raises(DataError, match="scores of -1 or less") as caught:
            combined("mean-plus-log-range", absent_zero=True)
        assert "origin" in caught.value.remedy


class TestFill:
    SCORES = np.array([2.0, UNSCORED, -3.0, UNSCORED])

    @pytest.mark.parametrize(("rule", "value", "lowest"), [("minimum", -3, -3), ("below-minimum", -4, -4), ("zero", 0, -3)])
    def test_by_hand(self, rule, value, lowest):
        filled, minimum = fill(self.SCORES, rule)
        assert filled.tolist() == [2, value, -3, value]
        assert minimum == lowest

    @pytest.mark.parametrize("rule", ["minimum", "below-minimum", "zero"])
    def test_where_nothing_is_scored(self, rule):
        assert fill(np.full(3, UNSCORED), rule)[0].tolist() == [0, 0, 0]
        assert fill(np.zeros(0), rule)[1] == 0


class TestShift:
    @given(lines, st.integers(0, 80))
    def test_against_the_definition(self, line, frames):
        moved = shift(line, frames, -7.0)
        assert moved.tolist() == [line[t - frames] if t >= frames else -7.0 for t in range(len(line))]

    @given(lines)
    def test_by_no_frame_is_the_identity(self, line):
        assert shift(line, 0, 5.0).tolist() == line.tolist()


class TestSmoothing:
    @given(lines)
    def test_with_sigma_0_or_none_is_the_identity(self, line):
        assert smooth(line, ()).tolist() == smooth(line, (0.0, 0.0)).tolist() == line.tolist()

    @given(lines, st.lists(st.floats(0.2, 9), max_size=3))
    def test_is_scipys_filters_one_after_another(self, line, sigmas):
        expected = line
        for sigma in sigmas:
            expected = gaussian_filter1d(expected, sigma)
        np.testing.assert_array_equal(smooth(line, sigmas), expected)

    @given(lines, st.floats(0.2, 9), st.floats(0.1, 10), st.floats(-100, 100))
    def test_commutes_with_scale_and_origin(self, line, sigma, scale, origin):
        np.testing.assert_allclose(smooth(scale * line + origin, (sigma,)), scale * smooth(line, (sigma,)) + origin, atol=1e-8)

    def test_of_no_frame(self):
        assert len(smooth(np.zeros(0), (3.0,))) == 0


class TestQuantiles:
    @given(arrays(np.float64, st.integers(2, 200), elements=st.integers(-20, 20).map(float)))
    def test_keep_order_and_ties(self, line):
        made = quantiles(line)
        assert ((made >= 0) & (made <= 1)).all()
        order = np.argsort(line, kind="stable")
        assert (np.diff(made[order]) >= -1e-12).all()
        for value in np.unique(line):
            assert np.ptp(made[line == value]) == 0

    @given(arrays(np.float64, st.integers(2, 200), elements=st.integers(-(10**6), 10**6).map(lambda i: i / 8), unique=True))
    def test_of_distinct_scores_are_their_ranks(self, line):
        np.testing.assert_allclose(quantiles(line), (rankdata(line) - 1) / (len(line) - 1), atol=1e-6)

    def test_of_more_frames_than_quantiles_are_scikit_learns(self):
        line = np.random.default_rng(0).normal(size=5000)
        theirs = quantile_transform(line[:, None], n_quantiles=1000, subsample=10_000)[:, 0]
        np.testing.assert_array_equal(quantiles(line), theirs)

    def test_do_not_depend_on_chance_on_long_scenes(self):
        line = np.random.default_rng(0).normal(size=30_000)
        np.testing.assert_array_equal(quantiles(line), quantiles(line))

    @pytest.mark.parametrize("n", [0, 1])
    def test_of_hardly_any_frame(self, n):
        assert len(quantiles(np.zeros(n))) == n


class TestStandardised:
    def test_has_mean_0_and_deviation_1(self):
        made = standardised(np.random.default_rng(0).normal(5, 3, size=100))
        assert made.mean() == pytest.approx(0, abs=1e-12)
        assert made.std() == pytest.approx(1)

    @pytest.mark.parametrize("line", [[], [4.0], [2.0, 2.0]])
    def test_of_equal_scores_is_0(self, line):
        assert standardised(np.array(line)).tolist() == [0.0] * len(line)
