"""Any folder of poses in the layout of STG-NF, opened by its path."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import Field, PositiveInt

from vadbench.api import COCO_17, ComponentConfig, ConfigError, DatasetInfo
from vadbench_datasets.folder_form import STANDARD_FORM
from vadbench_datasets.pose_files import PoseFiles

if TYPE_CHECKING:
    from vadbench.api import FrameLabels, Split, Tracks

_SOURCE: Final = "make it from your own poses; docs/datasets.md says how"
_DEVICES: Final = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_TAKEN: Final = frozenset({"none", "synthetic-campus", "shanghaitech", "hr-shanghaitech", "ubnormal", "hr-ubnormal"})


class PoseFolderConfig(ComponentConfig):
    """Settings of `PoseFolder`.

    Args:
        root: The folder; ``--dataset PATH`` sets it.
        frame_rate: Frames a second.
        resolution: Width and height of the pictures in pixels.
        title: As in print; the folder's name where it is not given.
    """

    root: Path | None = None
    frame_rate: float = Field(default=24.0, gt=0)
    resolution: tuple[PositiveInt, PositiveInt] = (856, 480)
    title: str | None = None


class PoseFolder:
    """Poses below ``config.root``; the data root plays no part."""

    def __init__(self, config: PoseFolderConfig, data_root: Path | None) -> None:  # noqa: ARG002 - the contract's
        self._config = config

    @property
    def info(self) -> DatasetInfo:
        """What is known of the folder: its name, and what the config says."""
        root = self._config.root
        return DatasetInfo(
            name="pose-folder" if root is None else dataset_name(root),
            title=self._config.title or ("a folder of poses" if root is None else root.expanduser().resolve().name),
            layout=COCO_17.name,
            frame_rate=self._config.frame_rate,
            licence="its owner's",
            citation="its owner's",
            source="a folder of your own" if root is None else str(root),
            notes=("Everything but the poses and masks themselves is as the configuration says.",),
        )

    def available(self) -> bool:
        """Whether the folder is there and has the layout's folders."""
        return self._config.root is not None and self._files().available()

    def tracks(self, split: Split) -> Tracks:
        """The poses of a split; see `PoseFiles.tracks`."""
        return self._files().tracks(split)

    def labels(self, split: Split) -> FrameLabels:
        """The frame labels of a split; see `PoseFiles.labels`."""
        return self._files().labels(split)

    def _files(self) -> PoseFiles:
        if self._config.root is None:
            raise ConfigError(
                "pose-folder was not told which folder to open",
                where="dataset pose-folder, key root",
                remedy="name the folder in place of the data set: --dataset PATH",
            )
        return PoseFiles(self._config.root.expanduser(), STANDARD_FORM, self._config.resolution, _SOURCE)


def dataset_name(folder: Path) -> str:
    """A folder's name, made fit to name a data set and, on any system, a folder of results.

    A name that a published data set or a Windows device has is given the prefix ``folder-``, so that a private folder
    called ShanghaiTech never passes for the data set of that name.
    """
    plain = unicodedata.normalize("NFKD", folder.expanduser().resolve().name).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._") or "unnamed"
    reserved = name in _TAKEN or name.partition(".")[0] in _DEVICES or name == "unnamed"
    return f"folder-{name}" if reserved else name
