"""``vadbench leaderboard``."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from stored_runs import write_run

from vadbench.cli.main import main
from vadbench.store.folders import RECORD


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["leaderboard", *map(str, arguments)])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


def test_table_of_the_default_folder(call, tmp_path):
    for seed in (0, 1):
        write_run(tmp_path / "runs", seed=seed)
    code, out, err = call()
    assert (code, err) == (0, "")
    assert "campus, one-class, standard-v1" in out
    assert "2 seeds" in out
    assert "±" in out
    assert call()[1] == out


def test_every_format_parses(call, tmp_path):
    write_run(tmp_path / "elsewhere")
    _, text, _ = call("--runs", "elsewhere", "--format", "csv", "--published")
    table = pd.read_csv(io.StringIO(text))
    assert (table["kind"] == "published").sum() > 50
    _, text, _ = call("--runs", "elsewhere", "--format", "json", "--published")
    content = json.loads(text)
    assert len(content["reproduced"]) == 1
    assert len(content["published"]) == (table["kind"] == "published").sum()
    _, text, _ = call("--runs", "elsewhere", "--format", "md")
    assert text.startswith("## campus, one-class, standard-v1\n")


def test_published_figures_have_their_own_tables(call, tmp_path):
    write_run(tmp_path / "runs", dataset="hr-ubnormal")
    _, without, _ = call()
    assert "published" not in without
    _, out, _ = call("--published", "--dataset", "hr-ubnormal")
    assert out.index("hr-ubnormal, one-class") < out.index("published, not reproduced here: HR-UBnormal")
    assert "HR-ShanghaiTech" not in out


def test_no_run_yet_is_no_error(call, tmp_path):
    code, out, err = call()
    assert (code, out) == (0, "")
    assert "vadbench run msgflow" in err
    (tmp_path / "empty").mkdir()
    code, out, err = call("--runs", "empty", "--format", "json")
    assert code == 0
    assert json.loads(out)["reproduced"] == []
    assert "--out empty" in err


def test_a_folder_that_is_not_there_is_an_error(call):
    code, _, err = call("--runs", "nowhere")
    assert code == 2
    assert "remedy" in err


def test_an_unknown_data_set_gets_the_nearest_name(call, tmp_path):
    write_run(tmp_path / "runs")
    code, _, err = call("--dataset", "campsu")
    assert code == 2
    assert "did you mean 'campus'" in err
    code, out, err = call("--dataset", "hr-avenue")
    assert (code, out) == (0, "")
    assert "is on hr-avenue" in err


def test_a_drifted_run_is_named_on_stderr(call, tmp_path):
    run = write_run(tmp_path / "runs")
    record = json.loads((run.path / RECORD).read_text())
    record["metrics"]["auroc"] = 0.999
    (run.path / RECORD).write_text(json.dumps(record))
    code, out, err = call("--format", "json")
    assert code == 0
    assert "warning: left out: the recorded auroc is 0.999" in err
    assert str(run.path.relative_to(tmp_path)) in err
    content = json.loads(out)
    assert content["reproduced"] == []
    assert "0.999" in content["left_out"][0]["what"]


def test_rows_are_written_and_nothing_is_shown(call, tmp_path):
    for seed in (0, 1):
        write_run(tmp_path / "runs", seed=seed)
    code, out, err = call("--write", "rows", "--min-seeds", 2)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["written: rows/campus/knn.json", "written: rows/campus/README.md"]
    assert json.loads((tmp_path / "rows" / "campus" / "knn.json").read_text())["seeds"][1]["seed"] == 1
    code, _, err = call("--write", "rows", "--min-seeds", 3, "--dataset", "campus")
    assert code == 2
    assert "fewer than 3 seeds" in err


def test_min_seeds_without_write_and_nothing_to_write(call, tmp_path):
    code, _, err = call("--min-seeds", 3)
    assert (code, "goes with --write" in err) == (2, True)
    (tmp_path / "runs").mkdir()
    code, _, err = call("--write", "rows")
    assert (code, "no row to write" in err) == (2, True)
    assert not (tmp_path / "rows").exists()
