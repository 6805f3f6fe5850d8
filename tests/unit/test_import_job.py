"""An import is whole or absent, opens as a pose folder, and adds to a folder only what fits it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_tracks import made_tracks

from vadbench.api import COCO_17, LAYOUTS, ConfigError, DataError, Silent, SkeletonLayout, Tracks, UsageError
from vadbench.data.exporters.one_clip import one_clip
from vadbench.data.importers.clip_sources import chosen
from vadbench.data.importers.clip_tracks import ClipTracks
from vadbench.data.importers.import_job import Destination, Labels, import_clips
from vadbench.engine.datasets import open_dataset
from vadbench.engine.plugins import load_plugins

if TYPE_CHECKING:
    from vadbench.data.importers.import_report import ImportReport

Clips = Mapping[str, Callable[[], ClipTracks]]


def tracks(n: int = 2, layout: SkeletonLayout = COCO_17) -> Tracks:
    return made_tracks(*({1: range(20), 2: range(5, 12)} for _ in range(n)), layout=layout, missing=0.1)


def clips(made: Tracks) -> Clips:
    return {clip.name: partial(as_read, one_clip(made, i)) for i, clip in enumerate(made.clips)}


def as_read(clip: Tracks) -> ClipTracks:
    return ClipTracks(clip, "source", 0, {}, {})


def labels(folder: Path, *lengths: int) -> Labels:
    folder.mkdir(parents=True)
    for i, length in enumerate(lengths):
        np.save(folder / f"c{i}.npy", np.arange(length) % 2)
    return Labels({f"c{i}": folder / f"c{i}.npy" for i in range(len(lengths))}, "abnormal")


def run(found: Clips, target: Path, marks: Labels | None = None, **more: object) -> ImportReport:
    return import_clips(found, marks, Destination(target, **({"split": "test"} | more)), Silent())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def opened(folder: Path):
    return open_dataset(str(folder), load_plugins().registry, root=None, settings={})


def test_it_opens_as_a_pose_folder(tmp_path):
    made = tracks()
    report = run(
        clips(made), tmp_path / "d", labels(tmp_path / "l", 20, 25), resolution=(1280, 720), frame_rate=30.0, title="Mine"
    )
    data = opened(tmp_path / "d")
    assert (data.info.title, data.info.layout, data.info.frame_rate) == ("Mine", "coco-17", 30)
    read = data.tracks("test")
    for column in ("keypoints", "clip", "person", "frame", "score"):
        np.testing.assert_array_equal(getattr(read, column), getattr(made, column))
    assert [(clip.name, clip.n_frames, clip.resolution) for clip in read.clips] == [
        ("c0", 20, (1280, 720)),
        ("c1", 25, (1280, 720)),
    ]
    assert data.labels("test").n_abnormal == 10 + 12
    assert [(clip.frames, clip.poses, clip.tracks, clip.abnormal) for clip in report.clips] == [(20, 27, 2, 10), (25, 27, 2, 12)]
    assert report.assumed == ()


def test_what_nobody_said_stands_there_as_a_comment(tmp_path):
    report = run(clips(tracks()), tmp_path / "d")
    text = (tmp_path / "d" / "dataset.toml").read_text()
    assert tomllib.loads(text) == {"layout": "coco-17", "missing": "zero"}
    assert "# resolution = [856, 480]" in text
    assert report.assumed == ("resolution", "frame_rate")
    assert report.unlabelled == ("c0", "c1")


@pytest.mark.parametrize("split", ["train", "validation"])
def test_other_splits(tmp_path, split):
    made = tracks()
    run(clips(made), tmp_path / "d", split=split)
    run(clips(made), tmp_path / "d", labels(tmp_path / "l", 20, 20))
    data = opened(tmp_path / "d")
    assert set(data.info.splits) >= {split, "test"}
    np.testing.assert_array_equal(data.tracks(split).keypoints, made.keypoints)
    assert data.labels(split).n_abnormal == 0


def test_labels_of_a_validation_split(tmp_path):
    run(clips(tracks()), tmp_path / "d", labels(tmp_path / "l", 20, 20), split="validation")
    assert opened(tmp_path / "d").labels("validation").n_abnormal == 20


def test_a_training_split_has_no_labels(tmp_path):
    with pytest.raises(UsageError, match="normal throughout"):
        run(clips(tracks()), tmp_path / "d", labels(tmp_path / "l", 20, 20), split="train")


def test_titles_of_any_characters(tmp_path):
    title = 'He said "no" \\ 街 \x7f\t'
    run(clips(tracks()), tmp_path / "d", split="train", title=title)
    assert tomllib.loads((tmp_path / "d" / "dataset.toml").read_text())["title"] == title


class TestLayout:
    def test_it_is_that_of_the_source(self, tmp_path):
        made = tracks(layout=LAYOUTS["halpe-26"])
        assert run(clips(made), tmp_path / "d", split="train").layout == "halpe-26"
        np.testing.assert_array_equal(opened(tmp_path / "d").tracks("train").keypoints, made.keypoints)

    def test_it_is_converted(self, tmp_path):
        report = run(clips(tracks(layout=LAYOUTS["openpose-25"])), tmp_path / "d", split="train", layout="coco-17")
        assert report.layout == "coco-17"
        ((said, poses),) = report.total("counts").items()
        assert said.startswith("poses without their neck, mid_hip, ")
        assert poses == 54

    def test_a_joint_is_computed(self, tmp_path):
        report = run(clips(tracks()), tmp_path / "d", split="train", layout="coco-18")
        assert report.total("counts") == {"poses with a computed neck": 54}

    def test_joints_are_not_invented(self, tmp_path):
        with pytest.raises(ConfigError) as caught:
            run(clips(tracks()), tmp_path / "d", layout="halpe-26")
        assert "coco-17 has no head_top" in caught.value.what
        assert caught.value.where == "clip c0"
        assert "--layout" in caught.value.remedy
        assert not (tmp_path / "d").exists()

    def test_an_unknown_one(self, tmp_path):
        with pytest.raises(ConfigError, match="'coco17'"):
            run(clips(tracks()), tmp_path / "d", layout="coco17")

    def test_one_for_all_clips(self, tmp_path):
        mixed = {**clips(tracks(1)), "c1": partial(as_read, one_clip(tracks(1, LAYOUTS["halpe-26"]), 0))}
        with pytest.raises(DataError, match="has the layout halpe-26; clips before it have coco-17"):
            run(mixed, tmp_path / "d")

    def test_clips_with_nobody_have_any(self, tmp_path):
        empty = made_tracks({})
        mixed = {"a": partial(as_read, empty), **clips(tracks(2, LAYOUTS["halpe-26"]))}
        assert run(mixed, tmp_path / "d", split="train").layout == "halpe-26"
        assert len(opened(tmp_path / "d").tracks("train").clips) == 3


class TestWholeOrAbsent:
    @pytest.mark.parametrize("failure", [DataError("broken"), KeyboardInterrupt(), SystemExit(143), MemoryError()])
    def test_nothing_is_left_of_an_import_that_fails(self, tmp_path, failure):
        def broken() -> ClipTracks:
            raise failure

        with pytest.raises(type(failure)):
            run({**clips(tracks()), "c9": broken}, tmp_path / "new" / "d")
        assert list((tmp_path / "new").iterdir()) == []

    def test_a_folder_that_is_there_stays_as_it_is(self, tmp_path):
        run(clips(tracks()), tmp_path / "d", split="train")
        (tmp_path / "d" / "notes.txt").write_text("mine")
        before = contents(tmp_path / "d")
        with pytest.raises(DataError, match="there are 19 labels"):
            run(clips(tracks()), tmp_path / "d", labels(tmp_path / "l", 20, 19))
        assert contents(tmp_path / "d") == before
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".vadbench")] == []

    def test_a_split_is_not_replaced_unasked(self, tmp_path):
        run(clips(tracks()), tmp_path / "d")
        before = contents(tmp_path / "d")
        with pytest.raises(UsageError, match="pose/test is there already") as caught:
            run(clips(tracks(1)), tmp_path / "d")
        assert "--force" in caught.value.remedy
        assert contents(tmp_path / "d") == before

    def test_a_split_is_replaced_whole(self, tmp_path):
        run(clips(tracks()), tmp_path / "d", split="train")
        run(clips(tracks(3)), tmp_path / "d", labels(tmp_path / "l", 20, 20, 20))
        (tmp_path / "d" / "notes.txt").write_text("mine")
        run(clips(tracks(1)), tmp_path / "d", labels(tmp_path / "m", 22), replace=True)
        assert sorted(contents(tmp_path / "d")) == [
            "dataset.toml",
            "gt/test_frame_mask/c0.npy",
            "notes.txt",
            "pose/test/c0_alphapose_tracked_person.json",
            "pose/train/c0_alphapose_tracked_person.json",
            "pose/train/c1_alphapose_tracked_person.json",
        ]

    def test_the_only_split_may_change_its_kind(self, tmp_path):
        run(clips(tracks()), tmp_path / "d", split="train", resolution=(640, 480))
        run(clips(tracks(2, LAYOUTS["halpe-26"])), tmp_path / "d", split="train", replace=True)
        assert opened(tmp_path / "d").info.layout == "halpe-26"


class TestOtherKinds:
    """What is added to a folder must be of its kind."""

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"layout": "coco-18"}, "layout is coco-17 there and coco-18 here"),
            ({"resolution": (1280, 720)}, "resolution is [640, 480] there and [1280, 720] here"),
            ({"frame_rate": 25.0}, "frame_rate is 24.0 there and 25.0 here"),
            ({"missing": "keep"}, "missing is zero there and keep here"),
        ],
    )
    def test_they_are_refused(self, tmp_path, more, said):
        run(clips(tracks()), tmp_path / "d", split="train", resolution=(640, 480))
        before = contents(tmp_path / "d")
        with pytest.raises(UsageError) as caught:
            run(clips(tracks()), tmp_path / "d", **more)
        assert said in caught.value.what
        assert contents(tmp_path / "d") == before

    def test_a_manifest_that_was_there_first_stays(self, tmp_path):
        (tmp_path / "d").mkdir()
        text = 'licence = "mine alone"\nmissing = "zero"\nresolution = [640, 480]\n'
        (tmp_path / "d" / "dataset.toml").write_text(text)
        with pytest.raises(UsageError, match="layout is coco-17 there and halpe-26 here"):
            run(clips(tracks(2, LAYOUTS["halpe-26"])), tmp_path / "d", split="train")
        assert run(clips(tracks()), tmp_path / "d", split="train").assumed == ()
        assert run(clips(tracks()), tmp_path / "d", split="train", replace=True).assumed == ()
        assert (tmp_path / "d" / "dataset.toml").read_text() == text

    def test_titles_may_differ(self, tmp_path):
        run(clips(tracks()), tmp_path / "d", split="train", title="One")
        run(clips(tracks()), tmp_path / "d", title="Other")
        assert opened(tmp_path / "d").info.title == "One"

    def test_a_folder_without_a_manifest(self, tmp_path):
        run(clips(tracks()), tmp_path / "d", split="train")
        (tmp_path / "d" / "dataset.toml").unlink()
        with pytest.raises(UsageError, match="missing is keep there and zero here"):
            run(clips(tracks()), tmp_path / "d")
        run(clips(tracks()), tmp_path / "d", missing="keep")

    def test_a_folder_that_has_its_test_split_elsewhere(self, tmp_path):
        run(clips(tracks()), tmp_path / "d", split="train")
        with (tmp_path / "d" / "dataset.toml").open("a") as file:
            file.write('[splits]\ntrain = "pose/train"\n')
        with pytest.raises(UsageError, match="gives splits a place of their own"):
            run(clips(tracks()), tmp_path / "d")

    def test_a_broken_manifest(self, tmp_path):
        run(clips(tracks()), tmp_path / "d", split="train")
        (tmp_path / "d" / "dataset.toml").write_text("layout = ")
        with pytest.raises(DataError) as caught:
            run(clips(tracks()), tmp_path / "d")
        assert caught.value.where == str(tmp_path / "d" / "dataset.toml")


class TestLabels:
    def test_poses_beyond_them(self, tmp_path):
        marks = labels(tmp_path / "l", 20, 19)
        with pytest.raises(DataError) as caught:
            run(clips(tracks()), tmp_path / "d", marks)
        assert caught.value.what == "there are 19 labels (frames 0 to 18), but a pose in frame 19"
        assert caught.value.where == f"clip c1, labels {tmp_path / 'l' / 'c1.npy'}"
        assert "--first-frame 1" in caught.value.remedy

    def test_masks_that_are_there_are_used_and_stay(self, tmp_path):
        labels(tmp_path / "d" / "gt" / "test_frame_mask", 20, 25)
        before = contents(tmp_path / "d")
        report = run(clips(tracks(3)), tmp_path / "d")
        assert [(clip.frames, clip.abnormal) for clip in report.clips] == [(20, 10), (25, 12), (20, None)]
        assert report.unlabelled == ("c2",)
        assert before.items() <= contents(tmp_path / "d").items()
        with pytest.raises(UsageError, match="gt/test_frame_mask and pose/test are there already"):
            run(clips(tracks(2)), tmp_path / "d", labels(tmp_path / "l", 20, 20))

    def test_masks_that_are_there_must_fit(self, tmp_path):
        labels(tmp_path / "d" / "gt" / "test_frame_mask", 20, 19)
        with pytest.raises(DataError, match="there are 19 labels"):
            run(clips(tracks()), tmp_path / "d")
        assert not (tmp_path / "d" / "pose").exists()

    def test_some_clips_have_none(self, tmp_path):
        report = run(clips(tracks(3)), tmp_path / "d", labels(tmp_path / "l", 20))
        assert report.unlabelled == ("c1", "c2")
        assert [path.name for path in (tmp_path / "d" / "gt" / "test_frame_mask").iterdir()] == ["c0.npy"]

    def test_a_source_that_lists_more_frames(self, tmp_path):
        (made,) = (one_clip(made_tracks({1: range(20), 2: [24]}), 0),)
        short = partial(as_read, Tracks(made.clips, made.layout, *(column[:20] for column in columns(made))))
        report = run({"c0": short}, tmp_path / "d", labels(tmp_path / "l", 20))
        assert report.total("counts") == {"frames without a pose that the source lists beyond the labels": 5}


def columns(made: Tracks) -> tuple[np.ndarray, ...]:
    return (made.keypoints, made.clip, made.person, made.frame, made.score)


class TestChosen:
    NAMES = ("01_0001", "01_0002", "02_0001")

    @pytest.mark.parametrize(
        ("include", "exclude", "kept"),
        [
            ((), (), NAMES),
            (("01_*",), (), NAMES[:2]),
            (("01_*", "02_*"), ("*_0001",), NAMES[1:2]),
            ((), ("0?_0001",), NAMES[1:2]),
        ],
    )
    def test_patterns(self, include, exclude, kept):
        assert chosen(self.NAMES, include, exclude) == list(kept)

    @pytest.mark.parametrize(("include", "exclude"), [(("03_*",), ()), ((), ("x",)), ((), ("*",))])
    def test_patterns_that_fit_nothing_or_leave_nothing(self, include, exclude):
        with pytest.raises(UsageError):
            chosen(self.NAMES, include, exclude)


def test_files_are_as_stg_nf_reads_them(tmp_path):
    run(clips(tracks(1)), tmp_path / "d", split="train")
    document = json.loads((tmp_path / "d" / "pose" / "train" / "c0_alphapose_tracked_person.json").read_text())
    assert list(document) == ["1", "2"]
    assert list(document["2"]) == [f"{frame:04d}" for frame in range(5, 12)]
    assert len(document["1"]["0000"]["keypoints"]) == 51
