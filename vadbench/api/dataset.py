"""The contract of a data set, and what a data set may tell beyond it: where it lies, what it reads, what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from vadbench.api.tracks import FrameLabels, Tracks

Split = Literal["train", "validation", "test"]
"""A part of a data set: what is learned from, what may be chosen by, what is reported."""
Severity = Literal["error", "warning", "note"]
"""An error stops a run or makes its figures wrong; a warning may; a note is worth knowing."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a split of a published data set amounts to; None for a number that is not known.

    Args:
        clips: Clips, with or without poses.
        frames: Frames of these clips.
        counted: Frames that count; fewer than ``frames`` where a human-related subset leaves frames out.
        abnormal: Abnormal frames among those that count.
        poses: Poses.
    """

    clips: int | None = None
    frames: int | None = None
    counted: int | None = None
    abnormal: int | None = None
    poses: int | None = None


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a user has to know of a data set.

    Args:
        name: As on the command line.
        title: As in print.
        layout: Name of the skeleton layout of its poses.
        frame_rate: Frames a second.
        licence: Licence of the data.
        citation: The paper to cite.
        source: Where to get it, in a sentence.
        splits: Which splits there are.
        stand_in: True for data that exist to try the software out; their figures are never a result.
        notes: What else to know, a sentence each.
        resolution: Width and height of its pictures in pixels; None where clips differ or nobody says.
        expected: Split to what it amounts to, as far as that is published.
        supervised: True where the training split, as it is set, holds abnormal clips with frame labels: for the supervised track
            alone.
        tree: Where its files lie, a line each, for people; empty where it has none.
    """

    name: str
    title: str
    layout: str
    frame_rate: float
    licence: str
    citation: str
    source: str
    splits: tuple[Split, ...] = ("train", "test")
    stand_in: bool = False
    notes: tuple[str, ...] = field(default=())
    resolution: tuple[int, int] | None = None
    expected: Mapping[Split, Expected] = field(default_factory=dict)
    tree: str = ""
    supervised: bool = False


@runtime_checkable
class Dataset(Protocol):
    """Poses and, for the harness alone, frame labels.

    No clip is in two splits, and training clips are normal unless ``info.supervised`` says otherwise.
    """

    @property
    def info(self) -> DatasetInfo:
        """What a user has to know; needs no data on disk."""
        ...

    def tracks(self, split: Split) -> Tracks:
        """The poses of a split. Raises `DataError` where they are missing or damaged."""
        ...

    def labels(self, split: Split) -> FrameLabels:
        """The frame labels of a split, clips as in ``tracks(split).clips``. Called by the harness after scoring."""
        ...


@runtime_checkable
class Locatable(Protocol):
    """Optional, for a dataset: tells cheaply whether its files are there."""

    def available(self) -> bool:
        """True where ``tracks`` can be expected to find its files."""
        ...


@runtime_checkable
class Sourced(Protocol):
    """Optional, for a dataset: tells which files a split is read from, so that the harness can cache what it read.

    ``tracks(split)`` must be a function of these files' contents, of the data set's settings and of its code, and of nothing
    else: the harness gives back what an earlier call made of equal files.
    """

    def sources(self, split: Split) -> Mapping[str, tuple[Path, ...]]:
        """Clip name to the files that ``tracks(split)`` reads for it, in the order of its clips.

        Files that concern the split as a whole stand under the empty name. Raises `DataError` as ``tracks`` does where files
        are missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, or worth knowing, about a data set's files.

    Args:
        check: Short name of the check that found it, e.g. ``short-tracks``.
        severity: See `Severity`.
        what: What was found, with numbers.
        where: The file, and the person and frame within it where that helps; else the split.
        remedy: What to do about it.
    """

    check: str
    severity: Severity
    what: str
    where: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What can be read of one split, and what is wrong with the rest.

    Args:
        tracks: Poses of the clips that can be read; None where none can. Nothing that ``Dataset.tracks`` would refuse for
            reasons of counts or pairing is left out of it.
        labels: Frame labels of the clips that have readable ones, in any number and order; None where the split has none.
        files: Clip name to the file or folder that its poses come from.
        findings: What is wrong with files: missing, damaged, not matching one another.
    """

    tracks: Tracks | None
    labels: FrameLabels | None
    files: Mapping[str, Path]
    findings: tuple[Finding, ...]


@runtime_checkable
class Inspectable(Protocol):
    """Optional, for a dataset: reads what it can, file by file, for ``vadbench data doctor``."""

    def inspect(self, split: Split) -> Inspection:
        """The readable part of a split and what is wrong with the rest; raises nothing on account of the files."""
        ...
