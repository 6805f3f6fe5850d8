"""UBnormal's text files: floats, several lines a track, several tracks; errors name the line."""

from __future__ import annotations

import numpy as np
import pytest

from vadbench.api import DataError
from vadbench_datasets.frame_truth import LabelFile
from vadbench_datasets.ubnormal_tracks import TrackTexts, read_track_text


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "gt" / "abnormal_scene_2_scenario_2_tracks.txt"
    path.parent.mkdir()

    def write(content: str):
        path.write_bytes(content.encode())
        return path

    return write


@pytest.mark.parametrize("content", ["1,0,5\r\n2,8,10\r\n", "1.0e+00,0.00e+00,5.0e+00\n2,8,10", "\n1,0,5\n\n 2 , 8 , 10 \n"])
def test_lines(text, content):
    assert read_track_text(text(content)).tolist() == [[1, 0, 5], [2, 8, 10]]


def test_a_frame_is_abnormal_when_any_line_covers_it_and_the_last_never_is(text):
    labels, truth = LabelFile(text("1,2,5\n1,7,8\n2,4,6\n3,9,9\n")), TrackTexts()
    assert truth.n_frames(labels, 0) == 10
    assert truth.n_frames(labels, 20) == 20
    assert np.flatnonzero(truth.abnormal(labels, 10)).tolist() == [2, 3, 4, 5, 7]
    assert not truth.abnormal(labels, truth.n_frames(labels, 0))[-1]


@pytest.mark.parametrize("line", ["1,2", "1,2,3,4", "1,2,x", "1,5,2", "1,-1,2", "1,0.5,2", "1,nan,2", "1,0,inf", "1;2;3"])
def test_lines_that_are_none(text, line):
    path = text(f"1,2,5\n{line}\n")
    with pytest.raises(DataError, match="is not a track's start and end") as caught:
        read_track_text(path)
    assert caught.value.where == f"{path}, line 2"
    assert caught.value.remedy


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_empty_files(text, content):
    with pytest.raises(DataError, match="the file is empty"):
        read_track_text(text(content))


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_track_text(tmp_path / "nothing_tracks.txt")


def test_test_vectors_are_not_taken_for_text(text):
    path = text("1,2,5")
    with path.with_name("abnormal_scene_1_scenario_1_tracks.txt").open("wb") as file:
        np.save(file, np.ones(5))
    assert list(TrackTexts().find(path.parent.parent, str).files) == ["abnormal_scene_2_scenario_2"]


def test_all_released_files(tmp_path, shared_data):
    (tmp_path / "gt").symlink_to(shared_data / "ubnormal-gt")
    files = TrackTexts().find(tmp_path, str).files
    assert len(files) == 120
    lines = np.concatenate([read_track_text(labels.path) for labels in files.values()])
    assert (lines[:, 1] < lines[:, 2]).all()
    assert lines[:, 2].max() == 465
