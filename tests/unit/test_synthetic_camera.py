"""The cameras: projecting and back-projecting the ground, what is in view, and what hides what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vadbench_datasets.synthetic.body import Body, Channel, pose, turned
from vadbench_datasets.synthetic.camera import CAMERAS, RESOLUTION, Camera, sees
from vadbench_datasets.synthetic.occlusion import View, hidden
from vadbench_datasets.synthetic.paths import Path, across

CAMERA = Camera("t", height=5.0, pitch=20.0, roll=0.0, focal=900.0, near=8.0, far=24.0, lengthwise=0.3)


def standing(x, y, heading=0.0, stature=1.75):
    """(1, 17, 3): somebody who stands upright."""
    return turned(pose(Body.of(stature), np.zeros((1, len(Channel)))), np.array([heading]), np.array([[x, y]]))


@settings(max_examples=100, deadline=None)
@given(
    camera=st.builds(
        Camera,
        name=st.just("t"),
        height=st.floats(2.0, 12.0),
        pitch=st.floats(10.0, 50.0),
        roll=st.floats(-5.0, 5.0),
        focal=st.floats(500.0, 1500.0),
        near=st.just(8.0),
        far=st.just(20.0),
        lengthwise=st.just(0.0),
    ),
    u=st.floats(0.0, 855.0),
    v=st.floats(250.0, 479.0),  # the lower half of the picture always shows the ground
)
def test_a_pixel_on_the_ground_projects_to_itself(camera, u, v):
    place = camera.ground(np.array([u, v]))
    pixels, depth = camera.project(np.array([*place, 0.0]))
    np.testing.assert_allclose(pixels, [u, v], atol=1e-6)
    assert depth > 0.5


def test_the_optical_axis_meets_the_ground_where_the_pitch_says():
    np.testing.assert_allclose(CAMERA.ground(np.array([428.0, 240.0])), [0.0, 5.0 / np.tan(np.radians(20.0))], atol=1e-9)


def test_what_is_behind_the_camera_is_not_seen():
    assert not sees(*CAMERA.project(np.array([[0.0, -5.0, 0.0]]))).any()


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.name)
def test_people_are_of_plausible_size_where_they_walk(camera):
    for distance in (camera.near, 0.5 * (camera.near + camera.far), camera.far):
        for side in (-0.9, 0.0, 0.9):
            joints = standing(side * camera.half_width(distance), distance)[None]
            view = View.of(camera, joints, np.array([1.75]))
            assert 45.0 < view.size[0, 0] < 175.0
            assert view.inside[0, 0, -2:].all() or distance == camera.far  # ankles


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.name)
def test_paths_lead_through_the_picture(camera):
    rng = np.random.default_rng(0)
    for _ in range(20):
        path = across(camera, rng)
        middle, _ = path.at(np.array([0.5 * path.length]))
        assert sees(*camera.project(np.array([[*middle[0], 0.8]]))).all()


def test_a_path_is_walked_back_in_its_own_steps():
    path = Path.bend(np.array([0.0, 0.0]), np.array([4.0, 3.0]), np.array([9.0, 1.0]))
    along = np.linspace(0.0, path.length, 7)
    place, heading = path.at(along)
    back, other = path.back().at(path.length - along)
    np.testing.assert_allclose(place, back, atol=1e-9)
    np.testing.assert_allclose(np.cos(heading - other), -1.0, atol=1e-2)
    steps = np.linalg.norm(np.diff(path.at(np.linspace(-5.0, path.length + 5.0, 400))[0], axis=0), axis=1)
    np.testing.assert_allclose(steps, (path.length + 10.0) / 399, rtol=1e-3)


def test_whoever_stands_in_front_hides_the_other():
    joints = np.stack([standing(0.0, 12.0), standing(0.0, 13.5), standing(4.0, 12.5)])
    hiding = hidden(View.of(CAMERA, joints, np.full(3, 1.75))).mean(axis=2)[:, 0]
    assert hiding[1] > hiding[0] + 0.3
    assert hiding[2] < hiding[1]


def test_a_face_turned_away_is_hidden():
    away, towards = standing(0.0, 12.0, heading=np.pi / 2), standing(0.0, 12.0, heading=-np.pi / 2)
    hiding = hidden(View.of(CAMERA, np.stack([away, towards]), np.full(2, 1.75)))
    # The second stands where the first does; only the face is compared.
    assert hiding[0, 0, :3].min() > 0.9
    assert hiding[1, 0, :3].max() < 0.4


def test_resolution_is_that_of_the_clips():
    assert RESOLUTION == (856, 480)
