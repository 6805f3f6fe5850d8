"""What is exported opens again: bit for bit as JSON; as CSV less what that cannot hold, of which the export says how much."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracks import made_tracks

from vadbench.api import (
    COCO_17,
    COCO_18,
    LAYOUTS,
    Clip,
    ConfigError,
    DataError,
    Dataset,
    DatasetInfo,
    FrameLabels,
    Silent,
    Tracks,
)
from vadbench.data.exporters.export_job import ExportReport, ExportRule, SplitData, export_splits
from vadbench.data.layout_conversion import convert_layout
from vadbench.engine.datasets import open_dataset
from vadbench.engine.plugins import load_plugins

INFO = DatasetInfo("made", "Made up", "coco-17", 25.0, "CC0", 'Nobody: "Nothing". 2020', "nowhere", resolution=(856, 480))
COLUMNS = ("keypoints", "clip", "person", "frame", "score")
REGISTRY = load_plugins().registry


def opened(folder: Path, **settings_: Any) -> Dataset:
    return open_dataset(str(folder), REGISTRY, root=None, settings=settings_)


def marks(tracks: Tracks, *, left_out: int = 0) -> FrameLabels:
    """Every third frame of a clip is abnormal; the first ``left_out`` do not count."""
    lengths = [clip.n_frames for clip in tracks.clips]
    return FrameLabels(
        clips=tuple(clip.name for clip in tracks.clips),
        abnormal=tuple(np.arange(length) % 3 == 0 for length in lengths),
        keep=tuple(np.arange(length) >= left_out for length in lengths),
    )


def export(target: Path, form: str, test: Tracks, *, train: Tracks | None = None, left_out: int = 0, **rule: Any) -> ExportReport:
    splits = [SplitData("test", test, marks(test, left_out=left_out))]
    if train is not None:
        splits.insert(0, SplitData("train", train, None))
    return export_splits(INFO, splits, target, ExportRule(form, **rule), replace=False, progress=Silent())


def named(tracks: Tracks, *names: str) -> Tracks:
    """The same clips under other names, each in the scene that its name says."""
    return replace(
        tracks,
        clips=tuple(
            Clip(name, name.partition("_")[0], clip.n_frames, clip.resolution)
            for name, clip in zip(names, tracks.clips, strict=True)
        ),
    )


def street(*, seed: int = 0, missing: float = 0.2, layout=COCO_17) -> Tracks:
    made = made_tracks({3: range(4, 30), 1: [0, 1, 7]}, {}, {12: range(9)}, layout=layout, seed=seed, missing=missing)
    return named(made, "01_0001", "01_0002", "02_0001")


def assert_same(one: Tracks, other: Tracks) -> None:
    assert [(clip.name, clip.scene, clip.n_frames, clip.resolution) for clip in one.clips] == [
        (clip.name, clip.scene, clip.n_frames, clip.resolution) for clip in other.clips
    ]
    for column in COLUMNS:
        left, right = getattr(one, column), getattr(other, column)
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


def as_csv_holds(tracks: Tracks) -> Tracks:
    """Less the confidences and scores; a joint at 0, 0 is missing."""
    keypoints = tracks.keypoints.copy()
    missing = np.isnan(keypoints[..., 0]) | (keypoints[..., :2] == 0).all(axis=2)
    keypoints[..., 2] = 1
    keypoints[missing] = (np.nan, np.nan, 0)
    return replace(tracks, keypoints=keypoints, score=np.full(len(tracks), np.nan, dtype=np.float32))


NUMBER = st.floats(-4000, 4000, width=32)
POSE = st.lists(
    st.one_of(st.just((0.0, 0.0, 0.0)), st.tuples(NUMBER, NUMBER, st.floats(0, 1, width=32))), min_size=17, max_size=17
)
SCORE = st.one_of(st.just(float("nan")), st.floats(0, 9, width=32))
PERSON = st.dictionaries(st.integers(0, 60), st.tuples(POSE, SCORE), min_size=1, max_size=4)
CLIPS = st.lists(st.dictionaries(st.integers(0, 99_999), PERSON, max_size=3), min_size=1, max_size=3)


def tracks_from(clips: list[Mapping[int, Mapping[int, Any]]]) -> Tracks:
    """Tracks with the drawn numbers; a drawn joint at 0, 0, 0 is a missing one."""
    rows = [(c, p, f, *clip[p][f]) for c, clip in enumerate(clips) for p in sorted(clip) for f in sorted(clip[p])]
    keypoints = np.array([row[3] for row in rows], dtype=np.float32).reshape(-1, 17, 3)
    keypoints[(keypoints == 0).all(axis=2)] = (np.nan, np.nan, 0)
    return Tracks(
        clips=tuple(Clip(f"0{c}_{c:04d}", f"0{c}", 61 + c, (856, 480)) for c in range(len(clips))),
        layout=COCO_17,
        keypoints=keypoints,
        clip=np.array([row[0] for row in rows], dtype=np.int32),
        person=np.array([row[1] for row in rows], dtype=np.int32),
        frame=np.array([row[2] for row in rows], dtype=np.int32),
        score=np.array([row[4] for row in rows], dtype=np.float32),
    )


@given(clips=CLIPS, camera=st.booleans(), first=st.sampled_from([None, 0]))
@settings(max_examples=40)
def test_json_to_csv_and_back_loses_what_csv_cannot_hold_and_says_how_much(clips, camera, first):
    tracks = tracks_from(clips)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        kept = export(root / "json", "stg-nf", tracks)
        from_json = opened(root / "json").tracks("test")
        assert_same(from_json, tracks)
        assert kept.lost == {}

        lost = export(root / "csv", "mped-csv", from_json, camera_level=camera, first_frame=first).lost
        from_csv = opened(root / "csv").tracks("test")
        assert_same(from_csv, as_csv_holds(tracks))
        there = ~np.isnan(tracks.keypoints[..., 0])
        at_zero = there & (tracks.keypoints[..., :2] == 0).all(axis=2)
        empty = sum(not clip for clip in clips)
        assert lost == {
            what: n
            for what, n in {
                "confidences, which are read back as 1": (there & (tracks.keypoints[..., 2] != 1)).sum(),
                "scores of poses": np.isfinite(tracks.score).sum(),
                "joints at exactly 0, 0, which are read back as missing": at_zero.sum(),
                "clips in which nobody was detected, whose folders are empty: MoCoDAD stops at one": empty,
                "clips whose size in pixels and frame rate other programs must be told": len(clips),
            }.items()
            if n
        }

        again = export(root / "again", "stg-nf", from_csv).lost
        assert again == {}
        back = opened(root / "again").tracks("test")
        assert_same(back, from_csv)
        # What came back is what went in wherever CSV holds it.
        still = ~np.isnan(back.keypoints[..., 0])
        np.testing.assert_array_equal(back.keypoints[still][:, :2], tracks.keypoints[still][:, :2])


@pytest.mark.parametrize("form", ["stg-nf", "mped-csv"])
@pytest.mark.parametrize("camera", [False, True])
def test_labels_and_facts_come_along(tmp_path, form, camera):
    tracks = street()
    report = export(tmp_path / "d", form, tracks, train=street(seed=1), camera_level=camera and form == "mped-csv")
    data = opened(tmp_path / "d")
    assert data.info.splits == ("train", "test")
    assert (data.info.title, data.info.frame_rate, data.info.resolution) == ("Made up (exported)", 25, (856, 480))
    assert (data.info.licence, data.info.citation) == (INFO.licence, INFO.citation)
    assert data.labels("test").fingerprint() == marks(tracks).fingerprint()
    wanted = tracks if form == "stg-nf" else as_csv_holds(tracks)
    assert_same(data.tracks("test"), wanted)
    assert report.clips == {"train": 3, "test": 3}
    assert report.poses == {"train": len(tracks), "test": len(tracks)}
    assert report.masks == 3


def test_frames_of_training_clips_after_the_last_pose_are_lost(tmp_path):
    made = street()
    longer = replace(made, clips=tuple(replace(clip, n_frames=clip.n_frames + 5) for clip in made.clips))
    lost = export(tmp_path / "d", "stg-nf", made, train=longer).lost
    # The clip in which nobody was detected has one frame of its own.
    assert lost == {"frames of training clips after the last pose": 16}


def test_joints_at_zero_stay_joints_where_none_is_missing(tmp_path):
    tracks = street(missing=0)
    tracks.keypoints[0, 4] = 0
    assert export(tmp_path / "d", "stg-nf", tracks).lost == {}
    assert_same(opened(tmp_path / "d").tracks("test"), tracks)


def test_joints_at_zero_are_lost_where_others_are_missing(tmp_path):
    tracks, train = street(missing=0), street(missing=0.2)
    tracks.keypoints[0, 4] = 0
    lost = export(tmp_path / "d", "stg-nf", tracks, train=train).lost
    assert lost.pop("joints at exactly 0, 0 with confidence 0, which are read back as missing") == 1
    assert np.isnan(opened(tmp_path / "d").tracks("test").keypoints[0, 4, 0])


class TestLayouts:
    @pytest.mark.parametrize(
        ("layout", "dropped"), [("coco-18", "neck"), ("openpose-18", "neck"), ("halpe-26", "head_top, neck")]
    )
    @pytest.mark.parametrize("form", ["stg-nf", "mped-csv"])
    def test_others_are_converted(self, tmp_path, layout, dropped, form):
        tracks = street(layout=LAYOUTS[layout])
        lost = export(tmp_path / "d", form, tracks).lost
        (said,) = [what for what in lost if what.startswith(f"poses without their {dropped}")]
        assert lost[said] == len(tracks)
        there = convert_layout(tracks, "coco-17")
        assert_same(opened(tmp_path / "d").tracks("test"), there if form == "stg-nf" else as_csv_holds(there))

    def test_joints_are_not_invented(self, tmp_path):
        with pytest.raises(ConfigError) as caught:
            export(tmp_path / "d", "stg-nf", street(layout=LAYOUTS["ntu-25"]))
        assert "ntu-25 has no nose" in caught.value.what
        assert "coco-17" in caught.value.remedy
        assert not (tmp_path / "d").exists()


class TestCsv:
    def test_mocodads_folders(self, tmp_path):
        export(tmp_path / "d", "mped-csv", street(), train=street(seed=1))
        trajectories = tmp_path / "d" / "testing" / "trajectories"
        assert sorted(path.name for path in trajectories.iterdir()) == ["01-0001", "01-0002", "02-0001"]
        assert sorted(path.name for path in (trajectories / "01-0001").iterdir()) == ["00001.csv", "00003.csv"]
        # MoCoDAD scores frame id - 1, so the first frame is called 1.
        assert (trajectories / "01-0001" / "00001.csv").read_text().partition(",")[0] == "1"
        assert (tmp_path / "d" / "testing" / "test_frame_mask" / "01_0001.npy").is_file()
        assert (tmp_path / "d" / "training" / "trajectories" / "02-0001").is_dir()
        assert not (tmp_path / "d" / "hr_bool_masks").exists()

    def test_mped_rnns_folders(self, tmp_path):
        export(tmp_path / "d", "mped-csv", street(), train=street(seed=1), camera_level=True)
        assert (tmp_path / "d" / "testing" / "trajectories" / "02" / "0001" / "00012.csv").is_file()
        assert (tmp_path / "d" / "testing" / "frame_level_masks" / "02" / "02_0001.npy").is_file()
        assert (tmp_path / "d" / "training" / "trajectories" / "00" / "02_0001" / "00012.csv").is_file()

    def test_frames_that_do_not_count(self, tmp_path):
        tracks = street()
        lost = export(tmp_path / "csv", "mped-csv", tracks, left_out=2).lost
        assert not any("do not count" in what for what in lost)
        keep = np.load(tmp_path / "csv" / "hr_bool_masks" / "testing" / "test_frame_mask" / "01_0001.npy")
        assert keep.dtype == np.bool_
        assert keep.tolist() == [False] * 2 + [True] * (tracks.clips[0].n_frames - 2)
        lost = export(tmp_path / "json", "stg-nf", tracks, left_out=2).lost
        # Two of each clip; the clip in which nobody was detected has one frame.
        assert lost == {"frames that do not count (as in a human-related subset), but are not marked": 5}

    def test_ubnormal(self, tmp_path):
        tracks = named(street(), "abnormal_scene_2_scenario_1", "abnormal_scene_2_scenario_1_fog", "normal_scene_1_scenario1_2")
        export(tmp_path / "csv", "mped-csv", tracks, ubnormal_ids=True)
        names = sorted(path.name for path in (tmp_path / "csv" / "testing" / "trajectories").iterdir())
        assert names == ["002-0100", "002-0151", "101-0102"]
        export(tmp_path / "json", "stg-nf", tracks)
        stored = np.load(tmp_path / "json" / "gt" / "abnormal_scene_2_scenario_1_tracks.txt")
        assert stored.dtype == np.float64
        np.testing.assert_array_equal(stored, ~marks(tracks).abnormal[0])

    def test_two_clips_of_one_number(self, tmp_path):
        tracks = named(street(), "normal_scene_1_scenario_2", "normal_scene_1_scenario2", "normal_scene_4_scenario_2")
        with pytest.raises(DataError, match="two clips would be written as 101-0200"):
            export(tmp_path / "d", "mped-csv", tracks, ubnormal_ids=True)
        assert not (tmp_path / "d").exists()

    def test_a_name_with_a_hyphen(self, tmp_path):
        lost = export(tmp_path / "d", "mped-csv", named(street(), "a-1", "b_1", "c_1")).lost
        assert lost["clips with '-' in their names, which is read back as '_'"] == 1

    @pytest.mark.parametrize("rule", [{"camera_level": True}, {"ubnormal_ids": True}])
    def test_json_has_no_such_thing(self, tmp_path, rule):
        with pytest.raises(ConfigError, match="are for CSV"):
            export(tmp_path / "d", "stg-nf", street(), **rule)


@pytest.mark.parametrize("form", ["stg-nf", "mped-csv"])
def test_scenes_that_names_do_not_say(tmp_path, form):
    made = street()
    made = replace(made, clips=tuple(replace(clip, scene=f'gate {i} "x"') for i, clip in enumerate(made.clips)))
    export(tmp_path / "d", form, made)
    assert [clip.scene for clip in opened(tmp_path / "d").tracks("test").clips] == ['gate 0 "x"', 'gate 1 "x"', 'gate 2 "x"']


def test_pictures_of_several_sizes(tmp_path):
    made = street()
    made = replace(made, clips=(replace(made.clips[0], resolution=(640, 480)), *made.clips[1:]))
    assert export(tmp_path / "d", "stg-nf", made).lost == {"clips whose pictures have another size than dataset.toml says": 1}
    assert opened(tmp_path / "d").info.resolution == INFO.resolution


@pytest.mark.parametrize("form", ["stg-nf", "mped-csv"])
def test_nothing_is_left_of_an_export_that_fails(tmp_path, form):
    def splits():
        yield SplitData("train", street(), None)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_splits(INFO, splits(), tmp_path / "d", ExportRule(form), replace=False, progress=Silent())
    assert list(tmp_path.iterdir()) == []


def test_labels_of_other_clips(tmp_path):
    other = marks(named(street(), "01_0001", "01_0003", "02_0001"))
    with pytest.raises(DataError, match="not those of the clips"):
        export_splits(
            INFO, [SplitData("test", street(), other)], tmp_path / "d", ExportRule("stg-nf"), replace=False, progress=Silent()
        )


def test_real_poses(tmp_path, shared_data):
    """mocap-street as JSON is the same text again; as CSV it differs in confidences and scores alone."""
    source = shared_data / "mocap-street"
    data = opened(source)
    test = SplitData("test", data.tracks("test"), data.labels("test"))
    for form in ("stg-nf", "mped-csv"):
        export_splits(data.info, [test], tmp_path / form, ExportRule(form), replace=False, progress=Silent())
    assert_same(opened(tmp_path / "stg-nf").tracks("test"), test.tracks)
    assert_same(opened(tmp_path / "mped-csv").tracks("test"), as_csv_holds(test.tracks))
    shutil.rmtree(tmp_path / "stg-nf")


def test_the_neck_of_coco_18_comes_back(tmp_path):
    """A computed neck is lost and computed again."""
    tracks = convert_layout(street(), "coco-18")
    export(tmp_path / "d", "stg-nf", tracks)
    back = convert_layout(opened(tmp_path / "d").tracks("test"), COCO_18.name)
    np.testing.assert_array_equal(back.keypoints, tracks.keypoints)
