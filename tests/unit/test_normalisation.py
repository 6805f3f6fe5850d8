"""Each normalisation against a plain loop over its published rule, and what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from made_tracks import made_tracks

from vadbench.api import ConfigError, PixelWindows
from vadbench.data.normalisation import GEPC, NONE, NORMALISATIONS, STG_NF, check_normalisation, fit_normaliser, fit_robust


def windows(missing: float = 0.0, seed: int = 0) -> PixelWindows:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(50, 400, (5, 2, 8, 18)).astype(np.float32)
    lost = rng.uniform(size=(5, 8, 18)) < missing
    xy.transpose(0, 2, 3, 1)[lost] = np.nan
    picture = np.tile(np.float32([856, 480]), (5, 1))
    return PixelWindows(xy, np.where(lost, 0, 1).astype(np.float32), picture, np.arange(5))


def of(xy: np.ndarray) -> PixelWindows:
    return PixelWindows(
        xy, np.ones(xy[:, 0].shape, np.float32), np.tile(np.float32([856, 480]), (len(xy), 1)), np.arange(len(xy))
    )


def done(normaliser, given: PixelWindows) -> np.ndarray:
    return normaliser(given).to_model(given.xy)


def stg_nf_by_hand(window: np.ndarray) -> np.ndarray:
    """One window (2, T, J), number by number in double precision; NaN takes no part."""
    x, y = window[0].astype(float) / 856, window[1].astype(float) / 480
    seen_x, seen_y = x[~np.isnan(x)].tolist(), y[~np.isnan(y)].tolist()
    mean_x, mean_y = sum(seen_x) / len(seen_x), sum(seen_y) / len(seen_y)
    spread = (sum((v - mean_y) ** 2 for v in seen_y) / len(seen_y)) ** 0.5
    return np.stack([(x - mean_x) / spread, (y - mean_y) / spread])


def gepc_by_hand(window: np.ndarray) -> np.ndarray:
    x, y = 2 * window[0].astype(float) / 856 - 1, 2 * window[1].astype(float) / 480 - 1
    return np.stack([x - np.nanmean(x), y - np.nanmean(y)])


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize(("normaliser", "by_hand"), [(STG_NF, stg_nf_by_hand), (GEPC, gepc_by_hand)])
def test_against_the_loop(missing, normaliser, by_hand):
    given = windows(missing)
    got = done(normaliser, given)
    assert got.dtype == np.float32
    for window, expected in zip(got, map(by_hand, given.xy), strict=True):
        np.testing.assert_allclose(window, expected, atol=1e-5)


class TestEvery:
    @pytest.fixture(params=NORMALISATIONS)
    def normaliser(self, request):
        return fit_normaliser(request.param, made_tracks({1: range(40)}, missing=0.1))

    def test_missing_stays_missing_and_nothing_else(self, normaliser):
        given = windows(0.3)
        np.testing.assert_array_equal(np.isnan(done(normaliser, given)), np.isnan(given.xy))

    def test_inverse(self, normaliser):
        given = windows(0.2)
        back = normaliser(given).to_pixels(done(normaliser, given))
        np.testing.assert_allclose(back, given.xy, atol=1e-3)

    def test_windows_do_not_see_each_other(self, normaliser):
        given = windows(0.2)
        one = PixelWindows(given.xy[[3]], given.confidence[[3]], given.picture[[3]], given.key[[3]])
        np.testing.assert_array_equal(done(normaliser, one)[0], done(normaliser, given)[3])

    def test_input_is_left_alone(self, normaliser):
        given = windows(0.1)
        before = given.xy.copy()
        done(normaliser, given)[:] = 0
        np.testing.assert_array_equal(given.xy, before)

    @pytest.mark.filterwarnings("error")
    def test_windows_without_joints(self, normaliser):
        given = windows()
        given.xy[2] = np.nan
        got = done(normaliser, given)
        assert np.isnan(got[2]).all()
        assert np.isfinite(np.delete(got, 2, axis=0)).all()


class TestSTGNF:
    @pytest.mark.parametrize("missing", [0.0, 0.3])
    def test_translation_and_size_are_removed(self, missing):
        xy = windows(missing).xy
        np.testing.assert_allclose(done(STG_NF, of(xy + np.float32(30))), done(STG_NF, of(xy)), atol=1e-4)
        np.testing.assert_allclose(done(STG_NF, of(xy * np.float32(1.7))), done(STG_NF, of(xy)), atol=1e-4)

    def test_the_picture_plays_no_part(self):
        given = windows()
        other = PixelWindows(given.xy, given.confidence, given.picture * 2, given.key)
        np.testing.assert_array_equal(done(STG_NF, other), done(STG_NF, given))

    @pytest.mark.parametrize("height", np.linspace(1, 470, 25))
    def test_no_rounding_error_is_blown_up(self, height):
        xy = windows().xy
        xy[:, 1] = height
        assert np.abs(done(STG_NF, of(xy))).max() < 1


class TestRobust:
    """Median and percentiles are over the training poses; everything else is a pose's own."""

    def test_by_hand(self):
        tracks = made_tracks({1: range(30)})
        robust = fit_robust(tracks)
        poses = tracks.keypoints[..., :2].astype(float)
        local = np.array([self.in_box(pose) for pose in poses])
        low, median, high = np.percentile(local, (10, 50, 90), axis=0)
        expected = (local - median) / (high - low)
        got = done(robust, of(np.ascontiguousarray(tracks.planes[:2, :, None].transpose(1, 0, 2, 3))))
        np.testing.assert_allclose(got[:, :, 0].transpose(0, 2, 1), expected, atol=1e-4)

    @staticmethod
    def in_box(pose: np.ndarray) -> np.ndarray:
        """One pose (J, 2) relative to its box, in the steps of the rule."""
        low, high = np.rint(pose.min(axis=0)), np.rint(pose.max(axis=0))
        extra = 0.1 * (high - low + 1)
        edge = np.array([856, 480]) - 1
        low, high = np.rint(np.clip(low - extra, 0, edge)), np.rint(np.clip(high + extra, 0, edge))
        return (pose - (low + high) / 2) / (high - low)

    def test_training_poses_are_spread_alike(self):
        tracks = made_tracks({1: range(300)}, missing=0.2)
        got = done(fit_robust(tracks), of(np.ascontiguousarray(tracks.planes[:2, :, None].transpose(1, 0, 2, 3))))[:, :, 0]
        np.testing.assert_allclose(np.nanmedian(got, axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(np.subtract(*np.nanpercentile(got, (90, 10), axis=0)), 1, atol=1e-4)

    def test_a_joint_that_is_never_there(self):
        tracks = made_tracks({1: range(20)})
        tracks.keypoints[:, 4] = (np.nan, np.nan, 0)
        robust = fit_robust(tracks)
        assert np.isfinite(robust.median).all()
        assert (robust.spread > 0).all()


def test_none_leaves_pixels():
    np.testing.assert_array_equal(done(NONE, windows(0.1)), windows(0.1).xy)


def test_by_name():
    assert fit_normaliser("stg-nf", made_tracks({1: range(3)})) is STG_NF
    for asked in (check_normalisation, lambda name: fit_normaliser(name, made_tracks({1: range(3)}))):
        with pytest.raises(ConfigError, match="did you mean 'stg-nf'"):
            asked("stgnf")
