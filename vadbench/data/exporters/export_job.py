"""An export from first to last: every split of a data set in the folders and files of a published layout, all or none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from vadbench.api import ConfigError, DataError, FrameLabels
from vadbench.data.exporters.csv_places import CSV_SPLIT, CsvPlace, csv_place, is_ubnormal, scene_in, ubnormal_id
from vadbench.data.exporters.manifest import MANIFEST, Manifest
from vadbench.data.exporters.mped_csv import FIRST_FRAME, csv_losses, write_pose_csv
from vadbench.data.exporters.one_clip import one_clip
from vadbench.data.exporters.pose_json import POSE_SUFFIX, ZERO_JOINTS, json_losses, write_pose_json
from vadbench.data.layout_conversion import conversion_plan, convert_layout, layout_named
from vadbench.data.whole_folder import whole_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.api import DatasetInfo, Progress, Split, Tracks

Format = Literal["stg-nf", "mped-csv"]

LAYOUT: Final = "coco-17"
"""Of the poses in both published layouts."""

PARTS: Final[Mapping[Format, tuple[str, ...]]] = {
    "stg-nf": (MANIFEST, "gt", "pose"),
    "mped-csv": (MANIFEST, "hr_bool_masks", "validating", "testing", "training"),
}
"""What an export writes, as far as there is any of it."""

_MASKS: Final[Mapping[Split, str]] = {"validation": "gt/validation_frame_mask", "test": "gt/test_frame_mask"}


@dataclass(frozen=True, slots=True)
class ExportRule:
    """What is written.

    Args:
        format: The layout: STG-NF's JSON files, or the CSV files of MPED-RNN, COSKAD, MoCoDAD and TrajREC.
        camera_level: For CSV: clips lie in a folder for each camera, as MPED-RNN and TrajREC read them.
        first_frame: The number to give the first frame; None for what published files have (0 for JSON, 1 for CSV).
        ubnormal_ids: For CSV: call UBnormal's clips as COSKAD and MoCoDAD do; see `csv_places.ubnormal_id`.
    """

    format: Format
    camera_level: bool = False
    first_frame: int | None = None
    ubnormal_ids: bool = False

    @property
    def counts_from(self) -> int:
        """The number of the first frame."""
        if self.first_frame is not None:
            return self.first_frame
        return FIRST_FRAME if self.format == "mped-csv" else 0


@dataclass(slots=True)
class ExportReport:
    """What was written; filled as it is.

    Args:
        clips: Split to clips.
        poses: Split to poses.
        masks: Masks.
        lost: What the layout cannot hold, in words, to how many.
    """

    clips: dict[str, int] = field(default_factory=dict)
    poses: dict[str, int] = field(default_factory=dict)
    masks: int = 0
    lost: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class SplitData:
    """One split to be written; ``labels`` are None for a training split."""

    split: Split
    tracks: Tracks
    labels: FrameLabels | None


def export_splits(
    info: DatasetInfo, splits: Iterable[SplitData], target: Path, rule: ExportRule, *, replace: bool, progress: Progress
) -> ExportReport:
    """Writes splits of a data set into a folder.

    Args:
        info: Of the data set.
        splits: Each is asked for when the one before it is written, so that only one is in memory.
        target: The folder; made if it is not there.
        rule: How.
        replace: Whether an export that is there may be replaced.
        progress: Is told of every clip.

    Raises:
        ConfigError: for a layout that cannot become COCO-17, or clip names that do not fit the rule.
        DataError: where labels are not those of the poses, or two clips would be called alike.
        UsageError: if something is there already, or nothing can be written.
    """
    if rule.format == "stg-nf" and (rule.camera_level or rule.ubnormal_ids):
        raise ConfigError("a camera level and UBnormal's numbers are for CSV", where="format stg-nf", remedy="--format mped-csv")
    report, told = ExportReport(), _Told()
    writer: type[_JsonWriter] | type[_CsvWriter] = _JsonWriter if rule.format == "stg-nf" else _CsvWriter
    with whole_folder(target, PARTS[rule.format], replace=replace) as made:
        for data in splits:
            tracks = _in_layout(data.tracks, report)
            told.hear(tracks, rule)
            report.lost.update(_split_losses(tracks, data.labels, data.split, rule))
            _write(data, tracks, writer(made, data.split, rule), report, progress)
        manifest = told.manifest(info, rule)
        (made / MANIFEST).write_text(manifest.text(), encoding="utf-8")
    if manifest.missing == "keep":
        # Nowhere in the data set is a joint missing, and the manifest says that zeros are places.
        del report.lost[ZERO_JOINTS]
    report.lost["clips whose pictures have another size than dataset.toml says"] = told.of_other_size(manifest.resolution)
    report.lost = Counter({what: n for what, n in report.lost.items() if n})
    return report


def _write(data: SplitData, tracks: Tracks, writer: _JsonWriter | _CsvWriter, report: ExportReport, progress: Progress) -> None:
    labels, names = data.labels, tuple(clip.name for clip in tracks.clips)
    if labels is not None and labels.clips != names:
        raise DataError(
            "the labels are not those of the clips", where=data.split, remedy="vadbench data doctor says what is wrong"
        )
    with progress.task(f"export {data.split}", len(names)) as advance:
        for i, name in enumerate(names):
            writer.poses(one_clip(tracks, i))
            if labels is not None:
                writer.labels(name, labels.abnormal[i], labels.keep[i])
                report.masks += 1
            advance(1)
    report.clips[data.split], report.poses[data.split] = len(names), len(tracks)


class _JsonWriter:
    """Writes one split as STG-NF has it; UBnormal's masks also as that has them, 1 = normal."""

    def __init__(self, root: Path, split: Split, rule: ExportRule) -> None:
        self._root, self._split, self._rule = root, split, rule
        (root / "pose" / split).mkdir(parents=True)

    def poses(self, tracks: Tracks) -> None:
        path = self._root / "pose" / self._split / f"{tracks.clips[0].name}{POSE_SUFFIX}"
        write_pose_json(path, tracks, first_frame=self._rule.counts_from)

    def labels(self, clip: str, abnormal: NDArray[np.bool_], keep: NDArray[np.bool_]) -> None:  # noqa: ARG002 - see `_split_losses`
        _save(self._root / _MASKS[self._split] / f"{clip}.npy", abnormal.astype(np.uint8))
        if self._split == "test" and is_ubnormal(clip):
            _save(self._root / "gt" / f"{clip}_tracks.txt", (~abnormal).astype(np.float64))


class _CsvWriter:
    """Writes one split as `csv_places` says."""

    def __init__(self, root: Path, split: Split, rule: ExportRule) -> None:
        self._root, self._split, self._rule = root, split, rule
        (root / CSV_SPLIT[split] / "trajectories").mkdir(parents=True)

    def poses(self, tracks: Tracks) -> None:
        clip = tracks.clips[0].name
        folder = self._root / self._place(clip).poses
        if folder.exists():
            raise DataError(f"two clips would be written as {folder.name}", where=f"clip {clip}", remedy="rename one of them")
        write_pose_csv(folder, tracks, first_frame=self._rule.counts_from)

    def labels(self, clip: str, abnormal: NDArray[np.bool_], keep: NDArray[np.bool_]) -> None:
        place = self._place(clip)
        _save(self._root / place.mask, abnormal.astype(np.uint8))
        if not keep.all():
            _save(self._root / place.keep, keep)

    def _place(self, clip: str) -> CsvPlace:
        return csv_place(_called(clip, self._rule), self._split, camera_level=self._rule.camera_level)


class _Told:
    """What is learned of the data set while its splits go by, for the manifest."""

    def __init__(self) -> None:
        self._missing = False
        self._resolutions: Counter[tuple[int, int]] = Counter()
        self._scenes: dict[str, str] = {}

    def hear(self, tracks: Tracks, rule: ExportRule) -> None:
        self._missing |= bool(np.isnan(tracks.keypoints).any())
        self._resolutions.update(clip.resolution for clip in tracks.clips)
        self._scenes |= {_called(clip.name, rule): clip.scene for clip in tracks.clips}

    def manifest(self, info: DatasetInfo, rule: ExportRule) -> Manifest:
        json = rule.format == "stg-nf"
        usual = 0 if json else FIRST_FRAME
        return Manifest(
            title=f"{info.title} (exported)",
            licence=info.licence,
            citation=info.citation,
            layout=LAYOUT,
            resolution=next(iter(self._resolutions)) if len(self._resolutions) == 1 else info.resolution,
            frame_rate=info.frame_rate,
            family="json" if json else "csv",
            missing=("zero" if self._missing else "keep") if json else None,
            first_frame=None if rule.counts_from == usual else rule.counts_from,
            scenes=None if all(scene_in(clip) == scene for clip, scene in self._scenes.items()) else self._scenes,
        )

    def of_other_size(self, resolution: tuple[int, int] | None) -> int:
        """Clips whose pictures are of another size."""
        return sum(n for each, n in self._resolutions.items() if each != resolution)


def _called(clip: str, rule: ExportRule) -> str:
    return ubnormal_id(clip) if rule.ubnormal_ids else clip


def _in_layout(tracks: Tracks, report: ExportReport) -> Tracks:
    dropped = conversion_plan(tracks.layout, layout_named(LAYOUT)).dropped
    if dropped and len(tracks):
        report.lost[f"poses without their {', '.join(dropped)}, which {LAYOUT} does not have"] += len(tracks)
    try:
        return convert_layout(tracks, LAYOUT)
    except ConfigError as error:
        remedy = f"both published layouts hold poses of {LAYOUT} and no others"
        raise ConfigError(error.what, where=error.where, remedy=remedy) from error


def _split_losses(tracks: Tracks, labels: FrameLabels | None, split: Split, rule: ExportRule) -> Counter[str]:
    """What the layout cannot hold of a split, in words, to how many."""
    csv = rule.format == "mped-csv"
    lost = csv_losses(tracks) if csv else json_losses(tracks)
    ends = np.zeros(len(tracks.clips), dtype=np.int64)
    np.maximum.at(ends, tracks.clip, tracks.frame + 1)
    if split == "train":
        lengths = np.array([clip.n_frames for clip in tracks.clips], dtype=np.int64)
        lost["frames of training clips after the last pose"] += int((lengths - ends).sum())
    if csv:
        lost["clips in which nobody was detected, whose folders are empty: MoCoDAD stops at one"] += int((ends == 0).sum())
        lost["clips with '-' in their names, which is read back as '_'"] += sum("-" in clip.name for clip in tracks.clips)
        lost["clips whose size in pixels and frame rate other programs must be told"] += len(tracks.clips)
    elif labels is not None:
        lost["frames that do not count (as in a human-related subset), but are not marked"] += sum(
            int((~keep).sum()) for keep in labels.keep
        )
    return lost


def _save(path: Path, array: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:  # np.save adds .npy to a name that does not end so
        np.save(file, array)
