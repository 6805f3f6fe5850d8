"""``vadbench data doctor`` finds each defect that is planted in the files of a clean folder, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import planted_defects as defects
import pytest
from fixtures import SUFFIX, write_mask, write_pose_folder
from planted_defects import CLIPS, DEFECTS, N_FRAMES, TEST, TRAIN

from vadbench.api import DataError, Silent
from vadbench.data.doctor.examination import examine
from vadbench.engine.config import WindowsConfig
from vadbench.engine.inputs import read_inputs
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig
from vadbench_datasets.synthetic.campus import SyntheticCampus, SyntheticCampusConfig

if TYPE_CHECKING:
    from vadbench.data.doctor.diagnosis import Diagnosis


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    return write_pose_folder(tmp_path_factory.mktemp("clean") / "street", train=TRAIN, test=TEST, n_frames=N_FRAMES, seed=3)


@pytest.fixture
def street(clean, tmp_path) -> Path:
    """A copy of the clean folder, to be damaged."""
    return Path(shutil.copytree(clean, tmp_path / "street"))


def diagnoses(folder: Path) -> list[Diagnosis]:
    dataset = PoseFolder(PoseFolderConfig(root=folder), None)
    return list(examine(dataset, dataset.info.splits, (24,), Silent()).diagnoses)


def troubles(found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """Errors and warnings."""
    return [each for each in found if each.severity != "note"]


class TestPlantedDefects:
    @pytest.mark.parametrize("plant", DEFECTS, ids=lambda plant: plant.__name__)
    def test_is_found_and_nothing_else(self, street, plant):
        place = plant(street)
        found = troubles(diagnoses(street))
        assert [(each.check, each.severity) for each in found] == [DEFECTS[plant]], found
        assert str(place) in found[0].where
        assert found[0].what
        assert found[0].remedy

    def test_frames_counted_from_one_throughout(self, street):
        """Poses of the last frame then lie beyond their masks as well, which is a thing of its own."""
        for split in CLIPS:
            defects.change(street, split, defects.at_one)
        for clip in TEST:
            last = max(max(frames) for frames in defects.read(street, "test", clip).values())
            write_mask(street, clip, np.load(defects.mask_file(street, clip))[:last])
        checks = {(each.split, each.check) for each in troubles(diagnoses(street))}
        assert checks == {("train", "frames-from-one"), ("test", "frames-from-one"), ("test", "poses-beyond-mask")}

    def test_several_at_once(self, street):
        planted = (
            defects.truncated_json,
            defects.deleted_mask,
            defects.frozen_joint,
            defects.percent_confidences,
            defects.training_clip_in_test,
        )
        for plant in planted:
            plant(street)
        assert {each.check for each in troubles(diagnoses(street))} >= {DEFECTS[plant][0] for plant in planted}

    def test_what_is_called_an_error_stops_a_run(self, street):
        """Those that leave no window, for which no reader is to blame."""
        for plant in (
            defects.every_second_frame,
            defects.no_ids,
            defects.all_in_one_frame,
            defects.short_tracks,
            defects.torn_tracks,
        ):
            folder = Path(shutil.copytree(street, street.parent / plant.__name__))
            plant(folder)
            assert DEFECTS[plant][1] == "error"
            with pytest.raises(DataError, match=r"no track of the (train|test) split is long enough"):
                read_inputs(PoseFolder(PoseFolderConfig(root=folder), None), WindowsConfig(), Silent())


class TestCleanData:
    def test_pose_folder(self, clean):
        found = diagnoses(clean)
        assert troubles(found) == []
        assert {each.check for each in found} == {"no-confidence"}  # it has 0.9 everywhere

    @pytest.mark.parametrize("seed", range(1, 5))
    def test_other_pose_folders(self, tmp_path, seed):
        assert troubles(diagnoses(write_pose_folder(tmp_path / "street", seed=seed))) == []

    @pytest.mark.parametrize("settings", [{}, {"seed": 1}, {"noise": 2.0, "dropouts": 2.0}])
    def test_synthetic_campus(self, settings):
        dataset = SyntheticCampus(SyntheticCampusConfig(train_clips=18, test_clips=18, **settings))
        assert list(examine(dataset, dataset.info.splits, (24, 16), Silent()).diagnoses) == []

    def test_motion_capture(self, shared_data):
        assert diagnoses(shared_data / "mocap-street") == []

    def test_poses_of_an_estimator(self, shared_data, tmp_path):
        """Real detector noise is no error: people half outside the picture, broken tracks, bad joints."""
        for clip in ("03_0033", "06_0153"):
            shutil.copytree(shared_data / "mocap-street" / "pose" / "train", tmp_path / "pose" / "train", dirs_exist_ok=True)
            (tmp_path / "pose" / "test").mkdir(exist_ok=True)
            shutil.copy(shared_data / "samples" / f"{clip}{SUFFIX}", tmp_path / "pose" / "test")
            write_mask(tmp_path, clip, np.load(shared_data / "shanghaitech-gt" / "test_frame_mask" / f"{clip}.npy"))
        assert troubles(diagnoses(tmp_path)) == []
