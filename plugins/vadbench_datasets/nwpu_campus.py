"""NWPU Campus: 43 scenes of a campus. Its frame labels are one archive; nobody has released poses of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vadbench.api import COCO_17, DatasetInfo, Expected
from vadbench_datasets.mask_archive import MaskArchive
from vadbench_datasets.own_poses import OwnPoses
from vadbench_datasets.standard_splits import testing, training

if TYPE_CHECKING:
    from vadbench.api import Split
    from vadbench_datasets.pose_form import SplitForm

LABELS: Final = MaskArchive(("gt", "groundtruth"), "NWPU_Campus_gt.npz")

_ABOUT: Final = DatasetInfo(
    name="nwpu-campus",
    title="NWPU Campus",
    layout=COCO_17.name,
    frame_rate=25.0,
    licence="not known to vadbench: ask its authors",
    citation=(
        "C. Cao, Y. Lu, P. Wang, Y. Zhang: A New Comprehensive Benchmark for Semi-supervised Video Anomaly Detection and "
        "Anticipation. CVPR 2023. arXiv:2305.13611"
    ),
    source="videos and frame labels: https://campusvad.github.io; no release of poses is known: make them from the videos",
    notes=(
        "43 scenes; the test set has 242 clips with 384,059 frames, of which 65,266 are abnormal.",
        "Poses are your own: figures on them are comparable with those on the same poses alone.",
        "Not known to vadbench: the frame rate (25 is assumed) and the size of the pictures (1920 x 1080 is assumed); "
        "dataset.frame_rate and dataset.resolution say otherwise.",
    ),
    resolution=(1920, 1080),
    expected={
        "train": Expected(clips=305),
        "test": Expected(clips=242, frames=384_059, counted=384_059, abnormal=65_266),
    },
)


class NWPUCampus(OwnPoses):
    """The whole data set."""

    about = _ABOUT
    folders: ClassVar = {"json": ("NWPUCampus", "NWPUCampusDataset")}

    def splits(self) -> dict[Split, SplitForm]:
        """Training clips without labels, test clips with theirs from the archive."""
        return {"train": training("json"), "test": testing("json", truth=LABELS)}

    def clip_name(self, name: str) -> str:
        """``D001_01`` for that and for ``D001_01.avi``, as its video is called."""
        return name.removesuffix(".avi")
