"""From pose files to normalised windows: the same windows as STG-NF's rules give, joint for joint."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fixtures import write_clip, write_mask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stgnf_windows import windows_of

from vadbench.api import WindowRule
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig

GAPS = [1] * 90 + [2, 2, 3, 4, 40]
"""Mostly one frame after another; now and then a frame missed, two, three, or a long break."""


@st.composite
def documents(draw) -> dict:
    """A pose file: persons in any order, tracks with gaps, breaks, and too short ones, frames in any order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    document = {}
    for person in draw(st.permutations(range(1, draw(st.integers(1, 4)) + 1))):
        rows = draw(st.sampled_from([1, 15, 16, 17, 23, 24, 25, 26, 40, 90]))
        frames = np.cumsum(rng.choice(GAPS, rows)) - 1 + draw(st.integers(0, 90))
        poses = rng.uniform(20, 420, (1, 17, 3)) + rng.normal(0, 15, (rows, 17, 3))
        poses[..., 2] = rng.uniform(0, 1, (rows, 17))
        seen = [{"keypoints": pose, "scores": 1.0} for pose in poses.reshape(rows, 51).tolist()]
        track = {f"{frame:04d}": pose for frame, pose in zip(frames, seen, strict=True)}
        order = rng.permutation(list(track))
        document[str(person)] = {key: track[key] for key in order}
    return document


def windows_from(folder, document, *, length: int, stride: int):
    """The windows that vadbench makes of the file, by (person, start)."""
    write_clip(folder, "test", "01_0001", document)
    last = max(int(frame) for track in document.values() for frame in track)
    write_mask(folder, "01_0001", np.zeros(last + 1, dtype=np.uint8))
    tracks = convert_layout(PoseFolder(PoseFolderConfig(root=folder), None).tracks("test"), "coco-18")
    windows = cut_windows(tracks, WindowRule(length, stride), STG_NF)
    x = windows.batch(slice(None)).x
    return {(int(person), int(start)): x[i] for i, (person, start) in enumerate(zip(windows.person, windows.start, strict=True))}


def assert_same(got, document, *, length: int, stride: int):
    expected = {(window.person, window.start): window.x for window in windows_of(document, length=length, stride=stride)}
    assert got.keys() == expected.keys()
    for key, x in got.items():
        np.testing.assert_allclose(x, expected[key], atol=1e-5)


@pytest.mark.parametrize("length", [24, 16])
@pytest.mark.parametrize("stride", [1, 6])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=documents())
def test_same_windows(tmp_path, length, stride, document):
    assert_same(windows_from(tmp_path, document, length=length, stride=stride), document, length=length, stride=stride)


def test_there_are_windows_to_compare(tmp_path):
    """The property above would hold of nothing as well."""
    seen: list[int] = []

    @settings(max_examples=40, database=None, derandomize=True)
    @given(document=documents())
    def count(document):
        seen.append(len(windows_from(tmp_path, document, length=24, stride=1)))

    count()
    assert sum(seen) > 200
    assert len(set(seen)) > 5


def test_keys_without_leading_zeros_are_put_in_order_of_time(tmp_path):
    """STG-NF sorts poses by their keys as text: with 9 and 10 its windows mix up times. Here they do not."""
    poses = np.random.default_rng(0).uniform(20, 420, (30, 51)).tolist()
    padded = {"1": {f"{i:04d}": {"keypoints": pose, "scores": 1.0} for i, pose in enumerate(poses)}}
    bare = {"1": {str(i): {"keypoints": pose, "scores": 1.0} for i, pose in enumerate(poses)}}
    got = windows_from(tmp_path, bare, length=24, stride=1)
    assert_same(got, padded, length=24, stride=1)
    with pytest.raises(AssertionError):
        assert_same(got, bare, length=24, stride=1)


@pytest.mark.parametrize("length", [24, 16])
def test_same_windows_on_real_detections(shared_data, tmp_path, length):
    for path in sorted((shared_data / "samples").glob("*.json")):
        document = json.loads(path.read_bytes())
        got = windows_from(tmp_path, document, length=length, stride=1)
        assert got, path.name
        assert_same(got, document, length=length, stride=1)
