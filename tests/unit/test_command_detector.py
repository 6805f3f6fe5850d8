"""The detector ``command``: what it hands out, what it takes back, and what it says of scores that cannot be used."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from foreign_programs import calls, command_of, fitted, write_program
from hypothesis import given, settings
from hypothesis import strategies as st

from vadbench.api import ConfigError, Context, DataError, PluginError, WindowScores
from vadbench.data.views import named_view
from vadbench.store.arrays import load_weights, save_weights
from vadbench.testing.sample import sample_windows
from vadbench_foreign import kept_files
from vadbench_foreign.kept_files import as_state, from_state, read_files, write_files
from vadbench_foreign.returned_scores import in_order_of
from vadbench_foreign.window_files import write_windows

WINDOWS = sample_windows(length=8, stride=12)
SUMS = WINDOWS.batch(slice(None)).x.astype(float).sum(axis=(1, 2, 3))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where the program lies."""
    write_program(tmp_path)
    return tmp_path


@pytest.fixture
def context(tmp_path) -> Context:
    """With a work folder, which must be empty when all is done."""
    work = tmp_path / "work"
    work.mkdir()
    return Context(seed=5, name="theirs", work_folder=work)


def scored(folder, act="well", windows=WINDOWS, context=None, **more):
    return command_of(folder, windows.shape, act, learns=False, **more).score(windows, context or Context())


def two_views(windows=WINDOWS):
    flip = named_view("flip", windows.tracks.layout)
    first = np.concatenate([windows.first, windows.first])
    return replace(windows, first=first, view=np.repeat([0, 1], len(windows)), views=(flip,))


class TestWindowFiles:
    @pytest.fixture
    def written(self, tmp_path):
        seen = replace(two_views(), abnormal=np.ones(2 * len(WINDOWS), dtype=bool))
        names = ("x", "pixels", "confidence", "frame")
        write_windows(tmp_path / "w", seen, arrays=names, told={"step": "fit", "seed": 3}, context=Context())
        return tmp_path / "w", seen

    def test_arrays(self, written):
        place, seen = written
        batch = seen.batch(slice(None))
        kinds = {"x": "<f4", "pixels": "<f4", "confidence": "<f4", "frame": "<i4"}
        for name, kind in kinds.items():
            found = np.load(place / f"{name}.npy")
            assert found.dtype == np.dtype(kind)
            assert found.flags.c_contiguous
        assert np.array_equal(np.load(place / "x.npy"), batch.x)
        assert np.array_equal(np.load(place / "confidence.npy"), batch.confidence)
        assert np.array_equal(np.load(place / "pixels.npy"), seen.placement(slice(None)).to_pixels(batch.x))
        frames = np.load(place / "frame.npy")
        assert np.array_equal(frames[:, 0], seen.start)
        assert (np.diff(frames, axis=1) >= 1).all()

    def test_rows(self, written):
        place, seen = written
        names = np.array([clip.name for clip in seen.tracks.clips])[seen.clip]
        assert np.load(place / "clip.npy").tolist() == names.tolist()
        for name in ("person", "start", "view", "track"):
            assert np.load(place / f"{name}.npy").tolist() == getattr(seen, name).tolist()
        with (place / "windows.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(seen)
        assert rows[-1] == {
            "clip": names[-1],
            **{name: str(getattr(seen, name)[-1]) for name in ("person", "start", "view", "track")},
        }

    def test_description(self, written):
        place, seen = written
        told = json.loads((place / "windows.json").read_text())
        assert told["schema_version"] == 1
        assert (told["step"], told["seed"]) == ("fit", 3)
        assert (told["windows"], told["window_length"]) == (len(seen), 8)
        assert told["rule"] == {"stride": 12, "missing": 2, "keep_last": False}
        assert told["joints"] == list(seen.tracks.layout.joints)
        assert told["views"] == ["plain", "flip"]
        assert sum(clip["windows"] for clip in told["clips"]) == len(seen)
        assert {key: told["clips"][1][key] for key in ("name", "scene", "n_frames", "width", "height")} == {
            "name": "sample_02",
            "scene": "scene_2",
            "n_frames": 76,
            "width": 856,
            "height": 480,
        }

    def test_no_label(self, written):
        place, _ = written
        arrays = ("x", "pixels", "confidence", "frame", "clip", "person", "start", "view", "track")
        names = {*(f"{name}.npy" for name in arrays), "windows.csv", "windows.json"}
        assert {path.name for path in place.iterdir()} == names
        assert "abnormal" not in (place / "windows.json").read_text()

    def test_batch_by_batch_is_the_same(self, tmp_path, monkeypatch):
        for batch in (7, 4096):
            monkeypatch.setattr("vadbench_foreign.window_files._BATCH", batch)
            write_windows(tmp_path / str(batch), WINDOWS, arrays=("x", "frame"), told={}, context=Context())
        for name in ("x.npy", "frame.npy"):
            assert (tmp_path / "7" / name).read_bytes() == (tmp_path / "4096" / name).read_bytes()

    def test_arrays_can_be_left_out(self, folder, context):
        found = scored(folder, arrays=["x"], context=context)
        assert np.array_equal(found, SUMS)


class TestScores:
    @pytest.mark.parametrize("act", ["well", "shuffled", "csv", "terms"])
    def test_each_window_has_its_own(self, folder, act, context):
        assert np.array_equal(scored(folder, act, context=context), SUMS)
        assert list(context.work_folder.iterdir()) == []

    @pytest.mark.parametrize("act", ["by frame", "csv by frame"])
    def test_by_frame(self, folder, act):
        assert np.array_equal(scored(folder, act), WINDOWS.batch(slice(None)).x.astype(float).sum(axis=(1, 3)))

    def test_normality(self, folder):
        assert np.array_equal(scored(folder, higher_is_more_anomalous=False), -SUMS)

    def test_a_meta_json_decides(self, folder):
        assert np.array_equal(scored(folder, "meta", higher_is_more_anomalous=True), -SUMS)

    def test_a_call_for_each_view(self, folder):
        seen = two_views()
        found = scored(folder, windows=seen)
        assert np.array_equal(found, seen.batch(slice(None)).x.astype(float).sum(axis=(1, 2, 3)))
        assert calls(folder) == [f"score {len(WINDOWS)}"] * 2

    def test_no_window_no_call(self, folder):
        assert scored(folder, windows=WINDOWS.select(np.zeros(0, dtype=np.int64))).shape == (0,)
        assert calls(folder) == []

    def test_windows_that_are_asked_for_twice(self, folder):
        index = np.array([4, 2, 4, 4, 9])
        assert np.array_equal(scored(folder, windows=WINDOWS.select(index)), SUMS[index])
        assert calls(folder) == ["score 3"]

    @pytest.mark.parametrize(
        ("act", "said"),
        [
            ("missing", f"3 of {len(WINDOWS)} windows have no score, first: clip sample_01, person 1, start 0"),
            ("unknown", "1 scores are of no window, first: row 5: clip sample_01, person 77"),
            ("unknown", f"1 of {len(WINDOWS)} windows have no score"),
            ("doubled", "2 windows are there more than once"),
            ("nan", f"score is not finite in 1 of {len(WINDOWS)} rows"),
            ("shape", f"score has shape ({len(WINDOWS)}, 2) for {len(WINDOWS)} windows of 8 frames"),
            ("pickled", "the array score holds Python objects"),
            ("nothing", "wrote neither scores.npz nor scores.csv; what it wrote: skores.npz"),
            ("both", "wrote both scores.npz and scores.csv"),
            ("meta of another length", "window_length is 9, and the windows have 8 frames"),
            ("csv with a word", "score is 'high' in line"),
            ("csv of odd lines", "does not have the 4 columns of the first line"),
        ],
    )
    def test_what_cannot_be_used(self, folder, act, said, context):
        with pytest.raises(PluginError) as caught:
            scored(folder, act, context=context)
        assert said in str(caught.value)
        assert caught.value.remedy
        assert list(context.work_folder.iterdir()) == []

    def test_two_shapes(self, folder):
        with pytest.raises(PluginError, match="one score a window in one view, and one a frame in another"):
            scored(folder, "by frame in one view", windows=two_views())

    @given(st.permutations(range(len(WINDOWS))))
    @settings(max_examples=20)
    def test_any_order(self, order):
        index = np.array(order)
        names = np.array([clip.name for clip in WINDOWS.tracks.clips])[WINDOWS.clip]
        given_back = WindowScores(
            names[index], WINDOWS.person[index].astype(int), WINDOWS.start[index].astype(int), index.astype(float), 8
        )
        assert in_order_of(WINDOWS, given_back).tolist() == list(range(len(WINDOWS)))

    def test_a_folder_that_went(self, folder, tmp_path):
        detector = command_of(folder, WINDOWS.shape, learns=False)
        folder.rename(tmp_path.parent / f"{tmp_path.name}-elsewhere")
        with pytest.raises(ConfigError, match="folder of the commands is not there"):
            detector.score(WINDOWS, Context())

    @pytest.mark.parametrize("name", ["scores.npz", "scores.csv", "meta.json"])
    def test_links_are_not_followed(self, folder, name, context):
        with pytest.raises(PluginError, match=f"left {name} as a link"):
            scored(folder, f"{name} as a link", context=context)
        assert list(context.work_folder.iterdir()) == []

    @pytest.mark.parametrize(
        ("act", "said"),
        [
            ("delete scores", "the command of score took away the folder {scores}"),
            ("all windows", "the command of score took away the folder {scores}, or one that it lies in"),
            ("link scores", "the command of score put a link in the place of the folder {scores}"),
            ("file scores", "the command of score put a file in the place of the folder {scores}"),
        ],
    )
    def test_what_it_does_to_its_folder(self, folder, act, said, context):
        (folder / "elsewhere").mkdir()
        with pytest.raises(PluginError) as caught:
            scored(folder, act, context=context)
        assert said in str(caught.value)
        assert "room" not in str(caught.value)
        assert list(context.work_folder.iterdir()) == []
        assert (folder / "elsewhere").is_dir()

    @pytest.mark.parametrize("act", ["delete model", "link model", "file model"])
    def test_what_is_read_no_more_may_go(self, folder, act, context):
        (folder / "elsewhere").mkdir()
        detector = command_of(folder, WINDOWS.shape, act, learns=False)
        for _ in range(2):
            assert np.array_equal(detector.score(WINDOWS, context), SUMS)

    def test_names_that_it_made_up_do_not_reach_the_terminal(self, folder):
        with pytest.raises(PluginError, match="what it wrote:") as caught:
            scored(folder, "odd names")
        assert r"\udcff\x1b[2J" in str(caught.value)
        with pytest.raises(PluginError, match="are of no window") as caught:
            scored(folder, "odd clip")
        assert r"clip \x1b[2J" in str(caught.value)
        assert "\x1b" not in str(caught.value)

    def test_files_that_cannot_be_read(self, folder, monkeypatch):
        def refused(*_, **__):
            raise PermissionError(13, "Permission denied", "\udcff\x1b")

        monkeypatch.setattr("vadbench_foreign.detector.read_scores", refused)
        with pytest.raises(PluginError, match="Permission denied") as caught:
            scored(folder)
        assert "leaves its files readable" in caught.value.remedy
        str(caught.value).encode()

    def test_a_full_disk(self, folder, monkeypatch):
        def full(*_, **__):
            raise OSError(28, "No space left on device", "x.npy")

        monkeypatch.setattr("vadbench_foreign.detector.write_windows", full)
        with pytest.raises(PluginError, match="cannot be written or read: No space left") as caught:
            scored(folder)
        assert "make room" in caught.value.remedy


class TestModel:
    def test_what_fit_leaves_is_what_is_learned(self, folder, context):
        detector = fitted(folder, WINDOWS, "many files")
        state = detector.state_dict()
        assert sorted(state) == ["model/deep/er/__metadata__.npy", "model/empty", "model/level.txt"]
        assert all(tensor.dtype == torch.uint8 and tensor.ndim == 1 for tensor in state.values())
        assert np.array_equal(detector.score(WINDOWS, context), SUMS + 1000)

    def test_stored_and_taken_back(self, folder, tmp_path):
        state = fitted(folder, WINDOWS, "many files").state_dict()
        save_weights(tmp_path / "w.safetensors", state)
        other = command_of(folder, WINDOWS.shape)
        other.load_state_dict(load_weights(tmp_path / "w.safetensors"))
        assert np.array_equal(other.score(WINDOWS, Context()), SUMS + 1000)
        assert calls(folder) == [f"fit {len(WINDOWS)}", f"score {len(WINDOWS)}"]

    def test_fitted_again_it_begins_anew(self, folder):
        detector = fitted(folder, WINDOWS, "many files")
        detector.config = command_of(folder, WINDOWS.shape).config
        detector.fit(WINDOWS, Context())
        assert list(detector.state_dict()) == ["model/level.txt"]

    def test_nothing_to_train(self, folder):
        detector = fitted(folder, WINDOWS, learns=False)
        assert detector.state_dict() == {}
        assert calls(folder) == []

    def test_a_program_that_is_not_there_is_missed_before_anything_is_trained(self, folder):
        detector = command_of(folder, WINDOWS.shape, score=["./gone", "{windows}", "{scores}"])
        with pytest.raises(PluginError, match=r"command of score cannot be started: \./gone is not there"):
            detector.fit(WINDOWS, Context())
        assert calls(folder) == []

    def test_nothing_learned(self, folder):
        with pytest.raises(PluginError, match=r"left no file in \{model\}"):
            fitted(folder, WINDOWS, "nothing learned")

    def test_a_link(self, folder):
        with pytest.raises(PluginError, match="left latest, which is a link"):
            fitted(folder, WINDOWS, "link")

    @pytest.mark.parametrize("name", ["a:b", "x\\y", "deep/C:/er", "\udcff\udcff"])
    def test_a_name_that_could_not_be_taken_back(self, folder, name, context):
        with pytest.raises(PluginError, match="cannot be stored with the run") as caught:
            command_of(folder, WINDOWS.shape, f"named {name}").fit(WINDOWS, context)
        said = str(caught.value)
        assert f"by the name of {name.encode('ascii', 'backslashreplace').decode()}," in said
        assert "give files and folders names in UTF-8" in said
        said.encode()

    @pytest.mark.parametrize("name", ["a b", "ü/é", "new\nline", "tab\t", "'\"", ".hidden"])
    def test_an_odd_name_that_can(self, folder, name, tmp_path):
        state = fitted(folder, WINDOWS, f"named {name}").state_dict()
        assert f"model/{name}" in state
        save_weights(tmp_path / "w.safetensors", state)
        command_of(folder, WINDOWS.shape).load_state_dict(load_weights(tmp_path / "w.safetensors"))

    @pytest.mark.parametrize(
        ("act", "said"),
        [
            ("delete model", "the command of fit took away the folder {model}"),
            ("all model", "the command of fit took away the folder {model}, or one that it lies in"),
            ("link model", "the command of fit put a link in the place of the folder {model}"),
            ("file model", "the command of fit put a file in the place of the folder {model}"),
        ],
    )
    def test_what_it_does_to_its_folder(self, folder, act, said, context):
        (folder / "elsewhere").mkdir()
        (folder / "elsewhere" / "secret").write_text("of nobody's business")
        with pytest.raises(PluginError) as caught:
            command_of(folder, WINDOWS.shape, act).fit(WINDOWS, context)
        assert said in str(caught.value)
        assert list(context.work_folder.iterdir()) == []
        assert (folder / "elsewhere" / "secret").exists()

    def test_it_may_take_its_windows_away(self, folder, context):
        detector = command_of(folder, WINDOWS.shape, "delete windows")
        detector.fit(WINDOWS, context)
        assert list(detector.state_dict()) == ["model/level.txt"]

    def test_a_folder_that_cannot_be_read_is_no_empty_one(self, tmp_path, monkeypatch):
        (tmp_path / "sub").mkdir()

        def scandir(path, scan=os.scandir):
            if str(path).endswith("sub"):
                raise PermissionError(13, "Permission denied", str(path))
            return scan(path)

        monkeypatch.setattr(os, "scandir", scandir)
        with pytest.raises(PermissionError):
            read_files(tmp_path)

    def test_no_training_window(self, folder):
        with pytest.raises(DataError, match="no training window"):
            fitted(folder, WINDOWS.select(np.zeros(0, dtype=np.int64)))

    def test_parameters(self, folder):
        assert fitted(folder, WINDOWS).parameter_count == len("1.000000000000000000e+03\n")
        assert fitted(folder, WINDOWS, parameters=12).parameter_count == 12

    def test_too_large(self, tmp_path, monkeypatch):
        (tmp_path / "a").write_bytes(b"x" * 10)
        (tmp_path / "b").write_bytes(b"x" * 10)
        monkeypatch.setattr(kept_files, "MOST_BYTES", 15)
        with pytest.raises(PluginError, match=r"more than .* GiB of files, up to b"):
            read_files(tmp_path)

    def test_a_pipe(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(PluginError, match="left pipe, which is no file"):
            read_files(tmp_path)

    @given(
        st.dictionaries(
            st.lists(st.text("ab.é -_", min_size=1, max_size=6), min_size=1, max_size=3).map("/".join),
            st.binary(max_size=20),
            max_size=5,
        )
    )
    def test_files_come_back_or_are_refused(self, tmp_path_factory, contents):
        files = {name: np.frombuffer(content, dtype=np.uint8) for name, content in contents.items()}
        try:
            taken = from_state(as_state(files))
        except PluginError:
            parts = [name.split("/") for name in files]
            odd = any(part in (".", "..") for name in parts for part in name)
            assert odd or any(one != two and two[: len(one)] == one for one in parts for two in parts)
            return
        place = tmp_path_factory.mktemp("files") / "model"
        write_files(place, taken)
        assert {name: content.tobytes() for name, content in read_files(place).items()} == contents

    @pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a//b", "", ".", "a/.", "C:x", "a\\b", "a\0"])
    def test_a_path_that_leads_out(self, name):
        with pytest.raises(PluginError, match="no file of a command's model"):
            from_state({f"model/{name}": torch.zeros(3, dtype=torch.uint8)})

    @pytest.mark.parametrize(
        "state",
        [
            {"weight": torch.zeros(3, dtype=torch.uint8)},
            {"model/a": torch.zeros(3)},
            {"model/a": torch.zeros(3, 2, dtype=torch.uint8)},
        ],
    )
    def test_what_are_no_files(self, state):
        with pytest.raises(PluginError, match="no file of a command's model"):
            from_state(state)

    def test_a_file_that_is_a_folder(self):
        tensor = torch.zeros(1, dtype=torch.uint8)
        with pytest.raises(PluginError, match="'a' as a file and as a folder"):
            from_state({"model/a": tensor, "model/a/b": tensor})


def test_what_does_not_count_is_warned_of(folder, caplog):
    context = Context(name="theirs")
    command_of(folder, WINDOWS.shape, version_files=[]).fit(WINDOWS, context)
    assert "nothing of the method's code counts" in caplog.text
    caplog.clear()
    for settings_ in ({"version": "1"}, {"version_files": ["program.py"]}, {}):
        command_of(folder, WINDOWS.shape, **settings_).fit(WINDOWS, context)
    assert caplog.text == ""
