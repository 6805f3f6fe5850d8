"""Readings: figures of a variant that come from the stored scores of a run, with nothing trained and no window scored again.

A term alone is the stored term. A reading with other settings of the scorer fuses the stored terms anew: the scorer is built
with those settings and takes back what the run's own scorer learned from training windows, so that the scores are those of a
run with these settings. That holds for a scorer whose state does not depend on the settings that are changed, and for scores
that are not averages over views of something nonlinear; the first half is checked by fusing with the run's own settings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.api import DataError, DriftError, PluginError, UsageError
from vadbench.api.process_state import process_kept
from vadbench.engine.config import validated_config
from vadbench.engine.plugin_faults import method_step
from vadbench.engine.trained import method_of_run
from vadbench.store.arrays import load_weights
from vadbench.store.folders import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from vadbench.api import Registry, Scorer, WindowScores
    from vadbench.engine.ablation.grid import Reading
    from vadbench.store.folders import StoredRun

_STATE: Final = "scorer."


@dataclass(frozen=True, slots=True)
class Figure:
    """Where the figure of a variant on a data set with a seed comes from.

    Args:
        run: A stored run.
        reading: How it is read; None for the run's own scores.
        registry: Of the scorers.
    """

    run: StoredRun
    reading: Reading | None
    registry: Registry

    @property
    def smoothed(self) -> bool:
        """Whether the protocol's shift and smoothing belong to the figure."""
        return self.reading is None or self.reading.smoothing is None

    def scores(self) -> WindowScores:
        """The window scores.

        Raises:
            DataError: if the run has no such term, or a file is missing or damaged.
            DriftError: if a file has changed since, or the run's own scorer does not give its stored scores.
            ConfigError: for a setting that the scorer does not have.
        """
        scores = self.run.scores()
        if self.reading is None or self.reading.smoothing is not None:
            return scores
        if self.reading.scorer is not None:
            return replace(scores, score=_fused_anew(self.run, scores, self.reading.scorer, self.registry))
        term = self.reading.term or ""
        if term not in scores.terms:
            known = ", ".join(scores.terms) or "none"
            raise DataError(
                f"the run has no term {term!r}", where=self.run.path, remedy=f"its terms: {known}; see composition.terms"
            )
        return scores.of_term(term)


def _fused_anew(run: StoredRun, scores: WindowScores, changes: Mapping[str, Any], registry: Registry) -> NDArray[np.float64]:
    """(W,) the stored terms, fused by the run's scorer with some settings changed."""
    method = method_of_run(run, registry)
    if "scorer" not in method.components:
        raise UsageError("the method has no scorer whose settings could be changed", where=run.path)
    state = {
        name.removeprefix(_STATE): value for name, value in load_weights(run.path / WEIGHTS).items() if name.startswith(_STATE)
    }
    entry = method.components["scorer"].entry
    if hasattr(entry.load(), "choose"):
        raise UsageError(
            f"scorer {entry.name!r} chose on a validation split with the settings it had: others cannot be read from its run",
            where=run.path,
            remedy='make the variant a run of its own in the grid: set = ["scorer..."] instead of reading.scorer',
        )
    settings = {key: value for key, value in method.settings["scorer"].items() if key != "name"}
    with process_kept(), method_step("fuse its stored terms", method):
        made: list[Scorer] = []
        for each in (settings, {**settings, **changes}):
            scorer = entry.load()(validated_config(entry, each))
            scorer.load_state_dict(state)
            made.append(scorer)
        own, anew = (np.asarray(scorer.score(scores.terms), dtype=np.float64) for scorer in made)
    if own.shape != scores.score.shape or not np.allclose(own, scores.score, rtol=1e-9, atol=1e-9):
        raise DriftError(
            "the run's scorer does not give its stored scores from its stored terms, so other settings of it cannot be read",
            where=run.path,
            remedy='make the variant a run of its own in the grid: set = ["scorer..."] instead of reading.scorer',
        )
    if anew.shape != own.shape:
        raise PluginError(f"the scorer gave {anew.shape} scores for {own.shape} windows", where=entry.target)
    return anew
