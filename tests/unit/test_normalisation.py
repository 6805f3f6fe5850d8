"""STG-NF's normalisation against a plain loop, and what it must not depend on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vadbench.api import ConfigError
from vadbench.data.normalisation import NORMALISATIONS, none, normaliser, stg_nf


def windows(missing: float = 0.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(50, 400, (5, 8, 18, 2)).astype(np.float32)
    xy[rng.uniform(size=xy.shape[:3]) < missing] = np.nan
    return xy


def reference(window: np.ndarray) -> np.ndarray:
    """One window (T, J, 2), number by number in double precision; NaN takes no part."""
    x = [[float(p[0]) / 856 for p in pose] for pose in window]
    y = [[float(p[1]) / 480 for p in pose] for pose in window]
    flat_x = [v for row in x for v in row if not math.isnan(v)]
    flat_y = [v for row in y for v in row if not math.isnan(v)]
    mean_x, mean_y = sum(flat_x) / len(flat_x), sum(flat_y) / len(flat_y)
    spread = (sum((v - mean_y) ** 2 for v in flat_y) / len(flat_y)) ** 0.5
    return np.array(
        [[((a - mean_x) / spread, (b - mean_y) / spread) for a, b in zip(p, q, strict=True)] for p, q in zip(x, y, strict=True)]
    )


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_against_the_loop(missing):
    xy = windows(missing)
    done = stg_nf(xy)
    assert done.dtype == np.float32
    for window, expected in zip(done, map(reference, xy), strict=True):
        np.testing.assert_allclose(window, expected, atol=2e-5)


def test_missing_stays_missing_and_nothing_else():
    xy = windows(0.3)
    np.testing.assert_array_equal(np.isnan(stg_nf(xy)), np.isnan(xy))


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_translation_and_size_are_removed(missing):
    xy = windows(missing)
    np.testing.assert_allclose(stg_nf(xy + np.float32([100, -30])), stg_nf(xy), atol=1e-4)
    np.testing.assert_allclose(stg_nf(xy * np.float32(1.7)), stg_nf(xy), atol=1e-4)


def test_proportions_are_kept():
    xy = windows()
    wide = xy * np.float32([2, 1])
    np.testing.assert_allclose(stg_nf(wide)[..., 0], 2 * stg_nf(xy)[..., 0], atol=1e-4)


def test_windows_do_not_see_each_other():
    xy = windows(0.2)
    np.testing.assert_array_equal(stg_nf(xy[[3]])[0], stg_nf(xy)[3])
    # A missing joint elsewhere in the batch selects another path, not another result.
    whole = windows()
    np.testing.assert_allclose(stg_nf(np.concatenate([whole, xy]))[:5], stg_nf(whole), atol=1e-5)


@pytest.mark.filterwarnings("error")
def test_windows_without_size_or_joints():
    xy = windows()
    xy[1, ..., 1] = 77
    xy[2] = np.nan
    done = stg_nf(xy)
    assert np.abs(done[1, ..., 0]).max() < 1
    assert np.abs(done[1, ..., 1]).max() < 1e-6
    assert np.isnan(done[2]).all()
    np.testing.assert_allclose(done[0], reference(xy[0]), atol=2e-5)


@pytest.mark.parametrize("height", np.linspace(1, 470, 25))
def test_no_rounding_error_is_blown_up(height):
    xy = windows()
    xy[..., 1] = height
    assert np.abs(stg_nf(xy)).max() < 1


def test_input_is_left_alone():
    xy = windows(0.1)
    before = xy.copy()
    for normalise in NORMALISATIONS.values():
        normalise(xy)[:] = 0
        np.testing.assert_array_equal(xy, before)


def test_none():
    np.testing.assert_array_equal(none(windows(0.1)), windows(0.1))


def test_by_name():
    assert normaliser("stg-nf") is stg_nf
    with pytest.raises(ConfigError, match="did you mean 'stg-nf'"):
        normaliser("stgnf")
