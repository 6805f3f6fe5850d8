"""Whether the scores of a method are of each test clip alone: scored together, alone, in another order, and again.

A score may depend on what its own clip shows, and on training. One that depends on other test clips knows how the test set is
distributed, which no camera in use could know. It shows when a clip is scored with no other clip beside it, by a detector that
has seen nothing since it was fitted.

Two scores of one window are the same if they differ by no more than ``TOLERANCE`` times the interquartile range of all scores
and the window's own distance from their median. A batch of other size sums float32 numbers in another order: on a CPU
the methods shipped here stay below 1e-7 (``docs/label-safety.md`` says how that was measured). A difference of the tolerance
is too small for a result: only pairs of windows nearer to one another than twice that can change their order, which are about
1 in 4,000 where scores are normally distributed.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.stats import spearmanr

from vadbench import __version__
from vadbench.api import DriftError, UsageError
from vadbench.data.whole_folder import PARTIAL
from vadbench.engine.clip_windows import windows_of_clips
from vadbench.store import folders
from vadbench.store.record import LeakCheck

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Detector, WindowScores
    from vadbench.engine.inputs import Inputs
    from vadbench.engine.trained import Trained
    from vadbench.store.folders import StoredRun

TOLERANCE: Final = 1e-4
"""Largest relative difference that is put down to rounding."""
FEW_CLIPS: Final = 20
"""So many clips are all scored alone; of more, so many unless the user names another number."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far scores of the same windows lie apart.

    Args:
        largest: Largest absolute difference.
        relative: Largest relative one, in the sense of this module.
        windows: Windows whose scores differ by more than the tolerance.
        rank_correlation: Spearman's; None where either never varies.
    """

    largest: float
    relative: float
    windows: int
    rank_correlation: float | None


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What came of a check.

    Args:
        clips: Names of the clips that were scored alone.
        clips_of: Test clips that have windows.
        windows: Windows of ``clips``.
        rebuilt: Scores of the detector built again, against those that are stored.
        alone: Scores of a clip with no other beside it, against those among all.
        reordered: Scores of the clips in reverse, against those in their order.
        again: Scores of a detector that has scored them before, against the first ones.
        reseeded: Scores with another seed of scoring, against those with the run's.
    """

    clips: tuple[str, ...]
    clips_of: int
    windows: int
    rebuilt: Difference
    alone: Difference
    reordered: Difference
    again: Difference
    reseeded: Difference

    def as_record(self) -> LeakCheck:
        """The finding as a run's record holds it."""
        return LeakCheck(
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            vadbench=__version__,
            clips=len(self.clips),
            clips_of=self.clips_of,
            windows=self.windows,
            tolerance=TOLERANCE,
            transductive=self.alone.windows > 0 or self.reordered.windows > 0,
            adapts=self.again.windows > 0,
            draws=self.reseeded.windows > 0,
            largest_difference=self.alone.largest,
            largest_relative=self.alone.relative,
            windows_differ=self.alone.windows,
            rank_correlation=self.alone.rank_correlation,
            reproduced=self.rebuilt.windows == 0,
            largest_from_stored=self.rebuilt.largest,
        )


def check_leak(trained: Trained, inputs: Inputs, stored: WindowScores, *, clips: int | None = None) -> LeakReport:
    """Scores the test windows together, alone, in reverse, again, and with another seed.

    Every pass but the second has a detector of its own, which has scored nothing before.

    Args:
        trained: The method.
        inputs: Of the run; no labels.
        stored: The scores that the run has, or that the detector gave which was fitted.
        clips: How many clips to score alone, drawn by the run's seed; by default all, or `FEW_CLIPS` of more than that.

    Raises:
        DriftError: if the stored scores are of other windows.
        PluginError: if the method fails.
    """
    test, names = inputs.test, inputs.test_clips
    picked, having = _picked(inputs, clips, trained.context.seed)
    with trained.context.progress.task(f"check {trained.context.name}", 4 + len(picked)) as advance:

        def among(order: list[int], detector: Detector, seed: int | None = None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
            """Scores of some clips, and where their windows stand among all."""
            windows, index = windows_of_clips(test, order)
            scores = trained.scores(detector, windows, [names[clip] for clip in order], seed=seed)
            advance(1)
            return scores.score, index[windows.view == 0]

        detector = trained.detector()
        first = trained.scores(detector, test, names)
        _check_same_windows(stored, first)
        together, scale = first.score, _scale(first.score)
        again = trained.scores(detector, test, names)
        advance(1)
        every = list(range(len(names)))
        passes = {
            "reordered": among(every[::-1], trained.detector()),
            "reseeded": among(every, trained.detector(), _other(trained)),
        }
        parts = [among([clip], trained.detector()) for clip in picked]
    passes["alone"] = (np.concatenate([scores for scores, _ in parts]), np.concatenate([index for _, index in parts]))
    found = {name: _difference(together[index], scores, scale[index]) for name, (scores, index) in passes.items()}
    return LeakReport(
        clips=tuple(names[clip].name for clip in picked),
        clips_of=having,
        windows=len(passes["alone"][1]),
        rebuilt=_difference(stored.score, together, scale),
        again=_difference(together, again.score, scale),
        **found,
    )


def keep_check(run: StoredRun, check: LeakCheck) -> LeakCheck:
    """Puts a finding into the record of a run, in one step, unless one stands there that it may not replace.

    Returns:
        The finding that stands in the record now.

    Raises:
        DriftError: if the run has been made anew since it was opened.
        UsageError: if the record cannot be written; then it is as it was.
    """
    record = folders.open_run(run.path).record
    if record.files != run.record.files:
        raise DriftError("the run has been made anew while it was checked", where=run.path, remedy="check it again")
    if record.leak_check is not None and not check.replaces(record.leak_check):
        return record.leak_check
    try:
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=run.path) as beside:
            folders.write_record(Path(beside), record.model_copy(update={"leak_check": check}))
            (Path(beside) / folders.RECORD).replace(run.path / folders.RECORD)
    except OSError as error:
        raise UsageError(
            f"the finding cannot be recorded: {error.strerror or error}",
            where=run.path / folders.RECORD,
            remedy="make room and check the permissions",
        ) from error
    return check


def _picked(inputs: Inputs, wanted: int | None, seed: int) -> tuple[list[int], int]:
    """Numbers of the clips to score alone, drawn without looking at anything but the seed; and how many have windows."""
    having = np.unique(inputs.test.clip)
    count = min(len(having), FEW_CLIPS if wanted is None else wanted)
    picked = np.random.default_rng(seed).permutation(having)[:count]
    return sorted(picked.tolist()), len(having)


def _other(trained: Trained) -> int:
    return trained.context.child("another seed of scoring").seed


def _check_same_windows(stored: WindowScores, found: WindowScores) -> None:
    same = stored.score.shape == found.score.shape and all(
        np.array_equal(getattr(stored, column), getattr(found, column)) for column in ("clip", "person", "start")
    )
    if not same:
        raise DriftError(
            "the stored scores are of other windows than this version of vadbench cuts",
            remedy="check with the version that the run was made with, or run again with --force",
        )


def _scale(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a difference of each score is measured by: the spread of all, and the distance from their median."""
    low, median, high = np.quantile(scores, (0.25, 0.5, 0.75))
    # Where half of the scores are one number they have no such range; scores that never vary have only their size.
    spread = (high - low) or scores.std() or abs(median) or 1.0
    return np.asarray(spread + np.abs(scores - median))


def _difference(wanted: NDArray[np.float64], got: NDArray[np.float64], scale: NDArray[np.float64]) -> Difference:
    absolute = np.abs(wanted - got)
    relative = absolute / scale
    by_window = relative.reshape(len(relative), -1).max(axis=1, initial=0)
    varies = np.ptp(wanted) > 0 and np.ptp(got) > 0
    return Difference(
        largest=float(absolute.max(initial=0)),
        relative=float(by_window.max(initial=0)),
        windows=int((by_window > TOLERANCE).sum()),
        rank_correlation=float(spearmanr(wanted.ravel(), got.ravel()).statistic) if varies else None,
    )
