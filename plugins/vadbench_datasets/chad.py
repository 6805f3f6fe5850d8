"""CHAD, the Charlotte Anomaly Dataset: four cameras over one parking lot. Its splits are lists of clips.

The poses are released as pickles, which are not read: a pickle can run any code. The user writes them as JSON.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from vadbench.api import COCO_17, DataError, DatasetInfo, Expected
from vadbench_datasets.clip_list import ClipList
from vadbench_datasets.frame_truth import Masks
from vadbench_datasets.pose_form import SplitForm
from vadbench_datasets.published_set import JsonConfig, PublishedSet

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import Split

POSES: Final = "pose/all"
LABELS: Final = "CHAD_Meta/anomaly_labels"
_NAME: Final = re.compile(r"([1-4])_\d+_[01]")
_FULL_HD, _HD = (1920, 1080), (1280, 720)

_ABOUT: Final = DatasetInfo(
    name="chad",
    title="CHAD",
    layout=COCO_17.name,
    frame_rate=30.0,
    licence="none is stated for the data: ask its authors; their repository is said to be under Apache-2.0",
    citation=(
        "A. Danesh Pazho, G. Alinezhad Noghre, B. Rahimi Ardabili, C. Neff, H. Tabkhi: CHAD: Charlotte Anomaly Dataset. "
        "SCIA 2023, LNCS 13885, pp. 50-66. arXiv:2212.09258"
    ),
    source=(
        "the README of https://github.com/TeCSAR-UNCC/CHAD links to CHAD_Meta: labels, lists of clips, and poses as pickles, "
        "which you write as JSON with the script in docs/datasets.md"
    ),
    notes=(
        "4 cameras over one parking lot, 412 clips; a clip is called <camera>_<number>_<1 if anything in it is abnormal>.",
        "Cameras 1 to 3 are Full HD, camera 4 is HD; every clip has the size of its camera's pictures.",
        "Not published: the frame rate (30 is assumed), the order of joints (COCO's is), the number of a clip's first frame "
        "(0 is; see dataset.first_frame), and how many clips the lists have.",
        "A test set is whole when every clip of its list is there.",
    ),
    expected={"train": Expected(abnormal=0)},
)


class CHADConfig(JsonConfig):
    """Settings of CHAD.

    Args:
        split_list: The authors' split 1, whose training clips are normal, or split 2, for supervised methods, whose training
            clips are not. Their test sets differ.
    """

    split_list: Literal[1, 2] = 1


class CHAD(PublishedSet):
    """All cameras, under one of its two splits."""

    about = _ABOUT
    folders: ClassVar = {"json": ("CHAD",)}
    config: CHADConfig

    def __init__(self, config: CHADConfig, data_root: Path | None) -> None:
        super().__init__(config, data_root)

    @property
    def info(self) -> DatasetInfo:
        """What there is to know of it; under split 2 it says so."""
        info = super().info
        if self.config.split_list == 1:
            return info
        notes = ("The training split holds abnormal frames: it is for supervised methods.", *info.notes)
        return replace(info, title=f"{info.title}, split 2", notes=notes, expected={})

    def splits(self) -> dict[Split, SplitForm]:
        """Clips of one folder, each as long as its labels; a list says which are whose."""
        names: tuple[Split, ...] = ("train", "test")
        return {name: SplitForm((POSES,), Masks((LABELS,)), listed=self._list(name)) for name in names}

    def clip_name(self, name: str) -> str:
        """The name itself."""
        if _NAME.fullmatch(name) is None:
            remedy = "a clip is called <camera, 1 to 4>_<number>_<0 or 1>: 1_066_1"
            raise DataError(f"{name!r} is not the name of a CHAD clip", remedy=remedy)
        return name

    def resolution(self, clip: str) -> tuple[int, int]:
        """That of the clip's camera."""
        return _HD if self.scene(clip) == "4" else _FULL_HD

    def _list(self, split: Split) -> ClipList:
        return ClipList(f"CHAD_Meta/splits/{split}_split_{self.config.split_list}.txt", whole=not self.config.partial)
