"""Every format gives the same poses for the same scene, and says what it had to change."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from estimator_files import (
    RESOLUTION,
    Scene,
    alphapose,
    alphapose_by_image,
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

from vadbench.api import Tracks, UsageError
from vadbench.data.importers.clip_tracks import ClipTracks, Picture, TrackingChoice, tracks_of
from vadbench.data.importers.formats import FORMATS, find_clips

if TYPE_CHECKING:
    from vadbench.data.importers.raw_poses import Detections

WRITERS = {
    "alphapose": ("alphapose", alphapose),
    "alphapose-untracked": ("alphapose", lambda scene: alphapose(scene, ids=False)),
    "poseflow": ("poseflow", poseflow),
    "coco-results": ("coco", coco_results),
    "coco-annotations": ("coco", coco_annotations),
    "mmpose": ("coco", mmpose_frames),
    "mmpose-demo": ("coco", lambda scene: {"meta_info": {}, "instance_info": mmpose_frames(scene)}),
    "mmpose-lists": ("coco", lambda scene: [frame["instances"] for frame in mmpose_frames(scene)]),
    "ultralytics": ("ultralytics", ultralytics),
    "ultralytics-to-json": ("ultralytics", lambda scene: [json.dumps(frame) for frame in ultralytics(scene)]),
}


def read(form: str, source: Path, picture: Picture | None = None, choice: TrackingChoice | None = None) -> ClipTracks:
    """The only clip of a source."""
    ((name, found),) = find_clips(form, source).items()
    picture = picture or Picture(RESOLUTION, found.shares, found.counts_from)
    return tracks_of(name, found.read(), picture, choice or TrackingChoice())


def assert_is(scene: Scene, tracks: Tracks, *, scores: bool = True, atol: float = 0.0) -> None:
    """Whether tracks are the scene's, persons being numbered from 1 in both."""
    order = np.lexsort((scene.frame, scene.person))
    np.testing.assert_array_equal(tracks.person, np.array(scene.person)[order])
    np.testing.assert_array_equal(tracks.frame, np.array(scene.frame)[order])
    np.testing.assert_allclose(tracks.keypoints, scene.keypoints[order].astype(np.float32), rtol=0, atol=atol)
    wanted = np.array(scene.score, dtype=np.float32)[order] if scores else np.full(len(order), np.nan, dtype=np.float32)
    np.testing.assert_allclose(tracks.score, wanted, rtol=1e-6)


@pytest.mark.parametrize("case", WRITERS)
def test_json_formats_give_the_same_poses(tmp_path, case):
    form, content = WRITERS[case]
    scene = made_scene()
    clip = read(form, write_json(tmp_path / "01_0001.json", content(scene)))
    assert clip.tracks.clips[0].name == "01_0001"
    assert clip.tracks.clips[0].n_frames == scene.n_frames
    assert clip.tracks.layout.name == "coco-17"
    assert clip.ids == ("tracker" if "untracked" in case else "source")
    assert_is(scene, clip.tracks)
    assert clip.dropped == {}
    assert clip.counts == {}


@pytest.mark.parametrize(("outer", "inner"), [("bodies", "joints"), ("people", "pose_keypoints_2d")])
def test_alphapose_by_image_has_18_joints_with_a_computed_neck(tmp_path, outer, inner):
    scene = made_scene(joints=18)
    clip = read("alphapose", write_json(tmp_path / "c.json", alphapose_by_image(scene, outer, inner)))
    assert clip.tracks.layout.name == "coco-18"
    assert clip.ids == "tracker"
    assert_is(scene, clip.tracks, scores=False)


@pytest.mark.parametrize(("joints", "layout"), [(18, "openpose-18"), (25, "openpose-25")])
@pytest.mark.parametrize("ids", [True, False])
def test_openpose(tmp_path, joints, layout, ids):
    scene = made_scene(joints=joints)
    clip = read("openpose", write_openpose(tmp_path / "01_0001", scene, ids=ids))
    assert clip.tracks.layout.name == layout
    assert clip.ids == ("source" if ids else "tracker")
    assert clip.tracks.clips[0].n_frames == scene.n_frames
    assert_is(scene, clip.tracks, scores=False)


@pytest.mark.parametrize("ends", ["none", "conf", "id", "both"])
@pytest.mark.parametrize("visible", [True, False])
def test_ultralytics_labels(tmp_path, ends, visible):
    scene = made_scene()
    folder = write_ultralytics_labels(tmp_path / "labels", scene, ends=ends, visible=visible)
    clip = read("ultralytics", tmp_path)
    assert clip.counts_from == 1
    assert clip.ids == ("source" if ends in ("id", "both") else "tracker")
    if not visible:
        scene.keypoints[..., 2] = 1
    assert_is(scene, clip.tracks, scores=ends in ("conf", "both"), atol=1e-4)
    assert read("ultralytics", folder).tracks.fingerprint() == clip.tracks.fingerprint()


def test_ultralytics_labels_numbered_from_0(tmp_path):
    scene = made_scene()
    write_ultralytics_labels(tmp_path, scene)
    for path in sorted(tmp_path.glob("*.txt")):
        stem, number = path.stem.rsplit("_", 1)
        path.rename(path.with_name(f"{stem}_{int(number) - 1}.txt"))
    clip = read("ultralytics", tmp_path)
    assert clip.counts_from == 0
    assert_is(scene, clip.tracks, atol=1e-4)


@pytest.mark.parametrize(
    ("joints", "layout", "kept", "said"),
    [
        (26, "halpe-26", 26, None),
        (133, "coco-17", 17, "COCO-WholeBody's feet, face and hands left out"),
        (136, "halpe-26", 26, "Halpe-136's face and hands left out"),
    ],
)
def test_other_numbers_of_joints(tmp_path, joints, layout, kept, said):
    scene = made_scene(joints=joints)
    clip = read("alphapose", write_json(tmp_path / "c.json", alphapose(scene)))
    assert clip.tracks.layout.name == layout
    assert_is(Scene(scene.keypoints[:, :kept], scene.frame, scene.person, scene.score), clip.tracks)
    assert clip.counts == ({} if said is None else {said: len(scene.frame)})


def detections(tmp_path: Path, scene: Scene) -> Detections:
    (found,) = find_clips("alphapose", write_json(tmp_path / "c.json", alphapose(scene))).values()
    return found.read()


def test_a_joint_at_zero_without_confidence_is_missing(tmp_path):
    scene = made_scene()
    scene.keypoints[0, 4] = 0
    scene.keypoints[1, 4] = (0, 0, 0.5)
    scene.keypoints[2, 4, 2] = 0
    found = detections(tmp_path, scene).keypoints[:, 4]
    np.testing.assert_array_equal(found[0], np.float32([np.nan, np.nan, 0]))
    np.testing.assert_array_equal(found[1], np.float32([0, 0, 0.5]))
    np.testing.assert_array_equal(found[2], scene.keypoints[2, 4].astype(np.float32))


def test_ultralytics_joints_at_zero_are_missing_whatever_their_confidence(tmp_path):
    scene = made_scene()
    scene.keypoints[0, 4] = (0, 0, 0.3)
    clip = read("ultralytics", write_json(tmp_path / "c.json", ultralytics(scene)))
    np.testing.assert_array_equal(clip.tracks.keypoints[0, 4], np.float32([np.nan, np.nan, 0]))
    assert np.isnan(clip.tracks.keypoints).sum() == 2


def test_confidences_beyond_0_and_1_are_cut_off_and_counted(tmp_path):
    scene = made_scene()
    scene.keypoints[0, :3, 2] = (1.25, -0.1, 1.0)
    found = detections(tmp_path, scene)
    np.testing.assert_array_equal(found.keypoints[0, :3, 2], np.float32([1, 0, 1]))
    assert found.counts == {"joints whose confidence was cut off at 0 or 1": 2}


def test_labelled_visibility_becomes_confidence(tmp_path):
    scene = made_scene()
    scene.keypoints[..., 2] = 2
    scene.keypoints[0, 0, 2] = 1
    scene.keypoints[0, 1] = 0
    found = detections(tmp_path, scene)
    np.testing.assert_array_equal(found.keypoints[0, :3, 2], np.float32([1, 0, 1]))
    assert found.counts == {"poses with labelled visibility instead of confidence": len(scene.frame)}


def test_others_than_persons_are_left_out_and_counted(tmp_path):
    scene = made_scene()
    content = alphapose(scene)
    content[0]["category_id"] = 18
    clip = read("alphapose", write_json(tmp_path / "c.json", content))
    assert len(clip.tracks) == len(scene.frame) - 1
    assert clip.counts == {"not persons (category_id)": 1}


@pytest.mark.parametrize("idx", [[[0.0], [0.0]], [0.0, 1.0], None], ids=["nested", "several", "null"])
def test_alphapose_without_tracking_has_ids_that_mean_nothing(tmp_path, idx):
    content = [pose | {"idx": idx} for pose in alphapose(made_scene())]
    assert read("alphapose", write_json(tmp_path / "c.json", content)).ids == "tracker"


def test_one_id_for_everyone_means_nothing(tmp_path):
    content = [pose | {"idx": 0} for pose in alphapose(made_scene())]
    clip = read("alphapose", write_json(tmp_path / "c.json", content))
    assert clip.ids == "tracker"
    assert set(clip.tracks.person.tolist()) == {1, 2}


def test_one_person_alone_may_have_the_id_0(tmp_path):
    content = [pose | {"idx": 0} for pose in alphapose(made_scene(n_persons=1))]
    clip = read("alphapose", write_json(tmp_path / "c.json", content))
    assert (clip.ids, set(clip.tracks.person.tolist())) == ("source", {0})


@pytest.mark.parametrize("form", FORMATS)
def test_a_clip_in_which_nobody_was_found(tmp_path, form):
    if form == "openpose":
        write_json(tmp_path / "c" / "c_000000000000_keypoints.json", {"people": []})
        source = tmp_path / "c"
    else:
        source = write_json(tmp_path / "c.json", {} if form == "poseflow" else [])
    clip = read(form, source)
    assert len(clip.tracks) == 0
    assert clip.tracks.keypoints.shape == (0, 17, 3)


@pytest.mark.parametrize(("first", "counts_from", "n_frames"), [(0, 0, 6), (1, 1, 6), (7, 0, 13)])
def test_a_source_that_lists_frames_tells_where_they_begin(tmp_path, first, counts_from, n_frames):
    content = {f"{int(name.removesuffix('.jpg')) + first}.jpg": poses for name, poses in poseflow(made_scene()).items()}
    clip = read("poseflow", write_json(tmp_path / "c.json", content))
    assert (clip.counts_from, clip.tracks.clips[0].n_frames) == (counts_from, n_frames)
    assert clip.tracks.frame.min() == first - counts_from


def test_image_names_may_be_numbers_and_lie_in_a_folder(tmp_path):
    names = ["c/000007.jpg", "c\\000008.png", "c/000009"]
    content = [pose | {"image_id": name} for pose, name in zip(alphapose(made_scene(n_persons=1)), names, strict=False)]
    clip = read("alphapose", write_json(tmp_path / "c.json", content))
    assert clip.tracks.frame.tolist() == [7, 8, 9]


def test_unknown_format(tmp_path):
    with pytest.raises(UsageError, match="'alphapse'") as caught:
        find_clips("alphapse", tmp_path)
    assert "'alphapose'" in caught.value.remedy


class TestClips:
    """Which clips a source has."""

    json_clips = staticmethod(partial(find_clips, "alphapose"))

    def test_a_folder_of_files(self, tmp_path):
        for name in ("b.json", "a.json", ".c.json", "d.txt"):
            write_json(tmp_path / name, [])
        assert list(self.json_clips(tmp_path)) == ["a", "b"]

    def test_folders_with_alphaposes_own_file_name(self, tmp_path):
        write_json(tmp_path / "01_0002" / "alphapose-results.json", [])
        write_json(tmp_path / "01_0001" / "alphapose-results.json", [])
        write_json(tmp_path / "01_0001" / "other.json", [])
        assert list(self.json_clips(tmp_path)) == ["01_0001", "01_0002"]
        assert list(self.json_clips(tmp_path / "01_0001" / "alphapose-results.json")) == ["01_0001"]

    def test_frames_of_several_clips_side_by_side(self, tmp_path):
        for name in ("01_0002", "01_0001"):
            write_openpose(tmp_path, made_scene(n_frames=2), clip=name)
        assert list(find_clips("openpose", tmp_path)) == ["01_0001", "01_0002"]

    def test_frames_in_a_folder_a_clip(self, tmp_path):
        write_openpose(tmp_path / "one", made_scene(n_frames=2), clip="whatever")
        write_openpose(tmp_path / "two", made_scene(n_frames=2), clip="whatever")
        assert list(find_clips("openpose", tmp_path)) == ["one", "two"]

    def test_frames_without_a_clips_name(self, tmp_path):
        write_json(tmp_path / "one" / "000000000000_keypoints.json", {"people": []})
        assert list(find_clips("openpose", tmp_path / "one")) == ["one"]
