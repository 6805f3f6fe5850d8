"""Which files a split has, clip by clip, and what is wrong with them before one is opened: missing, unpaired, misnamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vadbench.api import DataError, Finding
from vadbench_datasets.frame_truth import Found, by_clip, finding
from vadbench_datasets.pose_form import absent_folders, pickled_poses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from vadbench_datasets.frame_truth import FrameTruth, LabelFile
    from vadbench_datasets.pose_family import ClipSource
    from vadbench_datasets.pose_form import PoseForm, SplitForm


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """The files of one clip; None for what it does not have."""

    poses: ClipSource | None
    truth: LabelFile | None

    @property
    def source(self) -> ClipSource:
        """Where its poses are; raises `DataError` where it has none, which a sound survey rules out."""
        if self.poses is None:
            raise DataError("a clip has no poses", where=str(self.truth))
        return self.poses


@dataclass(frozen=True, slots=True)
class Survey:
    """The files of one split.

    Args:
        clips: Clip to its files, sorted by clip.
        shared: Files that concern the split as a whole.
        findings: What is wrong, gravest first.
    """

    clips: Mapping[str, ClipFiles]
    shared: tuple[Path, ...]
    findings: tuple[Finding, ...]

    def sound(self) -> Survey:
        """The survey itself; raises `DataError` where something is wrong."""
        if self.findings:
            first = self.findings[0]
            alike = sum(found.check == first.check for found in self.findings) - 1
            more = f" ({alike} more like it)" if alike else ""
            raise DataError(first.what + more, where=first.where, remedy=first.remedy)
        return self


def survey_split(root: Path, form: PoseForm, split: SplitForm, source: str, *, poses: bool, truth: bool) -> Survey:
    """Looks for the files of a split; opens none that it need not tell by its content.

    Args:
        root: The data set's folder.
        form: Its form.
        split: The split's.
        source: Where to get the data, for messages.
        poses: Whether poses are wanted.
        truth: Whether labels are wanted, if the split has any.
    """
    whole = split.listed is None or split.listed.whole
    poses = poses or not whole  # of a list's clips, those count that have poses
    wanted = split.truth if truth else None
    needed = [split.poses[:1]] * poses + ([wanted.folders] if wanted is not None else [])
    absent = absent_folders(root, form, needed, source)
    findings = [] if absent is None else [absent]
    try:
        listed = None if split.listed is None else split.listed.read(root, form.clip_name)
    except DataError as error:
        return Survey({}, form.shared, (*findings, finding("clip-list", error)))
    belongs = split.belongs if listed is None else listed.__contains__
    sources: dict[str, ClipSource] = {}
    if poses:
        sources, faults = _find_poses(root, form, split, source, belongs)
        findings[:0] = _pickled(root, form, faults) if not sources else ()
        findings += faults
    found = _find_truth(root, form, wanted)
    findings += found.findings
    files = {clip: labels for clip, labels in found.files.items() if belongs(clip) and (whole or clip in sources)}
    fixed = split.truth is not None and split.truth.fixed
    if wanted is not None and fixed and not files and not found.findings and absent is None and (whole or sources):
        findings.append(_no_clip(_first_there(root, wanted.folders), wanted.file_name, source))
    if poses and truth and sources and (files or not fixed):
        findings += _unpaired(sources, files, form, split)
    if split.listed is not None and listed is not None and whole and (sources or (files and not poses)):
        findings += _not_there(root / split.listed.path, listed - {*sources, *files}, source)
    names = sorted({*sources, *(files if fixed or not poses else ())})
    clips = {name: ClipFiles(sources.get(name), files.get(name)) for name in names}
    lists = () if split.listed is None else (root / split.listed.path,)
    return Survey(clips, (*form.shared, *lists, *found.shared), tuple(findings))


def _find_truth(root: Path, form: PoseForm, truth: FrameTruth | None) -> Found:
    if truth is None:
        return Found({})
    try:
        return truth.find(root, form.clip_name)
    except DataError as error:
        return Found({}, (finding("unreadable-folder", error),))


def _find_poses(
    root: Path, form: PoseForm, split: SplitForm, source: str, belongs: Callable[[str], bool]
) -> tuple[dict[str, ClipSource], list[Finding]]:
    named: list[tuple[str, Path, ClipSource]] = []
    findings: list[Finding] = []
    for folder in split.poses:
        if (root / folder).is_dir():
            try:
                named += [(name, clip.place, clip) for name, clip in form.family.find(root / folder)]
            except DataError as error:
                findings.append(finding("unreadable-folder", error))
    sources, faults = by_clip(named, form.clip_name)
    sources = {clip: files for clip, files in sources.items() if belongs(clip)}
    findings += faults
    if not sources and not findings and (root / split.poses[0]).is_dir():
        findings.append(_no_clip(root / split.poses[0], form.family.file_name, source))
    elif sources and (lacks := split.lacks(sources)):
        findings.append(Finding("clips-missing", "error", lacks, str(root / split.poses[0]), f"complete it: {source}"))
    return sources, findings


def _pickled(root: Path, form: PoseForm, faults: list[Finding]) -> Iterable[Finding]:
    """A finding where the poses of a split are there as they were released, as pickles."""
    empty = not faults or faults[0].check == "no-clips"  # else there are poses, and something else is wrong with them
    pickled = pickled_poses(root, form) if empty else None
    return () if pickled is None else (pickled,)


def _not_there(path: Path, clips: Iterable[str], source: str) -> Iterable[Finding]:
    """A finding for every clip of a list of which nothing was found."""
    for clip in sorted(clips):
        what = f"clip {clip} is in the list of the split, but its files are not there"
        yield Finding("clips-missing", "error", what, str(path), f"complete it: {source}")


def _unpaired(
    sources: Mapping[str, ClipSource], files: Mapping[str, LabelFile], form: PoseForm, split: SplitForm
) -> Iterable[Finding]:
    """A finding for every clip that lacks its poses or its labels."""
    truth = split.truth
    if truth is None:
        return
    for clip, source in sources.items():
        if clip not in files and truth.wanted(clip):
            yield Finding(
                "no-mask",
                "error",
                "a clip has poses but no mask",
                str(source.place),
                f"add {truth.folders[0]}/{truth.file_name} ({truth.meaning}), or take the poses out of {split.poses[0]}",
            )
    for clip, labels in files.items():
        if clip not in sources and truth.fixed:
            yield Finding(
                "no-poses",
                "error",
                "a clip has a mask but no poses",
                str(labels),
                f"add the poses of {clip} to {split.poses[0]} ({form.family.file_name}); "
                f"if nobody was detected in the clip, put {form.family.nobody} there; to leave the clip out, take the mask away",
            )


def _first_there(root: Path, folders: tuple[str, ...]) -> Path:
    return next((root / folder for folder in folders if (root / folder).is_dir()), root / folders[0])


def _no_clip(folder: Path, file_name: str, source: str) -> Finding:
    remedy = f"its files are named {file_name}\nwhere to get them: {source}"
    return Finding("no-clips", "error", "the folder holds no clip", str(folder), remedy)
