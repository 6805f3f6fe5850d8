"""HR-UBnormal: UBnormal without the test frames whose anomaly is not a person, or cannot be seen in a pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from vadbench.api import DataError, Expected
from vadbench_datasets.frame_masks import read_mask
from vadbench_datasets.ubnormal import UBNORMAL, UBnormal
from vadbench_datasets.ubnormal_names import clip_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from vadbench_datasets.pose_form import KeepRule


@dataclass(frozen=True, slots=True)
class Excluded:
    """Frames of one clip that do not count: (first, last) pairs, both included, counted from 0."""

    clip_frames: int
    intervals: tuple[tuple[int, int], ...]


# The frames that the HR masks of Flaborea et al. (arXiv 2301.09489), as released with MoCoDAD, set to False: 2,151 of the
# 92,640 test frames, in 17 intervals of 11 clips. The masks' own clip names were carried over to UBnormal's, and each mask
# was compared with the clip's label vector. Training and validation are left as they are.
EXCLUDED: Final[Mapping[str, Excluded]] = {
    "abnormal_scene_12_scenario_1_smoke": Excluded(451, ((191, 450),)),
    "abnormal_scene_17_scenario_1_smoke": Excluded(451, ((113, 227),)),
    "abnormal_scene_23_scenario_1": Excluded(451, ((266, 287),)),
    "abnormal_scene_28_scenario_2": Excluded(451, ((95, 202),)),
    "abnormal_scene_29_scenario_2_smoke": Excluded(451, ((168, 450),)),
    "abnormal_scene_29_scenario_4": Excluded(451, ((192, 199),)),
    "abnormal_scene_4_scenario_1_fire": Excluded(451, ((299, 450),)),
    "abnormal_scene_4_scenario_2_fire": Excluded(451, ((0, 4), (61, 63), (65, 69), (71, 77), (115, 115), (437, 450))),
    "abnormal_scene_7_scenario_1_fire": Excluded(451, ((0, 34), (130, 450))),
    "abnormal_scene_7_scenario_4": Excluded(451, ((90, 450),)),
    "abnormal_scene_7_scenario_5": Excluded(451, ((0, 450),)),
}

RELEASED: Final = "hr_bool_masks"
"""Where MoCoDAD's release has the keep masks: ``hr_bool_masks/testing/test_frame_mask/<number>.npy``, True = counts."""

_HR_CITATION: Final = (
    "A. Flaborea, G. D'Amely di Melendugno, S. D'Arrigo, M. A. Sterpa, A. Sampieri, F. Galasso: Contracting Skeletal "
    f"Kinematics for Human-Related Video Anomaly Detection. arXiv:2301.09489; data: {UBNORMAL.citation}"
)


class HRUBnormal(UBnormal):
    """The same clips and poses as UBnormal; 2,151 test frames do not count."""

    about = replace(
        UBNORMAL,
        name="hr-ubnormal",
        title="HR-UBnormal",
        citation=_HR_CITATION,
        notes=(
            "UBnormal without 2,151 test frames in 11 clips: 90,489 frames count, of which 47,507 are abnormal.",
            *UBNORMAL.notes,
        ),
        expected={**UBNORMAL.expected, "test": Expected(clips=211, frames=92_640, counted=90_489, abnormal=47_507)},
    )
    csv_about: ClassVar = {
        **UBnormal.csv_about,
        "notes": (
            f"UBnormal without 2,151 test frames in 11 clips: by the masks in {RELEASED} where they are there, else by the "
            "intervals that vadbench has, which are the same.",
            *UBnormal.csv_about["notes"],
        ),
    }

    beside: ClassVar = (f"{RELEASED}/testing/test_frame_mask/<clip>.npy    True = the frame counts",)

    def keep(self) -> KeepRule:
        """Which test frames count."""
        return counted if self.config.family == "json" else counted_as_released


def counted(root: Path, clip: str, n_frames: int) -> NDArray[np.bool_]:  # noqa: ARG001 - needs no file
    """By the intervals above; raises `DataError` where such a clip is not as long as it should be."""
    keep = np.ones(n_frames, dtype=np.bool_)
    excluded = EXCLUDED.get(clip)
    if excluded is None:
        return keep
    if excluded.clip_frames != n_frames:
        raise DataError(
            f"the label vector has {n_frames} frames; HR-UBnormal's exclusions are for one of {excluded.clip_frames}",
            where=f"clip {clip}",
            remedy=f"use the label vectors as released with STG-NF, or for CSV poses the keep masks of {RELEASED}; "
            "a vector from elsewhere may be shifted by a frame",
        )
    for first, last in excluded.intervals:
        keep[first : last + 1] = False
    return keep


def counted_as_released(root: Path, clip: str, n_frames: int) -> NDArray[np.bool_]:
    """By the released keep masks where they are there, which must agree with the intervals; else by those.

    Raises:
        DataError: if the mask of a clip with such frames is missing, damaged, of another length, or not as the intervals.
    """
    folder, number = root / RELEASED, clip_number(clip)
    if not folder.is_dir():
        return counted(root, clip, n_frames)
    paths = [folder / split / "test_frame_mask" / f"{number}.npy" for split in ("testing", "validating")]
    path = next((path for path in paths if path.is_file()), None)
    excluded = EXCLUDED.get(clip)
    remedy = "copy hr_bool_masks again, or take it away: the intervals that vadbench has are then used"
    if path is None:
        if excluded is not None:
            what = f"{clip} has frames that do not count, but no keep mask"
            raise DataError(what, where=paths[0], remedy=remedy)
        return np.ones(n_frames, dtype=np.bool_)
    keep = read_mask(path)
    if len(keep) != n_frames:
        raise DataError(f"the keep mask has {len(keep)} frames, the clip {n_frames}", where=path, remedy=remedy)
    wanted = n_frames if excluded is None else excluded.clip_frames
    if wanted == n_frames and not np.array_equal(keep, counted(root, clip, n_frames)):
        what = f"the keep mask leaves out {(~keep).sum()} frames, not those of HR-UBnormal"
        raise DataError(what, where=path, remedy=remedy)
    return keep
