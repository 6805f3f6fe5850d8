"""What detectors of clips would reach on the labels of the published data sets."""

from __future__ import annotations

import pytest

from vadbench.evaluation.oracles import oracles
from vadbench_datasets.hr_ubnormal import HRUBnormal
from vadbench_datasets.published_set import PublishedConfig
from vadbench_datasets.shanghaitech import HRShanghaiTech, ShanghaiTech
from vadbench_datasets.ubnormal import UBnormal, UBnormalConfig


@pytest.fixture
def data_root(tmp_path, shared_data):
    """The real labels as the data sets look for them, without poses."""
    (tmp_path / "UBnormal").mkdir()
    (tmp_path / "UBnormal" / "gt").symlink_to(shared_data / "ubnormal-gt")
    (tmp_path / "ShanghaiTech" / "gt").mkdir(parents=True)
    (tmp_path / "ShanghaiTech" / "gt" / "test_frame_mask").symlink_to(shared_data / "shanghaitech-gt" / "test_frame_mask")
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "config", "frames", "clip_share", "clip_level"),
    [
        (ShanghaiTech, PublishedConfig, 40_791, 75.8, 50.0),
        (HRShanghaiTech, PublishedConfig, 38_697, 75.7, 50.0),
        (UBnormal, UBnormalConfig, 92_640, 93.7, 77.4),
        (HRUBnormal, UBnormalConfig, 90_489, 93.8, 77.7),
    ],
)
def test_oracles(data_root, kind, config, frames, *, clip_share, clip_level):
    labels = kind(config(), data_root).labels("test")
    assert labels.n_frames == frames
    found = oracles(labels)
    assert round(100 * found.clip_share, 1) == clip_share
    assert round(100 * found.clip_level, 1) == clip_level
