"""Scores of the test windows as a detector gives them, put into the form in which they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import Clip, Context, DataError, Detector, PluginError, TermDetector, Windows, WindowScores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def score_windows(detector: Detector, seen: Windows, clips: Sequence[Clip], context: Context) -> WindowScores:
    """Scores of W windows, each the mean over the views it is seen in.

    Args:
        detector: Trained.
        seen: The windows once in each view, the plain one first, as `cut_windows` gives them.
        clips: The clips of the windows, by the names that the scores shall carry.
        context: Of the detector.

    Raises:
        PluginError: if the detector gives what no score can be.
    """
    terms: dict[str, Any] = {}
    if isinstance(detector, TermDetector):
        terms = {name: np.asarray(values, dtype=np.float64) for name, values in detector.score_terms(seen, context).items()}
        score = detector.fuse(terms)
    else:
        score = detector.score(seen, context)
    return as_window_scores(score, terms, seen, clips, context.name)


def as_window_scores(
    score: NDArray[np.float64], terms: Mapping[str, Any], seen: Windows, clips: Sequence[Clip], name: str
) -> WindowScores:
    """Scores as they are stored, each the mean over the views a window is seen in.

    Args:
        score: One for each window seen, in each view.
        terms: Its parts, likewise.
        seen: The windows, as `score_windows` takes them.
        clips: Of the windows.
        name: Of the detector, for the error.

    Raises:
        PluginError: if no score can be like this.
    """
    windows = seen.select(seen.view == 0)
    names = np.array([clip.name for clip in clips], dtype=np.str_)
    try:
        return WindowScores(
            clip=names[windows.clip],
            person=windows.person.astype(np.int64),
            start=windows.start.astype(np.int64),
            score=_mean_over_views(score, seen),
            length=windows.rule.length,
            terms={term: _mean_over_views(values, seen) for term, values in terms.items()},
        )
    except DataError as error:
        # The data are as they should be; it is the method that gave what no score can be.
        raise PluginError(f"{name}: {error.what}", where=error.where, remedy=error.remedy) from error


def _mean_over_views(values: Any, seen: Windows) -> NDArray[np.float64]:
    """(W,) or (W, T) of values (V * W,) or (V * W, T): each window's mean over the V views it was seen in.

    Raises:
        DataError: if there is not one value for each window seen.
    """
    every = np.asarray(values, dtype=np.float64)
    if every.shape[:1] != (len(seen),):
        raise DataError(
            f"scores of shape {every.shape} for {len(seen)} windows", remedy="a method scores every window it is given"
        )
    views = 1 + len(seen.views)
    return np.asarray(every.reshape(views, len(seen) // views, *every.shape[1:]).mean(axis=0))
