"""PoseLift: the layout of STG-NF, in the folder as Shopformer calls it too."""

from __future__ import annotations

import pytest
from fixtures import document, walk, write_clip, write_pose_folder
from pydantic import ValidationError

from vadbench_datasets.poselift import PoseLift
from vadbench_datasets.published_set import JsonConfig

TRAIN, TEST = ("1_001", "2_001"), ("1_101", "6_102")


@pytest.mark.parametrize("top", ["PoseLift", "Poselift"])
def test_both_names_of_its_folder(tmp_path, top):
    write_pose_folder(tmp_path / top, train=TRAIN, test=TEST)
    data = PoseLift(JsonConfig(), tmp_path)
    assert data.available()
    clips = data.tracks("test").clips
    assert [(clip.name, clip.scene, clip.resolution) for clip in clips] == [
        ("1_101", "1", (1920, 1080)),
        ("6_102", "6", (1920, 1080)),
    ]
    assert data.labels("test").n_abnormal == 48
    assert data.labels("train").n_abnormal == 0
    assert data.info.frame_rate == 15


def test_scores_may_be_null(tmp_path):
    write_pose_folder(tmp_path / "PoseLift", train=TRAIN, test=TEST)
    content = document({1: (0, walk(40, start=(100, 200)))})
    for pose in content["1"].values():
        pose["scores"] = None
    write_clip(tmp_path / "PoseLift", "train", "1_001", content)
    tracks = PoseLift(JsonConfig(), tmp_path).tracks("train")
    assert tracks.score[:40].size == 40
    assert (tracks.score[:40] != tracks.score[:40]).all()


def test_what_is_not_known_is_not_demanded(tmp_path):
    write_pose_folder(tmp_path / "PoseLift", train=TRAIN, test=TEST)
    data = PoseLift(JsonConfig(), tmp_path)
    assert data.info.expected == {}
    assert [finding for split in ("train", "test") for finding in data.inspect(split).findings] == []
    assert data.info.licence == "not stated by its authors: ask them"


def test_there_is_no_csv_family():
    with pytest.raises(ValidationError, match="'json'"):
        JsonConfig(family="csv")
