"""The labels that a submission is held against: those of the data set where they are here, else those that were sent in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from vadbench.api import DataError, Locatable, PluginError, VadbenchError
from vadbench.data.cache.track_cache import default_cache
from vadbench.engine.config import WindowsConfig
from vadbench.engine.datasets import open_dataset
from vadbench.engine.inputs import read_inputs
from vadbench.engine.plugin_faults import dataset_step
from vadbench.report.rescoring_entrants import GroundTruth, read_ground_truth
from vadbench.store.arrays import load_labels
from vadbench.store.folders import LABELS
from vadbench.store.submission import ROW
from vadbench.store.untrusted import check_archive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vadbench.api import Dataset, FrameLabels, Progress, Registry
    from vadbench.engine.inputs import Inputs
    from vadbench.report.submission.files import Sent
    from vadbench.report.submission.findings import Findings
    from vadbench.store.row_record import RowRecord

LabelsFrom = Literal["data set", "submission"]


@dataclass(frozen=True, slots=True)
class HeldAgainst:
    """What the scores are held against.

    Args:
        truth: Labels, scenes, frame rate.
        labels_from: Whose they are.
        inputs: Poses and windows of the data set as the row's configuration cuts them; None where they are not here.
    """

    truth: GroundTruth
    labels_from: LabelsFrom
    inputs: Inputs | None


def held_against(sent: Sent, registry: Registry, root: Path | None, findings: Findings, progress: Progress) -> HeldAgainst | None:
    """The labels of a submission, checked against its row; None where there are none that its figures may be computed from.

    Args:
        sent: As `read_sent` gave it.
        registry: Of the installed components. A data set is opened by its name and the settings that the row tells.
        root: Folder below which data sets lie.
        findings: Takes whatever is wrong, and whose labels were taken.
        progress: Where reading the data is shown.
    """
    own = _own(sent, findings)
    if own is not None and not _same(own[0], sent.row, f"{LABELS} has", findings):
        own = None
    dataset = _dataset(sent.row, registry, root, findings)
    if dataset is not None and _is_here(dataset):
        try:
            truth = read_ground_truth(dataset, sent.row.dataset.settings, default_cache())
        except VadbenchError as error:
            findings.warning(f"the data set is here and cannot be read: {error.what}", "labels")
        else:
            if not _same(truth.labels, sent.row, f"those of {truth.dataset} here have", findings):
                return None
            findings.note(f"labels: those of the data set {truth.dataset}, which is here; they are the row's", "labels")
            return HeldAgainst(truth, "data set", _inputs(sent.row, dataset, findings, progress))
    if own is None:
        findings.damaged("not recomputed: no labels here; give the folder of the data sets with --data-root", "labels")
        return None
    labels, scenes = own
    findings.note(f"labels: those of the submission, for {sent.row.dataset.name} is not here; they are the row's", LABELS)
    record = sent.row.dataset
    truth = GroundTruth(record.name, "", record.stand_in, labels, scenes, record.frame_rate)
    return HeldAgainst(truth, "submission", None)


def _is_here(dataset: Dataset) -> bool:
    if not isinstance(dataset, Locatable):
        return True
    with dataset_step("say whether its files are there", dataset):
        return dataset.available()


def _own(sent: Sent, findings: Findings) -> tuple[FrameLabels, Mapping[str, str]] | None:
    if LABELS not in sent.files:
        return None
    path = sent.folder / LABELS
    try:
        check_archive(path)
        return _sound(*load_labels(path))
    except VadbenchError as error:
        findings.error(error, LABELS)
    except (ValueError, TypeError, IndexError) as error:  # columns of other lengths and shapes than labels have
        findings.damaged(f"these are no labels: {error}", LABELS)
    return None


def _sound(labels: FrameLabels, scenes: Mapping[str, str]) -> tuple[FrameLabels, Mapping[str, str]]:
    if len(set(labels.clips)) < len(labels.clips):
        raise DataError("a clip stands there twice")
    for part in (*labels.abnormal, *labels.keep):
        if part.dtype != np.bool_:
            raise DataError(f"labels are yes or no, not of type {part.dtype}")
    return labels, scenes


def _same(labels: FrameLabels, row: RowRecord, has: str, findings: Findings) -> bool:
    fingerprint = labels.fingerprint()
    if fingerprint == row.dataset.labels:
        return True
    what = f"fingerprint of the labels: the row says {row.dataset.labels}, {has} {fingerprint}"
    findings.tampered(what, f"{ROW}: dataset.labels")
    return False


def _dataset(row: RowRecord, registry: Registry, root: Path | None, findings: Findings) -> Dataset | None:
    """The installed data set of the row's name, if what the row says of it is so."""
    told = row.dataset
    if told.name not in registry.names("dataset"):
        what = f"no data set {told.name!r} is installed here: what the row says of it was not checked"
        findings.warning(what, f"{ROW}: dataset")
        return None
    try:
        dataset = open_dataset(told.name, registry, root=root, settings=told.settings)
    except PluginError as error:
        # A fault of what is installed here, and none of the submission.
        findings.warning(f"the data set {told.name} cannot be opened here: {error.what}", f"{ROW}: dataset")
        return None
    except VadbenchError as error:
        findings.error(error, f"{ROW}: dataset.settings")
        return None
    info = dataset.info
    for key, of_row, here in (
        ("title", told.title, info.title),
        ("stand_in", told.stand_in, info.stand_in),
        ("frame_rate", told.frame_rate, info.frame_rate),
    ):
        if of_row != here:
            what = f"{key} of the data set: the row says {of_row!r}, {info.name} has {here!r}"
            findings.tampered(what, f"{ROW}: dataset.{key}")
    if not row.scores_only and info.supervised != (row.method.track == "supervised"):
        holds = "abnormal clips" if info.supervised else "normal clips alone"
        findings.tampered(
            f"track: the row says {row.method.track}, and the training split of {info.name} so read holds {holds}",
            f"{ROW}: method.track",
        )
    return dataset


def _inputs(row: RowRecord, dataset: Dataset, findings: Findings, progress: Progress) -> Inputs | None:
    """Poses and windows as the row was made from, if its fingerprints and counts are those of the data set."""
    told = row.dataset
    if row.method.config is None:
        return None
    try:
        inputs = read_inputs(
            dataset,
            WindowsConfig.model_validate(row.method.config.get("windows", {})),
            progress,
            settings=told.settings,
            cache=default_cache(),
            validation="validation" in told.poses,
            supervised="train labels" in told.poses,
        )
    except (VadbenchError, ValueError) as error:
        what = f"windows could not be cut as the row's configuration says: {str(error).splitlines()[0]}"
        findings.warning(what, f"{ROW}: dataset")
        return None
    for split in sorted(inputs.poses.keys() | told.poses.keys()):
        of_row, here = told.poses.get(split), inputs.poses.get(split)
        if of_row != here:
            where = f"{ROW}: dataset.poses.{split}"
            findings.tampered(f"fingerprint of {split}: the row says {of_row}, the data set here has {here}", where)
    counts = inputs.counts()
    for split in sorted(counts.keys() | told.counts.keys()):
        said, has = told.counts.get(split, {}), counts.get(split, {})
        for key in sorted(said.keys() | has.keys()):
            if said.get(key) != has.get(key):
                what = f"{key} of the {split} split: the row says {said.get(key)}, the data set has {has.get(key)}"
                findings.tampered(what, f"{ROW}: dataset.counts.{split}.{key}")
    return inputs
