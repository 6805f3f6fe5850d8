"""Pull requests to the leaderboards: which submissions a branch changes, and the workflow's own step in a git checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from submissions import edit, edit_row, packed, run_tiny

from vadbench.report.row_files import open_row, row_name

PROJECT = Path(__file__).resolve().parents[2]
WORKFLOW = PROJECT / ".github" / "workflows" / "leaderboards.yml"


def git(folder, *words):
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", "-C", str(folder), *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )
    return done.stdout.strip()


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--message", "change", "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return run_tiny(tmp_path_factory.mktemp("made"), seeds=(0, 1, 2, 3, 4))


@pytest.fixture
def checkout(tmp_path):
    """A checkout in ``sent`` with the leaderboards of the project, and the commit that it stands on."""
    folder = tmp_path / "sent"
    shutil.copytree(PROJECT / "leaderboards", folder / "leaderboards")
    git(tmp_path, "init", "--quiet", "sent")
    return folder, commit(folder)


@pytest.fixture
def sent(checkout, runs):
    """The same with a submission that is accepted and committed; gives its folder."""
    folder, base = checkout
    place = packed(runs, folder / "elsewhere")
    target = folder / "leaderboards" / "submissions" / row_name(open_row(place / "row.json"))
    shutil.move(place, target)
    commit(folder)
    return target, base


def step():
    (run,) = (each for each in yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]["steps"] if each["name"] == "Check")
    return run


def run_step(folder, base):
    """The workflow's check, as its runner would: bash that stops at the first error, in the folder above the checkouts."""
    shutil.copytree(PROJECT / "leaderboards", folder.parent / "base" / "leaderboards", dirs_exist_ok=True)
    assert set(step()["env"]) == {"BASE"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step()["run"]],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "BASE": base, "PATH": path},
    )


def changed(vadbench, base, folder):
    return vadbench("submit", "check", "--changed-since", base, folder / "leaderboards", "--json")


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
        assert called.json["faults"] == ["submissions/run me.sh lies in no submission: submissions/DATASET/ROW/"]
        assert [warning.endswith("synthetic-campus/knn was taken away") for warning in called.json["warnings"]] == [True]

    def test_a_row_that_is_not_that_of_its_submission(self, vadbench, checkout):
        folder, base = checkout
        row = folder / "leaderboards" / "synthetic-campus" / "knn.json"
        edit(row, lambda content: content["environment"].update(threads=64))
        edit(folder / "leaderboards" / "synthetic-campus" / "pca.json", lambda content: content["environment"].update(threads=64))
        commit(folder)
        called = changed(vadbench, base, folder)
        assert called.code == 6
        (fault,) = called.json["faults"]
        assert fault.startswith(f"the row {row} is not that of its submission")
        (warning,) = called.json["warnings"]
        assert "pca.json was changed, and no submission holds its scores" in warning

    @pytest.mark.parametrize(("revision", "said"), [("nowhere", "git cannot say"), ("--output=x", "is no revision")])
    def test_no_revision(self, vadbench, checkout, revision, said):
        called = vadbench("submit", "check", f"--changed-since={revision}", checkout[0] / "leaderboards")
        assert (called.code, said in called.err) == (2, True)

    def test_no_checkout_and_several_folders(self, vadbench, tmp_path):
        (tmp_path / "plain").mkdir()
        assert "git cannot say" in vadbench("submit", "check", "--changed-since", "HEAD", "plain").err
        assert "one folder of leaderboards" in vadbench("submit", "check", "--changed-since", "HEAD", "plain", "plain").err
