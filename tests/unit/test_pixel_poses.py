"""The size of a person, and percentiles of what is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from posed_windows import posed_windows, standing

from vadbench.data.normalisation import GEPC, STG_NF
from vadbench_baselines.pixel_poses import PixelPoses, percentile_of_seen


@given(st.integers(0, 2**31), st.floats(0, 100), st.integers(1, 12))
def test_percentile_is_that_of_numpy_over_what_is_seen(seed: int, percentile: float, count: int) -> None:
    rng = np.random.default_rng(seed)
    values, seen = rng.normal(size=(5, count)), rng.random((5, count)) < 0.6
    seen[0] = True
    found = percentile_of_seen(values, seen, percentile)
    for row in range(5):
        wanted = np.percentile(values[row, seen[row]], percentile) if seen[row].any() else 0.0
        assert found[row] == pytest.approx(wanted, abs=1e-12)


def test_percentile_of_no_rows_and_of_no_columns() -> None:
    assert percentile_of_seen(np.zeros((0, 3)), np.zeros((0, 3), dtype=bool), 95).shape == (0,)
    assert percentile_of_seen(np.zeros((3, 0)), np.zeros((3, 0), dtype=bool), 95).tolist() == [0, 0, 0]


@pytest.mark.parametrize("normaliser", [STG_NF, GEPC])
def test_pixels_and_frames_are_those_of_the_tracks_whatever_the_normalisation(normaliser) -> None:
    poses = standing(9) + np.random.default_rng(1).normal(size=(1, 9, 18, 2))
    windows = posed_windows(poses, frames=[0, 1, 2, 4, 5, 6, 7, 8, 9], normaliser=normaliser)
    found = PixelPoses.of(windows, windows.batch(np.array([1, 0])))
    np.testing.assert_allclose(found.xy[1], poses[0, :8].transpose(2, 0, 1), atol=1e-3)
    assert found.frame.tolist() == [[1, 2, 4, 5, 6, 7, 8, 9], [0, 1, 2, 4, 5, 6, 7, 8]]


def test_size_is_the_longer_side_of_the_box_and_the_median_over_frames() -> None:
    poses = standing(8, height=120)
    poses[0, 3] *= 3  # one frame in which the tracker failed
    windows = posed_windows(np.concatenate([poses, poses[..., ::-1]]))
    sizes = PixelPoses.of(windows, windows.batch(slice(None))).size
    np.testing.assert_allclose(sizes, 120, rtol=1e-4)


def test_missing_joints_make_a_person_no_larger_and_nobody_has_the_size_of_a_pixel() -> None:
    poses = standing(8, people=2)
    poses[0, :, 5:] = np.nan
    poses[1] = np.nan
    windows = posed_windows(poses)
    np.testing.assert_allclose(PixelPoses.of(windows, windows.batch(slice(None))).size, [100, 1], rtol=1e-4)
