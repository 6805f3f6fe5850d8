"""Poses that are pickles: never loaded, explained, and written as JSON by the script of docs/datasets.md.

Pickles are loaded in another process alone, by that script.
"""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures import SUFFIX, walk, write_mask, write_pose_folder
from published_files import CHAD_TEST, CHAD_TRAIN, write_chad

from vadbench.api import DataError
from vadbench_datasets.chad import CHAD, CHADConfig
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig
from vadbench_datasets.poselift import PoseLift
from vadbench_datasets.published_set import JsonConfig

DOCUMENT = Path(__file__).parents[2] / "docs" / "datasets.md"


class Trap:
    """Pickled, it writes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.fixture
def script(tmp_path):
    section = DOCUMENT.read_text(encoding="utf-8").partition("## Poses that are pickles")[2].partition("\n## ")[0]
    (code,) = re.findall(r"```python[^\n]*\n(.*?)```", section, flags=re.DOTALL)
    path = tmp_path / "unpickle_poses.py"
    path.write_text(code, encoding="utf-8")
    return path


@pytest.fixture
def as_released(tmp_path):
    """CHAD as its authors give it, with traps for poses; and the file that a trap writes."""
    root = write_chad(tmp_path / "CHAD")
    shutil.rmtree(root / "pose")
    (root / "CHAD_Meta" / "annotations").mkdir()
    for clip in (*CHAD_TRAIN, *CHAD_TEST):
        (root / "CHAD_Meta" / "annotations" / f"{clip}.pkl").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    return tmp_path, tmp_path / "sprung"


def run(script: Path, source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(script), str(source), str(target)], capture_output=True, text=True, check=False)


class TestNeverLoaded:
    def test_chad_as_released(self, as_released):
        data_root, sprung = as_released
        data = CHAD(CHADConfig(), data_root)
        assert not data.available()
        for read in (data.tracks, data.sources):
            with pytest.raises(DataError, match="poses are there as pickles alone, and a pickle is never loaded") as caught:
                read("test")
            assert caught.value.where.endswith("CHAD_Meta/annotations/1_001_0.pkl")
            assert "docs/datasets.md" in caught.value.remedy
            assert "pose/all/<clip>" in caught.value.remedy
        assert [finding.check for finding in data.inspect("test").findings][:1] == ["pickled-poses"]
        assert data.inspect("test").tracks is None
        assert not sprung.exists()

    def test_an_empty_folder_in_place_of_their_json(self, as_released):
        data_root, sprung = as_released
        (data_root / "CHAD" / "pose" / "all").mkdir(parents=True)
        with pytest.raises(DataError, match="as pickles alone"):
            CHAD(CHADConfig(), data_root).tracks("test")
        assert not sprung.exists()

    @pytest.mark.parametrize("suffix", [".pkl", ".pickle"])
    def test_poselift_with_pickles_in_place_of_json(self, tmp_path, suffix):
        for split in ("train", "test"):
            (tmp_path / "PoseLift" / "pose" / split).mkdir(parents=True)
            (tmp_path / "PoseLift" / "pose" / split / f"1_001{suffix}").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
        write_mask(tmp_path / "PoseLift", "1_001", np.zeros(72))
        with pytest.raises(DataError, match="as pickles alone"):
            PoseLift(JsonConfig(), tmp_path).tracks("test")
        with pytest.raises(DataError, match="as pickles alone"):
            PoseFolder(PoseFolderConfig(root=tmp_path / "PoseLift"), None).tracks("train")
        assert not (tmp_path / "sprung").exists()

    def test_pickles_beside_json_are_left_alone(self, tmp_path):
        root = write_pose_folder(tmp_path / "PoseLift")
        (root / "pose" / "test" / "1_001.pkl").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
        assert len(PoseLift(JsonConfig(), tmp_path).tracks("test").clips) == 3
        assert not (tmp_path / "sprung").exists()

    def test_where_json_is_misnamed_that_is_said(self, as_released):
        data_root, _ = as_released
        (data_root / "CHAD" / "pose" / "all").mkdir(parents=True)
        (data_root / "CHAD" / "pose" / "all" / f"street{SUFFIX}").write_text("{}")
        with pytest.raises(DataError, match="'street' is not the name of a CHAD clip"):
            CHAD(CHADConfig(), data_root).tracks("test")


class TestScript:
    @pytest.mark.parametrize("kind", ["numbers", "text", "wrapped"])
    def test_what_it_writes_is_read(self, as_released, script, kind):
        """Keys of either type; keypoints as (17, 3), or in one more pair of brackets, as the README writes them."""
        data_root, _ = as_released
        rng = np.random.default_rng(0)
        people = {7: (3, walk(40, start=(300, 400))), 12: (0, walk(60, start=(800, 500)))}
        key = str if kind == "text" else int
        for clip in (*CHAD_TRAIN, *CHAD_TEST):
            frames = {key(frame): {} for frame in range(72)}
            for person, (first, poses) in people.items():
                for frame, pose in enumerate(poses, start=first):
                    box = rng.uniform(0, 100, 4)
                    frames[key(frame)][key(person)] = [box[None], pose[None]] if kind == "wrapped" else [box, pose]
            (data_root / "CHAD" / "CHAD_Meta" / "annotations" / f"{clip}.pkl").write_bytes(pickle.dumps(frames))
        done = run(script, data_root / "CHAD" / "CHAD_Meta" / "annotations", data_root / "CHAD" / "pose" / "all")
        assert (done.returncode, done.stderr) == (0, "")
        data = CHAD(CHADConfig(), data_root)
        assert data.available()
        assert data.inspect("test").findings == ()
        tracks = data.tracks("test")
        assert [clip.name for clip in tracks.clips] == list(CHAD_TEST)
        for person, (first, poses) in people.items():
            rows = (tracks.clip == 0) & (tracks.person == person)
            assert tracks.frame[rows].tolist() == list(range(first, first + len(poses)))
            np.testing.assert_array_equal(tracks.keypoints[rows], poses.astype(np.float32))
        assert np.isnan(tracks.score).all()

    def test_it_stops_at_anything_else(self, tmp_path, script):
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "1_001.pkl").write_bytes(pickle.dumps({5: {9: [np.zeros(4), np.zeros((18, 3))]}}))
        done = run(script, tmp_path / "in", tmp_path / "out")
        assert done.returncode == 1
        assert "1_001.pkl, frame 5, person 9: 54 numbers" in done.stderr
        assert list((tmp_path / "out").iterdir()) == []
