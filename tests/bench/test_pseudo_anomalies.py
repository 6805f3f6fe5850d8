"""Windows made odd: each kind changes what it says and nothing else, and a window always in the same way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_tracks import made_windows
from pseudo_anomalies import oddities

WINDOWS = made_windows({1: range(60), 2: range(10, 60)}, {7: range(40)})
JOINTS = WINDOWS.tracks.layout.joints
ODD = oddities(WINDOWS, WINDOWS.tracks.layout)
NAMES = [odd.name for odd in ODD]


def shown(number: int) -> np.ndarray:
    """(W, 2, T, J) pixels of all windows in a view: 0 as they are, then one kind after another."""
    seen = replace(WINDOWS, views=ODD, view=np.full(len(WINDOWS), number, dtype=np.int64))
    return seen.placement(slice(None)).to_pixels(seen.batch(slice(None)).x)


PLAIN = shown(0)


@pytest.mark.parametrize("number", range(1, len(NAMES) + 1), ids=NAMES)
def test_every_window_is_changed_and_always_alike(number):
    odd = shown(number)
    assert odd.shape == PLAIN.shape
    assert np.isfinite(odd).all()
    assert (np.abs(odd - PLAIN).max(axis=(1, 2, 3)) > 1e-2).mean() > 0.9
    seen = replace(WINDOWS, views=ODD, view=np.full(len(WINDOWS), number, dtype=np.int64))
    some = np.array([9, 3, 30])
    np.testing.assert_allclose(seen.placement(some).to_pixels(seen.batch(some).x), odd[some], atol=1e-2)


def changed(name: str) -> np.ndarray:
    """(T, J) whether any window's joint moved there."""
    return np.abs(shown(1 + NAMES.index(name)) - PLAIN).max(axis=(0, 1)) > 1e-2


@pytest.mark.parametrize(("name", "parts"), [("arms", ("elbow", "wrist")), ("legs", ("hip", "knee", "ankle"))])
def test_a_strangers_limbs_leave_the_rest_alone(name, parts):
    moved = changed(name).any(axis=0)
    of = np.array([joint.rpartition("_")[2] for joint in JOINTS])
    assert moved[np.isin(of, parts)].all()
    touched = {"arms": ("shoulder", "elbow", "wrist"), "legs": ("hip", "knee", "ankle")}[name]
    assert not moved[~np.isin(of, touched)].any()


def test_a_splice_leaves_the_first_half_alone():
    moved = changed("splice").any(axis=1)
    half = len(moved) // 2
    assert not moved[:half].any()
    assert moved[half:].all()


def test_larger_keeps_the_mean_place_of_every_joint():
    odd = shown(1 + NAMES.index("larger"))
    np.testing.assert_allclose(odd.mean(axis=2), PLAIN.mean(axis=2), atol=0.05)
    away = (odd - odd.mean(axis=2, keepdims=True)) / 1.6
    np.testing.assert_allclose(away, PLAIN - PLAIN.mean(axis=2, keepdims=True), atol=0.05)


def test_leaning_keeps_every_distance():
    odd = shown(1 + NAMES.index("lean"))
    first, second = JOINTS.index("left_hip"), JOINTS.index("right_wrist")
    before, after = (np.linalg.norm(poses[..., first] - poses[..., second], axis=1) for poses in (PLAIN, odd))
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=0.05)


def test_pace_shows_every_frame_once():
    odd = shown(1 + NAMES.index("pace"))
    for window in (0, 17):
        own, other = PLAIN[window].transpose(1, 0, 2), odd[window].transpose(1, 0, 2)
        frames = [int(np.abs(own - pose).max(axis=(1, 2)).argmin()) for pose in other]
        assert sorted(frames) == list(range(len(other)))
        assert frames[1] - frames[0] == 2
