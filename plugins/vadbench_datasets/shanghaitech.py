"""ShanghaiTech Campus and its human-related subset, with the poses that STG-NF released."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from vadbench.api import COCO_17, DatasetInfo
from vadbench_datasets.folder_form import STANDARD_FORM, STG_NF
from vadbench_datasets.pose_files import Extent, PoseFiles
from vadbench_datasets.published_set import PublishedSet

FOLDER: Final = "ShanghaiTech"
RESOLUTION: Final = (856, 480)

NOT_HUMAN_RELATED: Final = frozenset({(1, 130), (1, 135), (1, 136), (6, 144), (6, 145), (12, 152)})
"""(scene, clip) of the test clips that HR-ShanghaiTech leaves out (Morais et al., CVPR 2019)."""

_LICENCE: Final = "CC BY-NC 4.0 (poses and masks, as released with STG-NF); the videos are the ShanghaiTech authors'"
_CITATION: Final = (
    "W. Liu, W. Luo, D. Lian, S. Gao: Future Frame Prediction for Anomaly Detection - A New Baseline. CVPR 2018. arXiv:1712.09867"
)
_HR_CITATION: Final = (
    "R. Morais, V. Le, T. Tran, B. Saha, M. Mansour, S. Venkatesh: Learning Regularity in Skeleton Trajectories for Anomaly "
    "Detection in Videos. CVPR 2019. arXiv:1903.03295"
)

_INFO: Final = DatasetInfo(
    name="shanghaitech",
    title="ShanghaiTech",
    layout=COCO_17.name,
    frame_rate=24.0,
    licence=_LICENCE,
    citation=_CITATION,
    source=STG_NF,
    notes=(
        "13 scenes; the test set has 107 clips with 40,791 frames, of which 17,326 are abnormal.",
        "Other pipelines use other poses of the same videos; their figures are not comparable with figures on these.",
    ),
)


class ShanghaiTech(PublishedSet):
    """The whole data set, found at ``<data root>/ShanghaiTech``."""

    info: DatasetInfo = _INFO
    extent: Extent = Extent(clips=107, frames=40_791)

    def _files(self) -> PoseFiles:
        root = self._folder(FOLDER, STANDARD_FORM)
        extent = None if self._config.partial else self.extent
        return PoseFiles(root, STANDARD_FORM, RESOLUTION, STG_NF, skip=self._skip, extent=extent)

    def _skip(self, clip: str) -> bool:  # noqa: ARG002 - the subset's
        return False


class HRShanghaiTech(ShanghaiTech):
    """The subset whose anomalies concern people: the same training set, and 101 of the 107 test clips, each whole."""

    info = replace(
        _INFO,
        name="hr-shanghaitech",
        title="HR-ShanghaiTech",
        citation=f"{_HR_CITATION}; data: {_CITATION}",
        notes=(
            "ShanghaiTech without the test clips 01_0130, 01_0135, 01_0136, 06_0144, 06_0145 and 12_0152.",
            "The test set has 101 clips with 38,697 frames, of which 16,122 are abnormal.",
            *_INFO.notes[1:],
        ),
    )
    extent = Extent(clips=101, frames=38_697)

    def _skip(self, clip: str) -> bool:
        scene, _, number = clip.partition("_")
        return scene.isdecimal() and number.isdecimal() and (int(scene), int(number)) in NOT_HUMAN_RELATED
