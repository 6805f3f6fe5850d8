"""What became of an import, clip by clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClipReport:
    """What became of one clip.

    Args:
        name: Of the clip.
        frames: As far as labels or source tell, else up to the last pose.
        poses: Written.
        tracks: Written.
        ids: ``source`` or ``tracker``.
        counts_from: The number that the source gave the first frame.
        abnormal: Abnormal frames; None without labels.
        dropped: Reason to poses left out.
        counts: What else was changed, to how many.
    """

    name: str
    frames: int
    poses: int
    tracks: int
    ids: str
    counts_from: int
    abnormal: int | None
    dropped: Mapping[str, int]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an import.

    Args:
        layout: Of the poses written.
        clips: Every clip.
        assumed: What nobody said of the folder, so that readers assume it.
    """

    layout: str
    clips: tuple[ClipReport, ...]
    assumed: tuple[str, ...]

    @property
    def unlabelled(self) -> tuple[str, ...]:
        """Clips without frame labels."""
        return tuple(clip.name for clip in self.clips if clip.abnormal is None)

    def total(self, of: str) -> dict[str, int]:
        """``dropped`` or ``counts``, over all clips."""
        totals: Counter[str] = Counter()
        for clip in self.clips:
            totals.update(getattr(clip, of))
        return dict(totals)
