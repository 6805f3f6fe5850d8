"""Score bundles: window scores that any program can write and read, an ``.npz`` with a ``meta.json`` beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vadbench.api import BundleMeta, DataError, read_bundle_meta, read_window_scores
from vadbench.api.bundle_meta import META
from vadbench.data.whole_folder import whole_folder
from vadbench.store.arrays import save_scores
from vadbench.store.folders import RECORD, SCORES

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import WindowScores
    from vadbench.store.folders import StoredRun


@dataclass(frozen=True, slots=True)
class ScoreBundle:
    """Scores from elsewhere.

    Args:
        path: The ``.npz`` they were read from.
        meta: What was said of them.
        scores: Higher = more anomalous, whichever way they were stored.
    """

    path: Path
    meta: BundleMeta
    scores: WindowScores


def load_bundle(path: Path) -> ScoreBundle:
    """The bundle at an ``.npz`` or in a folder that holds ``scores.npz``; ``meta.json`` lies beside the arrays.

    Raises:
        DataError: for whatever is wrong with either file; see `read_bundle_meta` and `read_window_scores`.
    """
    arrays = path / SCORES if path.is_dir() else path
    if not arrays.exists():
        raise DataError(
            f"there is no {SCORES} in this folder" if path.is_dir() else "there is no such file of scores",
            where=path,
            remedy="give the .npz, or the folder it lies in",
        )
    beside = arrays.with_name(META)
    if not beside.exists() and arrays.with_name(RECORD).exists():
        raise DataError(
            "this is a run folder, not a score bundle",
            where=arrays.parent,
            remedy="give it without --scores: vadbench score RUN",
        )
    meta = read_bundle_meta(beside)
    return ScoreBundle(arrays, meta, read_window_scores(arrays, meta.window_length, flip=not meta.higher_is_more_anomalous))


def save_bundle(folder: Path, meta: BundleMeta, scores: WindowScores, *, replace: bool = False) -> None:
    """Writes ``scores.npz`` and ``meta.json`` into a folder, both or none.

    Args:
        folder: Made if it is not there.
        meta: With ``window_length`` that of the scores.
        scores: Higher = more anomalous if the meta says so.
        replace: Whether a bundle that is there may be replaced.

    Raises:
        UsageError: if one of the files is there and may not be replaced, or nothing can be written.
    """
    if meta.window_length != scores.length:
        raise ValueError(f"windows of {scores.length} frames, and window_length {meta.window_length}")
    with whole_folder(folder, [SCORES, META], replace=replace) as made:
        save_scores(made / SCORES, scores)
        (made / META).write_text(meta.model_dump_json(indent=2, exclude_none=True) + "\n", encoding="utf-8")


def bundle_of_run(run: StoredRun) -> tuple[BundleMeta, WindowScores]:
    """A run's scores and what a bundle says of them; raises as ``run.scores()`` does."""
    scores, record = run.scores(), run.record
    meta = BundleMeta(
        method=record.method.label,
        window_length=scores.length,
        dataset=record.dataset.name,
        higher_is_more_anomalous=True,
        seed=record.seed,
        track=record.method.track,
        notes=f"vadbench run {record.id}, configuration {record.method.config_hash}",
        paper=str(record.method.config.get("paper", "")),
    )
    return meta, scores
