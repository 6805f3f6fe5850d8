"""Detectors that break one rule each. ``fails``: the checks that see it; ``says``: what the first one's message holds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from asked_again import AskedAgain
from cpu_time import spend
from sound_components import SoundDetector, SoundTermDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Context, PoseShape, Windows


class InfiniteAtTheStart(SoundDetector):
    fails = ("scores", "absurd_scores_higher", "short_tracks", "unseen_joints", "one_person")
    says = "expected finite scores, got NaN or infinity"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        return np.where(windows.start == 0, np.inf, super().score(windows, context))


class OneColumn(SoundDetector):
    fails = ("scores", "one_window", "no_windows", "short_tracks", "unseen_joints", "one_person")
    says = "expected scores of shape (W,) = (216,) or (W, T) = (216, 24), got (216, 1)"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        return super().score(windows, context)[:, None]


class StandardisedByTest(SoundDetector):
    fails = ("subset", "one_person")
    says = "expected some windows to have the scores that they have among all"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        scores = super().score(windows, context)
        return scores * (1 + scores.max(initial=0))


class SmoothedOverWindows(SoundDetector):
    fails = ("order_does_not_matter", "subset", "one_person")
    says = "expected scores that follow the order of the windows"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        scores = super().score(windows, context)
        return (scores + np.concatenate([scores[:1], scores[:-1]])) / 2


class Squeezed(SoundDetector):
    fails = ("one_window",)
    says = "for 1 windows, got ()"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        return super().score(windows, context).squeeze()


class NeedsWindows(SoundDetector):
    fails = ("no_windows",)
    says = "No windows have no scores. Got ValueError: need at least one array"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        index = np.arange(len(windows))
        parts = [SoundDetector.score(self, windows.select(index[begin : begin + 100]), context) for begin in index[::100]]
        return np.concatenate(parts)


class LooksAtOtherClips(SoundDetector):
    fails = ("other_clips_do_not_matter", "one_person")
    says = "expected scores that do not depend on other clips"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        first = windows.tracks.keypoints[windows.tracks.frame == 0, :, 0]
        return super().score(windows, context) * (1 + 0.001 * np.nanmean(first))


class LooksAhead(SoundDetector):
    fails = ("future_does_not_matter", "unseen_joints")
    says = "expected scores that do not depend on later frames"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        tracks = windows.tracks
        ahead = np.minimum(windows.first + windows.rule.length + 20, len(tracks) - 1)
        same = (tracks.clip[ahead] == windows.clip) & (tracks.person[ahead] == windows.person)
        later = np.nanmean(tracks.keypoints[ahead, :, 0], axis=1)
        return super().score(windows, context) + np.where(same, 0.001 * later, 0)


class LowestIsZero(SoundDetector):
    """Small scores, as of a mean squared error, less the lowest of the batch."""

    fails = ("subset", "one_person")
    says = "expected some windows to have the scores that they have among all, got a difference of"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        scores = 3e-4 * super().score(windows, context)
        return scores - scores.min(initial=1)


class LooksAtOtherClipsALittle(SoundDetector):
    """Small scores that follow what other clips show."""

    fails = ("other_clips_do_not_matter", "one_person")
    says = "expected scores that do not depend on other clips, got a difference of"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        first = windows.tracks.keypoints[windows.tracks.frame == 0, :, 0]
        return 1e-4 * super().score(windows, context) * (1 + 0.001 * np.nanmean(first))


class NumberOfTheClip(SoundDetector):
    fails = ("one_person",)
    says = "expected one person's windows, in the only clip, to have the scores that they have among all"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        return super().score(windows, context) + windows.clip


class ComparesPeople(SoundDetector):
    fails = ("one_person",)
    says = "expected finite scores of a person whom nobody is with, got NaN or infinity"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        tracks = windows.tracks
        others = [
            (tracks.clip == clip) & (tracks.frame == start) for clip, start in zip(windows.clip, windows.start, strict=True)
        ]
        count = np.array([people.sum() for people in others]) - 1
        with np.errstate(divide="ignore"):
            return super().score(windows, context) + 1 / count


class LengthOfTheTrack(SoundDetector):
    fails = ("future_does_not_matter",)
    says = "expected scores that do not depend on how long tracks go on"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        return super().score(windows, context) + 1 / np.diff(windows.tracks.track_bounds())[windows.track]


class PlaceInTheClip(SoundDetector):
    fails = ("future_does_not_matter",)
    says = "expected scores that do not depend on how long clips go on"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        length = np.array([clip.n_frames for clip in windows.tracks.clips])
        return super().score(windows, context) + windows.start / length[windows.clip]


class AnswersOtherwiseAgain(SoundDetector):
    fails = ("same_answer_twice",)
    says = "expected the same scores when it is asked again"

    def __init__(self, config: object, poses: PoseShape) -> None:
        super().__init__(config, poses)
        self.again = AskedAgain()

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        lengths = [clip.n_frames for clip in windows.tracks.clips]
        return super().score(windows, context) + self.again(windows.first, np.nan_to_num(windows.tracks.keypoints), lengths)


class LayerAside(SoundDetector, torch.nn.Module):
    fails = ("tensors_registered",)
    says = "got tensors in layers"

    def __init__(self, config: object, poses: PoseShape) -> None:
        torch.nn.Module.__init__(self)
        super().__init__(config, poses)
        self.layers = [torch.nn.Linear(1, 1)]


class NestedState(SoundDetector):
    fails = ("state_round_trip",)
    says = "got state_dict()['model'] is a dict, expected a tensor"

    def state_dict(self) -> dict[str, Any]:
        return {"model": super().state_dict()}

    def load_state_dict(self, state: Any) -> None:
        super().load_state_dict(state["model"])


class TorchScores(SoundDetector):
    fails = ("scores", "short_tracks", "unseen_joints", "absurd_scores_higher", "one_person")
    says = "expected scores as a NumPy array of floating-point numbers, got torch.Tensor of torch.float64"

    def score(self, windows: Windows, context: Context) -> Any:
        return torch.from_numpy(super().score(windows, context))


class NeedsLongTracks(SoundDetector):
    fails = ("short_tracks",)
    says = "expected finite scores, got NaN or infinity"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        rows = np.diff(windows.tracks.track_bounds())[windows.track]
        return np.where(rows == windows.rule.length, np.nan, super().score(windows, context))


class WeightedByConfidence(SoundDetector):
    fails = ("unseen_joints",)
    says = "expected finite scores of people of whom a joint, or nothing, is seen, got NaN or infinity"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        seen = windows.batch(slice(None)).confidence.sum(axis=(1, 2))
        with np.errstate(invalid="ignore"):
            return super().score(windows, context) * (seen / seen)


class DividesByTheUnseen(SoundDetector):
    fails = ("unseen_joints",)
    says = "expected finite scores once fitted on people of whom a joint, or nothing, is seen, got NaN or infinity"

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows, context)
        self.sd = self.sd - np.float32(0.01)

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        with np.errstate(all="ignore"):
            return super().score(windows, context)


class TensorAside(SoundDetector, torch.nn.Module):
    fails = ("tensors_registered",)
    says = "got tensors in kept"

    def __init__(self, config: object, poses: PoseShape) -> None:
        torch.nn.Module.__init__(self)
        super().__init__(config, poses)
        self.kept = {"last": [torch.zeros(1)]}


class TakesItsTime(SoundDetector):
    fails = ("budget",)
    says = "expected at most 0.2 s of CPU time (CPU_SECONDS), got"
    cpu_seconds = 0.2

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows, context)
        spend(0.3)


class LearnsOnTheSly(SoundDetector):
    fails = ("labels_unused",)
    says = "expected scores that do not depend on labels of training windows"

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows.normal(), context)


class Likelihood(SoundDetector):
    fails = ("absurd_scores_higher",)
    says = "expected absurd windows to score higher than normal ones"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        return -super().score(windows, context)


class ScoreApartFromTerms(SoundTermDetector):
    fails = ("terms",)
    says = "expected score to be fuse(score_terms(...))"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        return 2 * super().score(windows, context)


class Unseeded(SoundDetector):
    fails = ("same_seed_same_outputs", "labels_unused")
    says = "expected the same seed to give the same scores"

    def fit(self, windows: Windows, context: Context) -> None:
        super().fit(windows.select(np.random.default_rng().random(len(windows)) < 0.7), context)


class Forgetful(SoundDetector):
    fails = ("state_round_trip",)
    says = "expected the same scores once its state was stored and loaded"

    def load_state_dict(self, state: Any) -> None:
        super().load_state_dict({**state, "sd": np.ones(1)})


class StatelessState(SoundDetector):
    fails = ("state_round_trip",)
    says = "Got KeyError: 'mean'"

    def state_dict(self) -> dict[str, Any]:
        return {}


class Prints(SoundDetector):
    fails = ("prints_nothing",)
    says = "expected nothing on stdout"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        print("scoring")  # noqa: T201 - the fault
        return super().score(windows, context)


class SeedsNumPy(SoundDetector):
    fails = ("global_generators_untouched",)
    says = "expected the global generator of NumPy to be left alone"

    def fit(self, windows: Windows, context: Context) -> None:
        np.random.seed(0)  # noqa: NPY002 - the fault
        super().fit(windows, context)


class WritesToTracks(SoundDetector):
    fails = ("inputs_unchanged",)
    says = "expected test score to be left as it was given"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        windows.tracks.score[:] = 0
        return super().score(windows, context)


class KnowsNoOtherDevice(SoundDetector):
    fails = ("moves_to_cuda",)
    says = "Got RuntimeError: tensors on two devices"

    def fit(self, windows: Windows, context: Context) -> None:
        if context.device != "cpu":
            raise RuntimeError("tensors on two devices")
        super().fit(windows, context)


class ConfiguresLogging(SoundDetector):
    fails = ("leaves_the_process_as_it_was",)
    says = "got a change of the root logger"

    def fit(self, windows: Windows, context: Context) -> None:
        logging.getLogger().setLevel(logging.DEBUG)
        super().fit(windows, context)


class ComputesInDouble(SoundDetector):
    fails = ("leaves_the_process_as_it_was",)
    says = "got a change of torch.set_default_dtype"

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        torch.set_default_dtype(torch.float64)
        return super().score(windows, context)


BROKEN = (
    InfiniteAtTheStart,
    OneColumn,
    StandardisedByTest,
    SmoothedOverWindows,
    Squeezed,
    NeedsWindows,
    LooksAtOtherClips,
    LooksAhead,
    LowestIsZero,
    LooksAtOtherClipsALittle,
    NumberOfTheClip,
    ComparesPeople,
    LengthOfTheTrack,
    PlaceInTheClip,
    AnswersOtherwiseAgain,
    LayerAside,
    NestedState,
    TorchScores,
    NeedsLongTracks,
    WeightedByConfidence,
    DividesByTheUnseen,
    TensorAside,
    TakesItsTime,
    LearnsOnTheSly,
    Likelihood,
    ScoreApartFromTerms,
    Unseeded,
    Forgetful,
    StatelessState,
    Prints,
    SeedsNumPy,
    WritesToTracks,
    # Nobody can tell where there is no such device.
    *((KnowsNoOtherDevice,) if torch.cuda.is_available() else ()),
    ConfiguresLogging,
    ComputesInDouble,
)
