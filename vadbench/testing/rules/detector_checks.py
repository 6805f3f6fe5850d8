"""The contract of a detector, rule by rule. A composition is a detector too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.api import Context, Detector, TermDetector
from vadbench.engine.clip_windows import windows_of_clips
from vadbench.testing.conformance import CheckSkipped, expect, expect_same, is_finite
from vadbench.testing.rules import conduct_checks, device_checks, foundation_checks, label_checks, learning_checks
from vadbench.testing.rules.hard_windows import short_tracks, windows_with_unseen, with_rows
from vadbench.testing.sample import absurd_windows, sample_windows
from vadbench.testing.trial import LearningTrial, trial_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vadbench.api import PoseShape, Windows

_CONTRACT: Final = "Detector"


class DetectorTrial(LearningTrial[Detector]):
    """A detector on trial: fitted on some people and asked about others.

    Args:
        make: ``make(poses)`` gives an untrained detector.
        memory: See `LearningTrial`.
    """

    contract = _CONTRACT

    def __init__(self, make: Callable[[PoseShape], Detector], memory: dict[str, Any] | None = None) -> None:
        super().__init__(make, memory)
        self.training = sample_windows()
        self.windows = sample_windows(seed=19)

    def build(self) -> Detector:
        """A detector of the sample's windows."""
        return self.make(self.windows.shape)

    def teach(self, component: Detector, context: Context) -> None:
        """Fits it on the training windows."""
        component.fit(self.training, context)

    def outputs(self, component: Detector) -> Mapping[str, Any]:
        """Scores of the other people's windows."""
        return {"scores": self.score(component, self.windows)}

    def inputs(self) -> Mapping[str, Any]:
        """Windows and tracks of training and test."""
        given: dict[str, Any] = {}
        for split, windows in (("training", self.training), ("test", self.windows)):
            given |= {
                f"{split} {name}": getattr(windows.tracks, name) for name in ("keypoints", "clip", "person", "frame", "score")
            }
            given |= {f"{split} windows.{name}": getattr(windows, name) for name in ("first", "view")}
        return given

    def score(self, detector: Detector, windows: Windows) -> NDArray[np.float64]:
        """(W,) or (W, T)."""
        return detector.score(windows, trial_context(self.device))


def check_scores(trial: DetectorTrial) -> None:
    """Scores are a NumPy array of floating-point numbers, (W,), or (W, T), one a frame of each window, and finite."""
    _expect_scores(trial.score(trial.trained(), trial.windows), trial.windows)


def check_subset(trial: DetectorTrial) -> None:
    """A window's score is the same whichever other windows are scored with it."""
    detector = trial.trained()
    some = np.random.default_rng(5).random(len(trial.windows)) < 0.3
    everything = trial.score(detector, trial.windows)
    # Both parts: a score that looks at the highest of its batch goes unnoticed in the part that has the highest of all.
    for part in (some, ~some):
        got = trial.score(detector, trial.windows.select(part))
        expect_same(got, everything[part], "some windows to have the scores that they have among all", _CONTRACT)


def check_order_does_not_matter(trial: DetectorTrial) -> None:
    """Windows in another order have the same scores, in that order."""
    detector = trial.trained()
    order = np.random.default_rng(3).permutation(len(trial.windows))
    wanted = trial.score(detector, trial.windows)[order]
    got = trial.score(detector, trial.windows.select(order))
    expect_same(got, wanted, "scores that follow the order of the windows", _CONTRACT)


def check_one_window(trial: DetectorTrial) -> None:
    """One window is enough to be scored."""
    _check_count(trial, 1)


def check_no_windows(trial: DetectorTrial) -> None:
    """No windows have no scores."""
    _check_count(trial, 0)


def check_one_person(trial: DetectorTrial) -> None:
    """One person's windows, in the only clip, have the scores that they have among all; finite ones, with nobody beside him."""
    windows, detector = trial.windows, trial.trained()
    # Of the second clip, which is then the first: a number that a clip has by chance must not show in a score.
    mine = windows.track == windows.track[windows.clip == 1][0]
    alone, _ = windows_of_clips(windows.select(mine), [1])
    wanted = trial.score(detector, windows)[mine]
    got = trial.score(detector, alone)
    expect_same(got, wanted, "one person's windows, in the only clip, to have the scores that they have among all", _CONTRACT)
    lonely = with_rows(alone, alone.tracks.person == alone.person[0])
    _expect_scores(trial.score(detector, lonely), lonely, " of a person whom nobody is with")


def check_short_tracks(trial: DetectorTrial) -> None:
    """Tracks of one window or a frame more, clips without a window, and clips without anybody: every score is finite."""
    windows = short_tracks()
    _expect_scores(trial.score(trial.trained(), windows), windows)


def check_unseen_joints(trial: DetectorTrial) -> None:
    """A joint that nobody shows, and people of whom nothing is seen, leave every score finite: in ``score``, and in ``fit``."""
    unseen = windows_with_unseen(seed=19)
    _expect_scores(trial.score(trial.trained(), unseen), unseen, " of people of whom a joint, or nothing, is seen")
    trial.training = windows_with_unseen()
    fitted = trial.fitted()
    for windows in (unseen, trial.windows):
        _expect_scores(trial.score(fitted, windows), windows, " once fitted on people of whom a joint, or nothing, is seen")


def check_other_clips_do_not_matter(trial: DetectorTrial) -> None:
    """A score depends on nothing that other clips show."""
    windows = trial.windows
    _check_ignored(trial, windows.clip == 0, windows.tracks.clip != 0, "other clips")


def check_future_does_not_matter(trial: DetectorTrial) -> None:
    """A score depends on nothing that its clip shows after the window, nor on how long the clip and its tracks go on."""
    windows = trial.windows
    half = max(clip.n_frames for clip in windows.tracks.clips) // 2
    early = windows.start + windows.rule.length - 1 < half
    later = windows.tracks.frame >= half
    _check_ignored(trial, early, later, "later frames")
    detector, windows = trial.trained(), windows.select(early)
    wanted = trial.score(detector, windows)
    cut = with_rows(windows, ~later)
    what = "scores that do not depend on how long tracks go on"
    expect_same(trial.score(detector, cut), wanted, what, _CONTRACT)
    short = tuple(replace(clip, n_frames=half) for clip in windows.tracks.clips)
    ended = replace(cut, tracks=replace(cut.tracks, clips=short))
    expect_same(trial.score(detector, ended), wanted, "scores that do not depend on how long clips go on", _CONTRACT)


def check_absurd_scores_higher(trial: DetectorTrial) -> None:
    """Once fitted, windows whose joints are exchanged at random score higher on average, unless it says ``learns = False``."""
    detector = trial.trained()
    if not getattr(detector, "learns", True):
        raise CheckSkipped("the detector declares learns = False")
    normal = float(np.mean(trial.score(detector, trial.windows)))
    absurd = float(np.mean(trial.score(detector, absurd_windows(trial.windows))))
    wanted = f"absurd windows to score higher than normal ones, whose mean is {normal:.4g}"
    expect(absurd > normal, wanted, f"a mean of {absurd:.4g}", _CONTRACT)


def check_terms(trial: DetectorTrial) -> None:
    """Where it has terms, each is (W,) and finite, and fused they are the score."""
    detector = trial.trained()
    if not isinstance(detector, TermDetector):
        raise CheckSkipped("the detector has no terms")
    terms = detector.score_terms(trial.windows, trial_context())
    expect(len(terms) > 0, "at least one term", "none", "TermDetector")
    for name, values in terms.items():
        fine = np.shape(values) == (len(trial.windows),) and is_finite(values)
        expect(fine, f"the term {name} of shape ({len(trial.windows)},), finite", f"shape {np.shape(values)}", "TermDetector")
    wanted = trial.score(detector, trial.windows)
    expect_same(detector.fuse(terms), wanted, "score to be fuse(score_terms(...))", "TermDetector")


def _expect_scores(scores: Any, windows: Windows, of_what: str = "") -> None:
    count, length = len(windows), windows.rule.length
    is_array = isinstance(scores, np.ndarray) and scores.dtype.kind == "f"
    expect(is_array, "scores as a NumPy array of floating-point numbers", _kind_of(scores), _CONTRACT)
    fits = np.shape(scores) in ((count,), (count, length))
    expect(fits, f"scores of shape (W,) = ({count},) or (W, T) = ({count}, {length})", np.shape(scores), _CONTRACT)
    expect(is_finite(scores), f"finite scores{of_what}", "NaN or infinity", _CONTRACT)


def _kind_of(values: Any) -> str:
    return f"{type(values).__module__}.{type(values).__name__} of {getattr(values, 'dtype', 'no type')}"


def _check_count(trial: DetectorTrial, count: int) -> None:
    windows = trial.windows.select(np.arange(count, dtype=np.int64))
    scores = trial.score(trial.trained(), windows)
    fits = np.shape(scores) in ((count,), (count, windows.rule.length))
    expect(fits, f"scores of shape {(count,)} or {(count, windows.rule.length)} for {count} windows", np.shape(scores), _CONTRACT)


def _check_ignored(trial: DetectorTrial, scored: NDArray[np.bool_], changed: NDArray[np.bool_], what: str) -> None:
    detector, windows = trial.trained(), trial.windows.select(scored)
    keypoints = windows.tracks.keypoints.copy()
    # Everybody else is upside down, twice as large and elsewhere.
    keypoints[changed, :, :2] = 900 - 2 * keypoints[changed, :, :2]
    other = replace(windows, tracks=replace(windows.tracks, keypoints=keypoints))
    wanted = trial.score(detector, windows)
    expect_same(trial.score(detector, other), wanted, f"scores that do not depend on {what}", _CONTRACT)


CHECKS: Final = (
    *foundation_checks.CHECKS,
    check_scores,
    check_subset,
    check_order_does_not_matter,
    check_one_window,
    check_one_person,
    check_no_windows,
    check_other_clips_do_not_matter,
    check_future_does_not_matter,
    check_absurd_scores_higher,
    check_terms,
    check_short_tracks,
    check_unseen_joints,
    *label_checks.CHECKS,
    *device_checks.CHECKS,
    *learning_checks.CHECKS,
    *conduct_checks.CHECKS,
)
"""Every check of a detector."""
