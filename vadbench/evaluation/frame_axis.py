"""The frames of a test set, strung together clip after clip: what frame scores are laid out along."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from vadbench.api import Clip, FrameLabels


@dataclass(frozen=True, slots=True)
class FrameAxis:
    """Clips in evaluation order, with what a protocol must know of their frames. Knows no labels.

    Args:
        clips: Names.
        lengths: Frames of each clip.
        scenes: Scene of each clip.
        keep: Per clip (n_frames,) bool, True where the frame counts (human-related subsets leave frames out).
    """

    clips: tuple[str, ...]
    lengths: tuple[int, ...]
    scenes: tuple[str, ...]
    keep: tuple[NDArray[np.bool_], ...]

    @classmethod
    def of_labels(cls, labels: FrameLabels, scenes: Mapping[str, str]) -> FrameAxis:
        """The frames that labels are given for, and those of them that count."""
        lengths = tuple(len(part) for part in labels.abnormal)
        return cls(labels.clips, lengths, tuple(scenes[name] for name in labels.clips), labels.keep)

    @classmethod
    def of_clips(cls, clips: Sequence[Clip]) -> FrameAxis:
        """Every frame of these clips; all of them count."""
        return cls(
            tuple(clip.name for clip in clips),
            tuple(clip.n_frames for clip in clips),
            tuple(clip.scene for clip in clips),
            tuple(np.ones(clip.n_frames, dtype=bool) for clip in clips),
        )

    @property
    def offsets(self) -> NDArray[np.int64]:
        """(C + 1,): position of each clip's first frame; the last entry is the number of frames."""
        return np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)

    def split(self, flat: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """(F,) values of all frames, clip by clip."""
        return tuple(flat[a:b] for a, b in pairwise(self.offsets.tolist()))

    def together(self, parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """What `split` took apart; of no clip (0,)."""
        return np.concatenate(parts) if parts else np.zeros(0)

    def positions(self, names: NDArray[np.str_]) -> NDArray[np.int64]:
        """(W,) the place of each name among the clips.

        Raises:
            DataError: for a name that is not among them.
        """
        position = {name: i for i, name in enumerate(self.clips)}
        unique, inverse = np.unique(names, return_inverse=True)
        unknown = [str(name) for name in unique if str(name) not in position]
        if unknown:
            raise DataError(
                f"windows of {len(unknown)} clips that the test set does not have: {', '.join(unknown[:5])}",
                where="window scores",
                remedy="score the data set that these windows come from",
            )
        return np.array([position[str(name)] for name in unique], dtype=np.int64)[inverse]
