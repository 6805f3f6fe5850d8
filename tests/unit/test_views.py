"""Augmentations: what each step does to pixels, and that chance comes from the window alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import COCO_18, ConfigError, PixelWindows
from vadbench.data.views import named_view


def windows(count: int = 6, seed: int = 0) -> PixelWindows:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(50, 400, (count, 2, 5, 18)).astype(np.float32)
    confidence = rng.uniform(0.1, 1, (count, 5, 18)).astype(np.float32)
    xy[0, :, 2, 4], confidence[0, 2, 4] = np.nan, 0
    return PixelWindows(xy, confidence, np.tile(np.float32([856, 480]), (count, 1)), 100 + np.arange(count))


def seen(name: str, given: PixelWindows) -> PixelWindows:
    before = given.xy.copy(), given.confidence.copy()
    shown = named_view(name, COCO_18)(given)
    np.testing.assert_array_equal(given.xy, before[0])
    np.testing.assert_array_equal(given.confidence, before[1])
    assert shown.xy.dtype == shown.confidence.dtype == np.float32
    return shown


def centred(xy: np.ndarray) -> np.ndarray:
    return xy - np.nanmean(xy, axis=(2, 3), keepdims=True)


def test_flip_is_a_mirrored_picture():
    shown, given = seen("flip", windows()), windows()
    np.testing.assert_allclose(shown.xy[:, 0], 856 - given.xy[:, 0], atol=1e-3)
    np.testing.assert_array_equal(shown.xy[:, 1], given.xy[:, 1])
    np.testing.assert_array_equal(shown.confidence, given.confidence)


def test_flip_swap_exchanges_sides():
    shown, flipped = seen("flip-swap", windows()), seen("flip", windows())
    left, right, nose = (COCO_18.index(joint) for joint in ("left_knee", "right_knee", "nose"))
    for a, b in ((left, right), (right, left), (nose, nose)):
        np.testing.assert_array_equal(shown.xy[..., a], flipped.xy[..., b])
        np.testing.assert_array_equal(shown.confidence[..., a], windows().confidence[..., b])


@pytest.mark.parametrize("name", ["flip", "flip-swap", "rotate:180", "shear:0.3+shear:-0.3", "rotate:40+rotate:-40"])
def test_twice_or_back_is_the_identity(name):
    twice = name if "+" in name else f"{name}+{name}"
    np.testing.assert_allclose(seen(twice, windows()).xy, windows().xy, atol=2e-3)


def test_rotation_turns_about_the_middle():
    given, shown = centred(windows().xy), centred(seen("rotate:90", windows()).xy)
    np.testing.assert_allclose(shown[:, 0], -given[:, 1], atol=1e-3)
    np.testing.assert_allclose(shown[:, 1], given[:, 0], atol=1e-3)
    np.testing.assert_allclose(
        np.nanmean(seen("rotate:90", windows()).xy, axis=(2, 3)), np.nanmean(windows().xy, axis=(2, 3)), rtol=1e-5
    )


def test_shear():
    given, shown = centred(windows().xy), centred(seen("shear:0.2", windows()).xy)
    np.testing.assert_allclose(shown[:, 0], given[:, 0] + 0.2 * given[:, 1], atol=1e-3)
    np.testing.assert_allclose(shown[:, 1], given[:, 1], atol=1e-3)


def test_steps_follow_one_another():
    one = seen("rotate:90", windows())
    np.testing.assert_array_equal(seen("rotate:90+flip", windows()).xy, seen("flip", one).xy)


@pytest.mark.parametrize("name", ["random-rotate:20", "random-shear:0.4", "drop-joints:0.4"])
def test_chance_is_the_windows_own(name):
    whole, order = seen(name, windows()), np.array([4, 1, 0])
    part = windows()
    part = seen(name, PixelWindows(*(getattr(part, field)[order] for field in ("xy", "confidence", "picture", "key"))))
    np.testing.assert_array_equal(part.xy, whole.xy[order])
    np.testing.assert_array_equal(part.confidence, whole.confidence[order])
    other = seen(name, replace(windows(), key=np.arange(6)))
    assert not np.array_equal(other.xy, whole.xy, equal_nan=True)


@given(st.floats(0.05, 0.9))
def test_share_of_dropped_joints(share):
    given = PixelWindows(
        np.ones((500, 2, 3, 18), np.float32), np.ones((500, 3, 18), np.float32), np.ones((500, 2)), np.arange(500)
    )
    shown = named_view(f"drop-joints:{share}", COCO_18)(given)
    gone = shown.confidence == 0
    assert (gone == gone[:, :1]).all(), "throughout the window"
    assert (np.isnan(shown.xy).all(axis=1) == gone).all()
    assert abs(gone.mean() - share) < 0.04


def test_random_angles_fill_their_range():
    given = windows(2000)
    a, b = centred(given.xy)[..., 0, 0], centred(seen("random-rotate:30", given).xy)[..., 0, 0]
    angle = np.degrees(np.arctan2(b[:, 1], b[:, 0]) - np.arctan2(a[:, 1], a[:, 0]))
    angle = (angle + 180) % 360 - 180
    assert np.nanmax(np.abs(angle)) < 30.1
    assert np.nanmax(angle) > 29
    assert np.nanmin(angle) < -29
    assert abs(np.nanmean(angle)) < 1.5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("flop", "did you mean 'flip'"),
        ("flip:3", "takes no number"),
        ("rotate", "needs a number from -360 to 360"),
        ("rotate:x", "needs a number"),
        ("rotate:nan", "needs a number"),
        ("shear:7", "from -2 to 2"),
        ("drop-joints:-0.1", "from 0 to 0.9"),
        ("flip+", "no view has the step ''"),
        ("Flip", "did you mean 'flip'"),
        ("+".join(["flip"] * 9), "at most 8 steps"),
    ],
)
def test_no_such_view(name, message):
    with pytest.raises(ConfigError, match=message):
        named_view(name, COCO_18)
