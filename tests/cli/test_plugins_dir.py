"""``--plugins-dir`` and the variables: files and folders that are not installed, found, run, restricted and refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from command_line import Called
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import UsageError
from vadbench.cli.anywhere import plugin_folders, taken_apart

ONE_FILE = '''
    """All of a detector in one file."""

    import numpy as np
    from pydantic import Field

    from vadbench.api import ComponentConfig, hookimpl

    VADBENCH_API = 1


    class SpeedConfig(ComponentConfig):
        quantile: float = Field(default=0.95, ge=0, le=1, description="of the joint speeds of a window")


    class Speed:
        def __init__(self, config, poses):
            self.config = config

        def fit(self, windows, context):
            pass

        def score(self, windows, context):
            scores = np.zeros(len(windows))
            for begin in range(0, len(windows), 4096):
                batch = windows.batch(slice(begin, begin + 4096))
                steps = np.linalg.norm(np.diff(batch.x, axis=2), axis=1)
                scores[batch.index] = np.quantile(steps, self.config.quantile, axis=(1, 2))
            return scores

        def state_dict(self):
            return {}

        def load_state_dict(self, state_dict):
            pass


    @hookimpl
    def vadbench_register(registry):
        registry.detector("dir-speed", "dir_speed:Speed", config="dir_speed:SpeedConfig", summary="speed of the fastest joints")
'''
SMALL = [
    *("--dataset", "synthetic-campus", "--set", "dataset.train_clips=2", "--set", "dataset.test_clips=3"),
    *("--set", "dataset.frames_min=96", "--set", "dataset.frames_max=120", "--device", "cpu", "--no-plots"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of plug-ins: one file that works."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = tmp_path / "plugged"
    folder.mkdir()
    (folder / "dir_speed.py").write_text(textwrap.dedent(ONE_FILE))
    return folder


@pytest.fixture
def shell(tmp_path):
    """Calls ``vadbench`` in a process of its own, with variables."""

    def call(*arguments: object, **variables: object) -> Called:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("VADBENCH")}
        done = subprocess.run(
            [sys.executable, "-m", "vadbench", *map(str, arguments)],
            env={**kept, **{key: str(value) for key, value in variables.items()}},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return Called(done.returncode, done.stdout, done.stderr)

    return call


class TestAnywhere:
    words = st.lists(st.sampled_from(["run", "x", "--set", "a=b", "--json", "-h"]), max_size=5)

    @given(words, words, st.booleans())
    def test_it_may_stand_anywhere(self, before, after, joined):
        option = ["--plugins-dir=/p"] if joined else ["--plugins-dir", "/p"]
        found = taken_apart([*before, "--debug", *option, *after])
        assert found.arguments == (*before, *after)
        assert found.folders == (Path("/p"),)
        assert found.debug

    def test_what_follows_two_dashes_is_left_alone(self):
        rest = ("run", "--", "--debug", "--plugins-dir", "x")
        assert taken_apart(rest).arguments == rest
        assert not taken_apart(rest).debug

    def test_repeated_and_relative(self, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        assert taken_apart(["--plugins-dir", "a", "x", "--plugins-dir=b"]).folders == (tmp_path / "a", tmp_path / "b")

    @pytest.mark.parametrize(
        "arguments", [["--plugins-dir"], ["--plugins-dir="], ["--plugins-dir", "--json"], ["--plugins-dir", "a:b"]]
    )
    def test_what_is_no_folder(self, arguments):
        with pytest.raises(UsageError):
            taken_apart(arguments)

    @pytest.mark.parametrize("before", [None, "/old"])
    def test_the_variable_is_as_it_was_afterwards(self, monkeypatch, before):
        monkeypatch.delenv("VADBENCH_PLUGINS_DIR", raising=False)
        if before:
            monkeypatch.setenv("VADBENCH_PLUGINS_DIR", before)
        with plugin_folders([Path("/a"), Path("/b")]):
            assert os.environ["VADBENCH_PLUGINS_DIR"] == os.pathsep.join(["/a", "/b", *([before] if before else [])])
        assert os.environ.get("VADBENCH_PLUGINS_DIR") == before


def test_an_option_without_a_folder_is_told(vadbench):
    called = vadbench("list", "--plugins-dir")
    assert called.code == 2
    assert "--plugins-dir needs a folder or a .py file" in called.err


def test_help_tells_of_it(vadbench):
    assert "--plugins-dir DIR" in vadbench("--help").out


def test_a_single_file_is_listed_and_run_and_run_again_after_an_edit(vadbench, folder):
    listed = vadbench("--plugins-dir", folder, "list", "detector")
    assert "dir-speed" in listed.out
    assert "(dir_speed)" in listed.out
    assert listed.err == ""

    def go() -> dict[str, object]:
        called = vadbench("run", "dir-speed", *SMALL, "--json", "--plugins-dir", folder / "dir_speed.py")
        assert called.code == 0, called.err
        (run,) = called.json["runs"]
        return run

    first, again = go(), go()
    assert (first["reused"], again["reused"]) == (False, True)
    file = folder / "dir_speed.py"
    file.write_text(file.read_text().replace("scores = np.zeros", "scores = 2 * np.zeros"))
    edited = go()
    assert not edited["reused"]
    assert edited["path"] != first["path"]


def test_the_variable(shell, folder, tmp_path):
    (tmp_path / "other").mkdir()
    both = os.pathsep.join([str(tmp_path / "other"), str(folder)])
    assert "dir-speed" in shell("list", VADBENCH_PLUGINS_DIR=both).out
    assert "dir-speed" not in shell("list", VADBENCH_PLUGINS_DIR=both, VADBENCH_PLUGINS="").out
    assert "dir-speed" in shell("list", VADBENCH_PLUGINS_DIR=both, VADBENCH_PLUGINS="dir_speed").out


def test_a_folder_that_is_not_there(shell):
    called = shell("list", "detector", "--plugins-dir", "nowhere")
    assert called.code == 0
    assert "knn" in called.out
    assert "plug-in 'nowhere' (not found) was left out: there is no such file or folder" in called.err


def test_json_stays_json_whatever_a_plugin_prints(shell, folder):
    (folder / "dir_loud.py").write_text(
        "import os, sys\nprint('loud')\nos.system('echo louder')\nsys.__stdout__.write('loudest')\n"
    )
    called = shell("list", "--json", "--plugins-dir", folder)
    assert called.json
    rows = {row["name"]: row for row in shell("plugin", "list", "--json", "--plugins-dir", folder).json}
    for told in ("loud\n", "louder\n", "loudest"):
        assert told in rows["dir_loud"]["printed"]


def test_strict(shell, folder):
    (folder / "dir_bad.py").write_text("1 / 0")
    (folder / "dir_worse.py").write_text("x = 1")
    called = shell("list", "--plugins-dir", folder, VADBENCH_STRICT=1)
    assert called.code == 4
    assert called.out == ""
    assert "ZeroDivisionError" in called.err
    assert "has no hook" in called.err
    assert shell("--help", "--plugins-dir", folder, VADBENCH_STRICT=1).code == 0
    listed = shell("plugin", "list", "--json", "--plugins-dir", folder, VADBENCH_STRICT=1)
    assert listed.code == 4
    assert {row["name"] for row in json.loads(listed.out) if row["status"] == "failed"} == {"dir_bad", "dir_worse"}


def test_a_fault_stops_no_run_that_does_not_use_it(vadbench, folder):
    (folder / "dir_bad.py").write_text("import sys; sys.exit(9)")
    called = vadbench("run", "random", *SMALL, "--plugins-dir", folder)
    assert called.code == 0, called.err
    assert "plug-in 'dir_bad' (dir_bad.py) was left out" in called.err


def test_what_a_component_lacks_is_told_when_it_is_run(vadbench, folder):
    file = folder / "dir_speed.py"
    file.write_text(file.read_text().replace('summary="', 'requires=("nothing_such",), summary="'))
    called = vadbench("run", "dir-speed", *SMALL, "--plugins-dir", folder)
    assert called.code == 4
    assert "detector 'dir-speed' needs nothing_such, which is not installed" in called.err
    assert "pip install nothing_such" in called.err


def test_a_run_beside_the_plugin_is_found_again(vadbench, folder, monkeypatch):
    """What a run writes into the folder of the plug-in is no edit of it."""
    monkeypatch.chdir(folder)

    def reused() -> bool:
        called = vadbench("run", "dir-speed", *SMALL, "--json", "--plugins-dir", ".")
        assert called.code == 0, called.err
        return called.json["runs"][0]["reused"]

    assert [reused(), reused()] == [False, True]
    (folder / "table.toml").write_text("edited = 1")
    assert not reused()


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "x" * 5000])
def test_a_path_that_cannot_be_disturbs_nothing(shell, folder, path):
    called = shell("list", "detector", "--plugins-dir", path, "--plugins-dir", folder)
    assert called.code == 0
    assert "dir-speed" in called.out
    assert "was left out: it cannot be read: " in called.err


def test_a_process_that_is_told_to_end_while_it_loads_ends(shell, folder):
    (folder / "dir_killed.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nwhile True: pass\n")
    called = shell("list", "--plugins-dir", folder)
    assert called.code == 143
    assert called.out == ""


def test_neither_strict_nor_not(shell, folder):
    called = shell("list", VADBENCH_STRICT="perhaps")
    assert called.code == 2
    assert "'perhaps' is neither yes nor no" in called.err
