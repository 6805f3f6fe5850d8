"""What a stored composition says of its windows, piece by piece: codes, surprise of each token, surprise of each joint.

The pieces sum to the terms of the score, in nats:

    semantic = sum over tokens of -log p(c_k | c_<k, history)        `vadbench.api.Prior.log_prob`
    detail   = sum over frames and joints of the flow's surprise     `vadbench.api.Localised`, where the flow is that

A density over coordinates says more of a still joint than of a swinging one, so that joints differ in surprise whatever happens.
What is odd about a joint is therefore measured against training: its surprise less the mean there, by the deviation there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from vadbench.api import DataError, Localised, UsageError
from vadbench.api.process_state import process_kept
from vadbench.engine.composing.composition import Composition
from vadbench.engine.composing.conditions import predicted_condition
from vadbench.engine.composing.token_chains import token_history
from vadbench.engine.composing.window_batches import BATCH, window_batches
from vadbench.engine.plugin_faults import method_step
from vadbench.engine.training.trainer import seeded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.api import Context, Tokenizer, Windows, WindowScores
    from vadbench.engine.config import ResolvedMethod
    from vadbench.engine.inputs import Inputs
    from vadbench.engine.trained import Trained

BASELINE_WINDOWS: Final = 1024
"""Training windows, spread evenly, over which the usual surprise of a joint is taken."""
_SMALLEST_SPREAD: Final = 1e-6
"""Nats; of a joint that never varies in training."""


@dataclass(frozen=True, slots=True)
class Poses:
    """A stretch of poses in the picture.

    Args:
        xy: (2, F, J) float32 pixels, y downwards.
        seen: (F, J) bool; False for a joint that the source does not have, which stands where the normaliser puts it.
        frames: (F,) frame of each pose.
    """

    xy: NDArray[np.float32]
    seen: NDArray[np.bool_]
    frames: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Surprises:
    """The pieces of W windows, each None where the composition has no part that gives it.

    Args:
        codes: (W, L) int64.
        tokens: (W, L) float64 nats, summing over L to the semantic term.
        joints: (W, T, J) float64 nats, summing over T and J to the detail term; single shares may be negative.
        excess: (W, T, J) float64 nats, ``joints`` above their mean on training windows, place by place.
        odd: (W, T, J) ``excess`` in standard deviations over training windows, place by place.
    """

    codes: NDArray[np.int64] | None
    tokens: NDArray[np.float64] | None
    joints: NDArray[np.float64] | None
    excess: NDArray[np.float64] | None
    odd: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class Explained:
    """A stored run that is open for questions; made by `explained`.

    Args:
        method: Of the run.
        composition: With its weights.
        train: Training windows as they are, without augmented views.
        test: Test windows as they are, in the order of ``scores``.
        clips: Names of the test clips.
        scores: The stored ones: of each test window the fused score and the terms.
        statistics: Term to its mean and standard deviation on training windows, by the scorer; empty where it keeps none.
        averaged: Whether stored scores are means over several views of a window, of which the pieces show the plain one.
        baseline: (T, J) mean surprise of each joint on training windows, nats; None where the flow does not localise.
        spread: (J,) standard deviation over training windows of a joint's surprise summed over the frames; likewise.
        place_spread: (T, J) that of its surprise in each frame; likewise.
        context: Of the run.
    """

    method: ResolvedMethod
    composition: Composition
    train: Windows
    test: Windows
    clips: tuple[str, ...]
    scores: WindowScores
    statistics: Mapping[str, tuple[float, float]]
    averaged: bool
    baseline: NDArray[np.float64] | None
    spread: NDArray[np.float64] | None
    place_spread: NDArray[np.float64] | None
    context: Context

    @property
    def tokenizer(self) -> Tokenizer | None:
        """Of the composition."""
        return self.composition.parts.tokenizer

    def standardised(self, term: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of a term in standard deviations from its mean on training windows; raises `KeyError` without statistics."""
        mean, sd = self.statistics[term]
        return np.asarray((values - mean) / sd)

    def surprises(self, windows: Windows) -> Surprises:
        """The pieces of any plain windows of this run, whose tracks are whole.

        Raises:
            PluginError: if a part fails.
        """
        with method_step("explain windows", self.method), seeded(self.context.child("explain").seed), torch.inference_mode():
            codes, tokens, joints = _pieces(self.composition, windows, self.context.device)
        excess = None if joints is None or self.baseline is None else joints - self.baseline
        odd = None if excess is None or self.place_spread is None else excess / self.place_spread
        return Surprises(codes, tokens, joints, excess, odd)

    def codes(self, windows: Windows) -> NDArray[np.int64] | None:
        """(W, L) tokens of windows, and nothing else; None without a tokenizer."""
        with method_step("encode windows", self.method), torch.inference_mode():
            return None if self.tokenizer is None else _encoded(self.tokenizer, windows, self.context.device).cpu().numpy()

    def missing(self) -> list[str]:
        """What cannot be shown, and why, in words."""
        parts, told = self.composition.parts, []
        if parts.tokenizer is None:
            told.append("There is no tokenizer: no codes, no codebook and no transitions can be shown.")
        if parts.tokenizer is not None and parts.prior is None:
            told.append("There is no prior: tokens are shown without their surprise.")
        if parts.flow is None:
            told.append("There is no flow: nothing is said of single joints.")
        elif not isinstance(parts.flow, Localised):
            told.append("The flow does not say where in a window its surprise lies: nothing is said of single joints.")
        if not self.statistics:
            told.append(
                "The scorer keeps no statistics of the terms: they are given as they are, and no level is named for an alarm."
            )
        if self.averaged:
            told.append("Scores are means over several views of a window; codes and surprises are those of the plain view.")
        return told


def check_explainable(method: ResolvedMethod, run: Path) -> None:
    """Raises `UsageError` for a method that is not made of parts."""
    if "detector" in method.components:
        raise UsageError(
            f"{method.method.name} is one detector, without parts that could be asked: only a composition can be explained",
            where=run,
            remedy="explain a run of a method that is made of parts; vadbench analyse explains the figure of any run",
        )


@process_kept()
def explained(trained: Trained, inputs: Inputs, scores: WindowScores) -> Explained:
    """Opens a run.

    Args:
        trained: What it learned.
        inputs: Its windows.
        scores: Its stored scores.

    Raises:
        DataError: if the scores are not of these windows.
        PluginError: if a part fails.
    """
    composition = trained.detector()
    assert isinstance(composition, Composition)  # noqa: S101 - see check_explainable
    train, test = (windows.select(windows.view == 0) for windows in (inputs.train, inputs.test))
    names = np.array([clip.name for clip in inputs.test_clips], dtype=np.str_)
    if not (
        len(scores) == len(test)
        and np.array_equal(scores.clip, names[test.clip])
        and np.array_equal(scores.person, test.person)
        and np.array_equal(scores.start, test.start)
    ):
        raise DataError(
            "the stored scores are not of the windows that the poses give",
            where=f"{len(scores):,} scores for {len(test):,} windows",
            remedy="run again with --force",
        )
    baseline = deviation = by_place = None
    if isinstance(composition.parts.flow, Localised):
        some = train.select(spread(len(train), BASELINE_WINDOWS))
        with (
            method_step("explain windows", trained.method),
            seeded(trained.context.child("explain").seed),
            torch.inference_mode(),
        ):
            _, _, joints = _pieces(composition, some, trained.context.device)
        if joints is not None:
            by_place = np.maximum(joints.std(axis=0), _SMALLEST_SPREAD)
            baseline, deviation = joints.mean(axis=0), np.maximum(joints.sum(axis=1).std(axis=0), _SMALLEST_SPREAD)
    return Explained(
        method=trained.method,
        composition=composition,
        train=train,
        test=test,
        clips=tuple(names.tolist()),
        scores=scores,
        statistics=_statistics(composition),
        averaged=bool(inputs.test.views),
        baseline=baseline,
        spread=deviation,
        place_spread=by_place,
        context=trained.context,
    )


def spread(count: int, most: int) -> NDArray[np.int64]:
    """``most`` indices below ``count`` at even distances, or all of them."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64))


def token_edges(length: int, tokens: int) -> NDArray[np.int64]:
    """(L + 1,) row of a window at which each of its L tokens begins, then T: equal shares of its T rows."""
    return np.arange(tokens + 1, dtype=np.int64) * length // tokens


def poses_of(windows: Windows, index: int, rows: slice = slice(None)) -> Poses:
    """The poses of one window, or of some of its rows."""
    at = slice(index, index + 1)
    batch = windows.batch(at)
    first = int(windows.first[index])
    return Poses(
        xy=windows.placement(at).to_pixels(batch.x)[0][:, rows],
        seen=(batch.confidence[0] > 0)[rows],
        frames=windows.tracks.frame[first : first + windows.rule.length].astype(np.int64)[rows],
    )


def _statistics(composition: Composition) -> dict[str, tuple[float, float]]:
    """Mean and deviation of each term, where the scorer keeps ``[mean, sd, ...]`` under the name of every term."""
    terms: tuple[str, ...] = composition.terms
    state = {
        name: np.ravel(value.cpu().numpy()) for name, value in composition.state_dict().items() if name.startswith("scorer.")
    }
    found: dict[str, tuple[float, float]] = {}
    for term in terms:
        kept = state.get(f"scorer.{term}", np.zeros(0))
        if len(kept) > 1 and kept[1] > 0:
            found[term] = float(kept[0]), float(kept[1])
    return found if len(found) == len(terms) else {}


def _encoded(tokenizer: Tokenizer, windows: Windows, device: str) -> torch.Tensor:
    codes = [tokenizer.encode(x).codes for x in window_batches(windows, device)]
    return torch.cat(codes) if codes else torch.zeros((0, tokenizer.shape.tokens), dtype=torch.int64, device=device)


def _pieces(
    composition: Composition, windows: Windows, device: str
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Codes (W, L), surprise of tokens (W, L), surprise of joints (W, T, J); see `Surprises`."""
    parts, codes, history = composition.parts, None, None
    if parts.tokenizer is not None:
        linked, previous = windows.linked()
        every = _encoded(parts.tokenizer, linked, device)
        before = token_history(every, torch.from_numpy(previous).to(every.device), composition.config.history)
        codes, history = every[: len(windows)], before[: len(windows)]
    tokens = joints = None
    if parts.prior is not None and codes is not None and history is not None:
        batches = zip(torch.split(codes, BATCH), torch.split(history, BATCH), strict=True)
        tokens = _joined([-parts.prior.log_prob(own, past) for own, past in batches], codes.shape[1:])
    if isinstance(parts.flow, Localised):
        condition = partial(_condition, composition, codes, history)
        made, done = [], 0
        for x in window_batches(windows, device):
            made.append(parts.flow.joint_surprise(x, condition(x, slice(done, done + len(x)))))
            done += len(x)
        joints = _joined(made, (windows.rule.length, len(windows.tracks.layout)))
    return None if codes is None else codes.cpu().numpy(), tokens, joints


def _condition(
    composition: Composition, codes: torch.Tensor | None, history: torch.Tensor | None, x: torch.Tensor, at: slice
) -> torch.Tensor | None:
    """What the flow is conditioned on for some windows (B, L, D), as in scoring."""
    tokenizer, prior = composition.parts.tokenizer, composition.parts.prior
    if composition.condition == "own" and tokenizer is not None:
        return tokenizer.encode(x).vectors
    if composition.condition == "predicted" and tokenizer is not None and prior is not None and codes is not None:
        assert history is not None  # noqa: S101 - there is one wherever there are codes
        return predicted_condition(tokenizer, prior, codes[at], history[at])
    return None


def _joined(parts: list[torch.Tensor], shape: tuple[int, ...] | torch.Size) -> NDArray[np.float64]:
    return torch.cat(parts).double().cpu().numpy() if parts else np.zeros((0, *shape))
