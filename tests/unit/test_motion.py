"""Speed and acceleration: motions by hand, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from posed_windows import posed_windows, scores, standing

from vadbench.api import COCO_18, ConfigError, PoseShape
from vadbench.data.normalisation import GEPC
from vadbench_baselines.motion import Acceleration, Motion, MotionConfig, Speed

POSES = PoseShape(2, 8, COCO_18)
HEURISTICS = [Speed, Acceleration]


def score(kind: type[Motion], poses, *, percentile: float = 95.0, **more) -> float:
    found = scores(kind(MotionConfig(percentile=percentile), POSES), posed_windows(poses, **more))
    return float(found[0])


def moved(x_of_frame, *, frames=8, height=100.0) -> np.ndarray:
    poses = standing(frames, height=height)
    poses[..., 0] += np.asarray(x_of_frame, dtype=float)[None, :, None]
    return poses


class TestByHand:
    def test_even_motion_has_its_speed_in_heights_a_frame_and_no_acceleration(self) -> None:
        poses = moved(5 * np.arange(8))
        assert score(Speed, poses) == pytest.approx(0.05, rel=1e-3)
        assert score(Acceleration, poses) == pytest.approx(0, abs=1e-4)

    def test_even_acceleration(self) -> None:
        poses = moved(1.5 * np.arange(8) ** 2)
        # Twice the coefficient, in heights of 100 pixels.
        assert score(Acceleration, poses) == pytest.approx(0.03, rel=1e-3)
        assert score(Speed, poses, percentile=100) == pytest.approx(1.5 * (49 - 36) / 100, rel=1e-3)
        assert score(Speed, poses, percentile=0) == pytest.approx(0.015, rel=1e-3)

    @pytest.mark.parametrize("kind", HEURISTICS)
    def test_whoever_stands_still_has_none(self, kind) -> None:
        assert score(kind, standing(8)) == 0

    def test_a_frame_that_was_skipped_is_time_that_passed(self) -> None:
        frames = np.array([0, 1, 2, 4, 5, 6, 7, 8])
        assert score(Speed, moved(5 * frames), frames=frames, percentile=100) == pytest.approx(0.05, rel=1e-3)
        even = moved(1.5 * frames**2.0)
        assert score(Acceleration, even, frames=frames, percentile=100) == pytest.approx(0.03, rel=1e-3)
        assert score(Acceleration, even, frames=frames, percentile=0) == pytest.approx(0.03, rel=1e-3)

    def test_one_joint_of_eighteen_is_above_the_95th_percentile(self) -> None:
        poses = standing(8)
        poses[0, :, 4, 0] += 3 * np.arange(8)
        assert score(Speed, poses, percentile=100) == pytest.approx(0.03, rel=1e-2)
        assert score(Speed, poses, percentile=94) == pytest.approx(0, abs=1e-6)


class TestLaws:
    @pytest.mark.parametrize("kind", HEURISTICS)
    @given(seed=st.integers(0, 2**31), scale=st.floats(0.5, 3), x=st.floats(-200, 200), y=st.floats(-100, 100))
    def test_place_and_size_in_the_picture_do_not_matter(self, kind, seed, scale, x, y) -> None:
        poses = standing(8, seed=seed) + np.random.default_rng(seed).normal(0, 4, (1, 8, 18, 2))
        assert score(kind, scale * poses + (x, y)) == pytest.approx(score(kind, poses), rel=2e-3, abs=1e-5)

    @pytest.mark.parametrize(("kind", "power"), [(Speed, 1), (Acceleration, 2)])
    def test_half_the_frame_rate_is_half_as_fast(self, kind, power) -> None:
        poses = standing(8) + np.random.default_rng(2).normal(0, 4, (1, 8, 18, 2))
        slow = score(kind, poses, frames=2 * np.arange(8), missing=7)
        assert slow == pytest.approx(score(kind, poses) / 2**power, rel=1e-6)

    @pytest.mark.parametrize("kind", HEURISTICS)
    def test_normalisation_and_mirror_do_not_matter(self, kind) -> None:
        poses = standing(8) + np.random.default_rng(3).normal(0, 4, (1, 8, 18, 2))
        wanted = score(kind, poses)
        assert score(kind, poses, normaliser=GEPC) == pytest.approx(wanted, rel=1e-3)
        found = scores(kind(MotionConfig(), POSES), posed_windows(poses, views=["flip"]))
        assert found[1] == pytest.approx(wanted, rel=1e-3)


class TestMissingJoints:
    @pytest.mark.parametrize("kind", HEURISTICS)
    def test_a_joint_that_comes_and_goes_does_not_move(self, kind) -> None:
        poses = standing(8)
        poses[0, ::2, 6] = np.nan
        poses[0, 1::2, 6] += np.array([[0, 0], [40, 0], [0, 0], [40, 0]])
        assert score(kind, poses, percentile=100) == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize("kind", HEURISTICS)
    def test_what_is_seen_counts_alone(self, kind) -> None:
        poses = moved(1.0 * np.arange(8) ** 2)
        wanted = score(kind, poses, percentile=100)
        poses[0, :, 7:] = np.nan
        assert score(kind, poses, percentile=100) == pytest.approx(wanted, rel=1e-3)

    @pytest.mark.parametrize("kind", HEURISTICS)
    def test_nobody_does_not_move(self, kind) -> None:
        assert score(kind, np.full((1, 8, 18, 2), np.nan)) == 0


def test_nothing_is_learned() -> None:
    assert Speed(MotionConfig(), POSES).state_dict() == {}


def test_two_frames_have_no_acceleration() -> None:
    with pytest.raises(ConfigError, match="three frames") as caught:
        Acceleration(MotionConfig(), PoseShape(2, 2, COCO_18))
    assert caught.value.where == "windows.length"
    assert "3 or more" in str(caught.value.remedy)


@pytest.mark.parametrize("percentile", [-1, 101])
def test_a_percentile_lies_between_0_and_100(percentile) -> None:
    with pytest.raises(ValueError, match="percentile"):
        MotionConfig(percentile=percentile)
