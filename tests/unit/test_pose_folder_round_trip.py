"""Properties of the pose reader: numbers survive, the order in the file does not matter, and any JSON is read or refused."""

from __future__ import annotations

import gc
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vadbench.api import COCO_17, LAYOUTS, DataError
from vadbench_datasets.pose_json import read_pose_json

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = st.floats(-3000, 3000, width=32)
LAYOUT = st.sampled_from(sorted(LAYOUTS.values(), key=lambda layout: layout.name))


def clips(numbers: int) -> st.SearchStrategy[dict[int, dict[int, Any]]]:
    pose = st.fixed_dictionaries(
        {"keypoints": st.lists(NUMBER, min_size=numbers, max_size=numbers)},
        optional={"scores": st.none() | st.floats(0, 9, width=32), "full": st.booleans()},
    )
    return st.dictionaries(st.integers(0, 50), st.dictionaries(st.integers(0, 2000), pose, max_size=4), max_size=4)


CLIP = clips(51)

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(path: Path, clip: dict[int, dict[int, Any]]) -> Path:
    content = {str(person): {f"{frame:04d}": pose for frame, pose in frames.items()} for person, frames in clip.items()}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@given(layout=LAYOUT, data=st.data())
@quick
def test_what_is_written_is_read(tmp_path, layout, data):
    clip = data.draw(clips(3 * len(layout)))
    poses = read_pose_json(written(tmp_path / "clip.json", clip), layout)
    expected = [(person, frame, clip[person][frame]) for person in sorted(clip) for frame in sorted(clip[person])]
    assert poses.person.tolist() == [person for person, _, _ in expected]
    assert poses.frame.tolist() == [frame for _, frame, _ in expected]
    keypoints = np.array([pose["keypoints"] for _, _, pose in expected], dtype=np.float32).reshape(-1, len(layout), 3)
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
    one = read_pose_json(written(tmp_path / "a.json", clip), COCO_17)
    other = read_pose_json(written(tmp_path / "b.json", shuffled), COCO_17)
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
        poses = read_pose_json(path, COCO_17)
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
    with suppress(DataError):
        assert len(read_pose_json(path, COCO_17).frame) == 0  # an empty object is a clip of nobody


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("content", ["{}", "[", '{"1": 2}'])
def test_the_garbage_collector_is_left_as_it_was(tmp_path, content, enabled):
    path = tmp_path / "clip.json"
    path.write_text(content)
    before = gc.isenabled()
    try:
        gc.enable() if enabled else gc.disable()
        with suppress(DataError):
            read_pose_json(path, COCO_17)
        assert gc.isenabled() is enabled
    finally:
        gc.enable() if before else gc.disable()
