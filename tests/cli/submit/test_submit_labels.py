"""Which labels a check computes with, and what it warns of."""

from __future__ import annotations

import json
import shutil

import numpy as np
from submissions import checked, edit_row, faults, mend_hashes, packed, scaled


class TestLabels:
    def test_of_the_submission_where_the_data_are_not_here(self, known_only):
        outcome = checked(known_only)
        (fault,) = faults(outcome)
        assert "neither a row of their-campus in nowhere nor its labels.csv has these labels" in fault
        assert (outcome.sound, outcome.labels_from, outcome.findings.exit_code) == (False, "submission", 3)
        assert any("no data set 'their-campus' is installed here" in each.what for each in outcome.findings.found)
        assert "poses" in outcome.unchecked
        trusted = checked(known_only, trust=True)
        assert (trusted.sound, faults(trusted)) == (True, [])
        assert any("--trust-labels" in each.what for each in trusted.findings.found if each.severity == "warning")

    def test_others_have_the_same(self, vadbench, known_only, tmp_path):
        called = vadbench("submit", "accept", known_only, "--into", "rows", "--min-seeds", 2)
        assert (called.code, (tmp_path / "rows").exists()) == (3, False)
        assert "not decided: labels unknown" in called.out
        assert "nothing speaks against it" in called.err
        called = vadbench("submit", "accept", known_only, "--into", "rows", "--min-seeds", 2, "--trust-labels")
        assert called.code == 0, called.err
        outcome = checked(known_only, leaderboards=tmp_path / "rows")
        assert any("has these labels" in each.what for each in outcome.findings.found), "its own row says nothing of its labels"
        edit_row(known_only, lambda row: row["method"].update(name="another"))
        outcome = checked(known_only, leaderboards=tmp_path / "rows")
        assert any("1 rows of their-campus have the same labels" in each.what for each in outcome.findings.found)
        assert not any("has these labels" in each.what for each in outcome.findings.found)
        assert outcome.sound
        edit_row(known_only, lambda row: row["dataset"].update(stand_in=False))
        assert (
            "stand_in of the data set: the row says False, the row their-campus/"
            in faults(checked(known_only, leaderboards=tmp_path / "rows"))[0]
        )

    def test_a_list_knows_them(self, known_only, tmp_path):
        labels = json.loads((known_only / "row.json").read_text())["dataset"]["labels"]
        (tmp_path / "labels.csv").write_text(f"dataset,labels,source\ntheir-campus,{labels},their release\n")
        outcome = checked(known_only, leaderboards=tmp_path)
        assert outcome.sound
        assert any(each.what.endswith("their release") for each in outcome.findings.found)
        (tmp_path / "labels.csv").write_text("dataset,labels\n")
        assert "the columns are not dataset,labels,source" in faults(checked(known_only, leaderboards=tmp_path))[0]

    def test_counts_are_held_against_them(self, known_only):
        edit_row(known_only, lambda row: row["dataset"]["counts"]["test"].update(frames=7))
        (fault,) = faults(checked(known_only, trust=True))
        assert fault.startswith("frames of the test split: the row says 7, the labels have ")

    def test_of_a_data_set_that_is_installed_and_not_here(self, known_only):
        from vadbench.engine.datasets import open_dataset
        from vadbench.engine.plugins import load_plugins

        info = open_dataset("hr-ubnormal", load_plugins().registry, root=None, settings={}).info
        told = {"name": info.name, "title": info.title, "stand_in": info.stand_in, "frame_rate": info.frame_rate}
        edit_row(known_only, lambda row: row["dataset"].update(told))
        assert [each.severity for each in checked(known_only).findings.faults()] == ["undecided"], "these labels are forged"
        outcome = checked(known_only, trust=True)
        assert (outcome.sound, outcome.labels_from) == (True, "submission"), faults(outcome)
        edit_row(known_only, lambda row: row["dataset"].update(title="Theirs"))
        assert faults(checked(known_only, trust=True)) == [
            f"title of the data set: the row says 'Theirs', hr-ubnormal has {info.title!r} [row.json: dataset.title]"
        ]

    def test_none_at_all(self, known_only):
        (known_only / "labels.npz").unlink()
        mend_hashes(known_only)
        outcome = checked(known_only)
        assert faults(outcome) == ["not recomputed: no labels here; give the folder of the data sets with --data-root [labels]"]
        assert (outcome.sound, outcome.findings.exit_code) == (False, 3)

    def test_left_out_where_the_data_are_here(self, runs, tmp_path):
        outcome = checked(packed(runs, tmp_path / "bare", labels=False))
        assert (outcome.sound, outcome.labels_from) == (True, "data set")


class TestSuspicious:
    def test_one_set_of_scores_for_two_seeds(self, sent):
        row = json.loads((sent / "row.json").read_text())
        shutil.copy(sent / "seed-0" / "scores.npz", sent / "seed-1" / "scores.npz")
        first = row["seeds"][0]
        edit_row(sent, lambda row: row["seeds"][1].update({key: first[key] for key in ("auroc", "auroc_raw", "ap")}), follow=True)
        told = [each.what for each in checked(sent).findings.found if each.severity == "warning"]
        assert len(told) == 1
        assert told[0].startswith("the scores of seeds 0 and 1 are the same, and knn [")

    def test_constant_scores(self, sent):
        scaled(0, np.zeros_like)(sent)
        mend_hashes(sent)
        assert "all scores are the same" in [each.what for each in checked(sent).findings.found if each.severity == "warning"]
