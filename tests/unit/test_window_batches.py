"""Windows as arrays: gathered, normalised, seen in a mirror, and free of NaN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_tracks import made_tracks, made_windows

from vadbench.api import COCO_18, ConfigError, WindowRule
from vadbench.data.normalisation import NONE, NORMALISATIONS, fit_normaliser
from vadbench.data.windowing import cut_windows

WALKS = ({1: range(20), 2: range(5, 30)}, {7: range(12)})


def test_shapes_and_columns():
    windows = made_windows(*WALKS)
    assert len(windows) == (20 - 8) + (25 - 8) + (12 - 8)
    batch = windows.batch(np.array([0, 15, 32]))
    assert batch.x.shape == (3, 2, 8, 18)
    assert batch.x.dtype == np.float32
    assert batch.x.flags.c_contiguous
    assert batch.confidence.shape == (3, 8, 18)
    assert batch.index.tolist() == [0, 15, 32]
    assert windows.clip[[0, 15, 32]].tolist() == [0, 0, 1]
    assert windows.person[[0, 15, 32]].tolist() == [1, 2, 7]
    assert windows.start[[0, 15, 32]].tolist() == [0, 8, 3]
    assert (windows.shape.channels, windows.shape.frames, windows.shape.joints) == (2, 8, 18)


def test_pixels_are_where_they_belong():
    tracks = made_tracks(*WALKS)
    windows = cut_windows(tracks, WindowRule(8), NONE)
    batch = windows.batch(slice(None))
    for w in (0, 13, 31):
        row = int(windows.first[w])
        for t in (0, 7):
            assert batch.x[w, 0, t].tolist() == tracks.keypoints[row + t, :, 0].tolist()
            assert batch.x[w, 1, t].tolist() == tracks.keypoints[row + t, :, 1].tolist()
            assert batch.confidence[w, t].tolist() == tracks.keypoints[row + t, :, 2].tolist()


@pytest.mark.parametrize("index", [slice(3, 9), np.array([5, 0, 5]), np.array([], dtype=np.int64), slice(30, 99)])
def test_a_batch_is_a_part_of_the_whole(index):
    windows = made_windows(*WALKS, missing=0.1, views=["flip"])
    whole, part = windows.batch(slice(None)), windows.batch(index)
    assert part.index.tolist() == np.arange(len(windows))[index].tolist()
    np.testing.assert_array_equal(part.x, whole.x[part.index])
    np.testing.assert_array_equal(part.confidence, whole.confidence[part.index])


def test_tracks_are_left_alone():
    windows = cut_windows(made_tracks(*WALKS, missing=0.2), WindowRule(8), NONE, ["flip-swap"])
    before = windows.tracks.fingerprint()
    windows.batch(slice(None)).x[:] = -1
    assert windows.tracks.fingerprint() == before


class TestMirror:
    def test_negated_x_and_nothing_else(self):
        batch = made_windows(*WALKS, views=["flip"], missing=0.1).batch(slice(None))
        plain, mirrored = np.split(batch.x, 2)
        np.testing.assert_allclose(mirrored[:, 0], -plain[:, 0], atol=2e-6)
        np.testing.assert_allclose(mirrored[:, 1], plain[:, 1], atol=2e-6)
        np.testing.assert_array_equal(*np.split(batch.confidence, 2))

    def test_sides_exchanged(self):
        batch = made_windows(*WALKS, views=["flip-swap"], missing=0.1).batch(slice(None))
        plain, mirrored = np.split(batch.x, 2)
        left, right = COCO_18.index("left_wrist"), COCO_18.index("right_wrist")
        nose = COCO_18.index("nose")
        for a, b in ((left, right), (right, left), (nose, nose)):
            np.testing.assert_allclose(mirrored[:, 0, :, a], -plain[:, 0, :, b], atol=2e-6)
            np.testing.assert_allclose(mirrored[:, 1, :, a], plain[:, 1, :, b], atol=2e-6)
            confidence, turned = np.split(batch.confidence, 2)
            np.testing.assert_array_equal(turned[..., a], confidence[..., b])

    def test_no_view_but_the_plain_one(self):
        assert not made_windows(*WALKS).view.any()


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_back_to_pixels(name):
    tracks = made_tracks(*WALKS, missing=0.1)
    windows = cut_windows(tracks, WindowRule(8), fit_normaliser(name, tracks), ["rotate:30"])
    index = np.arange(len(windows))
    batch = windows.batch(index)
    pixels = windows.placement(index).to_pixels(batch.x)
    seen = np.broadcast_to((batch.confidence > 0)[:, None], pixels.shape)
    plain = cut_windows(tracks, WindowRule(8), NONE, ["rotate:30"]).batch(index).x
    np.testing.assert_allclose(pixels[seen], plain[seen], atol=1e-3)


class TestMissingJoints:
    def test_no_nan(self):
        batch = made_windows(*WALKS, missing=0.4).batch(slice(None))
        assert np.isfinite(batch.x).all()
        assert (batch.confidence == 0).mean() == pytest.approx(0.4, abs=0.05)

    def test_stands_where_it_stands_in_the_rest_of_the_window(self):
        tracks = made_tracks({1: range(9)})
        keypoints = tracks.keypoints.copy()
        keypoints[2:5, 4] = (np.nan, np.nan, 0)
        windows = cut_windows(replace(tracks, keypoints=keypoints), WindowRule(8), NONE)
        x = windows.batch(slice(0, 1)).x[0]
        expected = keypoints[[0, 1, 5, 6, 7], 4, :2].astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(x[:, 2:5, 4], np.tile(expected[:, None], 3), rtol=1e-5)

    def test_never_seen_joint_is_at_the_origin(self):
        tracks = made_tracks({1: range(9)})
        keypoints = tracks.keypoints.copy()
        keypoints[:, 4] = (np.nan, np.nan, 0)
        windows = made_windows({1: range(9)})
        x = replace(windows, tracks=replace(tracks, keypoints=keypoints)).batch(slice(0, 1)).x
        assert (x[:, :, :, 4] == 0).all()

    @pytest.mark.filterwarnings("error")
    def test_robust_puts_it_at_zero(self):
        tracks = made_tracks(*WALKS, missing=0.2)
        batch = cut_windows(tracks, WindowRule(8), fit_normaliser("robust", tracks)).batch(slice(None))
        missing = np.broadcast_to((batch.confidence == 0)[:, None], batch.x.shape)
        assert (batch.x[missing] == 0).all()
        assert missing.any()

    @pytest.mark.filterwarnings("error")
    def test_window_without_any_joint(self):
        tracks = made_tracks({1: range(9)}, missing=1.0)
        assert (replace(made_windows({1: range(9)}), tracks=tracks).batch(slice(None)).x == 0).all()


@pytest.mark.parametrize("rule", [{"length": 1}, {"stride": 0}, {"missing": -1}, {"length": 4, "missing": 4}])
def test_no_such_rule(rule):
    with pytest.raises(ConfigError) as caught:
        WindowRule(**rule)
    assert caught.value.remedy
