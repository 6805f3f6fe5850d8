"""What passes for rounding when two results are held against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.testing.conformance import ConformanceError, expect_same

SCORES = np.random.default_rng(3).gamma(2.0, 1.0, 300)


def same(got: np.ndarray, wanted: np.ndarray, **how: bool) -> bool:
    try:
        expect_same(got, wanted, "the same", "Detector", **how)
    except ConformanceError:
        return False
    return True


@given(st.floats(-9, 9))
def test_units_do_not_matter(power: float) -> None:
    unit = 10.0**power
    one = np.eye(1, len(SCORES))[0]
    assert same(unit * (SCORES + 1e-5 * one), unit * SCORES)
    assert not same(unit * (SCORES + 1e-2 * one), unit * SCORES)


@given(st.floats(-1e4, 1e4))
def test_zero_may_lie_anywhere_that_float32_reaches(offset: float) -> None:
    assert not same(SCORES + offset + 0.1, SCORES + offset)
    assert same((SCORES + offset).astype(np.float32), SCORES + offset)


def test_scores_of_a_million_in_single_precision() -> None:
    rounded = (SCORES + 1e6).astype(np.float32)
    assert same(np.nextafter(rounded, np.float32(np.inf)), rounded)
    assert not same(rounded + 5, rounded)


def test_one_far_off_hides_nothing_of_the_others() -> None:
    wanted = np.append(SCORES, 1e6)
    got = wanted.copy()
    got[0] += 0.01
    assert not same(got, wanted)


def test_values_that_never_vary() -> None:
    assert same(np.zeros(5), np.zeros(5))
    assert not same(np.full(5, 1e-9), np.zeros(5))
    assert same(np.full(5, 3 + 1e-6), np.full(5, 3.0))
    assert not same(np.full(5, 3.001), np.full(5, 3.0))


def test_latents_of_which_most_stay_at_nothing() -> None:
    wanted = np.append(1e-14 * SCORES[:50], SCORES[:10])
    got = wanted + 1e-6
    assert same(got, wanted, as_whole=True)
    assert not same(got, wanted)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_not_finite_is_the_same_as_itself_alone(odd: float) -> None:
    wanted = np.append(SCORES, odd)
    assert same(wanted.copy(), wanted)
    assert not same(np.append(SCORES, 1.0), wanted)
    assert not same(wanted, np.append(SCORES, 1.0))
    assert not same(np.full(3, odd), np.zeros(3))
