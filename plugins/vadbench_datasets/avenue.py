"""CUHK Avenue and its human-related subset, which leaves out frames of four test clips."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from vadbench.api import COCO_17, DataError, DatasetInfo, Expected
from vadbench_datasets.published_set import MOCODAD, PublishedSet
from vadbench_datasets.standard_splits import testing, training

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.api import Split
    from vadbench_datasets.pose_form import SplitForm

# HR-Avenue (Morais et al., CVPR 2019): runs of frames that count (k) and that do not (d), clip by clip, as in the code released
# with MPED-RNN. The lengths are those of its masks: 15,324 frames in all. Clips that are not named here count whole.
RUNS: Final[Mapping[str, str]] = {
    "01": "75k 46d 269k 47d 427k 47d 20k 70d 438k",
    "02": "272k 48d 403k 41d 447k",
    "03": "293k 48d 582k",
    "06": "561k 64d 189k 193d 276k",
    "16": "728k 12d",
}

CLIPS: Final = 21
_NUMBER: Final = re.compile(r"(?:.*\D)?(\d+)")
_AVENUE: Final = "C. Lu, J. Shi, J. Jia: Abnormal Event Detection at 150 FPS in MATLAB. ICCV 2013, doi:10.1109/ICCV.2013.338"
_HR_CITATION: Final = (
    "R. Morais, V. Le, T. Tran, B. Saha, M. Mansour, S. Venkatesh: Learning Regularity in Skeleton Trajectories for Anomaly "
    "Detection in Videos. CVPR 2019. arXiv:1903.03295"
)

_ABOUT: Final = DatasetInfo(
    name="avenue",
    title="CUHK Avenue",
    layout=COCO_17.name,
    frame_rate=25.0,
    licence="none is stated for the poses; the videos are the Avenue authors'",
    citation=_AVENUE,
    source=f"as CSV, {MOCODAD}; as JSON, no release is known: make them from the videos",
    notes=(
        "One camera; the test set has 21 clips with 15,324 frames.",
        "STG-NF's authors left Avenue out, because its anomalies are too fast or too small for a pose estimator.",
    ),
    resolution=(640, 360),
    expected={
        "train": Expected(clips=16),
        "test": Expected(clips=CLIPS, frames=15_324, counted=15_324),
    },
)


class Avenue(PublishedSet):
    """The whole data set."""

    about = _ABOUT
    folders: ClassVar = {"json": ("Avenue", "HR-Avenue"), "csv": ("Avenue", "HR-Avenue")}

    def splits(self) -> dict[Split, SplitForm]:
        """The two of each family."""
        return {"train": training(self.config.family), "test": testing(self.config.family)}

    def clip_name(self, name: str) -> str:
        """``17`` for ``17``, ``avenue_17`` and ``01_0017``: whatever the number at the end says."""
        match = _NUMBER.fullmatch(name)
        if match is None or not 1 <= int(match[1]) <= CLIPS:
            remedy = f"the name of an Avenue clip ends in its number, 1 to {CLIPS}: 17, avenue_17 or 01_0017"
            raise DataError(f"{name!r} is not the name of an Avenue clip", remedy=remedy)
        return f"{int(match[1]):02d}"

    def scene(self, clip: str) -> str:  # noqa: ARG002 - one camera
        """All clips are of one camera."""
        return "01"


class HRAvenue(Avenue):
    """The same clips and poses; 616 test frames do not count."""

    about = replace(
        _ABOUT,
        name="hr-avenue",
        title="HR-Avenue",
        citation=f"{_HR_CITATION}; data: {_AVENUE}",
        notes=("Avenue without 616 test frames in 5 clips: 14,708 of 15,324 frames count.", *_ABOUT.notes),
        expected={**_ABOUT.expected, "test": Expected(clips=CLIPS, frames=15_324, counted=14_708)},
    )

    def splits(self) -> dict[Split, SplitForm]:
        """The same; of the test clips, some frames do not count."""
        return {"train": training(self.config.family), "test": testing(self.config.family, keep=counted)}


def counted(root: Path, clip: str, n_frames: int) -> NDArray[np.bool_]:
    """Which frames of a test clip count. Raises `DataError` where a clip of `RUNS` is not as long as its runs."""
    keep = runs_of(clip)
    if keep is None:
        return np.ones(n_frames, dtype=np.bool_)
    if len(keep) != n_frames:
        raise DataError(
            f"the mask has {n_frames} frames; HR-Avenue's exclusions are for one of {len(keep)}",
            where=f"{root}, clip {clip}",
            remedy="use the frame masks of the CSV release, or masks of the same frames; one of other frames may be shifted",
        )
    return keep


def runs_of(clip: str) -> NDArray[np.bool_] | None:
    """The runs of a clip, written out; None for a clip that counts whole."""
    if clip not in RUNS:
        return None
    runs = [(run[-1] == "k", int(run[:-1])) for run in RUNS[clip].split()]
    return np.array(list(chain.from_iterable(repeat(kept, length) for kept, length in runs)), dtype=np.bool_)
