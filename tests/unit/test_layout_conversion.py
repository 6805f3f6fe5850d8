"""Conversions between skeleton layouts: every joint where it belongs, the neck between the shoulders, nothing invented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tracks import made_tracks

from vadbench.api import (
    COCO_17,
    COCO_18,
    HALPE_26,
    LAYOUTS,
    NTU_25,
    OPENPOSE_18,
    OPENPOSE_25,
    ConfigError,
    SkeletonLayout,
    Tracks,
)
from vadbench.data.layout_conversion import COMPUTED, conversion_plan, convert_layout

STGNF_ORDER = [0, 17, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
LEFT_SHOULDER, RIGHT_SHOULDER = 5, 6


def tracks(missing: float = 0.0):
    return made_tracks({1: range(50)}, layout=COCO_17, missing=missing)


def at(tracks: Tracks, joint: str):
    return tracks.keypoints[:, tracks.layout.index(joint)]


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


def test_joints_that_cannot_be_had_are_all_named():
    ntu = made_tracks({1: range(3)}, layout=NTU_25)
    with pytest.raises(ConfigError) as caught:
        convert_layout(ntu, "coco-17")
    assert caught.value.what == (
        "layout ntu-25 has no nose, left_eye, right_eye, left_ear, right_ear, and no rule computes them from what it has; "
        "vadbench does not invent joints"
    )
    assert caught.value.where == "conversion from ntu-25 to coco-17"
    assert "windows.layout" in caught.value.remedy


def test_joint_that_cannot_be_had(monkeypatch):
    monkeypatch.setitem(LAYOUTS, "tailed", SkeletonLayout("tailed", ("nose", "tail"), (), ()))
    with pytest.raises(ConfigError, match="coco-17 has no tail, and no rule computes it "):
        convert_layout(tracks(), "tailed")


def test_neck_without_shoulders():
    headless = SkeletonLayout("legs", ("left_hip", "right_hip"), (), ())
    with pytest.raises(ConfigError, match="legs has no nose, neck, "):
        convert_layout(made_tracks({1: range(3)}, layout=headless), "coco-18")


def test_joints_left_missing():
    source = made_tracks({1: range(20)}, layout=NTU_25, missing=0.2)
    converted = convert_layout(source, "openpose-25", leave_missing=True)
    plan = conversion_plan(NTU_25, OPENPOSE_25)
    absent = [OPENPOSE_25.index(joint) for joint in plan.impossible]
    assert np.isnan(converted.keypoints[:, absent, :2]).all()
    assert (converted.keypoints[:, absent, 2] == 0).all()
    for joint in plan.kept:
        np.testing.assert_array_equal(at(converted, joint), at(source, joint))
    for joint, sides in (("neck", "shoulder"), ("mid_hip", "hip")):
        np.testing.assert_allclose(
            at(converted, joint)[:, :2], (at(source, f"left_{sides}") + at(source, f"right_{sides}"))[:, :2] / 2, rtol=1e-6
        )


def test_nothing_in_common(monkeypatch):
    monkeypatch.setitem(LAYOUTS, "tails", SkeletonLayout("tails", ("tail", "fin"), (), ()))
    converted = convert_layout(tracks(), "tails", leave_missing=True)
    assert np.isnan(converted.keypoints[..., :2]).all()
    assert (converted.keypoints[..., 2] == 0).all()


@pytest.mark.parametrize("layout", [OPENPOSE_18, OPENPOSE_25, HALPE_26], ids=lambda layout: layout.name)
def test_an_own_neck_is_kept(layout):
    source = made_tracks({1: range(10)}, layout=layout)
    neck = at(convert_layout(source, "coco-18"), "neck")
    np.testing.assert_array_equal(neck, at(source, "neck"))
    assert not np.allclose(neck, (at(source, "left_shoulder") + at(source, "right_shoulder")) / 2)


def test_kinects_neck_is_not_taken_for_the_one_between_the_shoulders():
    for target in (COCO_18, OPENPOSE_25, HALPE_26):
        assert "neck" in conversion_plan(NTU_25, target).computed
        assert "upper_neck" in conversion_plan(NTU_25, target).dropped
        assert "upper_neck" in conversion_plan(target, NTU_25).impossible


@given(st.sampled_from(list(LAYOUTS.values())), st.sampled_from(list(LAYOUTS.values())))
def test_plan_accounts_for_every_joint(source, target):
    plan = conversion_plan(source, target)
    assert sorted((*plan.kept, *plan.computed, *plan.impossible)) == sorted(target.joints)
    assert sorted((*plan.kept, *plan.dropped)) == sorted(source.joints)
    assert all(set(COMPUTED[joint]) <= set(source.joints) for joint in plan.computed)
    if source == target:
        assert plan.kept == source.joints


@given(
    st.sampled_from(list(LAYOUTS.values())),
    st.sampled_from(list(LAYOUTS.values())),
    st.floats(0, 1),
    st.integers(0, 9),
)
def test_conversion_does_what_its_plan_says(source, target, missing, seed):
    given_tracks = made_tracks({1: range(4), 2: range(2)}, layout=source, missing=missing, seed=seed)
    plan = conversion_plan(source, target)
    converted = convert_layout(given_tracks, target.name, leave_missing=True)
    assert converted.layout is target
    assert converted.planes.flags.c_contiguous
    for joint in target.joints:
        if joint in plan.kept:
            expected = at(given_tracks, joint)
        elif joint in plan.computed:
            a, b = (at(given_tracks, parent) for parent in COMPUTED[joint])
            unseen = (a[:, 2] == 0) | (b[:, 2] == 0)
            expected = (a + b) / 2
            expected[unseen, 2] = 0
        else:
            expected = np.tile(np.float32([np.nan, np.nan, 0]), (6, 1))
        np.testing.assert_allclose(at(converted, joint), expected, rtol=1e-6)
    if not plan.impossible:
        assert convert_layout(given_tracks, target.name).fingerprint() == converted.fingerprint()


@given(st.sampled_from(list(LAYOUTS.values())), st.sampled_from(list(LAYOUTS.values())), st.integers(0, 9))
def test_conversion_and_mirror_commute(source, target, seed):
    given_tracks = made_tracks({1: range(4)}, layout=source, missing=0.2, seed=seed)
    mirrored = replace(given_tracks, keypoints=given_tracks.keypoints[:, list(source.mirror)])
    there = convert_layout(given_tracks, target.name, leave_missing=True).keypoints[:, list(target.mirror)]
    np.testing.assert_array_equal(convert_layout(mirrored, target.name, leave_missing=True).keypoints, there)


def test_source_is_left_alone():
    source = tracks(0.2)
    before = source.fingerprint()
    convert_layout(source, "coco-18").keypoints[:] = 0
    assert source.fingerprint() == before


DOCS = Path(__file__).parents[2] / "docs" / "layouts.md"


def in_words(joints):
    """``hip x2`` for a pair, so that a table stays narrow."""
    words = []
    for joint in joints:
        side, _, part = joint.partition("_")
        if side == "left" and f"right_{part}" in joints:
            words.append(f"{part} x2")
        elif side != "right" or f"left_{part}" not in joints:
            words.append(joint)
    return ", ".join(words) or "-"


def table_of_joints():
    lines = ["| | " + " | ".join(LAYOUTS) + " |", "|---|" + "---|" * len(LAYOUTS)]
    for i in range(max(map(len, LAYOUTS.values()))):
        cells = [layout.joints[i] if i < len(layout) else "" for layout in LAYOUTS.values()]
        lines.append(f"| {i} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def table_of_conversions():
    lines = ["| from | to | taken over | computed | not there | dropped |", "|---|---|---|---|---|---|"]
    for source in LAYOUTS.values():
        for target in LAYOUTS.values():
            if source != target:
                plan = conversion_plan(source, target)
                parts = (in_words(plan.computed), in_words(plan.impossible), in_words(plan.dropped))
                lines.append(f"| {source.name} | {target.name} | {len(plan.kept)} | " + " | ".join(parts) + " |")
    return "\n".join(lines)


@pytest.mark.parametrize("table", [table_of_joints, table_of_conversions])
def test_docs_hold_the_tables(table):
    assert table() in DOCS.read_text(encoding="utf-8"), f"docs/layouts.md should hold:\n{table()}"


def test_docs_name_every_source():
    text = " ".join(DOCS.read_text(encoding="utf-8").split())
    assert [layout.name for layout in LAYOUTS.values() if layout.source not in text] == []
