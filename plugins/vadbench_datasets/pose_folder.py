"""Any folder of poses, opened by its path: in the layout of STG-NF, of MPED-RNN, or as its ``dataset.toml`` says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vadbench.api import COCO_17, ConfigError, DataError, DatasetInfo, Split
from vadbench_datasets.folder_facts import FILE, FolderFacts, LabelFacts, merged, read_facts
from vadbench_datasets.frame_truth import Masks
from vadbench_datasets.inspection import inspect
from vadbench_datasets.plugin import PUBLISHED
from vadbench_datasets.pose_files import PoseFiles
from vadbench_datasets.pose_form import PoseForm, SplitForm, scene_of
from vadbench_datasets.published_set import check_missing, pose_reader
from vadbench_datasets.standard_splits import MASKS, POSES

if TYPE_CHECKING:
    from vadbench.api import FrameLabels, Inspection, Tracks
    from vadbench_datasets.pose_family import Family

_SOURCE: Final = "make it from your own poses; docs/datasets.md says how"
_DEVICES: Final = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_TAKEN: Final = frozenset({"none", "synthetic-campus", *PUBLISHED})
_RESOLUTION: Final = (856, 480)
_FRAME_RATE: Final = 24.0


class PoseFolderConfig(FolderFacts):
    """Settings of `PoseFolder`: those of its ``dataset.toml``, which they win over, and the folder.

    Args:
        root: The folder; ``--dataset PATH`` sets it.
    """

    root: Path | None = None


class PoseFolder:
    """Poses below ``config.root``; the data root plays no part.

    Raises:
        ConfigError: when it is made, for a ``dataset.toml`` that cannot be used.
    """

    def __init__(self, config: PoseFolderConfig, data_root: Path | None) -> None:  # noqa: ARG002 - the contract's
        self._root = None if config.root is None else config.root.expanduser()
        file = None if self._root is None else read_facts(self._root)
        self._facts, self._from_file = merged(file, config), file is not None
        self._family: Family = self._facts.family or "json"
        check_missing(self._family, self._facts.missing)

    @property
    def info(self) -> DatasetInfo:
        """What is known of the folder: its name, and what its ``dataset.toml`` and the config say."""
        root, facts, form = self._root, self._facts, self._form()
        told = f"Everything but the poses and masks themselves is as {f'{FILE} and ' * self._from_file}the configuration says."
        return DatasetInfo(
            name="pose-folder" if root is None else dataset_name(root),
            title=facts.title or ("a folder of poses" if root is None else root.resolve().name),
            layout=form.family.layout.name,
            frame_rate=facts.frame_rate or _FRAME_RATE,
            licence=facts.licence or "its owner's",
            citation=facts.citation or "its owner's",
            source="a folder of your own" if root is None else str(root),
            splits=form.present(root),
            notes=(told,),
            resolution=facts.resolution or _RESOLUTION,
            tree=form.tree,
        )

    def available(self) -> bool:
        """Whether the folder is there and has the layout's folders."""
        return self._root is not None and self._files().available()

    def tracks(self, split: Split) -> Tracks:
        """The poses of a split; see `PoseFiles.tracks`."""
        return self._files().tracks(split)

    def labels(self, split: Split) -> FrameLabels:
        """The frame labels of a split; see `PoseFiles.labels`."""
        return self._files().labels(split)

    def sources(self, split: Split) -> Mapping[str, tuple[Path, ...]]:
        """Clip to the files it is read from, and ``dataset.toml`` if there is one; see `PoseFiles.sources`."""
        return self._files().sources(split)

    def inspect(self, split: Split) -> Inspection:
        """What can be read of a split and what is wrong with the rest; see `inspection.inspect`."""
        return inspect(self._files(), split)

    def _files(self) -> PoseFiles:
        if self._root is None:
            raise ConfigError(
                "pose-folder was not told which folder to open",
                where="dataset pose-folder, key root",
                remedy="name the folder in place of the data set: --dataset PATH",
            )
        return PoseFiles(self._root, self._form(), lambda _clip: self._facts.resolution or _RESOLUTION, _SOURCE)

    def _form(self) -> PoseForm:
        facts = self._facts
        family = pose_reader(self._family, facts.layout or COCO_17.name, facts.missing, facts.first_frame)
        shared = (self._root / FILE,) if self._root is not None and self._from_file else ()
        return PoseForm(family, self._splits(), scene=self._scene, shared=shared)

    def _splits(self) -> dict[Split, SplitForm]:
        """The splits that the facts name; without a word of them, train and test, and validation where it is there."""
        labels = self._facts.labels or LabelFacts()
        folders = POSES[self._family] if self._facts.splits is None else self._facts.splits
        order: tuple[Split, ...] = ("train", "validation", "test")
        return {
            split: SplitForm(
                (folders[split],),
                self._truth(split, labels),
                optional=split == "validation" and self._facts.splits is None,
            )
            for split in order
            if split in folders
        }

    def _truth(self, split: Split, labels: LabelFacts) -> Masks | None:
        if split == "train":
            return None
        ones, dashes = "abnormal" if labels.abnormal else "normal", self._family == "csv"
        folder = labels.folder if split == "test" else labels.validation
        usual = MASKS[self._family][split].folders
        if split == "validation" and folder is None:
            there = self._root is not None and any((self._root / name).is_dir() for name in usual)
            return Masks(usual, labels.suffix, ones, dashes) if there else None
        return Masks(usual if folder is None else (folder,), labels.suffix, ones, dashes)

    def _scene(self, clip: str) -> str:
        scenes, name = self._facts.scenes, clip
        if scenes is None:
            return scene_of(clip)
        if isinstance(scenes, dict):
            if clip in scenes:
                return scenes[clip]
            raise DataError("the clip has no scene", where=f"clip {clip}", remedy=f"add it to the table scenes of {FILE}")
        match = re.fullmatch(scenes, name)
        if match is None or not match[1]:
            remedy = f"let the expression scenes of {FILE} match every clip's whole name: {scenes}"
            raise DataError("the clip's name does not say its scene", where=f"clip {clip}", remedy=remedy)
        return match[1]


def dataset_name(folder: Path) -> str:
    """A folder's name, made fit to name a data set and, on any system, a folder of results.

    A name that a published data set or a Windows device has is given the prefix ``folder-``, so that a private folder
    called ShanghaiTech never passes for the data set of that name.
    """
    plain = unicodedata.normalize("NFKD", folder.expanduser().resolve().name).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._") or "unnamed"
    reserved = name in _TAKEN or name.partition(".")[0] in _DEVICES or name == "unnamed"
    return f"folder-{name}" if reserved else name
