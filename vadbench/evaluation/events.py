"""Anomalous events and alarms in time: stretches of frames, and how they meet.

Everything here happens on the frames that count, each clip's put side by side. A frame that a subset leaves out is as if it were
not in the video: it belongs to no event and no alarm, splits neither, and takes no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Stretches:
    """Maximal stretches of marked frames that lie in one clip; positions on the frames of all clips, one clip after another.

    Args:
        first: (S,) int64, the first frame of each.
        end: (S,) int64, the frame after its last one.
    """

    first: NDArray[np.int64]
    end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def of(cls, marked: NDArray[np.bool_], lengths: Sequence[int]) -> Stretches:
        """The stretches of ``marked`` (n,), the frames of clips of these ``lengths``; two clips never share one."""
        borders = np.zeros(len(marked) + 1, dtype=bool)
        borders[np.cumsum([0, *lengths])] = True
        before = np.concatenate([[False], marked])
        after = np.concatenate([marked, [False]])
        first = after & (borders | ~before)
        end = before & (borders | ~after)
        return cls(np.flatnonzero(first), np.flatnonzero(end))


@dataclass(frozen=True, slots=True)
class Detection:
    """What an alarm finds and what it raises for nothing.

    Args:
        delay: (E,) float64, frames from an event's first frame to the first frame of it with an alarm; 0 where the alarm is on at
            once, also where it began before the event; infinite for an event without one.
        false_alarms: Stretches of alarm that begin on a normal frame. One that begins in an event and runs on after it is not a
            false alarm; one that begins before an event and runs into it is, though the event counts as detected.
    """

    delay: NDArray[np.float64]
    false_alarms: int


def detect(abnormal: NDArray[np.bool_], alarm: NDArray[np.bool_], lengths: Sequence[int]) -> Detection:
    """Events against alarms.

    Args:
        abnormal: (n,), the frames that count of all clips, one clip after another. An event is a stretch of abnormal frames.
        alarm: (n,), whether the alarm is on.
        lengths: Of each clip, the number of its frames that count; n together.
    """
    events, alarms = Stretches.of(abnormal, lengths), Stretches.of(alarm, lengths)
    on = np.flatnonzero(alarm)
    # The alarm's first frame at or after the event's first; one beyond all frames where there is none.
    following = np.append(on, len(alarm))[np.searchsorted(on, events.first)]
    delay = np.where(following < events.end, following - events.first, np.inf)
    return Detection(delay.astype(np.float64), int((~abnormal[alarms.first]).sum()))
