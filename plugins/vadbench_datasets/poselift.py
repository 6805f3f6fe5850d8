"""PoseLift: shoplifting in a shop seen by six cameras, released as poses alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vadbench.api import COCO_17, DatasetInfo
from vadbench_datasets.published_set import PublishedSet
from vadbench_datasets.standard_splits import testing, training

if TYPE_CHECKING:
    from vadbench.api import Split
    from vadbench_datasets.pose_form import SplitForm

_ABOUT: Final = DatasetInfo(
    name="poselift",
    title="PoseLift",
    layout=COCO_17.name,
    frame_rate=15.0,
    licence="not stated by its authors: ask them",
    citation=(
        "N. Rashvand, G. Alinezhad Noghre, A. Danesh Pazho, S. Yao, H. Tabkhi: Exploring Pose-Based Anomaly Detection for Retail "
        "Security: A Real-World Shoplifting Dataset and Benchmark. WACV Workshops 2025. arXiv:2501.06591"
    ),
    source=(
        "the README of https://github.com/TeCSAR-UNCC/PoseLift links to poses and labels; poses that are pickles you write as "
        "JSON with the script in docs/datasets.md"
    ),
    notes=(
        "6 cameras in a shop; abnormal is shoplifting. Training clips are normal and have no labels.",
        "153 clips, of which 43 show shoplifting, says its README. How many are for training and how many for testing is not "
        "known to vadbench: whether a test set is whole is not checked.",
        "Its authors interpolated missing poses and smoothed the others.",
        "Not published: the order of joints (COCO's is assumed), and the number of a clip's first frame (0 is; see "
        "dataset.first_frame).",
    ),
    resolution=(1920, 1080),
)


class PoseLift(PublishedSet):
    """The whole data set; a clip's scene is its camera."""

    about = _ABOUT
    folders: ClassVar = {"json": ("PoseLift", "Poselift")}

    def splits(self) -> dict[Split, SplitForm]:
        """As usual."""
        return {"train": training("json"), "test": testing("json")}
