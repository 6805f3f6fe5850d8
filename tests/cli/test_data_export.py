"""``vadbench data export``: what it writes, and what it says of what the layout cannot hold."""

from __future__ import annotations

import numpy as np
import pytest

from vadbench.engine.datasets import open_dataset
from vadbench.engine.plugins import load_plugins


def opened(folder):
    return open_dataset(str(folder), load_plugins().registry, root=None, settings={})


def test_json_says_what_was_written_and_lost(vadbench, pose_folder):
    called = vadbench("data", "export", pose_folder, "out", "--format", "mped-csv", "--json")
    assert (called.code, called.err) == (0, "")
    data = opened(pose_folder)
    train, test = data.tracks("train"), data.tracks("test")
    assert called.json == {
        "dataset": "campus",
        "format": "mped-csv",
        "destination": "out",
        "clips": {"train": 3, "test": 3},
        "poses": {"train": len(train), "test": len(test)},
        "masks": 3,
        "lost": {
            "confidences, which are read back as 1": 17 * (len(train) + len(test)),
            "scores of poses": len(train) + len(test),
            "clips whose size in pixels and frame rate other programs must be told": 6,
        },
    }


def test_text(vadbench, pose_folder):
    called = vadbench("data", "export", pose_folder, "out", "--format", "mped-csv")
    assert called.code == 0
    assert "test: 3 clips, " in called.out
    assert "the layout cannot hold:\n  " in called.out
    assert "confidences, which are read back as 1" in called.out
    assert called.out.endswith("written: out\n")
    called = vadbench("data", "export", pose_folder, "other", "--format", "stg-nf")
    assert "nothing is lost in this layout" in called.out


def test_what_is_exported_is_what_was_there(vadbench, pose_folder, tmp_path):
    assert vadbench("data", "export", pose_folder, "out", "--format", "stg-nf").code == 0
    there, here = opened(pose_folder), opened(tmp_path / "out")
    for split in ("train", "test"):
        assert here.tracks(split).fingerprint() == there.tracks(split).fingerprint()
    assert here.labels("test").fingerprint() == there.labels("test").fingerprint()


def test_a_data_set_by_name(vadbench, tmp_path):
    """The stand-in has scenes and lengths of its own; its labels come along."""
    small = ("--set", "dataset.train_clips=2", "--set", "dataset.test_clips=2")
    called = vadbench("data", "export", "synthetic-campus", "out", "--format", "stg-nf", "--split", "test", *small, "--json")
    assert called.code == 0, called.err
    data = opened(tmp_path / "out")
    assert data.labels("test").n_frames > 0
    assert "exported" in data.info.title


def test_one_split(vadbench, pose_folder, tmp_path):
    called = vadbench("data", "export", pose_folder, "out", "--format", "stg-nf", "--split", "train", "--json")
    assert (list(called.json["clips"]), called.json["masks"]) == (["train"], 0)
    assert not (tmp_path / "out" / "gt").exists()


def test_camera_level_and_first_frame(vadbench, pose_folder, tmp_path):
    options = ("--camera-level", "--first-frame", "0", "--split", "test")
    assert vadbench("data", "export", pose_folder, "out", "--format", "mped-csv", *options).code == 0
    assert (tmp_path / "out" / "testing" / "trajectories" / "01" / "0010" / "00001.csv").is_file()
    np.testing.assert_array_equal(opened(tmp_path / "out").tracks("test").frame, opened(pose_folder).tracks("test").frame)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--format", "stg-nf", "--split", "validation"), 2, "campus has no validation split"),
        (("--format", "stg-nf", "--camera-level"), 2, "are for CSV"),
        (("--format", "mped-csv", "--ubnormal-ids"), 2, "is not the name of a clip of UBnormal"),
        (("--format", "npy"), 2, "npy"),
        (("--format", "stg-nf", "--set", "dataset.familiy=csv"), 2, "family"),
    ],
)
def test_errors(vadbench, pose_folder, tmp_path, *, options, code, said):
    called = vadbench("data", "export", pose_folder, "out", *options)
    assert called.code == code
    assert said in called.err
    assert not (tmp_path / "out").exists()


def test_an_export_is_not_replaced_unasked(vadbench, pose_folder):
    command = ("data", "export", pose_folder, "out", "--format", "stg-nf")
    assert vadbench(*command).code == 0
    called = vadbench(*command)
    assert (called.code, "--force" in called.err) == (2, True)
    assert vadbench(*command, "--force").code == 0


def test_an_unknown_data_set(vadbench):
    called = vadbench("data", "export", "shanghaitec", "out", "--format", "stg-nf")
    assert (called.code, "'shanghaitech'" in called.err) == (2, True)


def test_missing_files(vadbench, tmp_path):
    (tmp_path / "root").mkdir()
    called = vadbench("data", "export", "shanghaitech", "out", "--format", "stg-nf", "--data-root", "root")
    assert called.code == 3
    assert not (tmp_path / "out").exists()
