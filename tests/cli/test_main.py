"""The command itself: help that costs nothing, errors by class, tracebacks on request."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import vadbench as package
from vadbench.api import ConfigError, DataError, DriftError, PluginError, RunFailedError, UsageError, VadbenchError
from vadbench.cli.main import COMMANDS, cli

_HEAVY = {"numpy", "torch", "pydantic", "scipy", "sklearn", "pandas", "matplotlib", "safetensors"}


@pytest.fixture
def raising(monkeypatch):
    """Makes ``vadbench list`` raise."""

    def fail(error: BaseException) -> None:
        def load(**_: object) -> None:
            raise error

        monkeypatch.setattr("vadbench.cli.listing.installed_plugins", load)

    return fail


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vadbench", *arguments] if not arguments or arguments[0] != "-c" else [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], ["list"], ["list", "tokenizer", "--json"], ["plugin", "list", "--json"], ["--version"]),
        *([name, "--help"] for name in COMMANDS),
        ["completion", "bash"],
        ["run"],
        ["lst"],
    ],
    ids=" ".join,
)
def test_imports_nothing_heavy(arguments):
    code = (
        "import sys\nfrom vadbench.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print('\\nMODULES', *sys.modules)"
    )
    done = process("-c", code)
    assert "MODULES" in done.stdout, done.stderr
    assert _HEAVY & set(done.stdout.rpartition("MODULES")[2].split()) == set()


class TestHelp:
    @pytest.mark.parametrize("flag", ["--help", "-h"])
    def test_names_every_command(self, vadbench, flag):
        called = vadbench(flag)
        assert called.code == 0
        for name, (_, summary) in COMMANDS.items():
            assert name in called.out
            assert summary.split()[0] in called.out

    @pytest.mark.parametrize("name", COMMANDS)
    def test_of_every_command(self, vadbench, name):
        called = vadbench(name, "--help")
        assert called.code == 0
        assert called.out.startswith(f"Usage: vadbench {name}")

    def test_commands_are_called_what_the_table_says(self):
        import click

        context = click.Context(cli)
        assert {name: cli.get_command(context, name).name for name in COMMANDS} == {name: name for name in COMMANDS}
        assert cli.get_command(context, "nothing") is None

    def test_no_command(self, vadbench):
        called = vadbench()
        assert "Usage: vadbench" in called.out + called.err

    def test_version(self, vadbench):
        called = vadbench("--version")
        assert called.code == 0
        assert called.out.strip() == f"vadbench, version {package.__version__}"


class TestErrors:
    def test_unknown_command(self, vadbench):
        called = vadbench("leaderbord")
        assert called.code == 2
        assert called.err == "error: there is no command 'leaderbord'\n  remedy: did you mean 'leaderboard'?\n"
        assert called.out == ""

    @pytest.mark.parametrize(
        "arguments", [["run"], ["run", "x", "--sede", "1"], ["run", "x", "--threads", "x"], ["completion", "csh"], ["--colour"]]
    )
    def test_what_click_finds(self, vadbench, arguments):
        called = vadbench(*arguments)
        assert called.code == 2
        assert "Error:" in called.err
        assert "Traceback" not in called.err

    @pytest.mark.parametrize(
        ("cls", "code"),
        [(UsageError, 2), (ConfigError, 2), (DataError, 3), (PluginError, 4), (RunFailedError, 5), (DriftError, 6)],
    )
    def test_code_by_class(self, vadbench, raising, cls, code):
        raising(cls("it broke", where="here", remedy="mend it"))
        called = vadbench("list")
        assert called.code == code
        assert called.err == "error: it broke\n  where:  here\n  remedy: mend it\n"
        assert called.out == ""

    @pytest.mark.parametrize("place", ["before", "after"])
    def test_debug_shows_where(self, capsys, raising, place):
        from vadbench.cli.main import main

        raising(DataError("it broke"))
        with pytest.raises(VadbenchError, match="it broke"):
            main(["--debug", "list"] if place == "before" else ["list", "--debug"])

    def test_a_bug(self, vadbench, raising):
        raising(ZeroDivisionError("by nought"))
        called = vadbench("list")
        assert called.code == 1
        assert called.err.startswith("internal error: ZeroDivisionError: by nought")
        assert "--debug" in called.err
        assert "Traceback" not in called.err

    def test_an_exit_where_none_is_expected(self, vadbench, raising):
        raising(SystemExit(0))
        called = vadbench("list")
        assert called.code == 1
        assert called.err.startswith("internal error: SystemExit: 0")

    def test_a_bug_in_debug(self, capsys, raising):
        from vadbench.cli.main import main

        raising(ZeroDivisionError("by nought"))
        with pytest.raises(ZeroDivisionError):
            main(["--debug", "list"])

    def test_interrupt(self, vadbench, raising):
        raising(KeyboardInterrupt())
        called = vadbench("list")
        assert called.code == 130
        assert "interrupted" in called.err

    def test_traceback_in_a_process(self):
        code = "from vadbench.cli.main import main; main(['--debug', 'list', 'tokeniser'])"
        done = process("-c", code)
        assert done.returncode != 0
        assert "Traceback" in done.stderr
        assert "UsageError" in done.stderr

    def test_reader_that_goes_away(self):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [sys.executable, "-c", "from vadbench.cli.main import main; main(['list'])"],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        os.close(write)
        assert "Traceback" not in done.stderr
        assert "internal error" not in done.stderr


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_script(self, vadbench, shell):
        called = vadbench("completion", shell)
        assert called.code == 0
        assert "_VADBENCH_COMPLETE" in called.out

    def completed(self, words: str) -> list[str]:
        done = process(
            "-c",
            "from vadbench.cli.main import main; main([])",
            _VADBENCH_COMPLETE="bash_complete",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split(" ")) - 1),
        )
        assert "Traceback" not in done.stderr
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("vadbench pl", ["plugin", "plot"]),
            ("vadbench run msg", ["msgflow"]),
            ("vadbench run msgflow --tokenizer k", ["kmeans"]),
            ("vadbench run msgflow --dataset hr-u", ["hr-ubnormal"]),
            ("vadbench list tok", ["tokenizer"]),
        ],
    )
    def test_names(self, words, expected):
        assert sorted(self.completed(words)) == sorted(expected)

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("vadbench run --pl", ["--plugins-dir"]),
            ("vadbench --pl", ["--plugins-dir"]),
            ("vadbench run completed --plugins-dir plug", ["plug"]),
            ("vadbench run --plugins-dir {0} completed-", ["completed-detector"]),
            ("vadbench run --plugins-dir = {0} completed-", ["completed-detector"]),  # as bash takes --plugins-dir=DIR apart
            ("vadbench --plugins-dir {0} run completed-", ["completed-detector"]),
            ("vadbench list --plugins-dir {0} tok", ["tokenizer"]),
        ],
    )
    def test_what_may_stand_anywhere(self, tmp_path, words, expected):
        (tmp_path / "completed.py").write_text(
            "from vadbench.api import hookimpl\n@hookimpl\ndef vadbench_register(registry):\n"
            "    registry.detector('completed-detector', 'm:C')\n"
        )
        assert self.completed(words.format(tmp_path)) == expected
