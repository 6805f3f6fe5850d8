"""Running a program to its end: no shell, its output in the log line by line, and its processes ended afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from vadbench.api import PluginError
from vadbench_foreign.printable import printable

if TYPE_CHECKING:
    import logging

_TOLD: Final = 20
"""Last lines of output in an error."""
_PATIENCE_S: Final = 5.0
"""What a program is given to end by itself once it was told to, and what its output is given to arrive."""
_LONGEST_LINE: Final = 64 * 1024
_NOT_HANDED_ON: Final = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__", "VADBENCH_DATA")
"""What concerns our own Python, and where data sets lie with their labels."""
_THREADS: Final = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    "BLIS_NUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program to be run.

    Args:
        words: Its name and what it is told; no shell takes part.
        folder: In which it runs; a name with a slash is looked up there.
        environment: Its variables.
        timeout_s: Seconds after which it is ended; None for never.
        step: What it is run for, ``fit`` or ``score``.
    """

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    timeout_s: float | None
    step: str

    def run(self, logger: logging.Logger) -> None:
        """Runs it to its end.

        Whatever happens, also Ctrl-C, it and what it started are ended when this returns or raises. A process that began a
        session or a group of its own (``setsid``, a daemon, a container) is beyond reach, and lives on.

        Raises:
            PluginError: if it is not there, cannot be started, takes too long, or ends with anything but 0.
        """
        logger.info("%s: %s (in %s)", self.step, printable(shlex.join(self.words)), self.folder)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix=f"vadbench-{self.step}-", suffix=".log", delete=False
        ) as log:
            output = _Output(log, logger, self.step)
            try:
                self._run(output)
            except BaseException as error:
                if not output.lines or not isinstance(error, PluginError):
                    log.close()
                    Path(log.name).unlink(missing_ok=True)
                raise
        Path(log.name).unlink(missing_ok=True)

    def _run(self, output: _Output) -> None:
        process = self._started()
        reader = threading.Thread(target=output.read, args=(process.stdout,), daemon=True)
        try:
            reader.start()
            code = process.wait(self.timeout_s)
        except subprocess.TimeoutExpired as error:
            _end(process)
            reader.join(_PATIENCE_S)
            raise self._failed(
                f"took longer than {self.timeout_s:g} s and was ended", output, "raise detector.timeout_s"
            ) from error
        finally:
            _end(process)
        # Whoever inherited the output and lives on elsewhere must not hold up the run.
        reader.join(_PATIENCE_S)
        if code != 0:
            raise self._failed(_outcome(code), output, "see what it said; the words above can be tried by hand in that folder")

    def path(self) -> str:
        """Where the program lies; raises `PluginError` if it is not there, before anything was spent on it.

        A name with a slash is looked up in the folder, any other on PATH; links stay, or a virtual environment is not found.
        """
        name = self.words[0]
        found = str(self.folder / name) if os.sep in name else shutil.which(name, path=self.environment.get("PATH"))
        if found is None or not Path(found).exists():
            raise PluginError(
                f"the command of {self.step} cannot be started: {name} is not there",
                where=f"detector.{self.step}, {found or 'PATH'}",
                remedy="correct its first word, or detector.folder; make the environment of the method if it has one",
            )
        return found

    def _started(self) -> subprocess.Popen[bytes]:
        path, name = self.path(), self.words[0]
        try:
            return subprocess.Popen(  # noqa: S603 - a program that the user's settings name, without a shell
                self.words,
                executable=path,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise PluginError(
                f"the command of {self.step} cannot be started: {name} names an interpreter that is not there",
                where=f"detector.{self.step}, {path}",
                remedy="correct its first line, #!..., or name an interpreter as the first word",
            ) from error
        except OSError as error:
            raise PluginError(
                f"the command of {self.step} cannot be started: {error.strerror}: {name}",
                where=f"detector.{self.step}, in {self.folder}",
                remedy="make it executable with chmod +x and begin it with #!, or name its interpreter as the first word",
            ) from error

    def _failed(self, how: str, output: _Output, remedy: str) -> PluginError:
        last = [line.rstrip() for line in output.last]
        head = f"its last {len(last)} lines:" if output.lines > len(last) else "it said:"
        said = "\n".join([head, *last]) if last else "it said nothing"
        log = f"\nall of its output: {output.log.name}" if last else ""
        return PluginError(
            f"the command of {self.step} {how}: {printable(shlex.join(self.words))}\n{said}",
            where=f"detector.{self.step}, in {self.folder}{log}",
            remedy=remedy,
        )


def environment_of_program(own: Mapping[str, str], *, threads: int) -> dict[str, str]:
    """The variables of a program: ours, without those of our Python, computing on ``threads``; and ``own`` before all.

    What hash order decides in a Python program is the same at every call.
    """
    ours = {name: value for name, value in os.environ.items() if name not in _NOT_HANDED_ON}
    counts = dict.fromkeys(_THREADS, str(threads))
    return {**ours, **counts, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1", **own}


@dataclass(slots=True)
class _Output:
    """What a program says: into the log as it comes, all of it into a file, the last lines kept; all of it printable."""

    log: IO[str]
    logger: logging.Logger
    step: str
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_TOLD))
    lines: int = 0

    def read(self, stream: IO[bytes] | None) -> None:
        """Reads to the end."""
        assert stream is not None  # noqa: S101 - it was asked for
        with stream:
            while raw := stream.readline(_LONGEST_LINE):
                # A progress bar writes over its line: what is left of it when the line ends is what counts.
                line = printable(raw.decode("utf-8", errors="replace").rstrip("\r\n").rpartition("\r")[2])
                self.lines += 1
                self.last.append(line)
                # The file is gone where nobody waits for the program any longer.
                with suppress(ValueError):
                    self.log.write(line + "\n")
                    self.log.flush()
                self.logger.info("%s | %s", self.step, line)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a program and its group: told first, killed after a while."""
    if process.poll() is None:
        _tell(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
    _tell(process, signal.SIGKILL)
    process.wait()


def _tell(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # Its number is that of its group, which lives as long as anybody in it; who left the group is not found again.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _outcome(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" + (", as a machine does that is short of memory" if -code == signal.SIGKILL else "")
