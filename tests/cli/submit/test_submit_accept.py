"""``vadbench submit accept``, the JSON of a check, and what lies in the leaderboards of the project."""

from __future__ import annotations

from pathlib import Path

import pytest
from submissions import FORGED, checked, edit_row

from vadbench.report.row_files import open_row, shipped_rows, stale_tables

PROJECT = Path(__file__).resolve().parents[3]


class TestAccept:
    def test_writes_row_and_table(self, vadbench, sent, tmp_path):
        called = vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2)
        assert called.code == 0, called.err
        (path,) = shipped_rows(tmp_path / "rows").values()
        assert path.read_bytes() == (sent / "row.json").read_bytes()
        assert stale_tables(tmp_path / "rows") == []
        assert vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2).code == 0

    def test_another_row_is_not_replaced_unless_it_is_asked_for(self, vadbench, sent, tmp_path):
        assert vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2).code == 0
        edit_row(sent, lambda row: row["environment"].update(threads=64))
        called = vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2)
        assert (called.code, "is there already" in called.err) == (2, True)
        assert vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2, "--replace").code == 0
        (path,) = shipped_rows(tmp_path / "rows").values()
        assert open_row(path).environment.threads == 64

    def test_nothing_of_an_unsound_one(self, vadbench, sent, tmp_path):
        edit_row(sent, lambda row: row["seeds"][1].update(FORGED), follow=True)
        called = vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2)
        assert called.code == 6
        assert "auroc of seed 1: the row says 0.880000" in called.out
        assert not (tmp_path / "rows").exists()


def test_json(vadbench, sent):
    edit_row(sent, lambda row: row["seeds"][1].update(FORGED), follow=True)
    called = vadbench("submit", "check", sent, "--min-seeds", 2, "--json")
    (content,) = called.json["submissions"]
    assert (called.code, content["exit_code"], content["sound"], content["labels"]) == (6, 6, False, "data set")
    assert content["submission"]["licence"] == "CC-BY-4.0"
    assert [each["auroc_row"] == pytest.approx(each["auroc"]) for each in content["seeds"]] == [True, False]
    assert {"severity", "what", "where"} == set(content["findings"][0])


def test_a_check_imports_nothing_that_a_row_names(sent):
    edit_row(
        sent,
        lambda row: (
            row["method"].update(name="antigravity", components={"detector": "antigravity"}),
            row["method"]["config"]["detector"].update(name="antigravity"),
        ),
        follow=True,
    )
    import sys

    outcome = checked(sent)
    assert "antigravity" not in sys.modules
    assert any("no method 'antigravity' is installed here" in each.what for each in outcome.findings.found)
    assert outcome.sound


SENT_IN = sorted((PROJECT / "leaderboards" / "submissions").glob("*/*/"))


@pytest.mark.parametrize("folder", SENT_IN, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_every_submission_that_lies_in_the_leaderboards(vadbench, folder):
    called = vadbench("submit", "check", folder)
    assert called.code == 0, called.out + called.err
    accepted = shipped_rows(PROJECT / "leaderboards").get(f"{folder.parent.name}/{folder.name}")
    if accepted is not None:
        assert open_row(accepted) == open_row(folder / "row.json")


def test_the_shipped_tables_are_what_the_rows_give(vadbench):
    called = vadbench("leaderboard", "--check", PROJECT / "leaderboards")
    assert called.code == 0, called.err
