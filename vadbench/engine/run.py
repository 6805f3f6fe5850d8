"""Running a job: data, windows, fit, score, and only then labels, metrics and the stored run."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import (
    Context,
    DataError,
    Detector,
    Diagnosed,
    FrameLabels,
    PluginError,
    Progress,
    Silent,
    TermDetector,
    Tracks,
    UsageError,
    VadbenchError,
    WindowRule,
    Windows,
    WindowScores,
)
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import normaliser
from vadbench.data.windowing import cut_windows
from vadbench.engine.build import build_detector, count_parameters
from vadbench.engine.provenance import environment, peak_memory_mb, run_identity
from vadbench.engine.trainer import train
from vadbench.evaluation.report import evaluate
from vadbench.store import folders
from vadbench.store.arrays import save_labels, save_scores, save_weights
from vadbench.store.record import Cost, DatasetRecord, MethodRecord, Metrics, RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vadbench.engine.config import WindowsConfig
    from vadbench.engine.plan import Job
    from vadbench.engine.plugins import Plugins


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job's stored run, and whether it was there already."""

    run: folders.StoredRun
    reused: bool


def choose_device(wish: str) -> str:
    """``auto`` to ``cuda`` where there is a GPU, else ``cpu``; raises `UsageError` for a device that is not there."""
    import torch

    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wish)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"the device {wish!r} cannot be used: {reason}", remedy="use --device cpu or --device auto") from error
    return wish


def run_job(
    job: Job, plugins: Plugins, *, out: Path, device: str = "cpu", force: bool = False, progress: Progress | None = None
) -> Outcome:
    """Makes one run, or finds it finished.

    Args:
        job: What to run.
        plugins: Installed plug-ins.
        out: Folder of all runs.
        device: As `choose_device` gives it.
        force: Run again even if a finished identical run is there.
        progress: Where to show progress.

    Raises:
        VadbenchError: if the run cannot be made; then nothing is stored.
    """
    progress = progress or Silent()
    method, info = job.resolved.method, job.dataset.info
    with progress.task(f"read {info.name}", 2) as advance:
        train_tracks = job.dataset.tracks("train")
        advance(1)
        test_tracks = job.dataset.tracks("test")
        advance(1)
    poses = {"train": train_tracks.fingerprint(), "test": test_tracks.fingerprint()}
    train_tracks, test_tracks = (convert_layout(tracks, method.windows.layout) for tracks in (train_tracks, test_tracks))
    run_id = run_identity(job, plugins, device=device, poses=poses)
    path = folders.run_path(out, method.name, info.name, job.seed, run_id)
    if not force and (finished := _finished(path, job)):
        return Outcome(finished, reused=True)
    folders.remove_leftovers(out)
    train_windows = _windows(train_tracks, method.windows, training=True)
    test_windows = _windows(test_tracks, method.windows, training=False)
    _check_windows(train_windows, test_windows, info.name)
    with folders.new_run(path) as folder, _run_log(folder / folders.LOG) as logger:
        context = Context(device=device, seed=job.seed, name=method.name, progress=progress, logger=logger, trainer=train)
        logger.info("%s on %s, seed %d, %d training windows", method.name, info.name, job.seed, len(train_windows))
        detector = build_detector(job.resolved, train_windows.shape, context)
        started = time.perf_counter()
        with _plugin_step("fit", job):
            detector.fit(train_windows, context)
        fitted = time.perf_counter()
        with _plugin_step("score", job):
            scores = _scored(detector, test_windows, context)
        finished_at = time.perf_counter()
        labels = job.dataset.labels("test")
        _check_labels(labels, test_tracks)
        scenes = {clip.name: clip.scene for clip in test_tracks.clips}
        save_scores(folder / folders.SCORES, scores)
        save_labels(folder / folders.LABELS, labels, scenes)
        save_weights(folder / folders.WEIGHTS, detector.state_dict())  # type: ignore[attr-defined] # checked by the registry
        score_s = finished_at - fitted
        record = RunRecord(
            id=run_id,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            method=_method_record(job),
            dataset=DatasetRecord(
                name=info.name,
                title=info.title,
                stand_in=info.stand_in,
                settings=dict(job.dataset_settings),
                poses=poses,
                labels=labels.fingerprint(),
                counts={"train": _counts(train_tracks, train_windows), "test": _counts(test_tracks, test_windows)},
            ),
            seed=job.seed,
            protocol=job.protocol.name,
            protocol_digest=job.protocol.digest(),
            metrics=Metrics.of(evaluate(scores, labels, scenes, job.protocol)),
            terms={name: Metrics.of(evaluate(scores.of_term(name), labels, scenes, job.protocol)) for name in scores.terms},
            diagnostics=dict(detector.diagnostics()) if isinstance(detector, Diagnosed) else {},
            cost=Cost(
                parameters=count_parameters(detector),
                fit_s=fitted - started,
                score_s=score_s,
                windows_per_s=len(scores) / score_s if score_s > 0 else None,
                peak_rss_mb=peak_memory_mb(),
            ),
            environment=environment(device),
            files={name: folders.file_digest(folder / name) for name in (folders.SCORES, folders.LABELS, folders.WEIGHTS)},
        )
        logger.info("AUROC %s, not smoothed %s", record.metrics.auroc, record.metrics.auroc_raw)
        folders.write_record(folder, record)
    return Outcome(folders.open_run(path), reused=False)


def _finished(path: Path, job: Job) -> folders.StoredRun | None:
    """The stored run, if it is whole and the labels on disk are still those it was evaluated with."""
    if not (path / folders.RECORD).is_file():
        return None
    try:
        run = folders.open_run(path)
        run.scores()
        run.labels()
    except VadbenchError:
        return None
    return run if run.record.dataset.labels == job.dataset.labels("test").fingerprint() else None


def _windows(tracks: Tracks, config: WindowsConfig, *, training: bool) -> Windows:
    stride = config.train_stride if training else config.test_stride
    rule = WindowRule(config.length, stride, config.missing, config.keep_last)
    return cut_windows(tracks, rule, normaliser(config.normalisation), config.mirror if training else "none")


def _check_windows(train_windows: Windows, test_windows: Windows, dataset: str) -> None:
    for split, windows in (("train", train_windows), ("test", test_windows)):
        if len(windows) == 0:
            tracks = windows.tracks
            longest = int(np.diff(tracks.track_bounds()).max(initial=0))
            raise DataError(
                f"no track of the {split} split is long enough for a window of {windows.rule.length} frames",
                where=f"{dataset}: {len(tracks.clips)} clips, {len(tracks)} poses, longest track {longest} poses",
                remedy="use --set windows.length=N with N below the longest track, or check the tracking of the poses",
            )


def _scored(detector: Detector, windows: Windows, context: Context) -> WindowScores:
    terms: dict[str, Any] = {}
    if isinstance(detector, TermDetector):
        terms = {name: np.asarray(values, dtype=np.float64) for name, values in detector.score_terms(windows, context).items()}
        score = detector.fuse(terms)
    else:
        score = detector.score(windows, context)
    names = np.array([clip.name for clip in windows.tracks.clips], dtype=np.str_)
    return WindowScores(
        clip=names[windows.clip],
        person=windows.person.astype(np.int64),
        start=windows.start.astype(np.int64),
        score=np.asarray(score, dtype=np.float64),
        length=windows.rule.length,
        terms=terms,
    )


def _method_record(job: Job) -> MethodRecord:
    resolved = job.resolved
    return MethodRecord(
        name=resolved.method.name,
        track=resolved.method.track,
        components={kind: component.entry.name for kind, component in resolved.components.items()},
        changes=resolved.changes,
        config=dict(resolved.settings),
        config_hash=resolved.digest,
    )


def _counts(tracks: Tracks, windows: Windows) -> dict[str, int]:
    return {
        "clips": len(tracks.clips),
        "frames": sum(clip.n_frames for clip in tracks.clips),
        "tracks": len(tracks.track_bounds()) - 1,
        "poses": len(tracks),
        "windows": len(windows),
    }


def _check_labels(labels: FrameLabels, tracks: Tracks) -> None:
    names = tuple(clip.name for clip in tracks.clips)
    if labels.clips != names:
        odd = sorted(set(labels.clips) ^ set(names)) or ["their order"]
        raise DataError("poses and ground truth are not of the same clips", where=f"test split: {', '.join(odd[:5])}")
    for clip, truth in zip(tracks.clips, labels.abnormal, strict=True):
        if len(truth) != clip.n_frames:
            raise DataError(
                f"the clip has {clip.n_frames} frames and its ground truth {len(truth)}",
                where=f"clip {clip.name}",
                remedy="use poses and ground truth of the same release",
            )


@contextmanager
def _plugin_step(step: str, job: Job) -> Iterator[None]:
    """Whatever a plug-in raises by itself becomes an error that names it."""
    try:
        yield
    except VadbenchError:
        raise
    except Exception as error:
        parts = ", ".join(f"{kind} {component.entry.name}" for kind, component in job.resolved.components.items())
        raise PluginError(
            f"{job.resolved.method.name} failed to {step}: {type(error).__name__}: {error}",
            where=parts,
            remedy="--debug shows where it failed",
        ) from error


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
