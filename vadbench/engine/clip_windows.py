"""The windows of some clips as if there were no others, or as if the clips came in another order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api import PixelWindows, Tracks, View, Windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def windows_of_clips(windows: Windows, clips: Sequence[int]) -> tuple[Windows, NDArray[np.int64]]:
    """Windows over the tracks of some clips alone, in the order given: nothing of another clip can be reached from them.

    The clips are numbered anew, from 0, so that a clip that is alone is number 0 whichever it is. A window is seen in the same
    views as before, random ones included.

    Args:
        windows: Of a whole split.
        clips: Numbers of clips in ``windows.tracks.clips``, none twice.

    Returns:
        ``(chosen, index)``: U windows, each view for itself, clip after clip; and (U,) int64, where each stands in ``windows``.
    """
    tracks = windows.tracks
    wanted = np.asarray(clips, dtype=np.int64)
    bounds = np.searchsorted(tracks.clip, np.arange(len(tracks.clips) + 1))
    rows = np.concatenate([np.zeros(0, np.int64), *(np.arange(bounds[clip], bounds[clip + 1]) for clip in wanted)])
    chosen = Tracks(
        clips=tuple(replace(tracks.clips[clip], name=f"{place:05d}") for place, clip in enumerate(wanted)),
        layout=tracks.layout,
        keypoints=tracks.planes[:, rows].transpose(1, 2, 0),
        clip=np.repeat(np.arange(len(wanted), dtype=np.int32), np.diff(bounds)[wanted]),
        person=tracks.person[rows],
        frame=tracks.frame[rows],
        score=tracks.score[rows],
    )
    place = np.full(len(tracks.clips), -1)
    place[wanted] = np.arange(len(wanted))
    at = place[windows.clip]
    mine = np.flatnonzero(at >= 0)
    index = mine[np.lexsort((mine, at[mine], windows.view[mine]))]
    moved = np.full(len(tracks), -1)
    moved[rows] = np.arange(len(rows))
    return (
        replace(
            windows,
            tracks=chosen,
            first=moved[windows.first[index]],
            view=windows.view[index],
            views=tuple(_SeenAsBefore(view, rows) for view in windows.views),
        ),
        index,
    )


@dataclass(frozen=True, slots=True)
class _SeenAsBefore:
    """A view whose chance is that of the row at which a window stood before; fulfils `vadbench.api.View`."""

    view: View
    row: NDArray[np.int64]

    @property
    def name(self) -> str:
        """That of the view."""
        return self.view.name

    def __call__(self, windows: PixelWindows) -> PixelWindows:
        """The windows as the view shows them at their old rows."""
        return replace(self.view(replace(windows, key=self.row[windows.key])), key=windows.key)
