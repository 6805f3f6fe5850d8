"""Running a job: windows, fit, score, and only then labels, metrics and the stored run."""

from __future__ import annotations

import logging
import math
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import (
    Context,
    DataError,
    Detector,
    Diagnosed,
    PluginError,
    Progress,
    Silent,
    TermDetector,
    VadbenchError,
    Windows,
    WindowScores,
)
from vadbench.data.cache.track_cache import default_cache
from vadbench.engine.build import build_detector, count_parameters
from vadbench.engine.device import cpu_threads
from vadbench.engine.inputs import Inputs, read_inputs, read_test_labels
from vadbench.engine.plugin_faults import method_step
from vadbench.engine.provenance import environment, peak_memory_mb, run_identity
from vadbench.engine.trainer import seeded, train
from vadbench.evaluation.report import evaluate
from vadbench.store import folders
from vadbench.store.arrays import as_tensors, save_labels, save_scores, save_weights
from vadbench.store.record import Cost, DatasetRecord, MethodRecord, Metrics, RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vadbench.engine.plan import Job
    from vadbench.engine.plugins import Plugins
    from vadbench.store.record import Environment


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job's stored run, and whether it was there already."""

    run: folders.StoredRun
    reused: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """What a method gave: scores of the test windows, weights, what it says of its training, and what that cost."""

    scores: WindowScores
    weights: dict[str, Any]
    diagnostics: dict[str, float]
    cost: Cost


def run_job(
    job: Job,
    plugins: Plugins,
    *,
    out: Path,
    device: str = "cpu",
    threads: int = 1,
    force: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Makes one run, or finds it finished.

    Args:
        job: What to run.
        plugins: Installed plug-ins.
        out: Folder of all runs.
        device: As `choose_device` gives it.
        threads: CPU threads to compute on; see `cpu_threads`.
        force: Run again even if a finished identical run is there.
        progress: Where to show progress.

    Raises:
        VadbenchError: if the run cannot be made; then nothing is stored.
    """
    progress = progress or Silent()
    method = job.resolved.method
    inputs = read_inputs(job.dataset, method.windows, progress, settings=job.dataset_settings, cache=default_cache())
    run_id = run_identity(job, plugins, device=device, threads=threads, poses=inputs.poses)
    path = folders.run_path(out, method.name, job.dataset.info.name, job.seed, run_id)
    if not force and (finished := _finished(path, job, inputs)):
        return Outcome(finished, reused=True)
    folders.remove_leftovers(out)
    with folders.new_run(path) as folder, _run_log(folder / folders.LOG) as logger:
        with tempfile.TemporaryDirectory(dir=folder.parent) as work, cpu_threads(threads):
            context = Context(device, job.seed, method.name, progress, logger, Path(work), train)
            made = _fit_and_score(job, inputs, context)
            where = environment(device)
        record = _evaluate_and_save(job, inputs, made, folder, run_id=run_id, where=where)
        logger.info("AUROC %s, not smoothed %s", record.metrics.auroc, record.metrics.auroc_raw)
        folders.write_record(folder, record)
    return Outcome(folders.open_run(path), reused=False)


def _finished(path: Path, job: Job, inputs: Inputs) -> folders.StoredRun | None:
    """The stored run, if it is whole and the labels on disk are still those it was evaluated with."""
    if not (path / folders.RECORD).is_file():
        return None
    try:
        run = folders.open_run(path)
        run.verify()
    except VadbenchError:
        return None
    labels = read_test_labels(job.dataset, inputs.test_clips)
    return run if run.record.dataset.labels == labels.fingerprint() else None


def _fit_and_score(job: Job, inputs: Inputs, context: Context) -> _Made:
    method = job.resolved
    context.logger.info("%s on %s, seed %d", method.method.name, job.dataset.info.name, job.seed)
    for split, counts in inputs.counts().items():
        context.logger.info("%s: %s", split, ", ".join(f"{count} {what}" for what, count in counts.items()))
    detector = build_detector(method, inputs.train.shape, context)
    started = time.perf_counter()
    with method_step("fit", method), seeded(context.child("fit").seed):
        detector.fit(inputs.train, context)
    fitted = time.perf_counter()
    with method_step("score", method), seeded(context.child("score").seed):
        scores = _score(detector, inputs, context)
    score_s = time.perf_counter() - fitted
    with method_step("tell what it learned", method):
        return _Made(
            scores=scores,
            weights=as_tensors(detector.state_dict()),  # type: ignore[attr-defined] # checked by the registry
            diagnostics=_diagnostics(detector),
            cost=Cost(
                parameters=count_parameters(detector),
                fit_s=fitted - started,
                score_s=score_s,
                windows_per_s=len(scores) / score_s if score_s > 0 else None,
                peak_rss_mb=peak_memory_mb(),
            ),
        )


def _score(detector: Detector, inputs: Inputs, context: Context) -> WindowScores:
    seen = inputs.test
    terms: dict[str, Any] = {}
    if isinstance(detector, TermDetector):
        terms = {name: np.asarray(values, dtype=np.float64) for name, values in detector.score_terms(seen, context).items()}
        score = detector.fuse(terms)
    else:
        score = detector.score(seen, context)
    # The windows come once in each view, the plain one first.
    windows = seen.select(seen.view == 0)
    names = np.array([clip.name for clip in inputs.test_clips], dtype=np.str_)
    try:
        return WindowScores(
            clip=names[windows.clip],
            person=windows.person.astype(np.int64),
            start=windows.start.astype(np.int64),
            score=_mean_over_views(score, seen),
            length=windows.rule.length,
            terms={name: _mean_over_views(values, seen) for name, values in terms.items()},
        )
    except DataError as error:
        # The data are as they should be; it is the method that gave what no score can be.
        raise PluginError(f"{context.name}: {error.what}", where=error.where, remedy=error.remedy) from error


def _mean_over_views(values: Any, seen: Windows) -> NDArray[np.float64]:
    """(W,) or (W, T) of values (V * W,) or (V * W, T): each window's mean over the V views it was seen in.

    Raises:
        DataError: if there is not one value for each window seen.
    """
    every = np.asarray(values, dtype=np.float64)
    if every.shape[:1] != (len(seen),):
        raise DataError(
            f"scores of shape {every.shape} for {len(seen)} windows", remedy="a method scores every window it is given"
        )
    views = 1 + len(seen.views)
    return np.asarray(every.reshape(views, len(seen) // views, *every.shape[1:]).mean(axis=0))


def _diagnostics(detector: Detector) -> dict[str, float]:
    told = dict(detector.diagnostics()) if isinstance(detector, Diagnosed) else {}
    if odd := [name for name, value in told.items() if not math.isfinite(value)]:
        raise ValueError(f"diagnostics are not finite: {', '.join(odd)}")
    return told


def _evaluate_and_save(job: Job, inputs: Inputs, made: _Made, folder: Path, *, run_id: str, where: Environment) -> RunRecord:
    """Reads the labels, now that the scores are final, and writes every file of the run but its record."""
    info, method = job.dataset.info, job.resolved
    labels = read_test_labels(job.dataset, inputs.test_clips)
    scenes = {clip.name: clip.scene for clip in inputs.test_clips}
    save_scores(folder / folders.SCORES, made.scores)
    save_labels(folder / folders.LABELS, labels, scenes)
    save_weights(folder / folders.WEIGHTS, made.weights)
    terms = {name: made.scores.of_term(name) for name in made.scores.terms}
    return RunRecord(
        id=run_id,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        method=MethodRecord(
            name=method.method.name,
            track=method.method.track,
            components={kind: component.entry.name for kind, component in method.components.items()},
            changes=method.changes,
            config=dict(method.settings),
            config_hash=method.digest,
        ),
        dataset=DatasetRecord(
            name=info.name,
            title=info.title,
            stand_in=info.stand_in,
            settings=dict(job.dataset_settings),
            poses=inputs.poses,
            labels=labels.fingerprint(),
            counts=inputs.counts(),
        ),
        seed=job.seed,
        protocol=job.protocol.name,
        protocol_digest=job.protocol.digest(),
        metrics=Metrics.of(evaluate(made.scores, labels, scenes, job.protocol)),
        terms={name: Metrics.of(evaluate(term, labels, scenes, job.protocol)) for name, term in terms.items()},
        diagnostics=made.diagnostics,
        cost=made.cost,
        environment=where,
        files={name: folders.file_digest(folder / name) for name in (folders.SCORES, folders.LABELS, folders.WEIGHTS)},
    )


@contextmanager
def _run_log(path: Path) -> Iterator[logging.Logger]:
    logger = logging.getLogger(f"vadbench.run.{id(path)}")
    logger.setLevel(logging.INFO)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        handler.close()
