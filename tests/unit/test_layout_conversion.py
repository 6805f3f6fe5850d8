"""Conversions between skeleton layouts: every joint where it belongs, the neck between the shoulders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_tracks import made_tracks

from vadbench.api import COCO_17, COCO_18, LAYOUTS, ConfigError, SkeletonLayout
from vadbench.data.layout_conversion import convert_layout

STGNF_ORDER = [0, 17, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
LEFT_SHOULDER, RIGHT_SHOULDER = 5, 6


def tracks(missing: float = 0.0):
    return made_tracks({1: range(50)}, layout=COCO_17, missing=missing)


def test_coco_17_to_18():
    source = tracks()
    neck = source.keypoints[:, [LEFT_SHOULDER, RIGHT_SHOULDER]].mean(axis=1, keepdims=True)
    expected = np.concatenate([source.keypoints, neck], axis=1)[:, STGNF_ORDER]
    converted = convert_layout(source, "coco-18")
    assert converted.layout is COCO_18
    assert converted.keypoints.dtype == np.float32
    np.testing.assert_allclose(converted.keypoints, expected, rtol=1e-6)
    exact = [i for i, j in enumerate(STGNF_ORDER) if j != 17]
    np.testing.assert_array_equal(converted.keypoints[:, exact], expected[:, exact])
    np.testing.assert_array_equal(converted.frame, source.frame)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_round_trip(missing):
    source = tracks(missing)
    there = convert_layout(source, "coco-18")
    back = convert_layout(there, "coco-17")
    assert back.layout is COCO_17
    assert back.fingerprint() == source.fingerprint()
    np.testing.assert_array_equal(convert_layout(back, "coco-18").keypoints, there.keypoints)


@pytest.mark.parametrize("shoulder", [LEFT_SHOULDER, RIGHT_SHOULDER])
@pytest.mark.parametrize("seen", [(np.nan, np.nan, 0), (5.0, 5.0, 0)])
def test_missing_shoulder_missing_neck(shoulder, seen):
    source = tracks()
    keypoints = source.keypoints.copy()
    keypoints[3, shoulder] = seen
    neck = convert_layout(replace(source, keypoints=keypoints), "coco-18").keypoints[:, 1]
    assert neck[3, 2] == 0
    assert np.isnan(neck[3, :2]).all() == np.isnan(seen[0])
    assert (neck[np.arange(50) != 3, 2] > 0).all()


def test_same_layout_is_left_alone():
    source = tracks()
    assert convert_layout(source, "coco-17") is source


def test_unknown_layout():
    with pytest.raises(ConfigError) as caught:
        convert_layout(tracks(), "coco18")
    assert "'coco18'" in caught.value.what
    assert "'coco-18'" in caught.value.remedy


def test_joint_that_cannot_be_had(monkeypatch):
    monkeypatch.setitem(LAYOUTS, "tailed", SkeletonLayout("tailed", ("nose", "tail"), (), ()))
    with pytest.raises(ConfigError, match="coco-17 has no tail"):
        convert_layout(tracks(), "tailed")


def test_neck_without_shoulders():
    headless = SkeletonLayout("legs", ("left_hip", "right_hip"), (), ())
    with pytest.raises(ConfigError, match="legs has no "):
        convert_layout(made_tracks({1: range(3)}, layout=headless), "coco-18")


def test_source_is_left_alone():
    source = tracks(0.2)
    before = source.fingerprint()
    convert_layout(source, "coco-18").keypoints[:] = 0
    assert source.fingerprint() == before
