"""MSAD, the Multi-Scenario Anomaly Dataset: clips of about 20 seconds from many cameras. Nobody has released poses of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from vadbench.api import COCO_17, DatasetInfo, Expected
from vadbench_datasets.own_poses import OwnPoses, OwnPosesConfig
from vadbench_datasets.standard_splits import testing, training

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import Split
    from vadbench_datasets.pose_form import SplitForm

_ABOUT: Final = DatasetInfo(
    name="msad",
    title="MSAD",
    layout=COCO_17.name,
    frame_rate=30.0,
    licence="its authors' terms: academic and not commercial use, no redistribution, no re-identification of people",
    citation=(
        "L. Zhu, L. Wang, A. Raj, T. Gedeon, C. Chen: Advancing Video Anomaly Detection: A Concise Review and a New Dataset. "
        "NeurIPS 2024 Datasets and Benchmarks. arXiv:2402.04857"
    ),
    source=(
        "on request, https://msad-dataset.github.io; no release of poses is known: make them from the videos, and read the "
        "terms before you pass them on"
    ),
    notes=(
        "14 scenarios, 720 clips: 480 normal and 240 abnormal ones.",
        "Poses are your own: figures on them are comparable with those on the same poses alone.",
        "Training clips are taken as normal throughout: only normal clips belong into pose/train.",
        "The name of a clip does not say where it was filmed: all clips are one scene.",
        "Not known to vadbench: the frame rate (30 is assumed) and the size of the pictures (1920 x 1080 is assumed); "
        "dataset.frame_rate and dataset.resolution say otherwise.",
    ),
    resolution=(1920, 1080),
)
_UNCOUNTED: Final = "How many clips the test set of Protocol i has is not known to vadbench: that it is whole is not checked."


class MSADConfig(OwnPosesConfig):
    """Settings of MSAD.

    Args:
        protocol: Which of the authors' protocols the test set is of: ``i``, for one-class methods, or ``ii``, whose test set has
            120 normal and 120 abnormal clips.
    """

    protocol: Literal["i", "ii"] = "i"


class MSAD(OwnPoses):
    """Normal training clips, and the test clips of one of its two protocols."""

    about = _ABOUT
    folders: ClassVar = {"json": ("MSAD",)}
    config: MSADConfig

    def __init__(self, config: MSADConfig, data_root: Path | None) -> None:
        super().__init__(config, data_root)

    @property
    def info(self) -> DatasetInfo:
        """What there is to know of it, under the chosen protocol."""
        info = super().info
        if self.config.protocol == "i":
            return replace(info, notes=(*info.notes, _UNCOUNTED))
        note = "Of the 480 training clips of Protocol ii, the 360 normal ones: vadbench knows no labels of whole clips."
        expected: dict[Split, Expected] = {"train": Expected(clips=360), "test": Expected(clips=240)}
        return replace(info, title=f"{info.title}, Protocol ii", notes=(*info.notes, note), expected=expected)

    def splits(self) -> dict[Split, SplitForm]:
        """As usual."""
        return {"train": training("json"), "test": testing("json")}

    def scene(self, clip: str) -> str:  # noqa: ARG002 - the name of a clip does not say it
        """All clips are one scene."""
        return "any"
