"""What a reviewer of a pull request must not overlook: it is refused, or both sides are shown."""

from __future__ import annotations

import shutil

import pytest
from pull_requests import WORKFLOW, changed, commit, run_step, step
from submissions import edit, edit_row

from vadbench.report.row_files import open_row, row_name


class TestReviewed:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("index.html", "index.html is no part of leaderboards"),
            ("new/sub/x.json", "new/sub/x.json is no part of leaderboards"),
            ("new/notes.txt", "new/notes.txt is no part of leaderboards"),
            ("x.json", "x.json is no part of leaderboards"),
            ("submissions/a/b", "submissions/a/b lies in no submission"),
            ("README.md", "README.md was changed, which is the maintainers' to write"),
            ("labels.csv", "labels.csv was changed, which is the maintainers' to write"),
            ("published.csv", "the columns are x"),
            ("new/row.json", "this is no row of a leaderboard"),
            ("new/a\nb.txt", "refused: new/a\\nb.txt is no part"),
        ],
    )
    def test_files_that_nobody_asked_for(self, vadbench, checkout, name, said):
        folder, base = checkout
        path = folder / "leaderboards" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        commit(folder)
        called = vadbench("submit", "check", "--changed-since", base, folder / "leaderboards")
        assert (called.code, said in called.out) == (6, True), called.out

    def test_a_table_of_no_row(self, checkout):
        folder, base = checkout
        (folder / "leaderboards" / "new").mkdir()
        (folder / "leaderboards" / "new" / "README.md").write_text("# The best\n")
        commit(folder)
        done = run_step(folder, base)
        assert (done.returncode, "README.md is the table of no row" in done.stderr) == (6, True), done.stdout

    def test_links(self, vadbench, checkout, tmp_path):
        folder, base = checkout
        row = folder / "leaderboards" / "synthetic-campus" / "best.json"
        row.symlink_to("knn.json")
        (folder / "leaderboards" / "submissions" / "other").symlink_to("synthetic-campus")
        commit(folder)
        told = changed(vadbench, base, folder).json
        assert [fault.partition(" is a link")[0] for fault in told["faults"]] == [
            "submissions/other",
            "synthetic-campus/best.json",
        ]
        assert told["submissions"] == []
        shutil.move(folder / "leaderboards", folder / "elsewhere")
        (folder / "leaderboards").symlink_to("elsewhere")
        commit(folder)
        called = vadbench("submit", "check", "--changed-since", base, folder / "leaderboards")
        assert (called.code, "this is a link" in called.err) == (2, True)

    def test_a_typed_row(self, vadbench, checkout):
        folder, base = checkout
        row = folder / "leaderboards" / "synthetic-campus" / "best.json"
        shutil.copy(row.with_name("pca.json"), row)
        edit(row, lambda content: content["method"].update(name="best", title="Best"))
        commit(folder)
        called = changed(vadbench, base, folder)
        assert called.code == 6
        (fault,) = called.json["faults"]
        assert fault.startswith("the row synthetic-campus/best.json is new, and no submission holds its scores")
        called = changed(vadbench, base, folder, "--allow-unsubmitted")
        assert (called.code, called.json["warnings"]) == (0, [fault])

    def test_a_row_that_was_taken_away(self, vadbench, checkout):
        folder, base = checkout
        (folder / "leaderboards" / "synthetic-campus" / "pca.json").unlink()
        commit(folder)
        (fault,) = changed(vadbench, base, folder).json["faults"]
        assert fault.startswith("the row synthetic-campus/pca.json was taken away (pca: AUROC ")

    def test_somebody_elses_figures_in_place_of_ones_own(self, vadbench, sent, checkout):
        folder = checkout[0]
        target = sent[0]
        assert vadbench("submit", "accept", target, "--into", folder / "leaderboards").code == 0
        base = commit(folder)
        edit_row(target, lambda row: row["environment"].update(threads=64))
        edit(target / "submission.json", lambda about: about.update(contact="else@example.org"))
        assert vadbench("submit", "accept", target, "--into", folder / "leaderboards", "--replace").code == 0
        commit(folder)
        done = run_step(folder, base)
        assert done.returncode == 6
        assert "Sound: 5 of 5" in done.stdout
        told = [line for line in done.stdout.splitlines() if line.startswith("refused: ")]
        assert len(told) == 2
        assert "is replaced (knn [" in told[0]
        assert "AUROC" in told[0].partition("->")[0]
        assert "AUROC" in told[0].partition("->")[2]
        assert "contact somebody@example.org -> else@example.org" in told[1]
        called = changed(vadbench, base, folder, "--allow-replaced")
        assert (called.code, called.json["faults"], len(called.json["warnings"])) == (0, [], 2)

    def test_rows_that_come_together_do_not_know_each_others_labels(self, vadbench, sent, checkout):
        folder = checkout[0]
        target, base = sent
        for name in ("mine", "yours"):
            place = folder / "new"
            shutil.copytree(target, place)
            edit_row(place, lambda row, name=name: (row["dataset"].update(name="theirs"), row["method"].update(name=name)))
            called = vadbench("submit", "accept", place, "--into", folder / "leaderboards", "--trust-labels")
            assert called.code == 0, called.out
            row = row_name(open_row(place / "row.json"))
            shutil.copytree(place, folder / "leaderboards" / "submissions" / row)
            shutil.rmtree(place)
        commit(folder)
        called = changed(vadbench, base, folder)
        unknown = [any("labels unknown" in each["what"] for each in one["findings"]) for one in called.json["submissions"]]
        assert (called.code, sorted(unknown)) == (3, [False, True, True])
        assert changed(vadbench, base, folder, "--trust-labels").code == 0

    def test_options_that_go_with_a_revision(self, vadbench, checkout):
        called = vadbench("submit", "check", checkout[0], "--allow-replaced")
        assert (called.code, "go with --changed-since" in called.err) == (2, True)
        assert "--allow" not in WORKFLOW.read_text().partition("steps:")[2].partition("vadbench submit")[2]
        assert "--trust" not in step()["run"]
