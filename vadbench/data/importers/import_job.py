"""An import from first to last: every clip read, converted, checked against its labels and written, all or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import ConfigError, DataError, UsageError
from vadbench.data.exporters.manifest import MANIFEST, Manifest, Missing
from vadbench.data.exporters.pose_json import POSE_SUFFIX, write_pose_json
from vadbench.data.importers.clip_sources import visible
from vadbench.data.importers.frame_labels import read_labels
from vadbench.data.importers.import_report import ClipReport, ImportReport
from vadbench.data.layout_conversion import conversion_plan, convert_layout, layout_named
from vadbench.data.whole_folder import whole_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.api import Progress, Split, Tracks
    from vadbench.data.importers.clip_tracks import ClipTracks
    from vadbench.data.importers.frame_labels import Meaning

MASKS: Final[Mapping[Split, str]] = {"validation": "gt/validation_frame_mask", "test": "gt/test_frame_mask"}
"""Split to the folder of its masks."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where imported clips go, and what is said of them.

    Args:
        root: The pose folder; made if it is not there.
        split: Which of its splits.
        layout: Skeleton layout to convert to; None for that of the source.
        missing: What a joint at 0, 0 with confidence 0 is in the files written.
        resolution: Width and height of the pictures in pixels; None where nobody said.
        frame_rate: Frames a second; None where nobody said.
        title: Of the data set; None for the folder's name.
        replace: Whether a split that is there already may be replaced.
    """

    root: Path
    split: Split
    layout: str | None = None
    missing: Missing = "zero"
    resolution: tuple[int, int] | None = None
    frame_rate: float | None = None
    title: str | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Labels:
    """Label files by clip, and what a 1 in them means; see `frame_labels`."""

    files: Mapping[str, Path]
    one_means: Meaning


def import_clips(
    clips: Mapping[str, Callable[[], ClipTracks]], labels: Labels | None, destination: Destination, progress: Progress
) -> ImportReport:
    """Writes clips as one split of a pose folder.

    Args:
        clips: Name to the function that reads the clip; called once each, one after another.
        labels: Of the clips; None without.
        destination: Where to.
        progress: Is told of every clip.

    Raises:
        DataError: for a clip that cannot be read, whose poses lie beyond its labels, or whose layout is not that of the others.
        ConfigError: for a layout that the source cannot give.
        UsageError: if the split is there already, or the folder holds poses of another kind.
    """
    if destination.layout is not None:
        layout_named(destination.layout)
    if labels is not None and destination.split not in MASKS:
        raise UsageError("training clips are normal throughout", where="--labels", remedy="leave it out, or say --split test")
    poses, masks = f"pose/{destination.split}", MASKS.get(destination.split)
    brings_masks = labels is not None
    labels = labels or _labels_there(destination)
    manifest = _ManifestToWrite(destination)
    parts = [*([masks] if brings_masks and masks else []), *([MANIFEST] if manifest.may_be_written else []), poses]
    reports: list[ClipReport] = []
    whole = whole_folder(destination.root, parts, replace=destination.replace)
    with whole as made, progress.task("import", len(clips)) as advance:
        (made / poses).mkdir(parents=True)
        for name, read in clips.items():
            clip = read()
            counts = Counter(clip.counts)
            tracks = _converted(clip.tracks, destination, counts)
            if len(tracks):
                manifest.check(name, tracks.layout.name)
            abnormal = _labels_of(name, tracks, labels)
            if abnormal is not None and brings_masks and masks:
                (made / masks).mkdir(parents=True, exist_ok=True)
                np.save(made / masks / f"{name}.npy", abnormal.astype(np.uint8))
            write_pose_json(made / poses / f"{name}{POSE_SUFFIX}", tracks)
            reports.append(_report(name, clip, tracks, abnormal, counts))
            advance(1)
        assumed = manifest.write(made)
    return ImportReport(manifest.layout, tuple(reports), assumed)


class _ManifestToWrite:
    """``dataset.toml``: written for a folder that has none; one that is there must fit what is imported.

    Where the only split is replaced, it is written anew if it does not fit.
    """

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        poses = destination.root / "pose"
        others = poses.is_dir() and any(path.name != destination.split for path in poses.iterdir())
        self._there = (destination.root / MANIFEST).exists()
        self.may_be_written = not others and (destination.replace or not self._there)
        self._layout: str | None = None

    @property
    def layout(self) -> str:
        """The layout of the poses."""
        return self._layout or self._destination.layout or "coco-17"

    def check(self, clip: str, layout: str) -> None:
        """Raises `DataError` for a clip of another layout than those before it, `UsageError` if the folder's does not fit."""
        if self._layout is None:
            self._layout = layout
            if not self.may_be_written:
                self._manifest().check_fits(self._destination.root)
        elif layout != self._layout:
            what = f"the clip has the layout {layout}; clips before it have {self._layout}"
            raise DataError(what, where=f"clip {clip}", remedy="convert them all with --layout")

    def write(self, made: Path) -> tuple[str, ...]:
        """Writes it where that is to be done; gives back what nobody said and is now assumed."""
        manifest = self._manifest()
        if not self.may_be_written or (self._there and not manifest.difference(self._destination.root)):
            return ()
        (made / MANIFEST).write_text(manifest.text(), encoding="utf-8")
        return manifest.assumed

    def _manifest(self) -> Manifest:
        told = self._destination
        return Manifest(
            title=told.title, layout=self.layout, resolution=told.resolution, frame_rate=told.frame_rate, missing=told.missing
        )


def _converted(tracks: Tracks, destination: Destination, counts: Counter[str]) -> Tracks:
    if destination.layout is None or not len(tracks):
        return tracks
    plan = conversion_plan(tracks.layout, layout_named(destination.layout))
    if plan.dropped:
        counts[f"poses without their {', '.join(plan.dropped)}, which {plan.target.name} does not have"] += len(tracks)
    if plan.computed:
        counts[f"poses with a computed {', '.join(plan.computed)}"] += len(tracks)
    try:
        return convert_layout(tracks, destination.layout)
    except ConfigError as error:
        name = tracks.clips[0].name
        raise ConfigError(
            error.what, where=f"clip {name}", remedy="choose a layout that the poses can give with --layout"
        ) from error


def _labels_there(destination: Destination) -> Labels | None:
    """The masks that the folder has already; they stay there."""
    folder = destination.root / MASKS.get(destination.split, "")
    if destination.split not in MASKS or not folder.is_dir():
        return None
    return Labels({path.name.removesuffix(".npy"): path for path in visible(folder, ".npy")}, "abnormal")


def _labels_of(name: str, tracks: Tracks, labels: Labels | None) -> NDArray[np.bool_] | None:
    """A clip's labels, which its poses fit; None where there are none."""
    path = None if labels is None else labels.files.get(name)
    if labels is None or path is None:
        return None
    abnormal = read_labels(path, labels.one_means)
    last = int(tracks.frame.max(initial=-1))
    if last >= len(abnormal):
        counted = "; are frames counted from 1? say --first-frame 1" if last == len(abnormal) else ""
        raise DataError(
            f"there are {len(abnormal)} labels (frames 0 to {len(abnormal) - 1}), but a pose in frame {last}",
            where=f"clip {name}, labels {path}",
            remedy=f"check that poses and labels belong to the same clip{counted}",
        )
    return abnormal


def _report(name: str, clip: ClipTracks, tracks: Tracks, abnormal: NDArray[np.bool_] | None, counts: Counter[str]) -> ClipReport:
    listed = tracks.clips[0].n_frames
    if abnormal is not None and listed > len(abnormal):
        counts["frames without a pose that the source lists beyond the labels"] = listed - len(abnormal)
    return ClipReport(
        name=name,
        frames=listed if abnormal is None else len(abnormal),
        poses=len(tracks),
        tracks=len(tracks.track_bounds()) - 1,
        ids=clip.ids,
        counts_from=clip.counts_from,
        abnormal=None if abnormal is None else int(abnormal.sum()),
        dropped=clip.dropped,
        counts=dict(counts),  # asdict cannot copy a Counter
    )
