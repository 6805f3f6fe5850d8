"""Bone lengths: proportions by hand, robust units, and what must not change them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from posed_windows import posed_windows, scores, standing

from vadbench.api import COCO_18, ConfigError, Context, DataError, PoseShape
from vadbench_baselines.bone_length import BoneLength, BoneLengthConfig, bone_proportions
from vadbench_baselines.pixel_poses import PixelPoses

POSES = PoseShape(2, 8, COCO_18)
EDGES = COCO_18.edge_indices


def bodies(people: int = 40, *, seed: int = 0, spread: float = 0.05) -> np.ndarray:
    """People of one build, each joint a little displaced in each frame."""
    one = standing(8, height=100)
    return one + np.random.default_rng(seed).normal(0, 100 * spread / 2, (people, 8, 18, 2))


def learned(poses: np.ndarray | None = None, **settings) -> BoneLength:
    detector = BoneLength(BoneLengthConfig(**settings), POSES)
    detector.fit(posed_windows(bodies() if poses is None else poses), Context())
    return detector


def proportions(poses: np.ndarray) -> np.ndarray:
    """(people, frames, edges) by a loop."""
    lengths = np.stack([np.hypot(*np.moveaxis(poses[..., a, :] - poses[..., b, :], -1, 0)) for a, b in EDGES], axis=-1)
    return lengths / np.nanmedian(lengths, axis=-1, keepdims=True)


def test_scores_are_robust_deviations_from_the_training_medians() -> None:
    training, test = bodies(), bodies(5, seed=1, spread=0.2)
    known = proportions(training).reshape(-1, len(EDGES))
    median = np.median(known, axis=0)
    spread = 1.4826 * np.median(np.abs(known - median), axis=0)
    away = np.abs(proportions(test) - median) / spread
    for percentile in (50, 95, 100):
        wanted = np.percentile(away.reshape(5, -1), percentile, axis=1)
        found = scores(learned(training, percentile=percentile), posed_windows(test))
        np.testing.assert_allclose(found, wanted, rtol=2e-3)


def test_proportions_leave_out_bones_with_a_missing_end() -> None:
    poses = bodies(2)
    poses[0, 3, 5] = np.nan
    windows = posed_windows(poses)
    found, seen = bone_proportions(PixelPoses.of(windows, windows.batch(slice(None))), EDGES)
    with_five = [5 in edge for edge in EDGES]
    assert (~seen[0, 3]).tolist() == with_five
    assert seen[1].all()
    np.testing.assert_allclose(found[seen], proportions(poses)[seen], rtol=1e-3)


def test_a_stretched_limb_scores_higher_the_further_it_is_stretched() -> None:
    detector, test = learned(), bodies(1, seed=2)
    found = []
    for stretch in (0, 20, 40, 80):
        poses = test.copy()
        poses[..., 4, 0] += stretch
        found.append(float(scores(detector, posed_windows(poses))[0]))
    assert found == sorted(found)
    assert found[-1] > 3 * found[0]


def test_place_and_size_do_not_matter() -> None:
    detector, test = learned(), bodies(6, seed=3)
    wanted = scores(detector, posed_windows(test))
    np.testing.assert_allclose(scores(detector, posed_windows(1.7 * test + (30, -90))), wanted, rtol=5e-3)


def test_a_bone_that_training_never_shows_takes_no_part() -> None:
    training = bodies()
    training[:, :, 9] = np.nan
    detector = learned(training, percentile=100)
    far, further = bodies(3, seed=4), bodies(3, seed=4)
    far[:, :, 9] += 1000
    further[:, :, 9] += 2000
    # Its bones are among those that the median is taken of, and long either way.
    np.testing.assert_allclose(scores(detector, posed_windows(further)), scores(detector, posed_windows(far)), rtol=1e-2)
    ends = np.array([9 in edge for edge in EDGES])
    assert (detector.arrays["weight"] == 0).tolist() == ends.tolist()


def test_bones_that_never_change_are_no_anomaly_for_a_rounding_error() -> None:
    detector = learned(np.repeat(standing(8), 20, axis=0))
    assert scores(detector, posed_windows(standing(8) * 1.37)).max() < 0.1


def test_nobody_has_no_odd_bones() -> None:
    assert scores(learned(), posed_windows(np.full((1, 8, 18, 2), np.nan))).tolist() == [0]


def test_no_window_teaches_nothing() -> None:
    detector = BoneLength(BoneLengthConfig(), POSES)
    with pytest.raises(DataError, match="0 training windows are too few"):
        detector.fit(posed_windows(bodies(1)).select(np.arange(0)), Context())


def test_a_layout_without_bones_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no bones") as caught:
        BoneLength(BoneLengthConfig(), PoseShape(2, 8, replace(COCO_18, edges=())))
    assert caught.value.where == "windows.layout"
