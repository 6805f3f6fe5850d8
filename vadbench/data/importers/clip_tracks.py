"""From the poses of a source to the tracks of a clip: ids, frames from 0, pixels, and what had to be left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from vadbench.api import Clip, DataError, Tracks
from vadbench.data.importers.raw_poses import NO_ID, Detections
from vadbench.data.tracker import NO_TRACK, TrackerRule, assign_tracks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Ids = Literal["auto", "source", "tracker"]


@dataclass(frozen=True, slots=True)
class TrackingChoice:
    """Where track ids come from, and which poses are followed.

    Args:
        ids: From the ``source``, from our own ``tracker``, or ``auto``: from the source where it has any that mean something.
        rule: Of our own tracker.
        min_confidence: Poses whose joints have a lower mean confidence are left out; a missing joint counts as 0.
    """

    ids: Ids = "auto"
    rule: TrackerRule = field(default_factory=TrackerRule)
    min_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """What coordinates and frame numbers of a source mean.

    Args:
        resolution: Width and height of the pictures in pixels.
        shares: Whether coordinates are shares of the picture.
        counts_from: The number of the first frame; None to take it from the frames that the source lists, else 0.
    """

    resolution: tuple[int, int]
    shares: bool = False
    counts_from: int | None = None


@dataclass(frozen=True, slots=True)
class ClipTracks:
    """One clip, read.

    Args:
        tracks: Its poses; one clip, whose length is that of the source as far as it is known.
        ids: Where the track ids come from.
        counts_from: The number that the source gave the first frame.
        dropped: Reason to how many poses were left out.
        counts: What else was changed, in words, to how many.
    """

    tracks: Tracks
    ids: Literal["source", "tracker"]
    counts_from: int
    dropped: Mapping[str, int]
    counts: Mapping[str, int]


def tracks_of(name: str, found: Detections, picture: Picture, choice: TrackingChoice) -> ClipTracks:
    """The tracks of one clip.

    Raises:
        DataError: where ids are wanted from a source that has none, coordinates are not what they are said to be, or a frame
            lies before the first.
    """
    keypoints = _in_pixels(found, picture)
    first = _first_frame(found, picture)
    frame = found.frame - np.int32(first)
    ids = _ids_from(found, choice.ids)
    dropped: Counter[str] = Counter()
    kept = _kept(keypoints, choice.min_confidence, dropped)
    person = found.person
    if ids == "tracker":
        person = np.full(len(frame), NO_TRACK, dtype=np.int32)
        person[kept] = assign_tracks(frame[kept], keypoints[kept], choice.rule)
        _drop(kept, person == NO_TRACK, f"in a track of fewer than {choice.rule.min_length} poses", dropped)
    else:
        _drop(kept, person == NO_ID, "without a track id", dropped)
        _drop(kept, _repeated(person, frame, found.score, kept), "of a person who has a better pose in the same frame", dropped)
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort((frame[rows], person[rows]))]
    listed = 0 if found.listed is None else found.listed[1] - first + 1
    n_frames = max(listed, int(frame[rows].max(initial=-1)) + 1)
    planes = np.ascontiguousarray(keypoints[rows].transpose(2, 0, 1))
    tracks = Tracks(
        clips=(Clip(name, "", n_frames, picture.resolution),),
        layout=found.layout,
        keypoints=planes.transpose(1, 2, 0),
        clip=np.zeros(len(rows), dtype=np.int32),
        person=person[rows],
        frame=frame[rows],
        score=found.score[rows],
    )
    return ClipTracks(tracks, ids, first, {reason: n for reason, n in dropped.items() if n}, dict(found.counts))


def _in_pixels(found: Detections, picture: Picture) -> NDArray[np.float32]:
    largest = np.nanmax(np.abs(found.keypoints[..., :2]), initial=0)
    shares_at_most = 2
    if picture.shares:
        if largest > 10 * shares_at_most:
            raise DataError(
                f"coordinates go up to {largest:g}, so they are no shares of the picture",
                where=found.where,
                remedy="leave out --shares: they are pixels",
            )
        return found.keypoints * np.array([*picture.resolution, 1], dtype=np.float32)
    if 0 < largest <= shares_at_most:
        raise DataError(
            f"no coordinate is larger than {largest:g}: they are shares of the picture, not pixels",
            where=found.where,
            remedy="say so with --shares, and give the pictures' size with --resolution",
        )
    return found.keypoints


def _first_frame(found: Detections, picture: Picture) -> int:
    first = picture.counts_from
    if first is None:
        first = int(found.listed is not None and found.listed[0] == 1)
    before = found.frame < first
    if before.any():
        raise DataError(
            f"there are poses in frame {found.frame[before].min()}, before the first frame, {first}",
            where=found.where,
            remedy="give the number of the first frame with --first-frame",
        )
    return first


def _ids_from(found: Detections, wanted: Ids) -> Literal["source", "tracker"]:
    if wanted == "auto":
        return "source" if _ids_mean_something(found) else "tracker"
    if wanted == "source" and len(found.person) and (found.person == NO_ID).all():
        raise DataError("no pose has a track id", where=found.where, remedy="let our own tracker give them: --ids tracker")
    return wanted


def _ids_mean_something(found: Detections) -> bool:
    """Estimators without a tracker write no ids, or give everyone the same one."""
    with_id = found.person != NO_ID
    one_for_all = len(set(found.person[with_id].tolist())) == 1
    several_at_once = len(np.unique(found.frame[with_id])) < with_id.sum()
    return bool(with_id.any()) and not (one_for_all and several_at_once)


def _kept(keypoints: NDArray[np.float32], min_confidence: float, dropped: Counter[str]) -> NDArray[np.bool_]:
    kept = np.ones(len(keypoints), dtype=np.bool_)
    _drop(kept, np.asarray(np.isnan(keypoints[..., 0]).all(axis=1)), "without any joint", dropped)
    if min_confidence > 0:
        low = keypoints[..., 2].mean(axis=1) < min_confidence
        _drop(kept, low, f"of a mean confidence below {min_confidence:g}", dropped)
    return kept


def _drop(kept: NDArray[np.bool_], which: NDArray[np.bool_], reason: str, dropped: Counter[str]) -> None:
    dropped[reason] += int((kept & which).sum())
    kept &= ~which


def _repeated(
    person: NDArray[np.int32], frame: NDArray[np.int32], score: NDArray[np.float32], kept: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Poses of a person who has another in the same frame with a higher score, or with an equal one earlier in the source."""
    repeated = np.zeros(len(person), dtype=np.bool_)
    rows = np.flatnonzero(kept)
    order = rows[np.lexsort((-np.nan_to_num(score[rows], nan=-np.inf), frame[rows], person[rows]))]
    same = (np.diff(person[order]) == 0) & (np.diff(frame[order]) == 0)
    repeated[order[1:][same]] = True
    return repeated
