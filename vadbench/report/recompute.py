"""Metrics computed again from the stored scores and labels; the figures of ``run.json`` are checked, never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vadbench.api import DriftError
from vadbench.evaluation.published_protocols import protocol_named
from vadbench.evaluation.report import evaluate
from vadbench.store.folders import RECORD
from vadbench.store.record import Metrics

if TYPE_CHECKING:
    from vadbench.evaluation.protocol import Pipeline, Protocol
    from vadbench.store.folders import StoredRun

TOLERANCE: Final = 1e-6
"""How far a recomputed figure in [0, 1] may lie from the recorded one: room for another version of a library."""

_ADDED_LATER: Final = ("macro_auroc", "eer", "fpr95")
"""Figures that older records do not have."""
_CHECKED: Final = ("auroc", "auroc_raw", "ap", *_ADDED_LATER)


def run_protocol(run: StoredRun) -> Protocol:
    """The protocol of a run.

    Raises:
        UsageError: when this version of vadbench has no protocol of that name.
        DriftError: when the protocol is not the one that the run was evaluated under.
    """
    protocol = protocol_named(run.record.protocol)
    if protocol.digest() != run.record.protocol_digest:
        raise DriftError(
            f"the protocol {protocol.name} is not the one that the run was evaluated under",
            where=run.path / RECORD,
            remedy="run again with --force",
        )
    return protocol


def run_pipeline(run: StoredRun) -> Pipeline:
    """The steps of a run's protocol on its data set; raises as `run_protocol` does."""
    return run_protocol(run).on(run.record.dataset.name)


def recompute(run: StoredRun) -> Metrics:
    """The metrics of a run from its raw scores and labels.

    Raises:
        DriftError: when they are not those that ``run.json`` records, or a file has changed since.
        DataError: when a file is missing or damaged.
    """
    labels, scenes = run.labels()
    metrics = Metrics.of(evaluate(run.scores(), labels, scenes, run_pipeline(run), run.record.dataset.frame_rate))
    _check(run, run.record.metrics, metrics, "")
    return metrics


def recompute_terms(run: StoredRun) -> dict[str, Metrics]:
    """The metrics of each term of a run's score taken alone; raises as `recompute` does."""
    scores, (labels, scenes), pipeline = run.scores(), run.labels(), run_pipeline(run)
    found = {}
    for name in scores.terms:
        found[name] = Metrics.of(evaluate(scores.of_term(name), labels, scenes, pipeline, run.record.dataset.frame_rate))
        if name in run.record.terms:
            _check(run, run.record.terms[name], found[name], f" of the term {name}")
    return found


def _check(run: StoredRun, recorded: Metrics, recomputed: Metrics, what: str) -> None:
    for name in _CHECKED:
        was, now = getattr(recorded, name), getattr(recomputed, name)
        if was == now or (was is None and name in _ADDED_LATER):
            continue
        if was is None or now is None or abs(was - now) > TOLERANCE:
            raise DriftError(
                f"the recorded {name}{what} is {was}, but the stored scores give {now}",
                where=run.path / RECORD,
                remedy="run again with --force; a result whose record was edited cannot be trusted",
            )
