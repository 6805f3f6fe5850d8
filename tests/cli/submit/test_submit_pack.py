"""``vadbench submit pack``: what is packed is sound, and what cannot be is refused."""

from __future__ import annotations

import json

import pytest
from stored_runs import write_run
from submissions import ABOUT, edit

from vadbench.engine.config import digest_of
from vadbench.store.folders import find_runs
from vadbench.store.record import LeakCheck

ASK = ("--contact", ABOUT["contact"], "--licence", ABOUT["licence"])


class TestPack:
    def test_what_is_packed_is_sound_and_is_the_row_of_the_leaderboard(self, vadbench, runs, tmp_path):
        called = vadbench("submit", "pack", runs, *ASK, "--notes", "two\nlines", "--code", "https://example.org/x")
        assert called.code == 0
        assert "check-leak was not run on seed 0, 1" in called.err
        assert "2 seeds" in called.err
        (folder,) = (tmp_path / "submissions" / "synthetic-campus").iterdir()
        assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
            *("labels.npz", "row.json", "seed-0/scores.npz", "seed-1/scores.npz", "submission.json"),
        ]
        assert vadbench("leaderboard", "--runs", runs, "--write", "rows").code == 0
        assert (folder / "row.json").read_bytes() == (tmp_path / "rows" / f"synthetic-campus/{folder.name}.json").read_bytes()
        for run in find_runs(runs):
            name = f"seed-{run.record.seed}"
            assert (folder / name / "scores.npz").read_bytes() == (run.path / "scores.npz").read_bytes()
        about = json.loads((folder / "submission.json").read_text())
        assert (about["contact"], about["notes"], about["track"]) == (ABOUT["contact"], "two\nlines", "one-class")
        called = vadbench("submit", "check", folder, "--min-seeds", 2)
        assert called.code == 0, called.err
        assert "Sound: 2 of 2 seeds computed again. Not checked: cost, environment" in called.out

    def test_nothing_is_replaced_unless_it_is_asked_for(self, vadbench, runs, tmp_path):
        assert vadbench("submit", "pack", runs, *ASK, "-o", "here").code == 0
        (tmp_path / "here" / "seed-7").mkdir()
        called = vadbench("submit", "pack", runs, *ASK, "-o", "here")
        assert (called.code, "there already" in called.err) == (2, True)
        assert vadbench("submit", "pack", runs, *ASK, "-o", "here", "--force", "--no-labels").code == 0
        assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["row.json", "seed-0", "seed-1", "submission.json"]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--contact", "me", "--licence", "MIT"), "'me' is no e-mail address"),
            (("--contact", "a@b.org", "--licence", "do what you like"), "is no SPDX licence"),
            (("--contact", "a@b.org", "--licence", "LicenseRef-mine"), "a licence of its own"),
            ((*ASK, "--code", "javascript:alert(1)"), "is no web address"),
            ((*ASK, "--paper", "CVPR 2024"), "is no arXiv identifier"),
        ],
    )
    def test_who_sends_what(self, vadbench, runs, tmp_path, options, said):
        called = vadbench("submit", "pack", runs, *options, "-o", "here")
        assert called.code == 2
        assert said in called.err
        assert list(tmp_path.iterdir()) == []

    def test_runs_of_two_rows_of_none_and_of_no_sound_one(self, vadbench, tmp_path):
        assert vadbench("submit", "pack", *ASK).code == 2
        for method in ("knn", "pca"):
            config = {"detector": {"name": method}}
            write_run(tmp_path / "two", method=method, config=config, config_hash=digest_of(config))
        called = vadbench("submit", "pack", "two", *ASK)
        assert (called.code, "the runs are of 2 rows: knn on campus" in called.err) == (2, True)
        run = write_run(tmp_path / "bad")
        edit(run.path / "run.json", lambda record: record["metrics"].update(auroc=0.99))
        called = vadbench("submit", "pack", "bad", *ASK)
        assert (called.code, "the recorded auroc is 0.99" in called.err) == (6, True)
        write_run(tmp_path / "compiled", compiled=True)
        assert "would not make it again" in vadbench("submit", "pack", "compiled", *ASK).err
        assert not (tmp_path / "submissions").exists()

    def test_what_check_leak_found_is_told(self, vadbench, tmp_path):
        config = {"detector": {"name": "knn"}}
        run = write_run(tmp_path / "runs", config=config, config_hash=digest_of(config))
        leak = LeakCheck(
            date="",
            vadbench="",
            clips=3,
            clips_of=3,
            windows=9,
            tolerance=0.0,
            transductive=True,
            adapts=False,
            draws=False,
            largest_difference=1.0,
            largest_relative=1.0,
            windows_differ=9,
            rank_correlation=None,
            reproduced=True,
            largest_from_stored=0.0,
        )
        edit(run.path / "run.json", lambda record: record.update(leak_check=leak.model_dump()))
        called = vadbench("submit", "pack", "runs", *ASK, "-o", "here")
        assert "check-leak has found something in seed 0" in called.err
        assert json.loads((tmp_path / "here" / "row.json").read_text())["transductive"] is True
