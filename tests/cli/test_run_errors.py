"""``vadbench run`` on wrong words and damaged data: what was wrong, where, what to do; nothing half written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fixtures import SUFFIX, TEST_CLIPS, document, walk, write_clip, write_mask, write_pose_folder
from tiny_methods import TINY_KNN, plugins_with_recorded

from vadbench.cli.main import main

if TYPE_CHECKING:
    from command_line import Called

CLIP = TEST_CLIPS[0]


@pytest.fixture
def data(tmp_path) -> Path:
    return write_pose_folder(tmp_path / "campus", n_frames=48)


@pytest.fixture
def knn(vadbench, data, tmp_path):
    changes = [part for change in TINY_KNN for part in ("--set", change)]
    return lambda *more: vadbench("run", "knn", "--dataset", data, "--no-plots", *changes, *more)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def refused(called: Called, code: int, *told: str) -> None:
    """Ended with a code and an error that tells all of ``told``, without traceback and without a run."""
    assert called.code == code, called.err
    assert called.err.startswith("error: ")
    assert "  remedy: " in called.err
    assert "Traceback" not in called.err
    for text in told:
        assert text in called.err
    assert files_below(Path("runs")) == []


class TestWords:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["msgflw"], ["no method is named 'msgflw'", "did you mean 'msgflow'"]),
            (["knn", "--dataset", "hr-shanghaitec"], ["no data set is named 'hr-shanghaitec'", "'hr-shanghaitech'"]),
            (["msgflow", "--tokenizer", "vqvae"], ["no tokenizer is named 'vqvae'", "'vq-vae'"]),
            (["msgflow", "--prior", "transfomer"], ["no prior is named", "'transformer'"]),
            (["msgflow", "--flow", "stgcn"], ["no flow is named", "'stgcn-coupling'"]),
            (["msgflow", "--scorer", "maxx"], ["no scorer is named", "'max'"]),
            (["msgflow", "--set", "tokenizer.codebooksize=3"], ["unknown key 'codebooksize'", "'codebook_size'"]),
            (["msgflow", "--set", "tokeniser.width=3"], ["no section 'tokeniser'", "'tokenizer'"]),
            (["msgflow", "--set", "tokenizer.width.deep=3"], ["tokenizer.width is a value"]),
            (["msgflow", "--set", "windows.length=0"], ["windows.length", "given: 0"]),
            (["msgflow", "--set", "windows.length"], ["is not a setting", "section.key=value"]),
            (["msgflow", "--set", "windows.layout=coco"], ["no skeleton layout is named 'coco'"]),
            (["knn", "--tokenizer", "kmeans"], ["either a detector or a composition"]),
            (["msgflow", "--tokenizer", "none"], ["a prior needs a tokenizer"]),
            (["mine.toml"], ["cannot be read"]),
            (["knn", "--device", "gpu"], ["the device 'gpu' cannot be used"]),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) and not value[0].startswith("no ") else "",
    )
    def test_usage(self, vadbench, arguments, told):
        with_data = arguments if "--dataset" in arguments else [*arguments, "--dataset", "synthetic-campus"]
        refused(vadbench("run", *with_data), 2, *told)

    @pytest.mark.parametrize("seed", ["-1", "x", str(2**64)])
    def test_seed(self, vadbench, seed):
        called = vadbench("run", "knn", "--dataset", "synthetic-campus", "--seed", seed)
        assert called.code == 2
        assert "--seed" in called.err

    def test_setting_of_a_data_set(self, knn):
        refused(knn("--set", "dataset.resolutions=[1, 2]"), 2, "unknown key 'resolutions'", "dataset.resolutions")

    def test_debug(self, data):
        from vadbench.api import UsageError

        with pytest.raises(UsageError):
            main(["run", "msgflw", "--dataset", str(data), "--debug"])

    @pytest.mark.parametrize("text", ['title = "x"\n[windows\n', "[windows]\nlength = \n"])
    def test_broken_toml(self, vadbench, tmp_path, text):
        (tmp_path / "mine.toml").write_text(text)
        refused(vadbench("run", "mine.toml", "--dataset", "synthetic-campus"), 2, "mine.toml", "line 2")

    def test_results_folder_that_is_a_file(self, knn, tmp_path):
        (tmp_path / "taken").write_text("")
        refused(knn("--out", tmp_path / "taken"), 2, "the run cannot be stored here", "taken", "--out")


class TestMissingData:
    @pytest.mark.parametrize("name", ["hr-shanghaitech", "hr-ubnormal", "shanghaitech", "ubnormal"])
    def test_no_data_root(self, vadbench, name):
        called = vadbench("run", "knn", "--dataset", name)
        assert called.code in (2, 3)
        assert "--data-root" in called.err
        assert "Traceback" not in called.err

    def test_empty_data_root(self, vadbench, tmp_path):
        refused(vadbench("run", "knn", "--dataset", "hr-shanghaitech", "--data-root", tmp_path), 3, str(tmp_path), "STG-NF")

    def test_no_such_folder(self, vadbench, tmp_path):
        refused(vadbench("run", "knn", "--dataset", tmp_path / "nowhere"), 3, "does not exist", "pose/train")


class TestDamagedData:
    def path(self, data: Path) -> Path:
        return data / "pose" / "test" / f"{CLIP}{SUFFIX}"

    def test_broken_json_names_file_and_offset(self, knn, data):
        self.path(data).write_text('{"1": {"0001": oops}}')
        refused(knn(), 3, str(self.path(data)), "byte 15")

    def test_cut_off(self, knn, data):
        raw = self.path(data).read_bytes()
        self.path(data).write_bytes(raw[: len(raw) // 2])
        refused(knn(), 3, str(self.path(data)), f"byte {len(raw) // 2}")

    def test_keypoints_of_another_length(self, knn, data):
        write_clip(data, "test", CLIP, {"1": {"0003": {"keypoints": [1.0] * 50}}})
        refused(knn(), 3, "50 numbers; 51", "person 1, frame 0003")

    @pytest.mark.parametrize("value", ["NaN", "Infinity"])
    def test_not_a_number(self, knn, data, value):
        content = json.dumps({"1": {"0003": {"keypoints": [1.0] * 50 + ["X"]}}}).replace('"X"', value)
        self.path(data).write_text(content)
        refused(knn(), 3, str(self.path(data)), "person 1, frame 0003")

    @pytest.mark.parametrize("length", [20, 47])
    def test_mask_of_another_length(self, knn, data, length):
        write_mask(data, CLIP, np.zeros(length, dtype=np.uint8))
        refused(knn(), 3, f"{CLIP}.npy", f"{length} frames")

    def test_mask_without_poses(self, knn, data):
        self.path(data).unlink()
        refused(knn(), 3, "a mask but no poses")

    def test_training_poses_are_checked_too(self, knn, data):
        path = next((data / "pose" / "train").iterdir())
        path.write_text("[]")
        refused(knn(), 3, str(path), "not an object")


class TestThinData:
    def test_clip_without_anybody(self, knn, data):
        write_clip(data, "test", CLIP, {})
        called = knn("--json")
        assert called.code == 0, called.err
        assert called.json["runs"][0]["metrics"]["clips"] == 3

    def test_person_without_frames(self, knn, data):
        write_clip(data, "test", CLIP, {"1": {}})
        assert knn("--json").code == 0

    @pytest.mark.parametrize("split", ["train", "test"])
    @pytest.mark.parametrize("rows", [1, 8])
    def test_no_track_is_long_enough(self, knn, data, split, rows):
        for path in (data / "pose" / split).iterdir():
            write_clip(data, split, path.name.removesuffix(SUFFIX), document({1: (0, walk(rows, start=(9, 9)))}))
        refused(knn(), 3, f"no track of the {split} split", f"longest track {rows} poses", "windows.length")

    @pytest.mark.parametrize("split", ["train", "test"])
    def test_nobody_at_all(self, knn, data, split):
        for path in (data / "pose" / split).iterdir():
            path.write_text("{}")
        refused(knn(), 3, f"there is not one pose in the {split} split", "3 clips", "check the pose files")

    def test_one_short_track_among_long_ones(self, knn, data):
        path = self.clip(data)
        content = json.loads(path.read_text())
        content["9"] = document({9: (4, walk(3, start=(9, 9)))})["9"]
        path.write_text(json.dumps(content))
        assert knn("--json").code == 0

    def clip(self, data: Path) -> Path:
        return data / "pose" / "test" / f"{CLIP}{SUFFIX}"

    def test_nothing_abnormal(self, knn, data):
        for clip in TEST_CLIPS:
            write_mask(data, clip, np.zeros(48, dtype=np.uint8))
        called = knn("--json")
        assert called.code == 0
        assert called.json["runs"][0]["metrics"]["auroc"] is None
        assert knn().code == 0


class TestPlugins:
    @pytest.fixture
    def recorded(self, vadbench, monkeypatch):
        monkeypatch.setattr("vadbench.cli.run.installed_plugins", lambda **_: plugins_with_recorded())
        return lambda act, *more: vadbench("run", "recorded", "--dataset", "recorded", "--set", f'detector.act="{act}"', *more)

    @pytest.mark.parametrize("act", ["raise in fit", "raise in score", "raise in init", "odd state", "odd diagnostics"])
    def test_that_fails(self, recorded, act):
        refused(recorded(act), 4, "recorded", "--debug")

    def test_interrupt_leaves_nothing(self, recorded):
        called = recorded("interrupt")
        assert called.code == 130
        assert "interrupted" in called.err
        assert files_below(Path("runs")) == []
        assert list(Path("runs").rglob(".vadbench-partial-*")) == []

    def test_interrupt_leaves_the_finished_run(self, recorded, monkeypatch):
        import recorded_plugin

        assert recorded("well", "--no-plots").code == 0
        before = {path: path.read_bytes() for path in files_below(Path("runs"))}

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(recorded_plugin.Whole, "score", interrupt)
        assert recorded("well", "--force").code == 130
        assert {path: path.read_bytes() for path in files_below(Path("runs"))} == before

    def test_interrupt_ends_a_batch(self, recorded):
        called = recorded("interrupt", "--seed", "0", "--seed", "1", "--json")
        assert called.code == 130
        assert called.out == ""
