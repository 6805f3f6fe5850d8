"""Running a job: windows, fit, score, and only then labels, metrics and the stored run."""

from __future__ import annotations

import logging
import math
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vadbench.api import Context, Detector, Diagnosed, Progress, Silent, VadbenchError, WindowScores
from vadbench.api.process_state import process_kept
from vadbench.engine.build import build_detector, count_parameters
from vadbench.engine.composing.part_store import PartStore
from vadbench.engine.composing.validation import chooses_by_validation, tell_of_validation
from vadbench.engine.device import cpu_threads
from vadbench.engine.inputs import Inputs, read_labels, read_test_labels
from vadbench.engine.job_inputs import inputs_of_job
from vadbench.engine.plugin_faults import method_step
from vadbench.engine.provenance import brought_by, environment, peak_memory_mb, run_identity, training_identity
from vadbench.engine.scoring import score_windows
from vadbench.engine.training.checkpoints import Checkpoints
from vadbench.engine.training.compilation import check_compiler, compiled_for_scoring
from vadbench.engine.training.events import TensorBoardEvents
from vadbench.engine.training.taken_up import taken_up
from vadbench.engine.training.trainer import Training, seeded
from vadbench.evaluation.report import evaluate
from vadbench.store import folders
from vadbench.store.arrays import as_tensors, save_labels, save_scores, save_weights
from vadbench.store.record import Choice, Cost, DatasetRecord, MethodRecord, Metrics, RunRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How trainings are watched and kept; only ``compiled`` decides what comes of them.

    Args:
        checkpoint_s: Seconds between two checkpoints; 0 for one after every step.
        compiled: Whether losses, and what batches are scored with, are compiled with ``torch.compile``.
        tensorboard: Folder below which events for TensorBoard are written; None for none.
    """

    checkpoint_s: float = 300.0
    compiled: bool = False
    tensorboard: Path | None = None


@process_kept()
def run_job(
    job: Job,
    plugins: Plugins,
    *,
    out: Path,
    device: str = "cpu",
    threads: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    options: TrainingOptions | None = None,
    shared_parts: Path | None = None,
    announce: Callable[[str], None] | None = None,
) -> Outcome:
    """Makes one run, finds it finished, or takes it up where a killed process left it.

    Args:
        job: What to run.
        plugins: Installed plug-ins.
        out: Folder of all runs.
        device: As `choose_device` gives it.
        threads: CPU threads to compute on; see `cpu_threads`.
        force: Run again even if a finished identical run is there, and throw away what is unfinished.
        progress: Where to show progress.
        options: Of the trainings.
        shared_parts: Folder in which trained parts of compositions are found and kept, for other runs as well; by default they
            are kept for this run, and only until it is stored.
        announce: Told what is taken up again, if anything is.

    Raises:
        VadbenchError: if the run cannot be made; then nothing is stored.
    """
    progress, options = progress or Silent(), options or TrainingOptions()
    if options.compiled:
        check_compiler()
    events = TensorBoardEvents(options.tensorboard.absolute()) if options.tensorboard is not None else None
    method, by_validation = job.resolved.method, chooses_by_validation(job.resolved)
    inputs = inputs_of_job(job, progress)
    if job.pretrained is not None:
        job = replace(job, resolved=job.pretrained.on_poses(job.resolved, inputs.poses["train"]))
    read = dict(inputs.poses)
    if by_validation:
        read["validation labels"] = read_labels(job.dataset, "validation", inputs.validation_clips).fingerprint()
    computed: dict[str, Any] = {"device": device, "threads": threads, "poses": read, "compiled": options.compiled}
    run_id = run_identity(job, plugins, **computed)
    path = folders.run_path(out, method.name, job.dataset.info.name, job.seed, run_id)
    if not force and (finished := _finished(path, job, inputs)):
        folders.remove_unfinished(path)
        return Outcome(finished, reused=True)
    # Absolute, as a component may change the directory while it is trained.
    with folders.unfinished_run(path.absolute(), afresh=force) as unfinished, _run_log(unfinished / folders.LOG) as logger:
        folders.remove_leftovers(out)
        if left := taken_up(unfinished, method.name):
            logger.info("taken up again: %s", left)
            (announce or _unheard)(f"taken up again: {left}")
        training = Training(
            Checkpoints(unfinished / folders.CHECKPOINTS, options.checkpoint_s, run_id),
            compiled=options.compiled,
            events=events.below(path.relative_to(out)) if events is not None else None,
        )
        parts = PartStore(
            unfinished / folders.PARTS if shared_parts is None else shared_parts.absolute(),
            training_identity(job, plugins, **computed),
        )
        compiler = compiled_for_scoring if options.compiled else None
        with tempfile.TemporaryDirectory(dir=unfinished) as work, cpu_threads(threads):
            context = Context(device, job.seed, method.name, progress, logger, Path(work), training, compiler=compiler)
            made = _fit_and_score(job, inputs, context, training, parts)
            where = environment(device, compiled=options.compiled, brought=brought_by(job, plugins))
        with folders.new_run(path) as folder:
            record = _evaluate_and_save(job, inputs, made, folder, run_id=run_id, where=where)
            record = record.model_copy(update={"leak_check": _check_of_the_same_scores(path, record)})
            logger.info("AUROC %s, not smoothed %s", record.metrics.auroc, record.metrics.auroc_raw)
            shutil.copyfile(unfinished / folders.LOG, folder / folders.LOG)
            folders.write_record(folder, record)
    return Outcome(folders.open_run(path), reused=False)


def _unheard(_text: str) -> None:
    """Takes announcements that nobody asked for."""


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


@process_kept()
def _fit_and_score(job: Job, inputs: Inputs, context: Context, training: Training, parts: PartStore) -> _Made:
    method = job.resolved
    context.logger.info("%s on %s, seed %d", method.method.name, job.dataset.info.name, job.seed)
    for split, counts in inputs.counts().items():
        context.logger.info("%s: %s", split, ", ".join(f"{count} {what}" for what, count in counts.items()))
    detector = build_detector(method, inputs.train.shape, context, parts=parts)
    tell_of_validation(detector, inputs, job.dataset, job.protocol)
    started = time.perf_counter()
    if job.pretrained is not None:
        job.pretrained.put_into(detector, method)
    else:
        with method_step("fit", method), seeded(context.child("fit").seed):
            detector.fit(inputs.train, context)
    # What an undisturbed run would have taken: with the seconds of those whose work was taken up.
    fit_s = time.perf_counter() - started + training.resumed_s + parts.reused_s
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
            title=method.method.title,
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
