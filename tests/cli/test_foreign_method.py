"""A foreign method on the command line: run, reused, checked, made again; and nothing starts that somebody else wrote down."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from fixtures import write_pose_folder
from foreign_programs import PROGRAM
from modules_on_disk import entry_point
from nearest_window_plugin import EXAMPLE, settings_of
from tiny_methods import TINY_KNN

from vadbench.engine.config import digest_of
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import run_job
from vadbench.store.folders import find_runs, open_run
from vadbench.store.model_card import card_path
from vadbench_foreign import settings

SHORT = "windows.length=8"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=40)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The folder that the command line is called from, with the example in it, run by this interpreter."""
    shutil.copy(EXAMPLE / "nearest_window.py", tmp_path)
    toml = settings_of((EXAMPLE / "nearest-window.toml").read_text(), sys.executable).replace("length = 24", "length = 8")
    (tmp_path / "nearest-window.toml").write_text(toml)
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "logs"))
    return tmp_path


@pytest.fixture
def run(vadbench, here, data):
    """Runs the example and gives the folder of its run."""

    def call(*arguments: object) -> Path:
        called = vadbench("run", "nearest-window.toml", "--dataset", data, "--json", *arguments)
        assert called.code == 0, called.err
        return Path(called.json["runs"][0]["path"])

    return call


@pytest.fixture
def no_file_is_counted(monkeypatch):
    """From here on, whoever looks at the files of a method fails the test."""

    def looked(*_):
        raise AssertionError("files were looked at that somebody else's settings name")

    return lambda: monkeypatch.setattr(settings, "_current_code", looked)


@pytest.fixture
def made(run, vadbench, here) -> Path:
    """A written row of the example."""
    run()
    assert vadbench("leaderboard", "--runs", "runs", "--write", "rows").code == 0
    (row,) = (here / "rows").glob("*/*.json")
    return row


def edit_script(folder: Path) -> None:
    path = folder / "nearest_window.py"
    path.write_text(path.read_text().replace("KEPT = 4000", "KEPT = 40"))


def marking(folder: Path) -> tuple[Path, str]:
    """A command, written as TOML, that leaves a file where it was started, and that file."""
    mark = folder / "it-was-started"
    return mark, json.dumps(["touch", str(mark), "{windows}", "{scores}"])


class TestRun:
    def test_the_same_scores_as_in_process(self, run, data, here):
        scores = open_run(run()).scores()
        plugins = load_plugins([*metadata.entry_points(group="vadbench"), entry_point("nearest_window_plugin")])
        changes = (SHORT, "windows.augment=[]")
        (job,) = make_plan("nearest-in-process", plugins, datasets=(str(data),), changes=changes).jobs
        wanted = run_job(job, plugins, out=here / "in-process").run.scores()
        for column in ("clip", "person", "start", "score"):
            assert np.array_equal(getattr(scores, column), getattr(wanted, column))
        assert len(np.unique(scores.score)) > 100

    def test_what_is_stored(self, run):
        record = open_run(run()).record
        assert record.method.name == "nearest-window"
        assert record.method.components == {"detector": "command"}
        assert len(record.method.config["detector"]["code"]) == 64
        log = (run() / "log.txt").read_text()
        assert "fit | kept " in log
        assert "score | scored " in log
        assert "nothing of the method's code counts" not in log

    def test_reused_until_its_code_changes(self, run, here, vadbench, data):
        first = run()
        assert run() == first
        edit_script(here)
        assert run() != first

    def test_scores_averaged_over_views(self, run):
        assert run("--set", 'windows.average=["flip"]') != run()

    def test_without_a_command_that_scores(self, vadbench, data):
        called = vadbench("run", "command", "--dataset", data)
        assert called.code == 2
        assert "there is no command that scores" in called.err
        assert "score = [" in called.err

    def test_a_failing_program(self, vadbench, here, data):
        (here / "nearest_window.py").write_text("import sys\nprint('begun')\nimport a_library_that_nobody_has\n")
        called = vadbench("run", "nearest-window.toml", "--dataset", data)
        assert called.code == 4
        assert "the command of fit ended with exit code 1" in called.err
        assert "No module named 'a_library_that_nobody_has'" in called.err
        log = Path(called.err.partition("all of its output: ")[2].splitlines()[0])
        assert log.read_text().startswith("begun\n")
        assert [path for path in (here / "runs").rglob("*") if path.is_file()] == []

    def test_a_run_that_is_stored_can_be_loaded_again(self, vadbench, here, data):
        script = here / "nearest_window.py"
        more = 'if sys.argv[1] == "fit":\n    open(sys.argv[3] + "/a:b", "w").close()\n'
        script.write_text(script.read_text() + more)
        called = vadbench("run", "nearest-window.toml", "--dataset", data)
        assert called.code == 4
        assert "left a file by the name of a:b, which cannot be stored with the run" in called.err
        assert find_runs(here / "runs") == []

    def test_an_environment_that_was_not_made(self, vadbench, here, data):
        shutil.copy(EXAMPLE / "nearest-window.toml", here)
        called = vadbench("run", "nearest-window.toml", "--dataset", data)
        assert called.code == 4
        assert ".venv/bin/python is not there" in called.err

    def test_no_supervised_track(self, vadbench, here, data):
        toml = here / "nearest-window.toml"
        toml.write_text(toml.read_text().replace('track = "one-class"', 'track = "supervised"'))
        called = vadbench("run", toml, "--dataset", data)
        assert called.code == 2


class TestStoredRun:
    def test_check_leak_says_what_it_would_start(self, run, vadbench, data, here, no_file_is_counted):
        path = run()
        no_file_is_counted()
        edit_script(here)  # it would be found out, but is not even looked at
        called = vadbench("check-leak", path, "--dataset", data)
        assert called.code == 2
        assert "would start programs on this machine" in called.err
        assert '"nearest_window.py", "score", "{windows}", "{model}", "{scores}"]' in called.err
        assert "--allow-programs" in called.err
        assert open_run(path).record.leak_check is None

    def test_check_leak(self, run, vadbench, data):
        path = run()
        called = vadbench("check-leak", path, "--dataset", data, "--allow-programs")
        assert called.code == 0, called.err
        assert "Nothing found." in called.out
        assert open_run(path).record.leak_check.clean

    def test_other_code_than_the_run_was_made_with(self, run, vadbench, data, here):
        path = run()
        edit_script(here)
        called = vadbench("check-leak", path, "--dataset", data, "--allow-programs")
        assert called.code == 3
        assert "the files of the method are not those that are meant" in called.err

    def test_explain(self, run, vadbench, data):
        path = run()
        assert "would start programs" in vadbench("explain", path, "--dataset", data).err
        called = vadbench("explain", path, "--dataset", data, "--allow-programs")
        assert called.code == 2
        assert "would start programs" not in called.err

    def test_a_method_of_the_users_own_needs_no_word_more(self, here, vadbench, data):
        assert vadbench("check-leak", "nearest-window.toml", "--dataset", data).code == 0

    def test_escapes_are_shown_as_text(self, run, vadbench, data):
        path = run("--set", 'detector.version="\\u001b[2J"')
        called = vadbench("check-leak", path, "--dataset", data)
        assert "\x1b" not in called.err
        assert 'version = "\\u001b[2J"' in called.err


class TestWeights:
    @pytest.fixture
    def weights(self, run, vadbench, here) -> Path:
        called = vadbench("weights", "export", run(), "mine", "--licence", "MIT")
        assert called.code == 0, called.err
        return here / "mine.safetensors"

    def test_the_advice_works(self, run, vadbench, data):
        called = vadbench("weights", "export", run(), "theirs", "--licence", "MIT")
        (advice,) = (line.partition("use it:")[2].split() for line in called.out.splitlines() if line.startswith("use it:"))
        assert advice == ["vadbench", "run", "nearest-window", "--weights", "theirs.safetensors", "--allow-programs"]
        assert "is asked for --allow-programs" in called.out
        assert vadbench(*advice[1:], "--dataset", data).code == 0

    def test_taken_out_of_a_run_whose_program_is_gone(self, run, vadbench, here):
        path = run()
        (here / "nearest_window.py").unlink()
        called = vadbench("weights", "export", path, "mine", "--licence", "MIT")
        assert called.code == 0, called.err
        card = json.loads((here / "mine.json").read_text())
        assert card["config"] == open_run(path).record.method.config

    def test_taken_out_of_a_run_no_file_is_looked_at(self, run, vadbench, here, no_file_is_counted):
        path = run()
        no_file_is_counted()
        record = json.loads((path / "run.json").read_text())
        record["method"]["config"]["detector"].update(folder="/", version_files=["**/*"], code="")
        record["method"]["config_hash"] = digest_of(record["method"]["config"])
        (path / "run.json").write_text(json.dumps(record))
        called = vadbench("weights", "export", path, "mine", "--licence", "MIT")
        assert called.code == 0, called.err
        assert vadbench("weights", "info", "mine").code == 0

    def test_a_card_starts_nothing(self, weights, vadbench, data, here, no_file_is_counted):
        no_file_is_counted()
        mark, command = marking(here)
        card = json.loads(card_path(weights).read_text())
        card["config"]["detector"].update(score=json.loads(command), fit=[], code="", folder="/")
        card_path(weights).write_text(json.dumps(card))
        called = vadbench("run", "nearest-window", "--weights", weights, "--dataset", data)
        assert called.code == 2
        assert "would start programs" in called.err
        assert str(mark) in called.err
        assert not mark.exists()

    def test_with_a_word(self, weights, vadbench, data, run):
        scores = open_run(run()).scores()
        called = vadbench(
            "run", "nearest-window", "--weights", weights, "--dataset", data, "--allow-programs", "--json", "--out", "again"
        )
        assert called.code == 0, called.err
        again = open_run(Path(called.json["runs"][0]["path"]))
        assert np.array_equal(again.scores().score, scores.score)
        assert "fit | " not in (again.path / "log.txt").read_text()


class TestRow:
    def test_it_stands_in_the_table(self, made, vadbench):
        called = vadbench("leaderboard", "--runs", "runs")
        assert "nearest-window" in called.out
        row = json.loads(made.read_text())
        assert made.stem == row["method"]["name"] == "nearest-window"
        assert row["method"]["title"] == "Nearest training window, a program of its own"
        # Nothing of this machine but the interpreter that the test put in.
        assert str(made.parents[2]) not in made.read_text()

    def test_without_its_file(self, made, vadbench, data):
        called = vadbench("reproduce", made, "--dataset", data)
        assert called.code == 2
        assert "no installed method is named 'nearest-window'" in called.err
        assert "--method FILE" in called.err

    def test_with_its_file_it_takes_a_word_more(self, made, vadbench, data):
        called = vadbench("reproduce", made, "--dataset", data, "--method", "nearest-window.toml")
        assert called.code == 2
        assert "would start programs" in called.err

    def test_what_runs_nothing_needs_none(self, made, vadbench, data):
        called = vadbench("reproduce", made, "--dataset", data, "--method", "nearest-window.toml", "--dry-run")
        assert called.code == 0, called.err
        assert "vadbench run nearest-window.toml --dataset" in called.out

    def test_a_dry_run_looks_at_no_file_unasked(self, made, vadbench, data, no_file_is_counted):
        no_file_is_counted()
        words = ("reproduce", made, "--dataset", data, "--method", "nearest-window.toml", "--dry-run")
        called = vadbench(*words)
        assert "was not looked at: that takes --allow-programs" in called.err
        assert '"nearest_window.py", "score", "{windows}", "{model}", "{scores}"]' in called.err
        assert vadbench(*words, "--json").json["configuration_checked"] is False
        assert "files were looked at" in vadbench(*words, "--allow-programs").err

    def test_a_dry_run_that_may_look(self, made, vadbench, data, here):
        words = ("reproduce", made, "--dataset", data, "--method", "nearest-window.toml", "--dry-run", "--allow-programs")
        assert vadbench(*words, "--json").json["configuration_checked"] is True
        edit_script(here)
        assert vadbench(*words).code == 6

    def test_identical(self, made, vadbench, data):
        called = vadbench("reproduce", made, "--dataset", data, "--method", "nearest-window.toml", "--allow-programs")
        assert called.code == 0, called.err
        assert "1 of them bit for bit" in called.out

    def test_other_code(self, made, vadbench, data, here):
        edit_script(here)
        called = vadbench("reproduce", made, "--dataset", data, "--method", "nearest-window.toml", "--allow-programs")
        assert called.code == 6
        assert "detector.code is '" in called.err

    def test_a_file_of_another_method(self, made, vadbench, data, here):
        shutil.copy(here / "nearest-window.toml", here / "other.toml")
        (here / "other.toml").write_text((here / "other.toml").read_text().replace('name = "nearest-window"', 'name = "other"'))
        called = vadbench("reproduce", made, "--dataset", data, "--method", "other.toml", "--allow-programs")
        assert called.code == 2
        assert "the method is called 'other', in the row 'nearest-window'" in called.err

    @pytest.mark.parametrize("told", ["nearest-window", "gone.toml"])
    def test_no_file(self, made, vadbench, data, told):
        assert vadbench("reproduce", made, "--dataset", data, "--method", told).code == 2


class TestForgedRow:
    """A row of knn that somebody edited so that it would start something."""

    @pytest.fixture
    def row(self, vadbench, data, here) -> Path:
        knn = [part for change in TINY_KNN for part in ("--set", change)]
        assert vadbench("run", "knn", "--dataset", data, *knn, "--no-plots").code == 0
        assert vadbench("leaderboard", "--runs", "runs", "--write", "rows").code == 0
        (row,) = (here / "rows").glob("*/*.json")
        return row

    def forged(self, row: Path, **method: object) -> Path:
        content = json.loads(row.read_text())
        content["method"].update(method)
        content["method"]["config_hash"] = digest_of(content["method"]["config"])
        row.write_text(json.dumps(content))
        return row

    def test_by_its_changes(self, row, vadbench, data, here):
        mark, command = marking(here)
        self.forged(row, name="command", changes=[f"detector.score={command}"])
        called = vadbench("reproduce", row, "--dataset", data)
        assert called.code == 2
        assert "would start programs" in called.err
        assert str(mark) in called.err
        assert not mark.exists()

    def test_by_a_change_of_the_component(self, row, vadbench, data, here):
        mark, command = marking(here)
        changes = ["detector.name=command", f"detector.score={command}", "detector.folder=/"]
        self.forged(row, name="random", changes=changes)
        called = vadbench("reproduce", row, "--dataset", data)
        assert called.code == 2
        assert "would start programs" in called.err
        assert not mark.exists()

    def test_what_it_would_have_read(self, row, vadbench, data, no_file_is_counted):
        no_file_is_counted()
        changes = ['detector.score=["x", "{windows}", "{scores}"]', "detector.folder=/", 'detector.version_files=["**/*"]']
        self.forged(row, name="command", changes=changes)
        assert vadbench("reproduce", row, "--dataset", data).code == 2
        called = vadbench("reproduce", row, "--dataset", data, "--dry-run")
        assert called.code == 0, called.err
        assert 'version_files = ["**/*"]' in called.err

    def test_by_a_file_that_came_with_it(self, row, vadbench, data, here):
        mark, command = marking(here)
        (here / "evil.toml").write_text(f'[detector]\nname = "command"\nscore = {command}\n')
        self.forged(row, name="evil.toml", changes=[])
        called = vadbench("reproduce", row, "--dataset", data, "--allow-programs")
        assert called.code == 2
        assert "no installed method is named 'evil.toml'" in called.err
        assert not mark.exists()


def test_only_the_words_of_the_user_start_anything(vadbench, data, here):
    """The tests above would pass if nothing could be started at all."""
    mark, command = marking(here)
    called = vadbench("run", "command", "--dataset", data, "--set", f"detector.score={command}")
    assert mark.exists()
    assert "wrote neither scores.npz nor scores.csv" in called.err


def test_bad_scores_leave_no_run(vadbench, data, here):
    (here / "program.py").write_text(PROGRAM)
    command = json.dumps([sys.executable, "program.py", "missing", "score", "{windows}", "{model}", "{scores}"])
    called = vadbench("run", "command", "--dataset", data, "--set", f"detector.score={command}", "--set", SHORT)
    assert called.code == 4
    assert "windows have no score, first: clip " in called.err
    assert find_runs(here / "runs") == []
