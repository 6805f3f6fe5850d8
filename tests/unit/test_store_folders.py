"""Run folders: whole or absent, verified when read, damaged ones told or left out."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from stored_runs import made_labels, made_scores, write_run

from vadbench.api import DataError, DriftError, UsageError
from vadbench.store import folders
from vadbench.store.arrays import save_scores
from vadbench.store.folders import find_runs, new_run, open_run, remove_leftovers, run_path, unfinished_run


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class TestNewRun:
    def test_appears_when_the_block_ends(self, tmp_path):
        path = tmp_path / "m" / "d" / "0" / "id"
        with new_run(path) as folder:
            (folder / "run.json").write_text("{}")
            assert not path.exists()
        assert content(path) == {"run.json": b"{}"}
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
    def test_leaves_nothing_when_it_raises(self, tmp_path, error):
        path = tmp_path / "m" / "d" / "0" / "id"

        def write():
            with new_run(path) as folder:
                (folder / "scores.npz").write_bytes(b"half")
                raise error

        with pytest.raises(error):
            write()
        assert content(tmp_path) == {}
        assert list(path.parent.iterdir()) == []

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_the_run_that_is_there_survives_a_failing_rewrite(self, tmp_path, error):
        run = write_run(tmp_path)
        before = content(tmp_path)

        def rewrite():
            with new_run(run.path) as folder:
                (folder / "run.json").write_text("{}")
                raise error

        with pytest.raises(error):
            rewrite()
        assert content(tmp_path) == before

    def test_the_run_that_is_there_is_replaced_whole(self, tmp_path):
        path = write_run(tmp_path).path
        (path / "plots").mkdir()
        (path / "plots" / "roc.png").write_bytes(b"old")
        with new_run(path) as folder:
            (folder / "run.json").write_text("{}")
            assert (path / "plots" / "roc.png").exists()
        assert content(tmp_path) == {f"{path.relative_to(tmp_path).as_posix()}/run.json": b"{}"}

    def test_the_run_that_is_there_survives_a_failing_rename(self, tmp_path, monkeypatch):
        path = write_run(tmp_path).path
        before = content(tmp_path)
        rename = Path.rename

        def refuse(self, target):
            if self.parent.name == "new":
                raise PermissionError("in use")
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", refuse)

        def rewrite():
            with new_run(path) as folder:
                (folder / "run.json").write_text("{}")

        with pytest.raises(UsageError, match="in use"):
            rewrite()
        assert content(tmp_path) == before


class TestOpen:
    def test_round_trip(self, tmp_path):
        run = write_run(tmp_path, terms=True)
        for path in (run.path, run.path / "run.json"):
            again = open_run(path)
            assert again.record == run.record
            assert again.path == run.path
        np.testing.assert_array_equal(again.scores().score, made_scores(made_labels(), terms=True).score)
        assert again.labels()[0].fingerprint() == run.record.dataset.labels

    def test_path(self, tmp_path):
        assert run_path(tmp_path, "m", "d", 3, "abc") == tmp_path / "m" / "d" / "3" / "abc"

    @pytest.mark.parametrize("name", ["scores", "labels"])
    def test_tampered(self, tmp_path, name):
        run = write_run(tmp_path)
        if name == "scores":
            save_scores(run.path / "scores.npz", made_scores(made_labels(), seed=9))
        else:
            (run.path / "labels.npz").write_bytes(b"other")
        with pytest.raises(DriftError) as caught:
            getattr(open_run(run.path), name)()
        with pytest.raises(DriftError):
            run.verify()
        assert caught.value.exit_code == 6
        assert caught.value.where == str(run.path / f"{name}.npz")

    @pytest.mark.parametrize("name", ["scores", "labels"])
    def test_file_that_is_gone(self, tmp_path, name):
        run = write_run(tmp_path)
        (run.path / f"{name}.npz").unlink()
        with pytest.raises(DataError, match=f"has no {name}.npz"):
            getattr(open_run(run.path), name)()
        with pytest.raises(DataError, match=f"has no {name}.npz"):
            run.verify()

    def test_not_a_run(self, tmp_path):
        with pytest.raises(DataError, match="not a run folder"):
            open_run(tmp_path)

    @pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b"\xff\xfe\x00", b"null"])
    def test_damaged_record(self, tmp_path, raw):
        run = write_run(tmp_path)
        (run.path / "run.json").write_bytes(raw)
        with pytest.raises(DataError) as caught:
            open_run(run.path)
        assert caught.value.where == str(run.path / "run.json")
        assert caught.value.remedy

    @pytest.mark.parametrize(
        ("key", "value"), [("schema_version", 2), ("seed", "many"), ("status", "failed"), ("unheard_of", 1), ("cost", None)]
    )
    def test_record_of_another_version(self, tmp_path, key, value):
        run = write_run(tmp_path)
        record = json.loads((run.path / "run.json").read_text())
        (run.path / "run.json").write_text(json.dumps({**record, key: value}))
        with pytest.raises(DataError, match=key):
            open_run(run.path)


class TestFind:
    def test_by_path(self, tmp_path):
        runs = [write_run(tmp_path, seed=seed, method=method) for method in ("a", "b") for seed in (0, 1)]
        assert [run.path for run in find_runs(tmp_path)] == [run.path for run in runs]

    def test_damaged_ones_are_left_out_and_told(self, tmp_path, caplog):
        good, bad, worse = (write_run(tmp_path, seed=seed) for seed in range(3))
        (bad.path / "run.json").write_text("{")
        (worse.path / "run.json").write_bytes(b"\xff\xfe\x00")
        assert [run.path for run in find_runs(tmp_path)] == [good.path]
        assert str(bad.path) in caplog.text
        assert str(worse.path) in caplog.text

    def test_unfinished_ones_are_no_runs(self, tmp_path):
        run = write_run(tmp_path)
        partial = run.path.parent / ".vadbench-partial-xyz" / "new"
        partial.mkdir(parents=True)
        (partial / "run.json").write_bytes((run.path / "run.json").read_bytes())
        (run.path.parent / "empty").mkdir()
        assert [found.path for found in find_runs(tmp_path)] == [run.path]

    def test_nothing(self, tmp_path):
        assert find_runs(tmp_path) == []
        assert find_runs(tmp_path / "nowhere") == []


class TestLeftovers:
    def leftover(self, root: Path, name: str, age: float) -> Path:
        folder = root / "m" / "d" / "0" / name
        (folder / "new").mkdir(parents=True)
        (folder / "new" / "log.txt").write_text("begun")
        for path in (folder / "new" / "log.txt", folder / "new", folder):
            os.utime(path, (time.time() - age,) * 2)
        return folder

    def test_only_old_ones_go(self, tmp_path):
        old = self.leftover(tmp_path, ".vadbench-partial-old", 90_000)
        young = self.leftover(tmp_path, ".vadbench-partial-young", 80_000)
        other = self.leftover(tmp_path, "finished", 900_000)
        remove_leftovers(tmp_path)
        assert not old.exists()
        assert young.exists()
        assert other.exists()

    def test_a_long_run_that_still_writes_is_left_alone(self, tmp_path):
        folder = self.leftover(tmp_path, ".vadbench-partial-long", 200_000)
        os.utime(folder / "new" / "log.txt")
        remove_leftovers(tmp_path)
        assert folder.exists()

    def test_one_that_vanishes_meanwhile(self, tmp_path, monkeypatch):
        self.leftover(tmp_path, ".vadbench-partial-old", 90_000)
        gone = tmp_path / "m" / "d" / "0" / ".vadbench-partial-gone"
        glob = Path.glob
        monkeypatch.setattr(Path, "glob", lambda self, pattern: [*glob(self, pattern), gone])
        remove_leftovers(tmp_path)
        assert not (tmp_path / "m" / "d" / "0" / ".vadbench-partial-old").exists()

    def test_unfinished_work_is_kept_for_a_week(self, tmp_path):
        old = self.leftover(tmp_path, ".unfinished-0123", 8 * 86_400)
        young = self.leftover(tmp_path, ".unfinished-4567", 6 * 86_400)
        remove_leftovers(tmp_path)
        assert not old.exists()
        assert young.exists()

    def test_nothing(self, tmp_path):
        remove_leftovers(tmp_path / "nowhere")


class TestUnfinished:
    def path(self, root: Path) -> Path:
        return run_path(root, "m", "d", 0, "0123456789ab")

    def test_goes_when_the_run_is_stored(self, tmp_path):
        with unfinished_run(self.path(tmp_path)) as folder:
            assert folder == self.path(tmp_path).parent / ".unfinished-0123456789ab"
            (folder / "checkpoints").mkdir()
            (folder / "checkpoints" / "a").touch()
        assert list(self.path(tmp_path).parent.iterdir()) == []

    @pytest.mark.parametrize("kind", ["checkpoints", "parts"])
    @pytest.mark.parametrize("error", [KeyboardInterrupt, DataError])
    def test_stays_if_something_was_trained(self, tmp_path, kind, error):
        with pytest.raises(error), unfinished_run(self.path(tmp_path)) as folder:  # noqa: PT012
            (folder / kind / "deep").mkdir(parents=True)
            (folder / kind / "deep" / "a").touch()
            raise error("x")
        assert folder.is_dir()
        with unfinished_run(self.path(tmp_path)) as again:
            assert (again / kind / "deep" / "a").is_file()

    def test_goes_if_nothing_was_trained(self, tmp_path):
        with pytest.raises(DataError), unfinished_run(self.path(tmp_path)) as folder:  # noqa: PT012
            (folder / "log.txt").touch()
            (folder / "checkpoints").mkdir()
            raise DataError("x")
        assert not folder.exists()

    def test_afresh(self, tmp_path):
        folder = self.path(tmp_path).parent / ".unfinished-0123456789ab"
        folder.mkdir(parents=True)
        (folder / "log.txt").touch()
        with unfinished_run(self.path(tmp_path), afresh=True) as afresh:
            assert [file.name for file in afresh.iterdir()] == ["lock"]

    def test_one_that_is_opened_is_not_old(self, tmp_path):
        folder = self.path(tmp_path).parent / ".unfinished-0123456789ab"
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - 8 * 86_400,) * 2)
        with unfinished_run(self.path(tmp_path)):
            remove_leftovers(tmp_path)
            assert folder.is_dir()

    def test_is_no_run(self, tmp_path):
        run = write_run(tmp_path)
        with unfinished_run(run.path) as folder:
            (folder / "run.json").write_bytes((run.path / "run.json").read_bytes())
            assert [found.path for found in find_runs(tmp_path)] == [run.path]

    def test_nothing_can_be_written(self, tmp_path):
        (tmp_path / "m").touch()
        with pytest.raises(UsageError, match="cannot be stored here") as caught, unfinished_run(self.path(tmp_path)):
            pass
        assert "--out" in caught.value.remedy


def test_digest_is_sha256(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert folders.file_digest(tmp_path / "x").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_two_processes_cannot_make_the_same_run(tmp_path):
    path = tmp_path / "m" / "d" / "0" / "abc"
    with folders.unfinished_run(path):
        with pytest.raises(UsageError) as caught, folders.unfinished_run(path):
            pass
        assert "another process is making this very run" in caught.value.what
        folders.remove_unfinished(path)
        assert (path.parent / ".unfinished-abc").is_dir(), "it is in use"
    with folders.unfinished_run(path):
        pass


def test_unfinished_work_of_a_finished_run_goes(tmp_path):
    folder = tmp_path / "m" / "d" / "0" / ".unfinished-abc"
    (folder / "parts").mkdir(parents=True)
    folders.remove_unfinished(folder.parent / "abc")
    assert not folder.exists()
    folders.remove_unfinished(folder.parent / "abc")
