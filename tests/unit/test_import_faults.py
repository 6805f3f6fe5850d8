"""What an import refuses: the message names the file and the place in it, and says what the file should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from estimator_files import (
    RESOLUTION,
    alphapose,
    coco_annotations,
    coco_results,
    made_scene,
    mmpose_frames,
    poseflow,
    ultralytics,
    write_json,
    write_openpose,
    write_ultralytics_labels,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vadbench.api import DataError
from vadbench.data.importers.clip_tracks import Picture, TrackingChoice, tracks_of
from vadbench.data.importers.formats import FORMATS, find_clips
from vadbench.data.importers.frame_labels import find_labels, read_labels

SCENE = made_scene()


def refused(
    form: str, source: Path, *, choice: TrackingChoice | None = None, shares: bool = False, first: int | None = None
) -> DataError:
    def read() -> None:
        for name, found in find_clips(form, source).items():
            tracks_of(name, found.read(), Picture(RESOLUTION, found.shares or shares, first), choice or TrackingChoice())

    with pytest.raises(DataError) as caught:
        read()
    assert caught.value.remedy
    return caught.value


def changed(content: list[dict[str, Any]], entry: int, **keys: Any) -> list[dict[str, Any]]:
    return [{**pose, **keys} if i == entry else pose for i, pose in enumerate(content)]


def without(content: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in pose.items() if k != key} for pose in content]


NUMBERS = alphapose(SCENE)[0]["keypoints"]

JSON_FAULTS = {
    "object": ("alphapose", {"results": []}, "'results' does not end in a frame's number", "image results"),
    "empty-image": ("alphapose", {"1.jpg": {}}, "there is no bodies or people", "1.jpg"),
    "text": ("alphapose", "poses", "here is text, not a list", ""),
    "entry": ("alphapose", [*alphapose(SCENE), 7], "here is a number, not an object", "entry 10"),
    "no-image": ("alphapose", without(alphapose(SCENE), "image_id"), "there is no image_id", "entry 0"),
    "no-keypoints": ("alphapose", without(alphapose(SCENE), "keypoints"), "there is no keypoints", "entry 0"),
    "flat": (
        "alphapose",
        changed(alphapose(SCENE), 2, keypoints={"x": 1}),
        "here is an object, not a list",
        "entry 2, keypoints",
    ),
    "joints": (
        "alphapose",
        [changed(alphapose(SCENE), 0, keypoints=NUMBERS[:48])[0]],
        "48 numbers, which is no known",
        "entry 0",
    ),
    "mixed": ("alphapose", changed(alphapose(SCENE), 3, keypoints=NUMBERS[:48]), "48 numbers among poses of 51", "entry 3"),
    "word": ("alphapose", changed(alphapose(SCENE), 3, keypoints=["1", *NUMBERS[1:]]), "keypoint is text", "entry 3"),
    "boolean": ("alphapose", changed(alphapose(SCENE), 3, keypoints=[True, *NUMBERS[1:]]), "is true or false", "entry 3"),
    "null": ("alphapose", changed(alphapose(SCENE), 3, keypoints=[None, *NUMBERS[1:]]), "keypoint is null", "entry 3"),
    "huge": ("alphapose", changed(alphapose(SCENE), 4, keypoints=[1e300, *NUMBERS[1:]]), "not a finite number", "entry 4"),
    "score": ("alphapose", changed(alphapose(SCENE), 4, score="high"), "the score is text", "entry 4"),
    "name": (
        "alphapose",
        changed(alphapose(SCENE), 1, image_id="one.jpg"),
        "does not end in a frame's number",
        "entry 1, image_id",
    ),
    "negative": ("alphapose", changed(alphapose(SCENE), 1, image_id=-4), "is not a whole number", "entry 1, image_id"),
    "half": ("alphapose", changed(alphapose(SCENE), 1, image_id=1.5), "'1.5' is not a whole number", "entry 1, image_id"),
    "digits": ("alphapose", changed(alphapose(SCENE), 1, image_id="9" * 5000), "is not a whole number", "entry 1"),
    "two-clips": ("alphapose", changed(alphapose(SCENE), 5, image_id="b/9.jpg"), "image names of two clips", "entry 5, image_id"),
    "idx": ("alphapose", changed(alphapose(SCENE), 6, idx=-3), "'-3' is no tracking id", "entry 6, idx"),
    "poseflow": ("alphapose", poseflow(SCENE), "with the format poseflow", "0.jpg"),
    "shape": ("poseflow", alphapose(SCENE), "here is a list, not an object", ""),
    "pose": ("poseflow", {"0.jpg": [3]}, "here is a number", "0.jpg, entry 0"),
    "unknown-image": ("coco", coco_annotations(SCENE) | {"images": []}, "no image has the id '900'", "annotations, entry 0"),
    "no-images": ("coco", {"annotations": []}, "there is no images", ""),
    "same-frame": (
        "coco",
        {"images": [{"id": i, "file_name": "1.jpg"} for i in range(2)], "annotations": []},
        "two images are the same frame",
        "images",
    ),
    "list-id": ("coco", {"images": [{"id": [1], "file_name": "1.jpg"}], "annotations": []}, "this is no id", "images, entry 0"),
    "3d": (
        "coco",
        [{"instances": [{"keypoints": [[1, 2, 3]] * 17, "keypoint_scores": [1] * 17}]}],
        "not every keypoint is",
        "entry 0, instances, entry 0",
    ),
    "scores": (
        "coco",
        [{"instances": [{"keypoints": [[1, 2]] * 17, "keypoint_scores": [1] * 16}]}],
        "17 keypoints, but 16 scores",
        "entry 0, instances, entry 0, keypoint_scores",
    ),
    "picture": ("coco", mmpose_frames(SCENE)[0]["instances"], "of a single picture", ""),
    "frame": ("ultralytics", ultralytics(SCENE)[0], "here is a pose where a frame is expected", "entry 0"),
    "detect": ("ultralytics", [[{"box": {}, "confidence": 1}]], "there is no keypoints", "entry 0, entry 0"),
    "lengths": (
        "ultralytics",
        [[{"keypoints": {"x": [1], "y": [1, 2]}}]],
        "1 x, 2 y and 1 visible",
        "entry 0, entry 0, keypoints",
    ),
    "inner-json": ("ultralytics", ["[{]"], "this is not JSON", "entry 0, byte"),
}


@pytest.mark.parametrize("case", JSON_FAULTS)
def test_faults_of_json(tmp_path, case):
    form, content, what, place = JSON_FAULTS[case]
    path = write_json(tmp_path / "c.json", content)
    error = refused(form, path)
    assert what in error.what
    assert error.where.startswith(f"{path}, {place}" if place else str(path)), error.where


@pytest.mark.parametrize(
    ("raw", "what", "place"),
    [
        (b'[{"image_id": 1,', "this is not JSON", "byte 16 (line 1, column 17)"),
        (b'[{"keypoints": [NaN]}]', "NaN, Infinity or a number too large", "byte 16"),
        (b"[1e999]", "NaN, Infinity or a number too large", "byte 1"),
        (b"\xff\xfe", "this is not JSON", "byte 0"),
        (b"", "this is not JSON", "byte 0"),
        (b"[" * 5000, "this is not JSON", "byte"),
    ],
)
@pytest.mark.parametrize("form", ["alphapose", "poseflow", "coco", "ultralytics"])
def test_files_that_are_not_json(tmp_path, form, raw, what, place):
    path = tmp_path / "c.json"
    path.write_bytes(raw)
    error = refused(form, path)
    assert what in error.what
    assert error.where.startswith(f"{path}, {place}")


def test_a_broken_frame_of_many_is_named(tmp_path):
    write_openpose(tmp_path, SCENE)
    broken = tmp_path / "clip_000000000002_keypoints.json"
    broken.write_text('{"people": [')
    assert str(broken) in refused("openpose", tmp_path).where
    write_json(broken, {"people": [{"pose_keypoints_2d": [1, 2, "3"] * 25}]})
    error = refused("openpose", tmp_path)
    assert error.where == f"{tmp_path}, {broken.name}, people, entry 0"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("0 0.5 0.5 0.1 0.2", "the line holds 5 numbers"),
        ("0 0.5 0.5 0.1 0.2 " + "0.5 " * 60, "the line holds 65 numbers"),
        ("0 0.5 x 0.1 0.2", "could not convert string"),
        ("0 0.5 0.5 0.1 0.2 " + "0.5 " * 52 + "1.5", "the track id is 1.5"),
        ("0 0.5 0.5 0.1 0.2 " + "nan " * 51 + "0.9 1", "not a finite number"),
        ("0 0.5 0.5 0.1 0.2 " + "0.5 " * 52 + "inf", "the track id is inf"),
        ("0 0.5 0.5 0.1 0.2 " + "0.5 " * 52 + "1e30", "the track id is 1e+30"),
        ("é", "the label file cannot be read"),
    ],
)
def test_faults_of_label_files(tmp_path, line, what):
    write_ultralytics_labels(tmp_path, SCENE)
    path = tmp_path / "clip_2.txt"
    path.write_text(path.read_text() + line + "\n", encoding="utf-8")
    error = refused("ultralytics", tmp_path)
    assert what in error.what
    assert "clip_2.txt" in error.where
    assert "line 3" in error.where or line == "é"


class TestSources:
    """Files that are not where, or not called as, they should be."""

    @pytest.mark.parametrize("form", FORMATS)
    def test_an_empty_folder(self, tmp_path, form):
        assert refused(form, tmp_path).where == str(tmp_path)

    @pytest.mark.parametrize("form", FORMATS)
    def test_nothing(self, tmp_path, form):
        assert str(tmp_path / "nowhere") in refused(form, tmp_path / "nowhere").where

    def test_two_files_of_one_clip(self, tmp_path):
        write_json(tmp_path / "a.json", [])
        write_json(tmp_path / "a" / "alphapose-results.json", [])
        assert "two files are called clip a" in refused("alphapose", tmp_path).what

    def test_two_files_of_one_frame(self, tmp_path):
        for name in ("c_1_keypoints.json", "c_01_keypoints.json"):
            write_json(tmp_path / name, {"people": []})
        assert "two files are frame 1" in refused("openpose", tmp_path).what

    def test_a_frame_without_a_number(self, tmp_path):
        path = write_json(tmp_path / "c_keypoints.json", {"people": []})
        assert refused("openpose", tmp_path).where == str(path)

    def test_two_clips_in_one_folder_of_several(self, tmp_path):
        for name in ("a_1_keypoints.json", "b_1_keypoints.json"):
            write_json(tmp_path / "both" / name, {"people": []})
        assert "the frames of 2 clips, a and b" in refused("openpose", tmp_path).what

    def test_a_file_where_a_frame_has_a_file(self, tmp_path):
        assert "one file a frame" in refused("openpose", write_json(tmp_path / "c.json", {})).what


class TestMeaning:
    """Poses that can be read, but not be what they are said to be."""

    def test_shares_taken_for_pixels(self, tmp_path):
        scene = made_scene()
        scene.keypoints[..., :2] /= (640, 480)
        error = refused("alphapose", write_json(tmp_path / "c.json", alphapose(scene)))
        assert "shares of the picture, not pixels" in error.what
        assert "--shares" in error.remedy

    def test_pixels_taken_for_shares(self, tmp_path):
        error = refused("alphapose", write_json(tmp_path / "c.json", alphapose(SCENE)), shares=True)
        assert "no shares of the picture" in error.what

    def test_ids_wanted_where_there_are_none(self, tmp_path):
        path = write_json(tmp_path / "c.json", alphapose(SCENE, ids=False))
        error = refused("alphapose", path, choice=TrackingChoice(ids="source"))
        assert (error.what, error.where) == ("no pose has a track id", str(path))

    def test_a_frame_before_the_first(self, tmp_path):
        error = refused("alphapose", write_json(tmp_path / "c.json", alphapose(SCENE)), first=1)
        assert "poses in frame 0, before the first frame, 1" in error.what
        assert "--first-frame" in error.remedy


ATOM = st.none() | st.booleans() | st.integers(-3, 200) | st.floats(-9, 900) | st.sampled_from(["", "1", "1.jpg", "x", "[]"])
KEY = st.sampled_from(
    ["image_id", "keypoints", "idx", "score", "1.jpg", "people", "bodies", "joints", "instances", "images", "annotations", "x"]
)
POSE = st.lists(st.floats(3, 600), min_size=51, max_size=51)
ANYTHING = st.recursive(
    ATOM | POSE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=4), max_leaves=14
)


@pytest.mark.parametrize("form", ["alphapose", "poseflow", "coco", "ultralytics"])
@given(content=ANYTHING)
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_read_or_refused_with_a_place(tmp_path, form, content):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    (found,) = find_clips(form, path).values()
    refusal = None
    try:
        clip = tracks_of("c", found.read(), Picture(RESOLUTION), TrackingChoice())
    except DataError as error:
        refusal = error
    if refusal is None:
        assert np.isfinite(clip.tracks.keypoints[..., 2]).all()
    else:
        assert str(path) in str(refusal.where)
        assert refusal.remedy


class TestLabels:
    @pytest.mark.parametrize(
        ("array", "what"),
        [
            (np.array([0, 1, 255]), "the label is 255, not 0 or 1"),
            (np.array([0.0, np.nan]), "the label is nan, not 0 or 1"),
            (np.zeros((3, 2)), "the labels have shape (3, 2)"),
            (np.zeros(0), "the labels have shape (0,)"),
            (np.array(["a"]), "the labels have shape (1,)"),
        ],
    )
    def test_other_arrays(self, tmp_path, array, what):
        np.save(tmp_path / "c.npy", array)
        with pytest.raises(DataError) as caught:
            read_labels(tmp_path / "c.npy", "abnormal")
        assert what in caught.value.what
        assert str(tmp_path / "c.npy") in caught.value.where

    def test_pickles_are_never_loaded(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return Path.touch, (tmp_path / "sprung",)

        np.save(tmp_path / "c.npy", np.array([Trap()], dtype=object), allow_pickle=True)
        with pytest.raises(DataError, match="pickled objects"):
            read_labels(tmp_path / "c.npy", "abnormal")
        assert not (tmp_path / "sprung").exists()

    def test_text(self, tmp_path):
        (tmp_path / "c.npy").write_text("0\n1\n")
        with pytest.raises(DataError, match="not a NumPy array"):
            read_labels(tmp_path / "c.npy", "abnormal")

    @pytest.mark.parametrize(("mean", "expected"), [("abnormal", [False, True, True]), ("normal", [True, False, False])])
    @pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.float64])
    def test_what_1_means(self, tmp_path, mean, expected, dtype):
        np.save(tmp_path / "c.npy", np.array([0, 1, 1], dtype=dtype))
        assert read_labels(tmp_path / "c.npy", mean).tolist() == expected

    def test_which_files(self, tmp_path):
        np.save(tmp_path / "a.npy", np.zeros(3))
        (tmp_path / "b_tracks.txt").write_text("1,20,30\n")
        np.save(tmp_path / "x.npy", np.ones(3))
        (tmp_path / "x.npy").rename(tmp_path / "c_tracks.txt")
        assert {clip: path.name for clip, path in find_labels(tmp_path).items()} == {"a": "a.npy", "c": "c_tracks.txt"}

    def test_a_clip_with_two(self, tmp_path):
        np.save(tmp_path / "c.npy", np.zeros(3))
        (tmp_path / "c_tracks.txt").write_bytes((tmp_path / "c.npy").read_bytes())
        with pytest.raises(DataError, match="clip c has two label files"):
            find_labels(tmp_path)

    def test_none(self, tmp_path):
        with pytest.raises(DataError, match="no frame labels"):
            find_labels(tmp_path)


def test_coco_results_are_not_annotations(tmp_path):
    """A list of results may hold several clips' images only if their names say so: ids are frames."""
    content = changed(coco_results(SCENE), 0, image_id=2**31)
    assert "is not a whole number from 0" in refused("coco", write_json(tmp_path / "c.json", content)).what
