"""Examines a data set: each split by itself, then each pair of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vadbench.data.doctor.checks import CHECKS, without_consequences
from vadbench.data.doctor.copies import SplitKeys, leaked_clips, new_scenes, split_keys
from vadbench.data.doctor.diagnosis import Diagnosis, Report, gathered, in_order
from vadbench.data.doctor.reading import inspected
from vadbench.data.doctor.split import ReadSplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.api import Dataset, Progress, Split


def examine(dataset: Dataset, splits: Sequence[Split], lengths: Sequence[int], progress: Progress) -> Report:
    """Every finding on the named splits.

    Args:
        dataset: The data set; what it raises beyond `DataError` is not caught here.
        splits: Which of its splits, in the order they are told.
        lengths: Window lengths T to judge tracks by, at least one; the first is the data set's usual one.
        progress: Told after each step.
    """
    diagnoses: list[Diagnosis] = []
    earlier: list[SplitKeys] = []
    files: set[Path] = set()
    with progress.task(f"examine {dataset.info.name}", 2 * len(splits)) as advance:
        for split in splits:
            inspection = inspected(dataset, split)
            advance(1)
            files |= set(inspection.files.values())
            found = gathered(split, inspection.findings)
            keys = None
            if inspection.tracks is not None:
                read = ReadSplit(
                    split,
                    dataset.info,
                    inspection.tracks,
                    inspection.labels,
                    inspection.files,
                    tuple(lengths),
                    inspection.findings,
                )
                found += examine_split(read)
                keys = split_keys(read)
            diagnoses += in_order(without_consequences(found))
            if keys is not None:
                for other in earlier:
                    diagnoses += [*leaked_clips(keys, other), *new_scenes(keys, other)]
                earlier.append(keys)
            advance(1)
    root = os.path.commonpath(path.parent for path in files) if files else None
    return Report(dataset.info.name, tuple(splits), tuple(diagnoses), root)


def examine_split(read: ReadSplit) -> list[Diagnosis]:
    """What the checks say of one split, with what follows from other things in it."""
    with np.errstate(invalid="ignore", divide="ignore"):  # a missing joint is NaN, and a comparison with it is false
        return [found for check in CHECKS for found in check(read)]
