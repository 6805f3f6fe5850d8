"""HR-UBnormal: UBnormal without the test frames whose anomaly is not a person, or cannot be seen in a pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import DataError, FrameLabels
from vadbench_datasets.ubnormal import UBNORMAL_INFO, UBnormal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from vadbench.api import Split


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


class HRUBnormal(UBnormal):
    """The same clips and poses as UBnormal; 2,151 test frames do not count."""

    info = replace(
        UBNORMAL_INFO,
        name="hr-ubnormal",
        title="HR-UBnormal",
        citation=(
            "A. Flaborea, G. D'Amely di Melendugno, S. D'Arrigo, M. A. Sterpa, A. Sampieri, F. Galasso: Contracting Skeletal "
            f"Kinematics for Human-Related Video Anomaly Detection. arXiv:2301.09489; data: {UBNORMAL_INFO.citation}"
        ),
        notes=(
            "UBnormal without 2,151 test frames in 11 clips: 90,489 frames count, of which 47,507 are abnormal.",
            *UBNORMAL_INFO.notes,
        ),
    )

    def labels(self, split: Split) -> FrameLabels:
        """UBnormal's labels, with ``keep`` False on the frames that do not count.

        Raises:
            DataError: if masks are missing or damaged, or a clip with such frames is not as long as it should be.
        """
        labels = super().labels(split)
        if split != "test":
            return labels
        keep = tuple(_counted(clip, len(abnormal)) for clip, abnormal in zip(labels.clips, labels.abnormal, strict=True))
        return replace(labels, keep=keep)


def _counted(clip: str, n_frames: int) -> NDArray[np.bool_]:
    keep = np.ones(n_frames, dtype=np.bool_)
    excluded = EXCLUDED.get(clip)
    if excluded is None:
        return keep
    if excluded.clip_frames != n_frames:
        raise DataError(
            f"the label vector has {n_frames} frames; HR-UBnormal's exclusions are for one of {excluded.clip_frames}",
            where=f"clip {clip}",
            remedy="use the label vectors as released with STG-NF; a vector from elsewhere may be shifted by a frame",
        )
    for first, last in excluded.intervals:
        keep[first : last + 1] = False
    return keep
