"""What the published data sets have in common: found below the data root, in either family, whole unless the user says otherwise.

A data set is one small module: a subclass of `PublishedSet` with what is known of the set, the folders it is found in, and
its splits; and a line in `plugin.PUBLISHED`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from vadbench.api import LAYOUTS, ComponentConfig, ConfigError, DataError, DatasetInfo, Expected, Split
from vadbench_datasets.inspection import inspect
from vadbench_datasets.pose_family import FIRST_FRAME, CsvPoses, Family, JsonPoses, Missing, PoseFamily
from vadbench_datasets.pose_files import PoseFiles
from vadbench_datasets.pose_form import PoseForm, SplitForm, indented, scene_of

if TYPE_CHECKING:
    from vadbench.api import FrameLabels, Inspection, Tracks

STG_NF: Final = "poses and masks are released with STG-NF: the README of https://github.com/orhir/STG-NF links to them"
MOCODAD: Final = "poses and masks are released with MoCoDAD: the README of https://github.com/aleflabo/MoCoDAD links to them"


class PublishedConfig(ComponentConfig):
    """Settings of a published data set.

    Args:
        partial: Accept a test set that is not whole. Figures on it are shown as never a result.
        family: Which of the published poses to read: the JSON files of STG-NF, or the CSV files of MPED-RNN and MoCoDAD.
        missing: What a joint at exactly (0, 0) with confidence 0 is: ``zero``, a missing joint, or ``keep``, a joint at that
            place, as in STG-NF. By default ``keep`` for JSON; in CSV it is always a missing joint.
        first_frame: The number that the files give to a clip's first frame; by default 0 for JSON, 1 for CSV.
    """

    partial: bool = False
    family: Family = "json"
    missing: Missing | None = None
    first_frame: Literal[0, 1] | None = None


class JsonConfig(PublishedConfig):
    """Settings of a published data set that is in the JSON family alone.

    Args:
        family: How the poses are written; the set is read from JSON alone.
        missing: What a joint at exactly (0, 0) with confidence 0 is: ``zero``, a missing joint, or ``keep``, a joint at that
            place, as in STG-NF. By default ``keep``.
        first_frame: The number that the files give to a clip's first frame; by default 0.
    """

    family: Literal["json"] = "json"


class PublishedSet(ABC):
    """A data set of pose files below the data root.

    A subclass has

    - ``about``: what there is to know; its ``expected`` counts are those of the first family of ``folders``;
    - ``folders``: the families it is published in, each with the names that its folder may have below the data root;
    - ``splits()``: which files its splits are made of;
    - and, where they differ from the usual, ``csv_about``, ``poses()``, ``clip_name()``, ``scene()`` and ``resolution()``.
    """

    about: ClassVar[DatasetInfo]
    folders: ClassVar[Mapping[Family, tuple[str, ...]]]
    csv_about: ClassVar[Mapping[str, Any]] = {}
    """What of ``about`` is different for the CSV family."""

    def __init__(self, config: PublishedConfig, data_root: Path | None) -> None:
        self.config = config
        self._data_root = None if data_root is None else data_root.expanduser()
        if config.family not in self.folders:
            raise ConfigError(
                f"{self.about.name} is not published in the {config.family} family",
                where="dataset.family",
                remedy=f"its poses are in the {' and '.join(self.folders)} family",
            )
        check_missing(config.family, config.missing)

    @abstractmethod
    def splits(self) -> Mapping[Split, SplitForm]:
        """Its splits in the chosen family."""

    def poses(self) -> PoseFamily:
        """How its pose files are read in the chosen family."""
        return pose_reader(self.config.family, self.about.layout, self.config.missing, self.config.first_frame)

    def clip_name(self, name: str) -> str:
        """From what a file or folder is called to the name of its clip; raises `DataError` for a name that is none."""
        return name

    def scene(self, clip: str) -> str:
        """The scene a clip was filmed in."""
        return scene_of(clip)

    def resolution(self, clip: str) -> tuple[int, int]:  # noqa: ARG002 - where all clips are alike
        """Width and height of a clip's pictures in pixels."""
        return self.about.resolution or (0, 0)

    @property
    def info(self) -> DatasetInfo:
        """What there is to know of it, in the chosen family; needs no data on disk."""
        info, form = self.about, self._form()
        if self.config.family == "csv":
            info = replace(info, title=f"{info.title}, CSV poses", **{**CSV_ABOUT, **self.csv_about})
        if self.config.partial:
            info = partial_info(info)
        tree = f"{' or '.join(self.folders[self.config.family])}/\n{indented(form.tree)}"
        return replace(info, splits=form.present(self._found()), tree=tree)

    def available(self) -> bool:
        """Whether the data set's folders are below the data root."""
        return self._data_root is not None and self._files().available()

    def tracks(self, split: Split) -> Tracks:
        """The poses of a split; see `PoseFiles.tracks`."""
        return self._files().tracks(split)

    def labels(self, split: Split) -> FrameLabels:
        """The frame labels of a split; see `PoseFiles.labels`."""
        return self._files().labels(split)

    def sources(self, split: Split) -> Mapping[str, tuple[Path, ...]]:
        """Clip to the files it is read from; see `PoseFiles.sources`."""
        return self._files().sources(split)

    def inspect(self, split: Split) -> Inspection:
        """What can be read of a split and what is wrong with the rest; see `inspection.inspect`."""
        return inspect(self._files(), split, self.info.expected.get(split), partial=self.config.partial)

    def _form(self) -> PoseForm:
        return PoseForm(self.poses(), self.splits(), self.clip_name, self.scene)

    def _found(self) -> Path | None:
        """The data set's folder: the first of its names that is there, else where its first name would be."""
        if self._data_root is None:
            return None
        places = [self._data_root / name for name in self.folders[self.config.family]]
        form = self._form()
        return next((place for place in places if _has_any(place, form)), places[0])

    def _files(self) -> PoseFiles:
        root, info = self._found(), self.info
        if root is None:
            name = self.folders[self.config.family][0]
            raise DataError(
                "there is no data root, the folder below which data sets lie",
                where=f"<data root>/{name}",
                remedy=(
                    f"name the folder that holds {name}/ with --data-root DIR or $VADBENCH_DATA\n"
                    f"expected:\n{indented(info.tree)}\nwhere to get it: {info.source}"
                ),
            )
        expected = None if self.config.partial else info.expected.get("test")
        return PoseFiles(root, self._form(), self.resolution, info.source, expected)


def _has_any(root: Path, form: PoseForm) -> bool:
    return any((root / folder).is_dir() for split in form.splits.values() for folder in split.poses)


def pose_reader(family: Family, layout: str, missing: Missing | None, first_frame: int | None) -> PoseFamily:
    """How pose files of a family are read, under the user's settings."""
    first = FIRST_FRAME[family] if first_frame is None else first_frame
    if family == "csv":
        return CsvPoses(LAYOUTS[layout], first)
    return JsonPoses(LAYOUTS[layout], missing or "keep", first)


def check_missing(family: Family, missing: Missing | None) -> None:
    """Raises `ConfigError` where zeros are to be kept in a family that has no other way to write a missing joint."""
    if family == "csv" and missing == "keep":
        raise ConfigError(
            "a joint at 0, 0 is always a missing one in the CSV family, which has no confidences",
            where="dataset.missing",
            remedy="leave dataset.missing out, or set it to zero",
        )


def partial_info(info: DatasetInfo) -> DatasetInfo:
    """What is to be said of a part of a data set: that figures on it are never a result."""
    return replace(
        info,
        title=f"{info.title}, a part of it",
        stand_in=True,
        notes=("The test set is not whole: figures on it are comparable with nothing.", *info.notes),
    )


def only_clips(expected: Mapping[Split, Expected]) -> dict[Split, Expected]:
    """Counts of another release of the same clips, whose masks may be a frame shorter or longer."""
    return {split: Expected(clips=counts.clips) for split, counts in expected.items()}


CSV_ABOUT: Final[Mapping[str, Any]] = {"source": MOCODAD}
"""What is different for the CSV family of every data set, unless its ``csv_about`` says otherwise."""
