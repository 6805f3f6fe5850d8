"""The kinematic model: bones keep their lengths, knees bend one way, feet that stand do not slide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vadbench.api import COCO_17
from vadbench_datasets.synthetic.body import Body, Channel, pose, turned
from vadbench_datasets.synthetic.curves import FRAME_RATE
from vadbench_datasets.synthetic.gait import Changes, Traits, ankle_path, stride_rate, walk

FRAMES = 96
ANKLES = [COCO_17.index("left_ankle"), COCO_17.index("right_ankle")]
BONES = [
    *[(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))],
    *[(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))],
    ("left_hip", "right_hip"),
    ("left_shoulder", "right_shoulder"),
    ("nose", "left_eye"),
    ("left_ear", "right_ear"),
]


def lengths(joints):
    return np.stack([np.linalg.norm(joints[:, COCO_17.index(a)] - joints[:, COCO_17.index(b)], axis=1) for a, b in BONES], axis=1)


def walking(speed, seed=0, frames=FRAMES, **changes):
    rng = np.random.default_rng(seed)
    body, traits = Body.of(rng.uniform(1.5, 1.95)), Traits.draw(rng)
    how = replace(Changes.none(frames), **{name: np.full(frames, share) for name, share in changes.items()})
    motion = walk(body, traits, np.full(frames, float(speed)), np.zeros(frames), changes=how, rng=rng)
    joints = pose(body, motion)
    joints[:, :, 0] += (np.arange(frames) * speed / FRAME_RATE)[:, None]
    return body, motion, joints


@settings(max_examples=25, deadline=None)
@given(
    speed=st.floats(0.0, 4.0),
    seed=st.integers(0, 2**20),
    run=st.floats(0.0, 1.0),
    limp=st.floats(0.0, 1.0),
    glide=st.floats(0.0, 1.0),
)
def test_bones_keep_their_length_whatever_the_gait(speed, seed, run, limp, glide):
    body, _, joints = walking(speed, seed, frames=48, run=run, limp=limp, glide=glide)
    found = lengths(joints)
    np.testing.assert_allclose(found, np.broadcast_to(found[0], found.shape), atol=1e-9)
    expected = [body.thigh, body.shank] * 2 + [body.upper_arm, body.forearm] * 2 + [body.hips, body.shoulders]
    np.testing.assert_allclose(found[0, : len(expected)], expected, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**20))
def test_bones_keep_their_length_for_any_angles(seed):
    rng = np.random.default_rng(seed)
    body = Body.of(1.7, legs=1.02, girth=0.95)
    found = lengths(turned(pose(body, rng.normal(0, 1, (8, len(Channel)))), rng.normal(0, 2, 8), rng.normal(0, 5, (8, 2))))
    np.testing.assert_allclose(found, np.broadcast_to(found[0], found.shape), atol=1e-9)


@pytest.mark.parametrize(("speed", "run"), [(0.8, 0.0), (1.3, 0.0), (1.8, 0.0), (3.2, 1.0)])
def test_knees_bend_backwards_only(speed, run):
    _, motion, _ = walking(speed, run=run)
    assert motion[:, Channel.KNEE_L : Channel.KNEE_R + 1].min() > 0.0
    assert motion[:, Channel.KNEE_L : Channel.KNEE_R + 1].max() < 2.6


@pytest.mark.parametrize(("speed", "run"), [(0.8, 0.0), (1.3, 0.0), (1.6, 0.0), (3.2, 1.0)])
def test_a_foot_on_the_ground_stays_where_it_is(speed, run):
    body, _, joints = walking(speed, seed=3, run=run)
    for ankle in ANKLES:
        standing = joints[:, ankle, 2] < 0.039 * body.stature + 0.012
        slip = np.abs(np.gradient(joints[:, ankle, 0]) * FRAME_RATE)[standing]
        assert standing.any()
        assert np.median(slip) < 0.05 * speed + 0.02


def test_feet_never_sink_into_the_ground_and_one_stands_in_a_walk():
    body, _, joints = walking(1.3)
    clearance = joints[:, ANKLES, 2] - 0.039 * body.stature
    assert clearance.min() > -1e-9
    np.testing.assert_allclose(clearance.min(axis=1), 0.0, atol=1e-9)


def test_a_runner_leaves_the_ground():
    body, _, joints = walking(3.2, run=1.0)
    assert (joints[:, ANKLES, 2] - 0.039 * body.stature).min(axis=1).max() > 0.02


def test_arms_swing_opposite_to_legs():
    _, motion, _ = walking(1.3)
    for side in (0, 1):
        assert np.corrcoef(motion[:, Channel.SHOULDER_L + side], motion[:, Channel.HIP_L + side])[0, 1] < -0.6


def test_cadence_times_step_length_is_the_speed_and_both_are_those_of_people():
    frames = 2
    rng = np.random.default_rng(0)
    cadence = np.array(
        [
            120 * stride_rate(Traits.draw(rng), np.full(frames, 1.35), np.zeros(frames), Changes.none(frames))[0]
            for _ in range(200)
        ]
    )
    step = 60 * 1.35 / cadence
    assert 105 < cadence.mean() < 120
    assert 0.65 < step.mean() < 0.8


def test_a_gliding_person_moves_without_stepping():
    body, motion, joints = walking(1.5, glide=1.0)
    assert np.ptp(joints[:, COCO_17.index("nose"), 0]) > 5.0
    assert np.ptp(motion[:, Channel.HIP_L]) < 0.3
    assert np.ptp(walking(1.5)[1][:, Channel.HIP_L]) > 0.6
    assert body.stature > 1.4


def test_the_ankle_path_is_closed_and_continuous():
    phase = np.linspace(0.0, 1.0, 400, endpoint=False)
    along, up = ankle_path(phase, np.full(400, 0.6), np.full(400, 1.4))
    assert np.abs(np.diff(along)).max() < 0.02
    assert abs(along[0] - along[-1]) < 0.02
    assert up.min() >= 0.0
    assert up.max() == pytest.approx(1.0, abs=1e-3)
