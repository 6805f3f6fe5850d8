"""MSAD: free names, one scene, and two protocols of which the size of one test set is known."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures import write_clip, write_mask, write_pose_folder
from pydantic import ValidationError

from vadbench.api import DataError
from vadbench_datasets.msad import MSAD, MSADConfig

TRAIN, TEST = ("MSAD_normal_training_1", "some clip"), ("Fighting_10", "MSAD_normal_testing_3")


@pytest.fixture
def data_root(tmp_path):
    write_pose_folder(tmp_path / "MSAD", train=TRAIN, test=TEST)
    return tmp_path


def test_names_are_free_and_all_clips_one_scene(data_root):
    data = MSAD(MSADConfig(), data_root)
    assert [clip.name for clip in data.tracks("train").clips] == list(TRAIN)
    assert [(clip.name, clip.scene) for clip in data.tracks("test").clips] == [(name, "any") for name in TEST]
    assert data.labels("test").clips == TEST
    assert data.labels("test").n_abnormal == 48


def test_protocol_i_expects_nothing_that_is_not_known(data_root):
    data = MSAD(MSADConfig(), data_root)
    assert data.info.expected == {}
    assert data.inspect("test").findings == ()
    assert any("is not checked" in note for note in data.info.notes)


def test_protocol_ii_has_240_test_clips(data_root):
    config = MSADConfig(protocol="ii")
    with pytest.raises(DataError, match="the test set has 2 clips with 144 frames; the published one has 240 clips"):
        MSAD(config, data_root).labels("test")
    for number in range(238):
        write_clip(data_root / "MSAD", "test", f"Fire_{number}", {})
        write_mask(data_root / "MSAD", f"Fire_{number}", np.zeros(5))
    data = MSAD(config, data_root)
    assert len(data.tracks("test").clips) == len(data.labels("test").clips) == 240
    assert data.info.title == "MSAD, Protocol ii"
    assert not data.info.stand_in
    (finding,) = data.inspect("train").findings
    assert (finding.check, finding.severity) == ("extent", "warning")
    assert "2 clips in place of 360" in finding.what


def test_a_part_of_protocol_ii(data_root):
    data = MSAD(MSADConfig(protocol="ii", partial=True), data_root)
    assert len(data.labels("test").clips) == 2
    assert data.info.stand_in


def test_settings():
    with pytest.raises(ValidationError, match="'i' or 'ii'"):
        MSADConfig(protocol="iii")
    assert MSAD(MSADConfig(resolution=(640, 360)), None).resolution("x") == (640, 360)
