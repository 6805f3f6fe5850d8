"""Runs the code of a documentation page as its reader would: files written, Python and shell executed in order, in one folder.

Python and each ``vadbench`` command run in processes of their own, so that no page changes another, nor the tests. They are
forked from a server that has imported torch already (``multiprocessing``'s forkserver), as importing it anew would take seconds.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import shlex
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from string import Template
from typing import Any, Final

from doc_pages import Block, logical_lines, place

SECONDS: Final = 120
"""How long one block or line may take."""
_PRELOADED: Final = ["torch", "sklearn.neighbors", "vadbench.cli.main", "vadbench.engine.run", "vadbench.testing.checks"]
_SHELL: Final = frozenset("|&;<>$`*")


class PageError(AssertionError):
    """A page does not do what it says: where, what was executed, and what came of it."""

    def __init__(self, where: str, code: str, said: str, output: str) -> None:
        super().__init__(f"{where}: {said}\n--- executed\n{code.rstrip()}\n--- output\n{output.rstrip() or '(none)'}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a shell block: the command, and the exit code that the page promises."""

    command: str
    code: int


def shell_line(text: str) -> Line | None:
    """A line with its promise, ``# exit 3`` at its end; None for one that is empty or a comment."""
    command, _, comment = _without_comment(text)
    if not command:
        return None
    words = comment.split()
    return Line(command, int(words[1]) if len(words) == 2 and words[0] == "exit" and words[1].isdigit() else 0)


def execute(blocks: list[Block], folder: Path, environment: Mapping[str, str]) -> int:
    """Executes the blocks of one page in order; the number of those that were executed or written.

    Args:
        blocks: As `doc_pages.blocks` gives them; those of other languages are left alone.
        folder: Where files are written and commands run.
        environment: The environment of every process; a line ``export NAME=value`` adds to it for the lines after it.

    Raises:
        PageError: at the first that does not end as the page says.
    """
    done = 0
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    shell = _Shell(context, folder, dict(environment))
    with contextlib.closing(_Python(context, folder, dict(environment))) as python:
        for block in blocks:
            if block.title is not None:
                _write(folder, block)
            elif block.language == "python":
                python.run(block)
            elif block.language == "sh":
                shell.run(block)
            else:
                continue
            done += 1
    return done


def _write(folder: Path, block: Block) -> None:
    path = folder / str(block.title)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PageError(block.place, block.code, f"the file {block.title} would lie outside the page's folder", "")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.code, encoding="utf-8")


class _Python:
    """The Python of a page: one process, one namespace, started with the first block."""

    def __init__(self, context: Any, folder: Path, environment: dict[str, str]) -> None:
        self._start = lambda: _started(context, _serve_python, folder, environment)
        self._running: tuple[Any, Connection] | None = None

    def run(self, block: Block) -> None:
        self._running = self._running or self._start()
        process, connection = self._running
        # Blank lines before the code give tracebacks the line numbers of the page.
        connection.send(("\n" * (block.line - 1) + block.code, block.page.as_posix()))
        answer = _answer(process, connection)
        if answer is None:
            raise PageError(block.place, block.code, f"no end after {SECONDS} s, or the process was lost", "")
        output, failure = answer
        if failure is not None:
            raise PageError(block.place, block.code, f"raised {failure}", output)

    def close(self) -> None:
        if self._running is not None:
            process, connection = self._running
            with contextlib.suppress(OSError):
                connection.send(None)
            _ended(process)


class _Shell:
    """The shell lines of a page; ``cd`` and ``export`` are kept from line to line."""

    def __init__(self, context: Any, folder: Path, environment: dict[str, str]) -> None:
        self._context, self._folder, self._environment = context, folder, environment

    def run(self, block: Block) -> None:
        for offset, text in logical_lines(block.code):
            line = shell_line(text)
            if line is not None:
                code, output = self._one(line.command)
                if code != line.code:
                    said = f"exit code {code}, and the page says {line.code}"
                    raise PageError(place(block.page, block.line + offset), line.command, said, output)

    def _one(self, command: str) -> tuple[int | None, str]:
        words = shlex.split(command)
        if words[0] == "export" and len(words) == 2 and "=" in words[1]:
            name, _, value = words[1].partition("=")
            self._environment[name] = Template(value).safe_substitute({**self._environment, "PWD": str(self._folder.resolve())})
            return 0, ""
        if words[0] == "cd" and len(words) == 2:
            self._folder = self._folder / words[1]
            return (0, "") if self._folder.is_dir() else (1, f"there is no folder {self._folder}")
        if words[0] == "vadbench" and not _SHELL & set(command):
            process, connection = _started(self._context, _serve_command, self._folder, self._environment)
            connection.send(words[1:])
            answer: tuple[int, str] | None = _answer(process, connection)
            _ended(process)
            return answer or (None, f"no end after {SECONDS} s, or the process was lost")
        return _bash(command, self._folder, self._environment)


def _bash(command: str, folder: Path, environment: dict[str, str]) -> tuple[int | None, str]:
    try:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"no end after {SECONDS} s"
    return done.returncode, done.stdout + done.stderr


def _started(context: Any, serve: Callable[..., None], folder: Path, environment: dict[str, str]) -> tuple[Any, Connection]:
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, str(folder), environment), daemon=False)
    process.start()
    theirs.close()
    return process, ours


def _answer(process: Any, connection: Connection) -> Any:
    """What the process sent; None where it is gone or takes too long."""
    try:
        if connection.poll(SECONDS):
            return connection.recv()
    except EOFError:
        pass
    process.kill()
    return None


def _ended(process: Any) -> None:
    process.join(5)
    if process.is_alive():
        process.kill()
        process.join()


def _settled(folder: str, environment: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _serve_python(connection: Connection, folder: str, environment: dict[str, str]) -> None:
    """In a process of its own: executes block after block in one module."""
    _settled(folder, environment)
    module = types.ModuleType("page")
    sys.modules["page"] = module
    sys.path.insert(0, "")
    while (given := connection.recv()) is not None:
        code, page = given
        output, failure = io.StringIO(), None
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            try:
                exec(compile(code, page, "exec"), module.__dict__)  # noqa: S102 - the page's own code
            except (Exception, SystemExit) as error:
                failure = f"{type(error).__name__}: {error}"
                traceback.print_exc(file=output)
        connection.send((output.getvalue(), failure))


def _serve_command(connection: Connection, folder: str, environment: dict[str, str]) -> None:
    """In a process of its own: one ``vadbench`` command, with all that it writes to its standard streams."""
    _settled(folder, environment)
    arguments = connection.recv()
    from vadbench.cli.main import main

    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
        sys.argv = ["vadbench", *arguments]
        code = 0
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
        said.seek(0)
        connection.send((code, said.read()))


def _without_comment(text: str) -> tuple[str, str, str]:
    """A shell line's command, ``#``, and the comment after it; a ``#`` within a word or in quotes begins none."""
    quote = ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and (at == 0 or text[at - 1].isspace()):
            return text[:at].strip(), "#", text[at + 1 :].strip()
    return text.strip(), "", ""
