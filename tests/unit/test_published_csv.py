"""The published sets in the CSV family: where they are found, what their clips are called, which frames count."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures import walk, write_csv_folder, write_person, write_pose_folder

from vadbench.api import DataError
from vadbench_datasets.hr_ubnormal import EXCLUDED, HRUBnormal
from vadbench_datasets.published_set import PublishedConfig
from vadbench_datasets.shanghaitech import HRShanghaiTech, ShanghaiTech
from vadbench_datasets.ubnormal import UBnormal, UBnormalConfig
from vadbench_datasets.ubnormal_names import clip_number

CSV = PublishedConfig(family="csv", partial=True)
UBNORMAL_CSV = UBnormalConfig(family="csv", partial=True)
FIRE, WHOLE = "abnormal_scene_7_scenario_5", "normal_scene_1_scenario1_10"


class TestShanghaiTech:
    @pytest.mark.parametrize("folder", ["ShanghaiTech", "HR-ShanghaiTech"])
    @pytest.mark.parametrize("layout", [{}, {"separator": "-"}, {"cameras": True, "masks": "frame_level_masks"}])
    def test_places_and_layouts(self, tmp_path, folder, layout):
        write_csv_folder(tmp_path / folder, test=("01_0014", "12_0152"), **layout)
        whole, subset = ShanghaiTech(CSV, tmp_path), HRShanghaiTech(CSV, tmp_path)
        assert whole.available()
        assert [clip.name for clip in whole.tracks("test").clips] == ["01_0014", "12_0152"]
        assert [(clip.name, clip.scene) for clip in subset.tracks("test").clips] == [("01_0014", "01")]
        assert subset.labels("test").clips == ("01_0014",)

    def test_masks_may_have_a_dash_as_well(self, tmp_path):
        write_csv_folder(tmp_path / "ShanghaiTech", test=("01_0014", "02_0015"), separator="-")
        for mask in (tmp_path / "ShanghaiTech" / "testing" / "test_frame_mask").iterdir():
            mask.rename(mask.with_name(mask.name.replace("_", "-")))
        assert ShanghaiTech(CSV, tmp_path).labels("test").clips == ("01_0014", "02_0015")

    def test_both_families_may_lie_in_one_folder(self, tmp_path):
        write_csv_folder(tmp_path / "ShanghaiTech", n_persons=2)
        write_pose_folder(tmp_path / "ShanghaiTech", n_persons=3)
        json, csv = ShanghaiTech(PublishedConfig(partial=True), tmp_path), ShanghaiTech(CSV, tmp_path)
        assert len(json.tracks("train").track_bounds()) - 1 == 9
        assert len(csv.tracks("train").track_bounds()) - 1 == 6

    def test_the_folder_that_has_the_family_is_taken(self, tmp_path):
        write_pose_folder(tmp_path / "ShanghaiTech")
        assert not ShanghaiTech(CSV, tmp_path).available()
        write_csv_folder(tmp_path / "HR-ShanghaiTech")
        assert ShanghaiTech(CSV, tmp_path).available()

    @pytest.mark.parametrize("clips", [101, 107])
    def test_the_release_of_101_clips_will_do_for_the_subset(self, tmp_path, shared_data, clips):
        folder = tmp_path / "ShanghaiTech" / "testing" / "test_frame_mask"
        folder.mkdir(parents=True)
        subset = HRShanghaiTech(PublishedConfig(family="csv"), tmp_path)
        for mask in sorted((shared_data / "shanghaitech-gt" / "test_frame_mask").iterdir()):
            if clips == 107 or subset.splits()["test"].belongs(mask.stem):
                (folder / mask.name).symlink_to(mask)
        assert len(list(folder.iterdir())) == clips
        labels = subset.labels("test")
        assert (len(labels.clips), labels.n_frames, labels.n_abnormal) == (101, 38_697, 16_122)
        whole = ShanghaiTech(PublishedConfig(family="csv"), tmp_path)
        if clips == 107:
            assert whole.labels("test").n_frames == 40_791
        else:
            with pytest.raises(DataError, match="the published one has 107 clips"):
                whole.labels("test")

    def test_nothing_there_shows_the_tree_of_the_family(self, tmp_path):
        with pytest.raises(DataError) as caught:
            ShanghaiTech(CSV, tmp_path).tracks("test")
        assert "testing/trajectories/<clip>/<person>.csv" in caught.value.remedy
        assert "MoCoDAD" in caught.value.remedy


class TestUBnormal:
    @pytest.fixture
    def data_root(self, tmp_path):
        root = tmp_path / "UBnormal"
        write_person(root / "training" / "trajectories" / "103-0300", 1, 1, walk(9, start=(100, 200)))
        write_person(root / "training" / "trajectories" / "003-0300", 1, 1, walk(9, start=(100, 200)))
        for clip, length in ((FIRE, 451), (WHOLE, 131)):
            number = clip_number(clip)
            write_person(root / "testing" / "trajectories" / number.replace("_", "-"), 1, 1, walk(9, start=(100, 200)))
            self.write_mask(root / "testing", number, np.arange(length) < 60)
        return tmp_path

    def write_mask(self, folder, number, values):
        (folder / "test_frame_mask").mkdir(parents=True, exist_ok=True)
        np.save(folder / "test_frame_mask" / f"{number}.npy", values)

    def keep_mask(self, data_root, clip, keep):
        self.write_mask(data_root / "UBnormal" / "hr_bool_masks" / "testing", clip_number(clip), keep)

    def test_clips_have_the_names_of_ubnormal(self, data_root):
        data = UBnormal(UBNORMAL_CSV, data_root)
        assert [clip.name for clip in data.tracks("test").clips] == [FIRE, WHOLE]
        assert [clip.scene for clip in data.tracks("test").clips] == ["7", "1"]
        labels = data.labels("test")
        assert labels.clips == (FIRE, WHOLE)
        assert labels.n_abnormal == 120  # 1 stands for abnormal in this family

    def test_abnormal_training_clips_are_left_out(self, data_root):
        assert [clip.name for clip in UBnormal(UBNORMAL_CSV, data_root).tracks("train").clips] == ["normal_scene_3_scenario_3"]

    def test_a_folder_that_is_no_clip(self, data_root):
        folder = data_root / "UBnormal" / "training" / "trajectories" / "01_001"
        write_person(folder, 1, 1, walk(9, start=(100, 200)))
        with pytest.raises(DataError, match="'01_001' is not the number of a UBnormal clip") as caught:
            UBnormal(UBNORMAL_CSV, data_root).tracks("train")
        assert caught.value.where == str(folder)

    def test_validation(self, data_root):
        root = data_root / "UBnormal" / "validating"
        assert UBnormal(UBNORMAL_CSV, data_root).info.splits == ("train", "test")
        write_person(root / "trajectories" / "002-0200", 1, 1, walk(9, start=(100, 200)))
        self.write_mask(root, "002_0200", np.arange(457) < 456)
        data = UBnormal(UBNORMAL_CSV, data_root)
        assert data.info.splits == ("train", "validation", "test")
        assert data.labels("validation").n_abnormal == 456
        assert data.tracks("validation").clips[0].name == "abnormal_scene_2_scenario_2"

    def test_the_subset_without_masks_goes_by_the_intervals(self, data_root):
        labels = HRUBnormal(UBNORMAL_CSV, data_root).labels("test")
        assert [int(keep.sum()) for keep in labels.keep] == [0, 131]

    def test_the_subset_with_the_released_masks(self, data_root):
        self.keep_mask(data_root, FIRE, np.zeros(451, dtype=bool))
        labels = HRUBnormal(UBNORMAL_CSV, data_root).labels("test")
        assert [int(keep.sum()) for keep in labels.keep] == [0, 131]

    def test_masks_that_are_not_those_of_the_subset(self, data_root):
        self.keep_mask(data_root, FIRE, np.arange(451) > 3)
        with pytest.raises(DataError, match="leaves out 4 frames, not those of HR-UBnormal") as caught:
            HRUBnormal(UBNORMAL_CSV, data_root).labels("test")
        assert clip_number(FIRE) in caught.value.where

    def test_a_whole_clip_with_a_mask_that_leaves_frames_out(self, data_root):
        self.keep_mask(data_root, FIRE, np.zeros(451, dtype=bool))
        self.keep_mask(data_root, WHOLE, np.arange(131) > 3)
        with pytest.raises(DataError, match="leaves out 4 frames"):
            HRUBnormal(UBNORMAL_CSV, data_root).labels("test")

    def test_a_mask_that_is_missing_among_others(self, data_root):
        self.keep_mask(data_root, WHOLE, np.ones(131, dtype=bool))
        with pytest.raises(DataError, match=f"{FIRE} has frames that do not count, but no keep mask"):
            HRUBnormal(UBNORMAL_CSV, data_root).labels("test")

    def test_masks_of_another_length_than_the_clip(self, data_root):
        self.keep_mask(data_root, FIRE, np.zeros(450, dtype=bool))
        with pytest.raises(DataError, match="the keep mask has 450 frames, the clip 451"):
            HRUBnormal(UBNORMAL_CSV, data_root).labels("test")

    def test_clips_a_frame_shorter_need_the_released_masks(self, data_root):
        self.write_mask(data_root / "UBnormal" / "testing", clip_number(FIRE), np.zeros(450))
        with pytest.raises(DataError, match="exclusions are for one of 451") as caught:
            HRUBnormal(UBNORMAL_CSV, data_root).labels("test")
        assert "hr_bool_masks" in caught.value.remedy
        self.keep_mask(data_root, FIRE, np.zeros(450, dtype=bool))
        assert HRUBnormal(UBNORMAL_CSV, data_root).labels("test").n_frames == 131

    def test_the_published_counts_follow_from_masks_of_every_clip(self, tmp_path, shared_data):
        """The released vectors under the CSV family's names, turned round, give the counts of the JSON family."""
        root = tmp_path / "UBnormal"
        for path in (shared_data / "ubnormal-gt").glob("*_tracks.txt"):
            if path.read_bytes()[:6] == b"\x93NUMPY":
                clip = path.name.removesuffix("_tracks.txt")
                self.write_mask(root / "testing", clip_number(clip), 1 - np.load(path))
                keep = np.ones(len(np.load(path)), dtype=bool)
                for first, last in EXCLUDED[clip].intervals if clip in EXCLUDED else ():
                    keep[first : last + 1] = False
                self.write_mask(root / "hr_bool_masks" / "testing", clip_number(clip), keep)
        labels = HRUBnormal(UBnormalConfig(family="csv"), tmp_path).labels("test")
        assert (len(labels.clips), labels.n_frames, labels.n_abnormal) == (211, 90_489, 47_507)
        whole = UBnormal(UBnormalConfig(family="csv"), tmp_path).labels("test")
        assert (whole.n_frames, whole.n_abnormal) == (92_640, 49_650)
