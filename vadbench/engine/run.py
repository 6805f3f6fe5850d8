"""Running a job: windows, fit, score, and only then labels, metrics and the stored run."""

from __future__ import annotations

import logging
import math
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vadbench.api import Context, Detector, Diagnosed, Progress, Silent, VadbenchError, WindowScores
from vadbench.data.cache.track_cache import default_cache
from vadbench.engine.build import build_detector, count_parameters
from vadbench.engine.device import cpu_threads
from vadbench.engine.inputs import Inputs, read_inputs, read_test_labels
from vadbench.engine.plugin_faults import method_step
from vadbench.engine.provenance import environment, peak_memory_mb, run_identity
from vadbench.engine.scoring import score_windows
from vadbench.engine.trainer import seeded, train
from vadbench.evaluation.report import evaluate
from vadbench.store import folders
from vadbench.store.arrays import as_tensors, save_labels, save_scores, save_weights
from vadbench.store.record import Choice, Cost, DatasetRecord, MethodRecord, Metrics, RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.engine.plan import Job
    from vadbench.engine.plugins import Plugins
    from vadbench.store.record import Environment, LeakCheck


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job's stored run, and whether it was there already."""

    run: folders.StoredRun
    reused: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """What a method gave: scores of the test windows, weights, what it says of its training and its choices, and the cost."""

    scores: WindowScores
    weights: dict[str, Any]
    diagnostics: dict[str, float]
    choices: tuple[Choice, ...]
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
        record = record.model_copy(update={"leak_check": _check_of_the_same_scores(path, record)})
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


def _check_of_the_same_scores(path: Path, record: RunRecord) -> LeakCheck | None:
    """What was found of the run that is replaced, if it had these very scores: running again does not take it away."""
    try:
        earlier = folders.open_run(path).record
    except VadbenchError:
        return None
    return earlier.leak_check if earlier.files.get(folders.SCORES) == record.files[folders.SCORES] else None


def _fit_and_score(job: Job, inputs: Inputs, context: Context) -> _Made:
    method = job.resolved
    context.logger.info("%s on %s, seed %d", method.method.name, job.dataset.info.name, job.seed)
    for split, counts in inputs.counts().items():
        context.logger.info("%s: %s", split, ", ".join(f"{count} {what}" for what, count in counts.items()))
    detector = build_detector(method, inputs.train.shape, context)
    started = time.perf_counter()
    with method_step("fit", method), seeded(context.child("fit").seed):
        detector.fit(inputs.train, context)
    fit_s = time.perf_counter() - started
    with method_step("tell what it learned", method):
        # Before it scores, so that whoever loads them begins where scoring began, whatever scoring changes.
        weights = as_tensors(detector.state_dict())  # type: ignore[attr-defined] # checked by the registry
    started = time.perf_counter()
    with method_step("score", method), seeded(context.child("score").seed):
        scores = score_windows(detector, inputs.test, inputs.test_clips, context)
    score_s = time.perf_counter() - started
    with method_step("tell what it learned", method):
        return _Made(
            scores=scores,
            weights=weights,
            diagnostics=_diagnostics(detector),
            choices=tuple(Choice(**asdict(choice)) for choice in context.choices),
            cost=Cost(
                parameters=count_parameters(detector),
                fit_s=fit_s,
                score_s=score_s,
                windows_per_s=len(scores) / score_s if score_s > 0 else None,
                peak_rss_mb=peak_memory_mb(),
            ),
        )


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
    pipeline = job.protocol.on(info.name)
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
            frame_rate=info.frame_rate,
            poses=inputs.poses,
            labels=labels.fingerprint(),
            counts=inputs.counts(),
        ),
        seed=job.seed,
        protocol=job.protocol.name,
        protocol_digest=job.protocol.digest(),
        metrics=Metrics.of(evaluate(made.scores, labels, scenes, pipeline, info.frame_rate)),
        terms={name: Metrics.of(evaluate(term, labels, scenes, pipeline, info.frame_rate)) for name, term in terms.items()},
        diagnostics=made.diagnostics,
        choices=made.choices,
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
