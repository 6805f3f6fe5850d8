"""The CSV family: one file a person, no confidences, cameras or none; errors name the file and the line."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures import TEST_CLIPS, TRAIN_CLIPS, walk, write_csv_folder, write_person, write_pose_folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vadbench.api import COCO_17, LAYOUTS, ConfigError, DataError
from vadbench_datasets.pose_csv import read_pose_csv
from vadbench_datasets.pose_family import clip_id
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig

NUMBER = st.floats(-3000, 3000, width=32)


def opened(root, **told) -> PoseFolder:
    return PoseFolder(PoseFolderConfig(root=root, **{"family": "csv", **told}), None)


def read(*files, first_frame=1):
    return read_pose_csv(files, COCO_17, first_frame=first_frame)


def line(frame: object, count: int = 34, *, first: str = "1.5") -> str:
    return ",".join([str(frame), first, *["2.5"] * (count - 1)])


@pytest.fixture
def csv_folder(tmp_path):
    return write_csv_folder(tmp_path / "street")


class TestFolder:
    def test_it_holds_what_the_json_family_holds_but_for_the_confidences(self, csv_folder, tmp_path):
        same = PoseFolder(PoseFolderConfig(root=write_pose_folder(tmp_path / "json")), None)
        data = opened(csv_folder)
        assert data.available()
        for split in ("train", "test"):
            tracks, other = data.tracks(split), same.tracks(split)
            assert tracks.clips == tuple(other.clips)
            for column in ("clip", "person", "frame"):
                np.testing.assert_array_equal(getattr(tracks, column), getattr(other, column))
            np.testing.assert_array_equal(tracks.planes[:2], other.planes[:2])
            assert (tracks.planes[2] == 1).all()
            assert np.isnan(tracks.score).all()
            assert data.labels(split).fingerprint() == same.labels(split).fingerprint()

    @pytest.mark.parametrize("layout", [{"cameras": True}, {"separator": "-"}, {"cameras": True, "masks": "frame_level_masks"}])
    def test_every_published_layout_holds_the_same(self, csv_folder, tmp_path, layout):
        other = opened(write_csv_folder(tmp_path / "other", **layout))
        for split in ("train", "test"):
            assert other.tracks(split).fingerprint() == opened(csv_folder).tracks(split).fingerprint()
            assert other.labels(split).fingerprint() == opened(csv_folder).labels(split).fingerprint()

    def test_a_camera_folder_that_holds_all_clips(self, tmp_path):
        for clip in TRAIN_CLIPS:
            write_person(tmp_path / "training" / "trajectories" / "00" / clip, 1, 1, walk(3, start=(9, 9)))
        assert [clip.name for clip in opened(tmp_path).tracks("train").clips] == list(TRAIN_CLIPS)

    @pytest.mark.parametrize(
        ("name", "camera", "clip"),
        [("01_0014", None, "01_0014"), ("01-0014", "01", "01_0014"), ("0014", "01", "01_0014"), ("0014", None, "0014")],
    )
    def test_names_of_clips(self, name, camera, clip):
        assert clip_id(name, camera=camera) == clip

    def test_one_clip_under_two_names(self, csv_folder):
        write_person(csv_folder / "training" / "trajectories" / "01-001", 1, 1, walk(3, start=(9, 9)))
        with pytest.raises(DataError, match="clip 01_001 is there twice, as 01-001 and as 01_001"):
            opened(csv_folder).tracks("train")

    def test_masks_may_be_called_either_way(self, csv_folder):
        for mask in sorted((csv_folder / "testing" / "test_frame_mask").iterdir())[:2]:
            mask.rename(mask.with_name(mask.name.replace("_", "-")))
        assert opened(csv_folder).labels("test").clips == TEST_CLIPS

    def test_an_empty_folder_is_a_clip_with_nobody(self, csv_folder):
        for path in (csv_folder / "testing" / "trajectories" / TEST_CLIPS[0]).iterdir():
            path.unlink()
        tracks = opened(csv_folder).tracks("test")
        assert [clip.name for clip in tracks.clips] == list(TEST_CLIPS)
        assert not (tracks.clip == 0).any()

    def test_other_files_are_left_alone(self, csv_folder):
        folder = csv_folder / "training" / "trajectories"
        (folder / TRAIN_CLIPS[0] / "._00001.csv").write_bytes(b"\x00")
        (folder / TRAIN_CLIPS[0] / "readme.txt").touch()
        (folder / "list.txt").touch()
        assert len(opened(csv_folder).tracks("train").clips) == 3

    def test_frames_may_be_counted_from_0(self, csv_folder):
        with pytest.raises(DataError, match="a pose lies beyond them") as caught:
            opened(csv_folder, first_frame=0).tracks("test")
        assert "first_frame" in caught.value.remedy
        assert "one frame too late" in caught.value.remedy
        assert opened(csv_folder, first_frame=0).tracks("train").frame.min() == opened(csv_folder).tracks("train").frame.min() + 1

    def test_poses_without_mask_and_mask_without_poses(self, csv_folder):
        (csv_folder / "testing" / "test_frame_mask" / f"{TEST_CLIPS[0]}.npy").unlink()
        with pytest.raises(DataError, match="a clip has poses but no mask") as caught:
            opened(csv_folder).tracks("test")
        assert caught.value.where == str(csv_folder / "testing" / "trajectories" / TEST_CLIPS[0])
        np.save(csv_folder / "testing" / "test_frame_mask" / f"{TEST_CLIPS[0]}.npy", np.zeros(72))
        np.save(csv_folder / "testing" / "test_frame_mask" / "09_0001.npy", np.zeros(72))
        with pytest.raises(DataError, match="a mask but no poses") as caught:
            opened(csv_folder).tracks("test")
        assert "put an empty folder there" in caught.value.remedy

    def test_the_family_has_to_be_named(self, csv_folder, pose_folder):
        with pytest.raises(DataError) as caught:
            opened(csv_folder, family=None).tracks("train")
        assert "add --set dataset.family=csv" in caught.value.remedy
        with pytest.raises(DataError) as caught:
            opened(pose_folder).tracks("train")
        assert "form of the JSON family" in caught.value.remedy

    def test_zeros_cannot_be_kept(self, csv_folder):
        with pytest.raises(ConfigError, match="always a missing one"):
            opened(csv_folder, missing="keep")
        assert opened(csv_folder, missing="zero").available()


class TestFile:
    def test_a_joint_at_0_0_is_missing_and_one_on_an_edge_is_not(self, tmp_path):
        pose = walk(1, start=(100, 200))
        pose[0, 3, :2], pose[0, 4, :2], pose[0, 5, :2] = (0, 0), (0, 7), (7, 0)
        poses = read(write_person(tmp_path, 7, 5, pose))
        assert poses.person.tolist() == [7]
        assert poses.frame.tolist() == [4]
        assert np.isnan(poses.keypoints[0, 3, :2]).all()
        assert poses.keypoints[0, 3, 2] == 0
        np.testing.assert_array_equal(poses.keypoints[0, 4:6], np.float32([[0, 7, 1], [7, 0, 1]]))

    def test_persons_are_sorted_as_numbers(self, tmp_path):
        files = [tmp_path / "10.csv", tmp_path / "9.csv"]
        for file in files:
            file.write_text(f"{line(2)}\n{line(1)}\n")
        poses = read(*files)
        assert poses.person.tolist() == [9, 9, 10, 10]
        assert poses.frame.tolist() == [0, 1, 0, 1]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("last", [True, False])
    def test_line_ends_of_every_system(self, tmp_path, end, last):
        (tmp_path / "1.csv").write_bytes((end.join([line(1), line(2)]) + end * last).encode())
        (tmp_path / "2.csv").write_bytes(b"\xef\xbb\xbf" + line("3.0").encode())
        assert read(tmp_path / "1.csv", tmp_path / "2.csv").frame.tolist() == [0, 1, 2]

    @given(layout=st.sampled_from(sorted(LAYOUTS.values(), key=lambda layout: layout.name)), data=st.data())
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_what_is_written_is_read(self, tmp_path, layout, data):
        pose = st.lists(NUMBER, min_size=2 * len(layout), max_size=2 * len(layout))
        clip = data.draw(st.dictionaries(st.integers(0, 99), st.dictionaries(st.integers(1, 999), pose, min_size=1), max_size=3))
        files = []
        for person, frames in clip.items():
            files.append(tmp_path / f"{person}.csv")
            rows = [",".join([str(frame), *map(repr, values)]) for frame, values in frames.items()]
            files[-1].write_text("\n".join(rows))
        poses = read_pose_csv(files, layout, first_frame=1)
        expected = [(p, f - 1, clip[p][f]) for p in sorted(clip) for f in sorted(clip[p])]
        assert list(zip(poses.person.tolist(), poses.frame.tolist(), strict=True)) == [(p, f) for p, f, _ in expected]
        xy = np.array([values for *_, values in expected], dtype=np.float32).reshape(-1, len(layout), 2)
        missing = (xy == 0).all(axis=2)
        xy[missing] = np.nan
        np.testing.assert_array_equal(poses.keypoints[..., :2], xy)
        np.testing.assert_array_equal(poses.keypoints[..., 2] == 0, missing)


class TestFaults:
    @pytest.mark.parametrize(
        ("second", "what"),
        [
            (line(2, 33), "the line has 34 columns; 35 were expected"),
            (line(2, 51), "the line has 52 columns; 35 were expected"),
            (line(2).replace(",", ";"), "is not a number"),
            (line(2, first="x"), "'x' is not a number"),
            (line(2, first=""), "'' is not a number"),
            (line(2, first="nan"), "'nan' is not a number"),
            (line(2, first="inf"), "'inf' is not a number"),
            (line(2, first="1_0"), "'1_0' is not a number"),
            (line(2).replace(",", ',"', 1), "is not a number"),
            (line(2, first="1e39"), "a coordinate is not a finite number"),
            (line(2, first="1e999"), "a coordinate is not a finite number"),
            (line("2.5"), "frame 2.5 is not a whole number"),
            (line("1e30"), "frame 1e30 is not a whole number"),
            (line("frame"), "'frame' is not a number"),
            (line(0), "frame 0 lies before the first frame of a clip, which is 1"),
            (line(-3), "frame -3 lies before the first frame of a clip"),
            (line(1), "frame 1 is there twice, in lines 1 and 2"),
            ("", "the line is empty"),
        ],
    )
    def test_a_line_that_is_none(self, tmp_path, second, what):
        good, path = tmp_path / "00001.csv", tmp_path / "00002.csv"
        good.write_text(line(1))
        path.write_text(f"{line(1)}\n{second}\n{line(9)}\n")
        with pytest.raises(DataError) as caught:
            read(good, path)
        assert what in caught.value.what
        assert caught.value.where == f"{path}, line 2"
        assert caught.value.remedy

    @pytest.mark.parametrize("word", ["True", "false", "TRUE"])
    def test_words_that_a_parser_takes_for_numbers(self, tmp_path, word):
        path = tmp_path / "1.csv"
        path.write_text(f"{line(1, first=word)}\n{line(2, first=word)}")
        with pytest.raises(DataError, match=f"'{word}' is not a number") as caught:
            read(path)
        assert caught.value.where == f"{path}, line 1"

    def test_frame_0_suggests_the_setting(self, tmp_path):
        path = tmp_path / "1.csv"
        path.write_text(line(0))
        with pytest.raises(DataError) as caught:
            read(path)
        assert "--set dataset.first_frame=0" in caught.value.remedy
        assert read(path, first_frame=0).frame.tolist() == [0]

    @pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
    def test_empty_files(self, tmp_path, content):
        path = tmp_path / "1.csv"
        path.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match="the pose file is empty") as caught:
            read(path)
        assert caught.value.where == str(path)

    def test_a_file_that_is_not_named_after_a_person(self, tmp_path):
        path = write_person(tmp_path, 1, 1, walk(2, start=(9, 9))).rename(tmp_path / "person1.csv")
        with pytest.raises(DataError, match="'person1', is not the number of a person") as caught:
            read(path)
        assert caught.value.where == str(path)

    def test_one_person_in_two_files(self, tmp_path):
        paths = [tmp_path / "1.csv", tmp_path / "00001.csv"]
        for path in paths:
            path.write_text(line(1))
        with pytest.raises(DataError, match=r"person 1 has two files, 1\.csv and 00001\.csv"):
            read(*paths)

    def test_a_file_that_cannot_be_read(self, tmp_path):
        (tmp_path / "1.csv").mkdir()
        with pytest.raises(DataError, match="cannot be read"):
            read(tmp_path / "1.csv")

    @given(raw=st.binary(max_size=60) | st.text(alphabet='0123456789.,-eE\n\r "x;', max_size=80).map(str.encode))
    @settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_anything_else_is_refused_with_a_place(self, tmp_path, raw):
        path = tmp_path / "1.csv"
        path.write_bytes(raw)
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(path) in str(caught.value.where)
        assert caught.value.remedy
