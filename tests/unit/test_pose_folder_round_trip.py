"""Properties of the pose reader: numbers survive, the order in the file does not matter, and any JSON is read or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vadbench.api import DataError
from vadbench_datasets.pose_json import read_poses

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = st.floats(-3000, 3000, width=32)
POSE = st.fixed_dictionaries(
    {"keypoints": st.lists(NUMBER, min_size=51, max_size=51)}, optional={"scores": st.none() | st.floats(0, 9, width=32)}
)
PERSON_FRAMES = st.dictionaries(st.integers(0, 2000), POSE, max_size=4)
CLIP = st.dictionaries(st.integers(0, 50), PERSON_FRAMES, max_size=4)

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(path: Path, clip: dict[int, dict[int, Any]]) -> Path:
    content = {str(person): {f"{frame:04d}": pose for frame, pose in frames.items()} for person, frames in clip.items()}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@given(clip=CLIP)
@quick
def test_what_is_written_is_read(tmp_path, clip):
    poses = read_poses(written(tmp_path / "clip.json", clip))
    expected = [(person, frame, clip[person][frame]) for person in sorted(clip) for frame in sorted(clip[person])]
    assert poses.person.tolist() == [person for person, _, _ in expected]
    assert poses.frame.tolist() == [frame for _, frame, _ in expected]
    keypoints = np.array([pose["keypoints"] for _, _, pose in expected], dtype=np.float32).reshape(-1, 17, 3)
    np.testing.assert_array_equal(poses.keypoints, keypoints)
    scores = np.array([pose.get("scores") for _, _, pose in expected], dtype=np.float32)
    np.testing.assert_array_equal(poses.score, scores)


@given(clip=CLIP, data=st.data())
@quick
def test_the_order_in_the_file_does_not_matter(tmp_path, clip, data):
    shuffled = {
        person: {frame: clip[person][frame] for frame in data.draw(st.permutations(list(clip[person])))}
        for person in data.draw(st.permutations(list(clip)))
    }
    one, other = read_poses(written(tmp_path / "a.json", clip)), read_poses(written(tmp_path / "b.json", shuffled))
    for column in ("keypoints", "person", "frame", "score"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))


ATOM = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "0", "00", "1", "x", "keypoints"])
KEY = st.sampled_from(["0", "1", "01", "-1", "", "x", "²", "9" * 12, "9" * 5000, "keypoints", "scores"])
ANYTHING = st.recursive(ATOM, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3), max_leaves=12)
NEAR_MISS = st.dictionaries(
    KEY, st.dictionaries(KEY, st.fixed_dictionaries({"keypoints": st.just([1.0] * 51) | ANYTHING, "scores": ATOM}) | ANYTHING)
)


@given(content=ANYTHING | NEAR_MISS)
@quick
def test_any_json_is_read_or_refused_with_a_place(tmp_path, content):
    path = tmp_path / "clip.json"
    path.write_text(json.dumps(content), encoding="utf-8")  # writes NaN and Infinity as such
    refusal = None
    try:
        poses = read_poses(path)
    except DataError as error:
        refusal = error
    if refusal is None:
        assert poses.keypoints.shape == (len(poses.frame), 17, 3)
    else:
        assert str(path) in str(refusal.where)
        assert refusal.remedy
        assert refusal.what != "the file does not hold poses"  # the fallback: reading failed, and nobody knows why


@given(raw=st.binary(max_size=40))
@quick
def test_any_bytes_are_read_or_refused(tmp_path, raw):
    path = tmp_path / "clip.json"
    path.write_bytes(raw)
    with pytest.raises(DataError):
        read_poses(path)
