"""Running a program: what is said when it fails, and that nothing of it is left running."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import PluginError
from vadbench_foreign.printable import printable
from vadbench_foreign.program import Program, environment_of_program


@pytest.fixture(autouse=True)
def logs_elsewhere(tmp_path_factory, monkeypatch):
    """What a failure leaves to be read is not left by a test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("logs")))


@pytest.fixture
def logged():
    """A logger, and the lines that it was given."""
    logger = logging.getLogger("test of a program")
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    handler = Kept()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield logger, lines
    logger.removeHandler(handler)


@pytest.fixture
def run(tmp_path, logged):
    """Runs words, and gives the lines that were logged."""

    def call(*words: str, timeout_s: float | None = 60, environment: dict | None = None) -> list[str]:
        logger, lines = logged
        variables = environment_of_program(environment or {}, threads=3)
        Program(words, tmp_path, variables, timeout_s, "score").run(logger)
        return lines

    return call


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process whose parent did not ask for it yet is dead all the same.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z" if Path("/proc").is_dir() else True


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


class TestOutput:
    def test_line_by_line(self, run):
        lines = run("sh", "-c", "echo one; echo two >&2; printf 'x 1%%\\rx 2%%\\rx 3%%\\n'; printf end")
        assert lines[1:] == ["score | one", "score | two", "score | x 3%", "score | end"]
        assert lines[0].startswith("score: sh -c 'echo one;")

    def test_while_it_runs(self, run, logged):
        seen = []

        def watch():
            deadline = time.monotonic() + 20
            while "score | early" not in logged[1] and time.monotonic() < deadline:
                time.sleep(0.01)
            seen.extend(logged[1])

        watcher = threading.Thread(target=watch)
        watcher.start()
        run("sh", "-c", "echo early; sleep 0.5; echo late")
        watcher.join()
        assert "score | early" in seen
        assert "score | late" not in seen

    def test_bytes_that_are_no_text(self, run):
        assert run("printf", "a\\377b\\n")[1:] == ["score | a\ufffdb"]

    def test_a_terminal_is_told_nothing(self, run):
        says = r"\033[31mred\033[0m\tplain \033]0;title\007 \033[2J \302\233 \342\200\256 \303\251\n"
        with pytest.raises(PluginError) as caught:
            run("sh", "-c", f"printf '{says}'; exit 1", "a\x1bb")
        said = str(caught.value)
        assert "red\tplain \\x1b]0;title\\x07 \\x1b[2J \\x9b \\u202e é" in said
        assert "a\\x1bb" in said
        assert "\x1b" not in Path(caught.value.where.rpartition("all of its output: ")[2]).read_text()
        assert not any(ord(sign) < 32 and sign not in "\n\t" for sign in said)

    def test_nor_by_the_log(self, run):
        lines = run("printf", r"\033[2J%s\n", "x\x1b[2J")
        assert lines[1:] == [r"score | \x1b[2Jx\x1b[2J"]
        assert "\x1b" not in lines[0]

    @given(st.text())
    def test_whatever_is_said_is_one_line_that_can_be_printed(self, text):
        shown = printable(text)
        assert not set(shown) & set(map(chr, [*range(9), *range(10, 32), *range(127, 160), 0x2028, 0x2029]))
        shown.encode()
        assert shown.splitlines() in ([shown], [])
        assert shown == text or not text.isprintable()

    def test_a_line_without_end_is_not_kept_whole(self, run):
        lines = run(*python("print('x' * 300_000, end='')"))
        assert 4 <= len(lines) - 1 <= 10
        assert sum(len(line) - len("score | ") for line in lines[1:]) == 300_000

    def test_nothing_to_read(self, run):
        assert run("sh", "-c", "read x && echo got || echo closed")[1:] == ["score | closed"]


class TestSurroundings:
    def test_folder_and_variables(self, run, tmp_path, monkeypatch):
        monkeypatch.setenv("PYTHONPATH", "/nowhere")
        monkeypatch.setenv("VADBENCH_DATA", "/labels")
        shown = run(
            "sh",
            "-c",
            'pwd; echo "$OMP_NUM_THREADS $MKL_NUM_THREADS [$PYTHONPATH] [$VADBENCH_DATA] $PYTHONHASHSEED $MINE"',
            environment={"MINE": "x", "MKL_NUM_THREADS": "7"},
        )
        assert shown[1:] == [f"score | {tmp_path}", "score | 3 7 [] [] 0 x"]

    def test_no_shell(self, run):
        assert run("printf", "%s\\n", "$HOME; echo *")[1:] == ["score | $HOME; echo *"]

    def test_a_name_with_a_slash_is_looked_up_in_the_folder(self, run, tmp_path):
        program = tmp_path / "bin" / "prog"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\necho here $1\n")
        program.chmod(0o755)
        assert run("bin/prog", "x")[1:] == ["score | here x"]

    def test_path_of_the_settings(self, run, tmp_path):
        program = tmp_path / "a-program-of-its-own"
        program.write_text("#!/bin/sh\necho found\n")
        program.chmod(0o755)
        assert run("a-program-of-its-own", environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"})[1:] == ["score | found"]


class TestFailure:
    def test_exit_code(self, run):
        with pytest.raises(PluginError) as caught:
            run("sh", "-c", "i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); done; exit 3")
        said = str(caught.value)
        assert "the command of score ended with exit code 3: sh -c" in said
        assert "its last 20 lines:" in said
        assert "line 10\n" in said
        assert "line 9\n" not in said
        log = Path(caught.value.where.rpartition("all of its output: ")[2])
        assert log.read_text().splitlines() == [f"line {i}" for i in range(30)]

    def test_it_said_nothing(self, run):
        with pytest.raises(PluginError, match="it said nothing") as caught:
            run("false")
        assert "all of its output" not in caught.value.where

    def test_signal(self, run):
        with pytest.raises(PluginError, match="was killed by SIGKILL, as a machine does that is short of memory"):
            run("sh", "-c", "kill -9 $$")

    @pytest.mark.parametrize(("name", "place"), [("no-such-program-anywhere", "PATH"), ("./gone.sh", "gone.sh")])
    def test_not_there(self, run, name, place):
        with pytest.raises(PluginError, match="is not there") as caught:
            run(name)
        assert place in caught.value.where
        assert caught.value.exit_code == 4

    def test_not_executable(self, run, tmp_path):
        (tmp_path / "score.sh").write_text("echo\n")
        with pytest.raises(PluginError, match="cannot be started: Permission denied") as caught:
            run("./score.sh")
        assert "chmod +x" in caught.value.remedy

    def test_no_program_format(self, run, tmp_path):
        (tmp_path / "score.bin").write_text("echo\n")
        (tmp_path / "score.bin").chmod(0o755)
        with pytest.raises(PluginError, match="cannot be started: Exec format error"):
            run("./score.bin")

    def test_an_interpreter_that_is_not_there(self, run, tmp_path):
        (tmp_path / "score.sh").write_text("#!/no/such/python\n")
        (tmp_path / "score.sh").chmod(0o755)
        with pytest.raises(PluginError, match="names an interpreter that is not there"):
            run("./score.sh")


class TestNothingIsLeft:
    CHILDREN = "sleep 300 & echo $! > child; sleep 300 & echo $! > other; "

    def pids(self, folder: Path) -> list[int]:
        return [int((folder / name).read_text()) for name in ("child", "other")]

    def test_timeout(self, run, tmp_path):
        began = time.monotonic()
        with pytest.raises(PluginError, match=r"took longer than 0.5 s and was ended") as caught:
            run("sh", "-c", self.CHILDREN + "echo begun; wait", timeout_s=0.5)
        assert time.monotonic() - began < 20
        assert "begun" in str(caught.value)
        assert all(gone(pid) for pid in self.pids(tmp_path))

    def test_it_ends_and_leaves_others(self, run, tmp_path):
        began = time.monotonic()
        run("sh", "-c", self.CHILDREN + "echo done")
        assert time.monotonic() - began < 20
        assert all(gone(pid) for pid in self.pids(tmp_path))

    def test_one_that_does_not_listen(self, run, tmp_path, monkeypatch):
        monkeypatch.setattr("vadbench_foreign.program._PATIENCE_S", 0.3)
        with pytest.raises(PluginError, match="was ended"):
            run("sh", "-c", "trap '' TERM; echo $$ > child; echo $$ > other; while :; do sleep 0.1; done", timeout_s=0.5)
        assert all(gone(pid) for pid in self.pids(tmp_path))

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_interrupted(self, tmp_path, number):
        code = (
            "import logging, signal, sys; from pathlib import Path\n"
            "from vadbench_foreign.program import Program, environment_of_program\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            f"words = ['sh', '-c', {self.CHILDREN + 'echo ready > ready; wait'!r}]\n"
            "Program(words, Path(), environment_of_program({}, threads=1), None, 'score').run(logging.getLogger())\n"
        )
        process = subprocess.Popen(python(code), cwd=tmp_path, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(30) != 0
        assert all(gone(pid) for pid in self.pids(tmp_path))
