"""Builders of stored runs for tests: scores and labels made up, written through the store, nothing trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vadbench.api import FrameLabels, WindowScores
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.evaluation.report import evaluate
from vadbench.store import folders
from vadbench.store.arrays import save_labels, save_scores
from vadbench.store.record import Cost, DatasetRecord, Environment, MethodRecord, Metrics, RunRecord

LENGTH = 8
"""Frames of a window."""
FRAMES = 60
"""Frames of a clip."""
ABNORMAL = {"01_01": ((10, 20), (40, 45)), "01_02": ((25, 50),), "02_01": ()}
"""Clip to its abnormal stretches, first frame and the one after the last."""
SCENES = {"01_01": "01", "01_02": "01", "02_01": "02"}
PERSONS = {"01_01": (1, 2), "01_02": (1, 2, 3), "02_01": (7,)}


def made_labels(abnormal: Mapping[str, Any] = ABNORMAL, *, leave_out: tuple[int, int] = (0, 0)) -> FrameLabels:
    """Labels of every clip; the frames ``leave_out`` of each clip do not count."""
    truth, keep = [], []
    for stretches in abnormal.values():
        line, counts = np.zeros(FRAMES, dtype=bool), np.ones(FRAMES, dtype=bool)
        for first, end in stretches:
            line[first:end] = True
        counts[slice(*leave_out)] = False
        truth.append(line)
        keep.append(counts)
    return FrameLabels(tuple(abnormal), tuple(truth), tuple(keep))


def made_scores(
    labels: FrameLabels, *, seed: int = 0, skill: float = 1.0, terms: bool = False, persons: Mapping[str, Any] = PERSONS
) -> WindowScores:
    """Noise, and ``skill`` more for windows centred on an abnormal frame."""
    rng = np.random.default_rng(seed)
    clips, people, starts, truth = [], [], [], []
    for clip, abnormal in zip(labels.clips, labels.abnormal, strict=True):
        for person in persons[clip]:
            for start in range(FRAMES - LENGTH + 1):
                clips.append(clip)
                people.append(person)
                starts.append(start)
                truth.append(abnormal[start + LENGTH // 2])
    lift = skill * np.array(truth)
    parts = {name: rng.normal(size=len(lift)) + lift for name in ("semantic", "detail")}
    score = parts["semantic"] + parts["detail"]
    return WindowScores(np.array(clips), np.array(people), np.array(starts), score, LENGTH, parts if terms else {})


def write_run(
    root: Path,
    *,
    method: str = "knn",
    dataset: str = "campus",
    dataset_settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    run_id: str = "0123456789ab",
    track: str = "one-class",
    changes: tuple[str, ...] = (),
    config_hash: str = "c0c0c0c0c0c0",
    config: Mapping[str, Any] | None = None,
    threads: int = 1,
    compiled: bool = False,
    created: str = "2026-01-01T00:00:00+00:00",
    stand_in: bool = False,
    terms: bool = False,
    skill: float = 1.0,
    poses: str = "p0",
    labels: FrameLabels | None = None,
    scores: WindowScores | None = None,
    fit_s: float = 2.0,
) -> folders.StoredRun:
    """Writes one run folder and opens it."""
    labels = made_labels() if labels is None else labels
    scores = made_scores(labels, seed=seed, skill=skill, terms=terms) if scores is None else scores
    path = folders.run_path(root, method, dataset, seed, run_id)
    scenes, steps = {clip: clip[:2] for clip in labels.clips}, STANDARD_V1.on(dataset)
    with folders.new_run(path) as folder:
        save_scores(folder / folders.SCORES, scores)
        save_labels(folder / folders.LABELS, labels, scenes)
        record = RunRecord(
            id=run_id,
            created=created,
            method=MethodRecord(
                name=method,
                track=track,
                components={"detector": method},
                changes=changes,
                config=dict(config or {}),
                config_hash=config_hash,
            ),
            dataset=DatasetRecord(
                name=dataset,
                title=dataset,
                stand_in=stand_in,
                settings=dict(dataset_settings or {}),
                poses={"train": poses, "test": poses},
                labels=labels.fingerprint(),
                counts={},
            ),
            seed=seed,
            protocol=STANDARD_V1.name,
            protocol_digest=STANDARD_V1.digest(),
            metrics=Metrics.of(evaluate(scores, labels, scenes, steps)),
            terms={name: Metrics.of(evaluate(scores.of_term(name), labels, scenes, steps)) for name in scores.terms},
            cost=Cost(parameters=1000 + seed, fit_s=fit_s, score_s=0.5, windows_per_s=100.0, peak_rss_mb=None),
            environment=Environment(device="cpu", threads=threads, compiled=compiled, python="3", platform="test", packages={}),
            files={name: folders.file_digest(folder / name) for name in (folders.SCORES, folders.LABELS)},
        )
        folders.write_record(folder, record)
    return folders.open_run(path)
