"""Window scores: what is refused, and where it is said to be."""

from __future__ import annotations

import numpy as np
import pytest

from vadbench.api import DataError, WindowScores


def scores(score, *, length: int = 4, **terms) -> WindowScores:
    n = 3
    return WindowScores(np.array(["a", "b", "b"]), np.arange(n), 10 * np.arange(n), np.asarray(score, float), length, terms)


def test_one_a_window_or_one_a_frame():
    assert len(scores([1, 2, 3])) == 3
    assert scores(np.ones((3, 4))).score.shape == (3, 4)


def test_none_at_all():
    none = np.zeros(0, dtype=int)
    assert len(WindowScores(none.astype(str), none, none, none.astype(float), 4)) == 0


@pytest.mark.parametrize("shape", [(3, 3), (3, 1), (3, 4, 1)])
def test_other_shapes(shape):
    with pytest.raises(DataError) as caught:
        scores(np.ones(shape))
    assert str(shape) in caught.value.what
    assert "(3,)" in caught.value.remedy
    assert "(3, 4)" in caught.value.remedy


@pytest.mark.parametrize("n", [2, 4])
def test_number_of_scores(n):
    with pytest.raises(DataError, match=f"{n} values of score for 3 windows"):
        scores(np.ones(n))


def test_number_of_persons():
    with pytest.raises(DataError, match="2 values of person for 3 windows"):
        WindowScores(np.array(["a"] * 3), np.arange(2), np.arange(3), np.ones(3), 4)


def test_number_of_a_term():
    with pytest.raises(DataError, match="2 values of detail"):
        scores([1, 2, 3], detail=np.ones(2))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(value):
    with pytest.raises(DataError) as caught:
        scores([1, value, value])
    assert caught.value.what == "score is not finite for 2 of 3 windows"
    assert caught.value.where == "first: clip b, person 1, frame 10"


def test_not_finite_frame_by_frame_counts_windows():
    by_frame = np.ones((3, 4))
    by_frame[2, 1:] = np.nan
    with pytest.raises(DataError) as caught:
        scores(by_frame)
    assert caught.value.what == "score is not finite for 1 of 3 windows"
    assert "frame 20" in caught.value.where


def test_term_not_finite():
    with pytest.raises(DataError, match="detail is not finite for 1 of 3"):
        scores([1, 2, 3], detail=np.array([np.inf, 0, 0]))


def test_term_as_score():
    one = scores([1, 2, 3], detail=np.array([4.0, 5, 6])).of_term("detail")
    assert one.score.tolist() == [4, 5, 6]
    assert one.length == 4
    assert dict(one.terms) == {}
