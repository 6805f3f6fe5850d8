"""``vadbench plot``."""

from __future__ import annotations

import pytest
from stored_runs import write_run

from vadbench.cli.main import main
from vadbench.store.folders import RECORD, SCORES


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["plot", *map(str, arguments)])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    return run


@pytest.mark.parametrize("what", ["roc", "timeline"])
def test_default_file_and_what_is_printed(call, tmp_path, what):
    run = write_run(tmp_path / "runs")
    assert call(what, run.path) == (0, f"{what}.png\n", "")
    assert (tmp_path / f"{what}.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_is_found_by_folder_record_or_folder_above(call, tmp_path):
    run = write_run(tmp_path / "runs", seed=0)
    ways = (run.path, run.path / RECORD, run.path.parent, tmp_path / "runs")
    pictures = []
    for i, way in enumerate(ways):
        code, out, _ = call("roc", way, "-o", f"{i}.svg")
        assert (code, out) == (0, f"{i}.svg\n")
        pictures.append((tmp_path / out.strip()).read_bytes())
    assert len(set(pictures)) == 1


def test_a_run_given_twice_is_drawn_once(call, tmp_path):
    write_run(tmp_path / "runs", seed=0)
    write_run(tmp_path / "runs", seed=1)
    assert call("roc", "runs", "-o", "once.svg")[0] == 0
    assert call("roc", "runs", "runs/knn/campus/0", "-o", "twice.svg")[0] == 0
    assert (tmp_path / "once.svg").read_bytes() == (tmp_path / "twice.svg").read_bytes()


def test_the_clip_can_be_named(call, tmp_path):
    write_run(tmp_path / "runs")
    assert call("timeline", "runs", "--clip", "02_01", "-o", "plots/normal.pdf")[:2] == (0, "plots/normal.pdf\n")
    code, _, err = call("timeline", "runs", "--clip", "2_01")
    assert code == 2
    assert "did you mean '02_01'" in err


def test_errors_of_use(call, tmp_path):
    write_run(tmp_path / "runs")
    write_run(tmp_path / "runs", dataset="alley")
    (tmp_path / "empty").mkdir()
    for arguments, code, text in (
        (("roc", "nowhere"), 3, "no such folder"),
        (("roc", "empty"), 3, "no run here"),
        (("roc", "runs/knn/campus", "-o", "roc.gif"), 2, ".png, .svg, .pdf"),
        (("roc", "runs"), 2, "different data sets"),
        (("timeline",), 2, "RUN"),
    ):
        found, _, err = call(*arguments)
        assert found == code
        assert text in err
        assert not list(tmp_path.glob("*.p*"))


def test_changed_scores_are_not_drawn(call, tmp_path):
    run = write_run(tmp_path / "runs")
    with (run.path / SCORES).open("ab") as stream:
        stream.write(b"x")
    code, _, err = call("timeline", run.path)
    assert code == 6
    assert "has changed since" in err
