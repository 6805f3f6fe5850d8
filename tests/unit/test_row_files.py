"""Rows of leaderboards as files: what is written, what is refused, what is read back, and the tables beside them."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from stored_runs import made_labels, made_scores, write_run

from vadbench.api import DataError, DriftError, UsageError
from vadbench.engine.config import digest_of
from vadbench.engine.plugins import load_plugins
from vadbench.evaluation.intervals import auroc_interval
from vadbench.evaluation.oracles import oracles
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.report.comparison_frames import counted_frames
from vadbench.report.leaderboard import make_leaderboard
from vadbench.report.leaderboard_text import ORACLES_HEADING
from vadbench.report.row_files import TABLE, find_row, open_row, row_name, shipped_rows, table_text, write_rows
from vadbench.store.folders import SCORES, find_runs, open_run


def made(root, method="knn", **more):
    """A stored run whose configuration has the hash that it names."""
    config = {"detector": {"name": method}, "changes": list(more.get("changes", ()))}
    return write_run(root / "runs", method=method, config=config, config_hash=digest_of(config), **more)


def written(root, to="rows", **more):
    board = make_leaderboard(find_runs(root / "runs"))
    rows = [*board.reproduced, *board.stand_ins]
    return write_rows(rows, root / to, registry=load_plugins().registry, **more)


def edited(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def everything(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_row_holds_what_its_runs_hold(tmp_path):
    runs = [made(tmp_path, seed=seed, dataset_settings={"family": "csv", "root": "/elsewhere"}) for seed in (3, 1)]
    path, table = written(tmp_path)
    assert table.name == TABLE
    row = open_row(path)
    one, three = sorted(runs, key=lambda run: run.record.seed)
    assert [result.seed for result in row.seeds] == [1, 3]
    assert [result.auroc for result in row.seeds] == pytest.approx([run.record.metrics.auroc for run in (one, three)])
    assert [result.scores for result in row.seeds] == [run.record.files[SCORES] for run in (one, three)]
    assert row.auroc.mean == pytest.approx(np.mean([result.auroc for result in row.seeds]))
    assert row.auroc.sd == pytest.approx(np.std([result.auroc for result in row.seeds], ddof=1))
    assert row.ap.mean == pytest.approx(np.mean([run.record.metrics.ap for run in runs]))
    assert (row.cost.parameters, row.cost.fit_s) == (1003, 2.0)
    assert row.dataset.settings == {"family": "csv"}
    assert (row.dataset.poses, row.dataset.labels) == (one.record.dataset.poses, one.record.dataset.labels)
    assert (row.protocol, row.protocol_digest) == (STANDARD_V1.name, STANDARD_V1.digest())
    assert row.environment == one.record.environment
    assert row.method.title == "k-nearest neighbours"
    known = oracles(made_labels())
    assert (row.oracles.clip_level, row.oracles.clip_share) == pytest.approx((known.clip_level, known.clip_share))
    assert row.method.config == one.record.method.config


def test_the_interval_is_that_of_the_scores(tmp_path):
    abnormal = {f"{i:02d}_01": ((10, 15 + 2 * i),) if i % 3 else () for i in range(12)}
    labels = made_labels(abnormal)
    run = made(tmp_path, labels=labels, scores=made_scores(labels, skill=0.5, persons=dict.fromkeys(abnormal, (1,))))
    expected = auroc_interval(counted_frames(run, STANDARD_V1.on("campus")).pairs())
    path, _ = written(tmp_path)
    assert open_row(path).interval == (expected.low, expected.high)


def test_names_of_rows(tmp_path):
    made(tmp_path)
    made(tmp_path, changes=("k=9",), run_id="aaaaaaaaaaaa")
    made(tmp_path, method="other", dataset_settings={"family": "csv"})
    names = [path.relative_to(tmp_path / "rows").as_posix() for path in written(tmp_path)]
    assert names[-1] == "campus/README.md"
    assert "campus/knn.json" in names
    assert sorted(re.sub(r"[0-9a-f]{12}", "HASH", name) for name in names[:-1]) == [
        *("campus/knn-HASH.json", "campus/knn.json", "campus/other-HASH.json"),
    ]
    rows = shipped_rows(tmp_path / "rows")
    assert {name: row_name(open_row(path)) for name, path in rows.items()} == {name: name for name in rows}


def test_tracks_never_share_a_table_or_a_ranking(tmp_path):
    skills = {"one-class": (0.2, 3.0), "supervised": (1.0, 2.0), "zero-shot": (0.1, 2.5)}
    for track, (weak, strong) in skills.items():
        made(tmp_path, method=f"weak-{track}", track=track, skill=weak)
        made(tmp_path, method=f"strong-{track}", track=track, skill=strong)
        made(tmp_path, method=f"play-{track}", track=track, dataset="play", stand_in=True)
    written(tmp_path)
    text = (tmp_path / "rows" / "campus" / TABLE).read_text()
    sections = dict(part.split("\n", 1) for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:])
    for track in skills:
        lines = [line for line in sections[f"campus, {track}, standard-v1"].splitlines() if line.startswith("|")]
        assert [line.split(" | ")[:2] for line in lines[2:]] == [["| 1", f"strong-{track}"], ["| 2", f"weak-{track}"]]
    play = (tmp_path / "rows" / "play" / TABLE).read_text()
    assert [line for line in play.splitlines() if line.startswith("## stand-in")] == [
        f"## stand-in data, never a result: play, {track}, standard-v1" for track in skills
    ]
    assert "rank |" not in play


def test_oracles_stand_apart_from_the_rows(tmp_path):
    made(tmp_path)
    made(tmp_path, method="pca", seed=0, skill=0.5)
    written(tmp_path)
    text = (tmp_path / "rows" / "campus" / TABLE).read_text()
    rows, known = text.split(f"## {ORACLES_HEADING}")
    assert "clip-level" not in rows
    assert known.count("| clip-level |") == known.count("| clip-share |") == 1
    assert f"{100 * oracles(made_labels()).clip_share:.1f}" in known
    assert "rank" not in known.partition("\n\n")[2].partition("\n")[0]


def test_rows_that_lie_there_stay_and_are_in_the_table(tmp_path):
    made(tmp_path)
    written(tmp_path)
    before = (tmp_path / "rows" / "campus" / "knn.json").read_bytes()
    (tmp_path / "rows" / "README.md").write_text("of the folder")
    made(tmp_path / "later", method="pca", skill=3.0)
    board = make_leaderboard(find_runs(tmp_path / "later" / "runs"))
    write_rows(board.reproduced, tmp_path / "rows", registry=load_plugins().registry)
    assert (tmp_path / "rows" / "campus" / "knn.json").read_bytes() == before
    table = (tmp_path / "rows" / "campus" / TABLE).read_text()
    assert "| 1 | pca |" in table
    assert "| 2 | knn |" in table
    assert (tmp_path / "rows" / "README.md").read_text() == "of the folder"


def test_the_table_is_a_matter_of_the_rows_alone(tmp_path):
    made(tmp_path)
    made(tmp_path, method="pca")
    written(tmp_path)
    rows = {name: open_row(path) for name, path in shipped_rows(tmp_path / "rows").items()}
    assert table_text("campus", rows) == (tmp_path / "rows" / "campus" / TABLE).read_text()
    assert table_text("campus", dict(reversed(rows.items()))) == table_text("campus", rows)
    first = everything(tmp_path / "rows")
    written(tmp_path)
    assert everything(tmp_path / "rows") == first


class TestRefusedToWrite:
    def test_what_a_command_alone_does_not_make_again(self, tmp_path):
        made(tmp_path / "compiled", compiled=True)
        with pytest.raises(UsageError, match=r"knn on campus was compiled: the command of a row would not make it again"):
            written(tmp_path / "compiled")
        config = {"detector": {"name": "knn"}, "weights": "0" * 64}
        write_run(tmp_path / "taken" / "runs", config=config, config_hash=digest_of(config))
        with pytest.raises(UsageError, match=r"knn on campus took weights from a file") as caught:
            written(tmp_path / "taken")
        assert "below --runs" in caught.value.remedy
        assert not (tmp_path / "compiled" / "rows").exists()
        assert not (tmp_path / "taken" / "rows").exists()

    def test_too_few_seeds(self, tmp_path):
        for seed in (0, 1):
            made(tmp_path, seed=seed)
        made(tmp_path, method="pca")
        with pytest.raises(UsageError, match=r"1 of 2 rows have fewer than 2 seeds: pca on campus: 0"):
            written(tmp_path, at_least=2)
        assert not (tmp_path / "rows").exists()
        made(tmp_path, method="pca", seed=7)
        assert len(written(tmp_path, at_least=2)) == 3

    def test_nothing_to_write(self, tmp_path):
        with pytest.raises(UsageError, match="no row to write"):
            written(tmp_path)

    def test_two_configurations_of_one_name(self, tmp_path):
        made(tmp_path)
        write_run(tmp_path / "runs", config={"other": 1}, config_hash=digest_of({"other": 1}), run_id="aaaaaaaaaaaa")
        with pytest.raises(UsageError, match=r"two rows would be campus/knn\.json") as caught:
            written(tmp_path)
        assert "aaaaaaaaaaaa" in caught.value.where
        assert not (tmp_path / "rows").exists()

    def test_seeds_of_different_environments(self, tmp_path):
        made(tmp_path)
        made(tmp_path, seed=1, threads=4)
        with pytest.raises(DataError, match="not all run in one environment") as caught:
            written(tmp_path)
        assert "4 threads" in caught.value.what

    def test_a_row_that_lies_there_was_edited(self, tmp_path):
        made(tmp_path)
        written(tmp_path)
        path = edited(tmp_path / "rows" / "campus" / "knn.json", lambda row: row["auroc"].update(mean=0.99))
        before = everything(tmp_path / "rows")
        made(tmp_path / "later", method="pca")
        board = make_leaderboard(find_runs(tmp_path / "later" / "runs"))
        with pytest.raises(DriftError) as caught:
            write_rows(board.reproduced, tmp_path / "rows", registry=load_plugins().registry)
        assert caught.value.where == str(path)
        assert everything(tmp_path / "rows") == before
        written(tmp_path)
        assert open_row(path).auroc.mean != 0.99

    def test_oracles_that_differ_on_the_same_labels(self, tmp_path):
        made(tmp_path)
        made(tmp_path, method="pca")
        written(tmp_path)
        rows = {name: open_row(path) for name, path in shipped_rows(tmp_path / "rows").items()}
        other = rows["campus/pca"].oracles.model_copy(update={"clip_share": 0.99})
        with pytest.raises(DriftError, match="the oracle clip-share is"):
            table_text("campus", {**rows, "campus/pca": rows["campus/pca"].model_copy(update={"oracles": other})})


class TestRefusedToRead:
    @pytest.fixture
    def path(self, tmp_path):
        for seed in (0, 1):
            made(tmp_path, seed=seed)
        return written(tmp_path)[0]

    def test_sound(self, path):
        open_row(path)
        edited(path, lambda row: row["auroc"].update(mean=row["auroc"]["mean"] + 1e-11))
        open_row(path)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda row: row["auroc"].update(mean=row["auroc"]["mean"] + 1e-6), "auroc.mean is"),
            (lambda row: row["auroc"].update(mean=None), "auroc.mean is None"),
            (lambda row: row["auroc_raw"].update(sd=0.0), "auroc_raw.sd is 0.0"),
            (lambda row: row["ap"].update(mean=0.5), "ap.mean is 0.5"),
            (lambda row: row["seeds"][1].update(auroc=0.5), "auroc.mean is"),
            (lambda row: row["seeds"].pop(), "auroc.mean is"),
            (lambda row: row["seeds"].reverse(), "the seeds are 1, 0"),
            (lambda row: row["seeds"][1].update(seed=0), "the seeds are 0, 0"),
            (lambda row: row["cost"].update(fit_s=0.1), "cost.fit_s is 0.1"),
            (lambda row: row["cost"].update(parameters=1), "cost.parameters is 1"),
            (lambda row: row.update(interval=[0.9, 0.1]), "ends before it begins"),
            (lambda row: row["method"]["config"].update(more=1), "not the one that config_hash names"),
        ],
    )
    def test_what_does_not_agree_with_itself(self, path, change, said):
        edited(path, change)
        with pytest.raises(DriftError) as caught:
            open_row(path)
        assert said in caught.value.what
        assert caught.value.where == str(path)
        assert "--write" in caught.value.remedy

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda row: row.update(schema_version=2), "schema_version"),
            (lambda row: row.update(kind="published"), "kind"),
            (lambda row: row.update(remark="best"), "remark"),
            (lambda row: row.update(seeds=[]), "seeds"),
            (lambda row: row["seeds"][0].update(auroc=90.2), "seeds.0.auroc"),
            (lambda row: row.pop("oracles"), "oracles"),
            (lambda row: row["method"].update(track="few-shot"), "method.track"),
        ],
    )
    def test_what_is_no_row(self, path, change, said):
        edited(path, change)
        with pytest.raises(DataError) as caught:
            open_row(path)
        assert said in caught.value.what
        assert caught.value.where == str(path)
        assert caught.value.remedy

    def test_no_json_and_no_file(self, path):
        path.write_text("auroc: 90")
        with pytest.raises(DataError, match="this is no row"):
            open_row(path)
        path.unlink()
        with pytest.raises(DataError, match="cannot be read"):
            open_row(path)


class TestFound:
    def test_by_path_and_by_name(self, tmp_path, monkeypatch):
        made(tmp_path)
        path = written(tmp_path)[0]
        monkeypatch.setattr("vadbench.report.row_files.shipped_folder", lambda name: tmp_path / "rows")
        assert find_row(str(path)) == path
        assert find_row("campus/knn") == path
        with pytest.raises(UsageError, match="did you mean 'campus/knn'"):
            find_row("campus/kmn")
        with pytest.raises(UsageError, match="there is no such file"):
            find_row("nowhere/knn.json")

    def test_no_row_travels(self, tmp_path, monkeypatch):
        monkeypatch.setattr("vadbench.report.row_files.shipped_folder", lambda name: tmp_path)
        with pytest.raises(UsageError, match="no row travels with this version"):
            find_row("campus/knn")


def test_a_run_that_is_not_sound_is_no_part_of_a_row(tmp_path):
    made(tmp_path)
    bad = made(tmp_path, seed=1)
    edited(bad.path / "run.json", lambda record: record["metrics"].update(auroc=0.999))
    path, _ = written(tmp_path)
    assert [result.seed for result in open_row(path).seeds] == [0]
    assert open_run(bad.path).record.seed == 1
