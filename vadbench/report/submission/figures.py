"""Every figure of a submission computed again from its raw scores, and held against what its row says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api import BundleMeta, DataError, VadbenchError, read_window_scores
from vadbench.api.bundle_meta import META
from vadbench.evaluation.published_protocols import protocol_named
from vadbench.report.recompute import TOLERANCE
from vadbench.report.rescoring_entrants import entrant_of_bundle
from vadbench.report.row_figures import row_figures, scored_seed
from vadbench.store.bundle import ScoreBundle, load_bundle
from vadbench.store.folders import SCORES
from vadbench.store.submission import ROW, seed_folder
from vadbench.store.untrusted import check_archive, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vadbench.api import WindowScores
    from vadbench.api.context import Advance
    from vadbench.evaluation.clip_pairs import ClipPairs
    from vadbench.evaluation.protocol import Pipeline
    from vadbench.report.row_figures import ScoredSeed
    from vadbench.report.submission.files import Sent
    from vadbench.report.submission.findings import Findings
    from vadbench.report.submission.labels import HeldAgainst
    from vadbench.store.record import Metrics
    from vadbench.store.row_record import RowRecord, SeedResult


@dataclass(frozen=True, slots=True)
class SeedFigures:
    """A seed as the row tells it and as its scores give it.

    Args:
        seed: Which.
        row: AUROC of the row, in [0, 1].
        metrics: What the scores give.
        windows: How many were scored.
    """

    seed: int
    row: float | None
    metrics: Metrics
    windows: int


def recomputed(sent: Sent, against: HeldAgainst, findings: Findings, advance: Advance) -> list[SeedFigures]:
    """The figures of every seed whose scores can be read, each difference from the row a finding.

    Args:
        sent: The submission.
        against: What its scores are held against.
        findings: Takes every difference.
        advance: Called with 1 for each seed.
    """
    row = sent.row
    try:
        pipeline = protocol_named(row.protocol).on(row.dataset.name)
    except VadbenchError:
        return []  # an unknown protocol was found before
    _check_split(sent, against, findings)
    found: list[SeedFigures] = []
    pairs: list[ClipPairs] = []
    same: dict[bytes, list[int]] = {}
    for result in row.seeds:
        scores = _scores(sent, result, against, findings)
        advance(1)
        if scores is None:
            continue
        same.setdefault(scores.score.tobytes(), []).append(result.seed)
        if len(scores) and scores.score.min() == scores.score.max():
            findings.warning("all scores are the same", f"{seed_folder(result.seed)}/{SCORES}")
        _check_count(row, scores, findings)
        figures = _figures(scores, result, against, pipeline, findings)
        if figures is not None:
            found.append(SeedFigures(result.seed, result.auroc, figures.metrics, len(scores)))
            pairs.append(figures.pairs)
    _check_seeds_differ(row, same.values(), findings)
    if len(found) == len(row.seeds):
        try:
            _check_row(row, found, pairs, against, findings)
        except Exception as error:
            findings.damaged(f"the row's figures cannot be computed from those of its seeds: {_said(error)}", ROW)
    else:
        findings.note("interval and means were not computed, for not every seed was", ROW)
    return found


def _figures(
    scores: WindowScores, result: SeedResult, against: HeldAgainst, pipeline: Pipeline, findings: Findings
) -> ScoredSeed | None:
    truth = against.truth
    try:
        with np.errstate(all="ignore"):  # of what overflows the evaluation says more than a warning
            figures = scored_seed(scores, truth.labels, truth.scenes, pipeline, truth.frame_rate)
    except VadbenchError as error:
        findings.error(error, f"{seed_folder(result.seed)}/{SCORES}")
        return None
    except Exception as error:
        findings.damaged(f"no figures can be computed from these scores: {_said(error)}", f"{seed_folder(result.seed)}/{SCORES}")
        return None
    for name in ("auroc", "auroc_raw", "ap"):
        _compare(f"{name} of seed {result.seed}", getattr(result, name), getattr(figures.metrics, name), findings)
    return figures


def _check_row(
    row: RowRecord, found: list[SeedFigures], pairs: list[ClipPairs], against: HeldAgainst, findings: Findings
) -> None:
    figures = row_figures([each.metrics for each in found], pairs, against.truth.labels)
    for name in ("auroc", "auroc_raw", "ap"):
        told, given = getattr(row, name), getattr(figures, name)
        _compare(f"mean {name}", told.mean, given.mean, findings)
        _compare(f"sd of {name}", told.sd, given.sd, findings)
    if row.interval is None or figures.interval is None:
        if row.interval != figures.interval:
            findings.tampered(f"interval: the row says {row.interval}, the scores give {figures.interval}", f"{ROW}: interval")
    else:
        for end, told, given in zip(("lower", "upper"), row.interval, figures.interval, strict=True):
            _compare(f"{end} end of the interval", told, given, findings)
    for oracle in ("clip_level", "clip_share"):
        _compare(f"oracle {oracle}", getattr(row.oracles, oracle), getattr(figures.oracles, oracle), findings, by="labels")


def _scores(sent: Sent, result: SeedResult, against: HeldAgainst, findings: Findings) -> WindowScores | None:
    """The scores of a seed, if they can be read and are of the data set's clips."""
    folder = sent.folder / seed_folder(result.seed)
    name = f"{folder.name}/{SCORES}"
    if name not in sent.files or (sent.row.scores_only and f"{folder.name}/{META}" not in sent.files):
        return None
    try:
        check_archive(folder / SCORES)
        if sent.row.scores_only:
            read_json(folder / META)  # small, and no key twice, before anything else is read from it
        bundle = load_bundle(folder) if sent.row.scores_only else _bundle_of_seed(folder / SCORES, sent.row)
        entrant_of_bundle(bundle, against.truth)
    except VadbenchError as error:
        findings.error(error, _file_of(error, folder.name))
        return None
    except Exception as error:
        findings.damaged(f"the scores cannot be read: {_said(error)}", name)
        return None
    if sent.row.scores_only:
        _check_meta(bundle.meta, sent.row, result, f"{folder.name}/{META}", findings)
    elif against.inputs is not None:
        _check_windows(bundle.scores, against, name, findings)
    return bundle.scores


def _bundle_of_seed(path: Path, row: RowRecord) -> ScoreBundle:
    """A run's scores read as a stranger's: every column is checked."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            length = archive["length"] if "length" in archive.files else np.zeros(1)
    except Exception as error:  # of a damaged file NumPy, zipfile and zlib each complain in their own way
        raise DataError(f"the file cannot be read: {error}", where=path) from error
    if length.shape != () or length.dtype.kind not in "iu" or int(length) < 1:
        raise DataError("the array length is missing, or is no number of frames", where=path)
    meta = BundleMeta(method="scores", window_length=int(length), dataset=row.dataset.name, higher_is_more_anomalous=True)
    return ScoreBundle(path, meta, read_window_scores(path, int(length), flip=False))


def _check_meta(meta: BundleMeta, row: RowRecord, result: SeedResult, where: str, findings: Findings) -> None:
    for key, told, of_row in (
        ("method", meta.method, row.method.name),
        ("seed", meta.seed, result.seed),
        ("track", meta.track, row.method.track),
        ("dataset", meta.dataset, row.dataset.name),
    ):
        if told != of_row:
            findings.tampered(f"{key}: the row says {of_row!r}, meta.json {told!r}", where)


def _check_windows(scores: WindowScores, against: HeldAgainst, where: str, findings: Findings) -> None:
    """Whether the scored windows are those that the row's configuration cuts."""
    inputs = against.inputs
    if inputs is None:
        return
    cut = inputs.test.select(inputs.test.view == 0)
    names = np.array([clip.name for clip in inputs.test_clips], dtype=np.str_)
    due = set(zip(names[cut.clip].tolist(), cut.person.tolist(), cut.start.tolist(), strict=True))
    given = set(zip(scores.clip.tolist(), scores.person.tolist(), scores.start.tolist(), strict=True))
    if due != given:
        findings.tampered(
            f"windows: {len(given)} are scored, and the configuration cuts {len(due)}; {len(given - due)} are none of them, "
            f"and {len(due - given)} have no score",
            where,
        )
    if scores.length != inputs.test.rule.length:
        what = f"length of a window: the scores say {scores.length}, the configuration {inputs.test.rule.length}"
        findings.tampered(what, where)


def _check_split(sent: Sent, against: HeldAgainst, findings: Findings) -> None:
    """Clips and frames of the test split as the labels have them."""
    told, labels = sent.row.dataset.counts.get("test", {}), against.truth.labels
    has = {"clips": len(labels.clips), "frames": sum(len(part) for part in labels.abnormal)}
    if against.inputs is None:  # with poses at hand all counts have been compared
        for key, value in has.items():
            if told.get(key) != value:
                what = f"{key} of the test split: the row says {told.get(key)}, the labels have {value}"
                findings.tampered(what, f"{ROW}: dataset.counts.test.{key}")


def _check_seeds_differ(row: RowRecord, same: Iterable[list[int]], findings: Findings) -> None:
    learns = {result.seed for result in row.seeds if result.cost is None or result.cost.parameters > 0}
    for seeds in same:
        if len(seeds) > 1 and learns.issuperset(seeds):
            told = f"{', '.join(map(str, seeds[:-1]))} and {seeds[-1]}"
            what = f"the scores of seeds {told} are the same, and {row.method.label} learns"
            findings.warning(what, f"{seed_folder(seeds[-1])}/{SCORES}")


def _check_count(row: RowRecord, scores: WindowScores, findings: Findings) -> None:
    told = row.dataset.counts.get("test", {}).get("windows")
    if told is not None and len(scores) != told:
        what = f"windows of the test split: the row says {told}, {len(scores)} are scored"
        findings.tampered(what, f"{ROW}: dataset.counts.test.windows")


def _compare(what: str, told: float | None, given: float | None, findings: Findings, by: str = "scores") -> None:
    if told == given:
        return
    if told is None or given is None or abs(told - given) > TOLERANCE:
        findings.tampered(f"{what}: the row says {_figure(told)}, the {by} give {_figure(given)}", ROW)


def _file_of(error: VadbenchError, folder: str) -> str:
    return f"{folder}/{META if error.where is not None and error.where.endswith(META) else SCORES}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _figure(value: float | None) -> str:
    return "null" if value is None else f"{value:.6f}"
