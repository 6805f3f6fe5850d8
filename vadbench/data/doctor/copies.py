"""The same poses in two clips: of one split, or of training and test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench.data.doctor.diagnosis import Case, Diagnosis
from vadbench.data.doctor.wording import counted, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vadbench.data.doctor.split import ReadSplit

COPIED, FEWEST = 0.2, 10
"""Share and number of a clip's poses that stand, to the last bit, in another clip: no two people stand equal by chance."""


@dataclass(frozen=True, slots=True)
class SplitKeys:
    """What is kept of a split to compare it with the next: a few bytes a pose.

    Args:
        split: Which.
        places: File, or name, of each of C clips.
        scenes: Scene of each clip.
        clip: (n,) clip of each pose that has joints enough to be compared.
        key: (n,) its key.
    """

    split: str
    places: tuple[str, ...]
    scenes: tuple[str, ...]
    clip: NDArray[np.int32]
    key: NDArray[np.uint64]


def split_keys(read: ReadSplit) -> SplitKeys:
    """The poses of a split, each as one number."""
    clips = read.tracks.clips
    rows = read.comparable
    return SplitKeys(
        read.split,
        tuple(read.place(number) for number in range(len(clips))),
        tuple(clip.scene for clip in clips),
        read.tracks.clip[rows],
        read.keys[rows],
    )


def copied_clips(read: ReadSplit) -> Iterator[Diagnosis]:
    """Clips of one split that share poses: the same clip under two names."""
    own = split_keys(read)
    order = np.argsort(own.key, kind="stable")
    key, clip = own.key[order], own.clip[order]
    # Poses of one key lie side by side, sorted by clip; where two clips hold it, its first and last clip differ.
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))[: len(key)]
    count = np.diff(np.concatenate([first, [len(key)]]))
    low, high = np.repeat(clip[first], count), np.repeat(clip[first + count - 1], count)
    shared = low != high
    pairs = _main_partner(clip[shared], np.where(clip == low, high, low)[shared], read.n_poses)
    pairs = [pair for pair in pairs if pair.clip > pair.partner]  # the first of several equal clips is not the copy
    if pairs:
        yield read.diagnosis(
            "copied-clips",
            "warning",
            f"{counted(len(pairs), 'clip')} of the split {'is' if len(pairs) == 1 else 'are'} there twice",
            "delete one of each: their frames count twice",
            [_case(pair, own, own) for pair in pairs],
        )


def leaked_clips(one: SplitKeys, other: SplitKeys) -> Iterator[Diagnosis]:
    """Clips of one split whose poses are in another split as well: what is tested on was trained on."""
    if len(other.key) == 0:
        return
    order = np.argsort(other.key, kind="stable")
    at = np.minimum(np.searchsorted(other.key[order], one.key), len(order) - 1)
    found = other.key[order[at]] == one.key
    total = np.bincount(one.clip, minlength=len(one.places))
    pairs = _main_partner(one.clip[found], other.clip[order[at[found]]], total)
    if pairs:
        yield Diagnosis(
            f"{other.split} and {one.split}",
            "leaked-clips",
            "error",
            f"{share(len(pairs), len(one.places), f'{one.split} clips')} are in the {other.split} split as well",
            f"take them out of the {other.split} split: a method that has seen a clip knows it",
            tuple(_case(pair, one, other) for pair in pairs),
        )


def new_scenes(one: SplitKeys, other: SplitKeys) -> Iterator[Diagnosis]:
    """Scenes that are tested on and were never trained on."""
    unknown = sorted(set(one.scenes) - set(other.scenes))
    if not unknown or other.split != "train":
        return
    clips = [number for number, scene in enumerate(one.scenes) if scene in unknown]
    names = ", ".join(unknown[:8]) + (f" and {len(unknown) - 8} more" if len(unknown) > 8 else "")
    yield Diagnosis(
        f"{other.split} and {one.split}",
        "new-scenes",
        "note",
        f"{share(len(unknown), len(set(one.scenes)), 'scenes')} of the {one.split} split are not in the "
        f"{other.split} split: {names}",
        "nothing, if the data set is meant so (UBnormal is); else check the clips' names",
        tuple(Case(f"scene {one.scenes[clip]}", one.places[clip]) for clip in clips),
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """A clip, the clip that shares most of its poses, how many poses it shares with any, and how many it has."""

    clip: int
    partner: int
    shared: int
    poses: int


def _main_partner(clip: NDArray[np.int32], partner: NDArray[np.int32], poses: NDArray[np.int64]) -> list[_Pair]:
    """The clips with copied poses enough, the most copied first.

    Args:
        clip: (m,) the clip of each shared pose.
        partner: (m,) a clip that has it as well.
        poses: (C,) poses of each clip.
    """
    shared = np.bincount(clip, minlength=len(poses))
    n_partners = int(partner.max(initial=0)) + 1
    pairs, number = np.unique(clip.astype(np.int64) * n_partners + partner, return_counts=True)
    best = {
        int(pair) // n_partners: int(pair) % n_partners for pair in pairs[np.argsort(number, kind="stable")]
    }  # the last stays
    enough = np.flatnonzero((shared >= FEWEST) & (shared > COPIED * poses))
    worst = enough[np.argsort(-shared[enough], kind="stable")]
    return [_Pair(int(at), best[int(at)], int(shared[at]), int(poses[at])) for at in worst]


def _case(pair: _Pair, one: SplitKeys, other: SplitKeys) -> Case:
    return Case(f"{share(pair.shared, pair.poses, 'poses')} also in {other.places[pair.partner]}", one.places[pair.clip])
