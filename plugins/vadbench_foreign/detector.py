"""The detector ``command``: windows go out as files, a program is called, and its scores come back.

So a method that lives in an environment or a language of its own is measured as every other is, and nothing of it is rewritten.
The exchange is described in ``docs/foreign-methods.md``.
"""

from __future__ import annotations

import errno
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from vadbench.api import DataError, PluginError
from vadbench_foreign.kept_files import as_state, from_state, read_files, write_files
from vadbench_foreign.printable import printable
from vadbench_foreign.program import Program, environment_of_program
from vadbench_foreign.returned_scores import in_order_of, read_scores
from vadbench_foreign.window_files import write_windows
from vadbench_foreign.words import filled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Context, PoseShape, Windows
    from vadbench_foreign.settings import CommandConfig

Step = Literal["fit", "score"]
_WRITTEN_TO: Final[Mapping[Step, str]] = {"fit": "model", "score": "scores"}
"""Which folder is read once the program of a step has ended."""


class Command:
    """A program as a detector; fulfils `vadbench.api.Detector`.

    What its ``fit`` leaves in the folder ``{model}`` is what was learned. Each call to ``score`` gets a new copy of it, so
    nothing is carried from one call to the next. No program is ever shown a label.
    """

    def __init__(self, config: CommandConfig, poses: PoseShape) -> None:
        config.check_scores()
        self.config, self.poses = config, poses
        self.files: dict[str, NDArray[np.uint8]] = {}

    def fit(self, windows: Windows, context: Context) -> None:
        """Calls the command of ``fit``, if there is one, and keeps the files that it leaves."""
        self._tell_what_counts(context)
        self.files = {}
        if not self.config.fit:
            return
        if len(windows) == 0:
            raise DataError("there is no training window", where=context.name, remedy="train on more data")
        steps: tuple[Step, ...] = ("fit", "score")
        # Before hours of training: what is to score afterwards must be there as well.
        for step in steps:
            self._program(step).path()
        with _scratch(context) as scratch:
            model = scratch / "model"
            model.mkdir()
            self._call("fit", windows, scratch, context)
            self.files = read_files(model)
        if not self.files:
            raise PluginError(
                "the command of fit left no file in {model}",
                where="detector.fit",
                remedy="write what was learned into that folder; leave detector.fit out of a method that learns nothing",
            )
        size = sum(len(content) for content in self.files.values())
        context.logger.info("%s: %d files with %d bytes learned", context.name, len(self.files), size)

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        """Calls the command of ``score``, once for each view that windows are seen in: (W,) or (W, T)."""
        parts: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        for view in np.unique(windows.view).tolist():
            seen = np.flatnonzero(windows.view == view)
            # In the order of the tracks and each once, so that neither order nor repetition can make a difference.
            _, first, back = np.unique(windows.first[seen], return_index=True, return_inverse=True)
            parts.append((seen, self._score_view(windows.select(seen[first]), context)[back]))
        if not parts:
            return np.zeros(0)
        shapes = {values.shape[1:] for _, values in parts}
        if len(shapes) > 1:
            raise PluginError(
                "the command of score gave one score a window in one view, and one a frame in another",
                where="detector.score",
                remedy="give scores of one shape, whatever the windows are",
            )
        scores = np.empty((len(windows), *shapes.pop()))
        for seen, values in parts:
            scores[seen] = values
        return scores

    @property
    def parameter_count(self) -> int:
        """What tables show as parameters: as the settings say, else the bytes of the model's files."""
        told = self.config.parameters
        return sum(len(content) for content in self.files.values()) if told is None else told

    def state_dict(self) -> dict[str, Any]:
        """The files of the model, each as (n,) uint8 under ``model/<path>``."""
        return as_state(self.files)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes files back; raises `PluginError` for names that lead out of the folder, or what are no files."""
        self.files = from_state(state_dict)

    def _score_view(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        with _scratch(context) as scratch:
            write_files(scratch / "model", self.files)
            (scratch / "scores").mkdir()
            self._call("score", windows, scratch, context)
            higher = self.config.higher_is_more_anomalous
            returned = read_scores(scratch / "scores", windows.rule.length, higher_is_more_anomalous=higher)
        return in_order_of(windows, returned)

    def _call(self, step: Step, windows: Windows, scratch: Path, context: Context) -> None:
        told = {"step": step, "method": context.name, "seed": context.seed, "device": context.device, "threads": _threads()}
        places = {name: str(scratch / name) for name in ("windows", "model", "scores")}
        program = self._program(step, places | {name: str(told[name]) for name in ("seed", "device", "threads")})
        write_windows(scratch / "windows", windows, arrays=self.config.arrays, told=told, context=context)
        with context.progress.task(f"{context.name}: {step}", 1) as advance:
            program.run(context.logger)
            advance(1)
        _check_left(scratch, step)

    def _program(self, step: Step, values: Mapping[str, str] | None = None) -> Program:
        """The program of a step; without values its words are as they were written, which is enough to find it."""
        words = self.config.fit if step == "fit" else self.config.score
        return Program(
            words=words if values is None else filled(words, values),
            folder=self.config.place(),
            environment=environment_of_program(self.config.environment, threads=_threads()),
            timeout_s=self.config.timeout_s,
            step=step,
        )

    def _tell_what_counts(self, context: Context) -> None:
        if not self.config.code and not self.config.version:
            context.logger.warning(
                "%s: nothing of the method's code counts for the identity of the run: a run of changed code would be taken for "
                "this one; set detector.version or detector.version_files",
                context.name,
            )


def _threads() -> int:
    """So many as the harness computes on."""
    import torch

    return torch.get_num_threads()


def _check_left(scratch: Path, step: Step) -> None:
    """Raises `PluginError` unless the folder that a program was to write to is there still, and no other was put in its place."""
    name = _WRITTEN_TO[step]
    for place in (scratch, scratch / name):
        try:
            mode = place.lstat().st_mode
        except OSError:
            done = f"took away the folder {{{name}}}, or one that it lies in"
        else:
            if stat.S_ISDIR(mode):
                continue
            done = f"put {'a link' if stat.S_ISLNK(mode) else 'a file'} in the place of the folder {{{name}}}"
        raise PluginError(
            f"the command of {step} {done}",
            where=f"detector.{step}",
            remedy="leave that folder where it is, and write files into it",
        )


@contextmanager
def _scratch(context: Context) -> Iterator[Path]:
    """A folder for one call, below the run's work folder; it goes with all that is in it."""
    try:
        with tempfile.TemporaryDirectory(prefix="command-", dir=context.work_folder, ignore_cleanup_errors=True) as folder:
            yield Path(folder).absolute()
    except OSError as error:
        place = "the disk of the runs (TMPDIR where there is no run)"
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise PluginError(
            f"the files of a foreign method cannot be written or read: {error.strerror or error}",
            where=printable(str(error.filename or context.name)),
            remedy=f"make room on {place}, or leave out arrays: detector.arrays"
            if full
            else f"see that {place} can be written to, and that the program leaves its files readable and in their place",
        ) from error
