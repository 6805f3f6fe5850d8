"""Pull requests to the leaderboards: which submissions a branch changes, and the workflow's own step in a git checkout."""

from __future__ import annotations

import re
import shutil

import pytest
import yaml
from pull_requests import WORKFLOW, changed, commit, git, run_step
from submissions import edit, edit_row


class TestWorkflow:
    def test_what_it_may_do_and_on_what_it_runs(self):
        text = WORKFLOW.read_text()
        content = yaml.safe_load(text)
        # YAML 1.1 reads the key on as true.
        assert content[True] == {"pull_request": {"paths": ["leaderboards/**"]}}
        assert content["permissions"] == {"contents": "read"}
        assert "permissions" not in content["jobs"]["check"]
        assert "secrets" not in text
        assert "pull_request_target" not in text

    def test_actions_are_pinned_to_commits_and_keep_no_token(self):
        steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]["steps"]
        used = [each for each in steps if "uses" in each]
        assert used
        assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each["uses"]) for each in used)
        checkouts = [each for each in used if each["uses"].startswith("actions/checkout@")]
        assert [each["with"]["persist-credentials"] for each in checkouts] == [False, False]

    def test_nothing_that_was_sent_in_is_installed_or_put_into_a_command(self):
        steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]["steps"]
        for each in steps:
            assert "${{" not in each.get("run", "")
        (install,) = (each["run"] for each in steps if "pip install" in each.get("run", ""))
        assert install.split()[-1] == "./base"
        assert "sent" not in install


class TestStep:
    def test_a_sound_submission_passes(self, vadbench, sent, checkout):
        target, base = sent
        assert vadbench("submit", "accept", target, "--into", checkout[0] / "leaderboards").code == 0
        commit(checkout[0])
        done = run_step(checkout[0], base)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Sound: 5 of 5 seeds computed again." in done.stdout
        assert "every table is what its rows give" in done.stdout
        assert done.stdout.count("Sound:") == 1

    def test_a_forged_one_does_not(self, sent, checkout):
        target, base = sent
        edit_row(target, lambda row: row["seeds"][2].update(auroc=0.99), follow=True)
        commit(checkout[0])
        done = run_step(checkout[0], base)
        assert done.returncode == 6
        assert "refused: auroc of seed 2: the row says 0.990000, the scores give" in done.stdout

    def test_a_table_written_by_hand_does_not(self, checkout):
        folder, base = checkout
        table = folder / "leaderboards" / "synthetic-campus" / "README.md"
        table.write_text(table.read_text().replace("knn", "best"))
        commit(folder)
        done = run_step(folder, base)
        assert done.returncode == 6
        assert "README.md is not what the rows beside it give" in done.stderr


class TestChanged:
    def test_nothing(self, vadbench, checkout):
        folder, base = checkout
        called = changed(vadbench, base, folder)
        assert (called.code, called.json) == (0, {"submissions": [], "faults": [], "warnings": []})

    def test_those_that_were_changed_and_no_others(self, vadbench, sent, checkout):
        target, base = sent
        called = changed(vadbench, base, checkout[0])
        assert called.code == 0, called.err
        (content,) = called.json["submissions"]
        assert content["folder"] == str(target)

    def test_changes_of_the_other_branch_play_no_part(self, vadbench, sent, checkout):
        folder = checkout[0]
        target, base = sent
        git(folder, "branch", "mine")
        git(folder, "checkout", "--quiet", "-b", "main-now", base)
        edit(folder / "leaderboards/submissions/synthetic-campus/knn/submission.json", lambda about: about.update(notes="x"))
        commit(folder)
        git(folder, "checkout", "--quiet", "mine")
        assert [each["folder"] for each in changed(vadbench, "main-now", folder).json["submissions"]] == [str(target)]

    def test_one_that_was_taken_away_and_a_file_in_no_submission(self, vadbench, checkout):
        folder, base = checkout
        shutil.rmtree(folder / "leaderboards" / "submissions" / "synthetic-campus" / "knn")
        (folder / "leaderboards" / "submissions" / "run me.sh").parent.mkdir(exist_ok=True)
        (folder / "leaderboards" / "submissions" / "run me.sh").write_text("exit 1")
        commit(folder)
        called = changed(vadbench, base, folder)
        assert called.code == 6
        assert called.json["submissions"] == []
        lies, gone = called.json["faults"]
        assert lies == "submissions/run me.sh lies in no submission: submissions/DATASET/ROW/"
        assert gone.startswith("the submission submissions/synthetic-campus/knn was taken away (knn: AUROC 79.")
        assert changed(vadbench, base, folder, "--allow-replaced").json["faults"] == [lies]

    def test_a_row_that_is_not_that_of_its_submission(self, vadbench, checkout):
        folder, base = checkout
        row = folder / "leaderboards" / "synthetic-campus" / "knn.json"
        edit(row, lambda content: content["environment"].update(threads=64))
        edit(folder / "leaderboards" / "synthetic-campus" / "pca.json", lambda content: content["environment"].update(threads=64))
        commit(folder)
        called = changed(vadbench, base, folder)
        assert called.code == 6
        told = called.json["faults"]
        assert [fault.partition(" is ")[0].removeprefix("the row synthetic-campus/") for fault in told] == 2 * [
            "knn.json"
        ] + 2 * ["pca.json"]
        assert "is not that of its submission" in told[1]
        assert "pca.json is changed, and no submission holds its scores" in told[3]
        maintainers = changed(vadbench, base, folder, "--allow-replaced", "--allow-unsubmitted")
        assert (maintainers.code, maintainers.json["faults"]) == (6, [told[1]])

    @pytest.mark.parametrize(("revision", "said"), [("nowhere", "git cannot say"), ("--output=x", "is no revision")])
    def test_no_revision(self, vadbench, checkout, revision, said):
        called = vadbench("submit", "check", f"--changed-since={revision}", checkout[0] / "leaderboards")
        assert (called.code, said in called.err) == (2, True)

    def test_no_checkout_and_several_folders(self, vadbench, tmp_path):
        (tmp_path / "plain").mkdir()
        assert "git cannot say" in vadbench("submit", "check", "--changed-since", "HEAD", "plain").err
        assert "one folder of leaderboards" in vadbench("submit", "check", "--changed-since", "HEAD", "plain", "plain").err
