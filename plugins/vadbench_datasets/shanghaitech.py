"""ShanghaiTech Campus and its human-related subset: the poses that STG-NF released, or those of MPED-RNN and MoCoDAD."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from vadbench.api import COCO_17, DatasetInfo, Expected
from vadbench_datasets.published_set import STG_NF, PublishedSet, only_clips
from vadbench_datasets.standard_splits import testing, training

if TYPE_CHECKING:
    from vadbench.api import Split
    from vadbench_datasets.pose_form import SplitForm

NOT_HUMAN_RELATED: Final = frozenset({(1, 130), (1, 135), (1, 136), (6, 144), (6, 145), (12, 152)})
"""(scene, clip) of the test clips that HR-ShanghaiTech leaves out (Morais et al., CVPR 2019)."""

_CITATION: Final = (
    "W. Liu, W. Luo, D. Lian, S. Gao: Future Frame Prediction for Anomaly Detection - A New Baseline. CVPR 2018. arXiv:1712.09867"
)
_HR_CITATION: Final = (
    "R. Morais, V. Le, T. Tran, B. Saha, M. Mansour, S. Venkatesh: Learning Regularity in Skeleton Trajectories for Anomaly "
    "Detection in Videos. CVPR 2019. arXiv:1903.03295"
)
_INCOMPARABLE: Final = (
    "Other pipelines use other poses of the same videos; their figures are not comparable with figures on these."
)
_CSV_NOTES: Final = (
    "These are the poses of MPED-RNN and MoCoDAD; figures on them are not comparable with figures on those of STG-NF.",
    "In the first release, frames 1 and 2 of training clips hold the same poses; TrajREC has a script that mends this.",
)

_ABOUT: Final = DatasetInfo(
    name="shanghaitech",
    title="ShanghaiTech",
    layout=COCO_17.name,
    frame_rate=24.0,
    licence="CC BY-NC 4.0 (poses and masks, as released with STG-NF); the videos are the ShanghaiTech authors'",
    citation=_CITATION,
    source=STG_NF,
    notes=("13 scenes; the test set has 107 clips with 40,791 frames, of which 17,326 are abnormal.", _INCOMPARABLE),
    resolution=(856, 480),
    expected={
        "train": Expected(clips=330),
        "test": Expected(clips=107, frames=40_791, counted=40_791, abnormal=17_326),
    },
)
_CSV_LICENCE: Final = "none is stated for the poses; the videos are the ShanghaiTech authors'"


class ShanghaiTech(PublishedSet):
    """The whole data set."""

    about = _ABOUT
    folders: ClassVar = {"json": ("ShanghaiTech",), "csv": ("ShanghaiTech", "HR-ShanghaiTech")}
    csv_about: ClassVar = {"licence": _CSV_LICENCE, "notes": _CSV_NOTES, "expected": only_clips(_ABOUT.expected)}

    def splits(self) -> dict[Split, SplitForm]:
        """The two of each family."""
        return {"train": training(self.config.family), "test": testing(self.config.family)}


class HRShanghaiTech(ShanghaiTech):
    """The subset whose anomalies concern people: the same training set, and 101 of the 107 test clips, each whole."""

    about = replace(
        _ABOUT,
        name="hr-shanghaitech",
        title="HR-ShanghaiTech",
        citation=f"{_HR_CITATION}; data: {_CITATION}",
        notes=(
            "ShanghaiTech without the test clips 01_0130, 01_0135, 01_0136, 06_0144, 06_0145 and 12_0152.",
            "The test set has 101 clips with 38,697 frames, of which 16,122 are abnormal.",
            _INCOMPARABLE,
        ),
        expected={
            "train": Expected(clips=330),
            "test": Expected(clips=101, frames=38_697, counted=38_697, abnormal=16_122),
        },
    )
    csv_about: ClassVar = {
        "licence": _CSV_LICENCE,
        "notes": ("The 101 human-related clips, whether or not the other 6 lie beside them.", *_CSV_NOTES),
        "expected": only_clips(about.expected),
    }

    def splits(self) -> dict[Split, SplitForm]:
        """The same without the test clips that are not human-related."""
        return {"train": training(self.config.family), "test": testing(self.config.family, belongs=human_related)}


def human_related(clip: str) -> bool:
    """Whether a test clip belongs to HR-ShanghaiTech; its name is compared as two numbers."""
    scene, _, number = clip.partition("_")
    return not (scene.isdecimal() and number.isdecimal() and (int(scene), int(number)) in NOT_HUMAN_RELATED)
