"""The labelled validation split, for scorers that choose by it: its windows, and how well a score of theirs does.

The labels stay here. What a scorer is given is a function from scores to one figure, that of the run's protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from vadbench.api import ConfigError, DataError
from vadbench.engine.composing.composition import Composition
from vadbench.engine.inputs import read_labels
from vadbench.engine.scoring import as_window_scores
from vadbench.evaluation.report import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vadbench.api import Clip, Dataset, Detector, Quality, Windows
    from vadbench.engine.config import ResolvedMethod
    from vadbench.engine.inputs import Inputs
    from vadbench.evaluation.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Validation:
    """The validation split as a scorer may know it.

    Args:
        windows: Cut and seen as the test windows are.
        quality: Headline figure of the protocol, in [0, 1], of scores of these windows.
    """

    windows: Windows
    quality: Quality


def chooses_by_validation(method: ResolvedMethod) -> bool:
    """Whether the method's scorer is a `ValidatedScorer`, which it imports, and is fitted: weights have their choice in them."""
    scorer = method.components.get("scorer")
    return scorer is not None and not method.method.weights and hasattr(scorer.entry.load(), "choose")


def check_validation(method: ResolvedMethod, dataset: Dataset) -> None:
    """Raises `ConfigError` if the method chooses by a validation split and the data set has none."""
    if chooses_by_validation(method) and "validation" not in dataset.info.splits:
        raise ConfigError(
            f"scorer {method.components['scorer'].entry.name!r} chooses by a labelled validation split, and {dataset.info.name} "
            "has none",
            where="scorer",
            remedy="use it on a data set that has one, such as ubnormal, or choose another scorer with --scorer",
        )


def tell_of_validation(detector: Detector, inputs: Inputs, dataset: Dataset, protocol: Protocol) -> None:
    """Tells a composition of the validation split, if it was read: for a scorer that chooses by it.

    Args:
        detector: Of the method.
        inputs: Of the run.
        dataset: Of the run.
        protocol: Of the run.

    Raises:
        DataError: if the labels are not of these clips.
    """
    windows, clips = inputs.validation, inputs.validation_clips
    if windows is None or not isinstance(detector, Composition):
        return
    detector.validation = partial(validation_of, windows, clips, dataset, protocol)
    detector.validation_identity = {
        "poses": inputs.poses["validation"],
        "labels": read_labels(dataset, "validation", clips).fingerprint(),
        "protocol": protocol.digest(),
    }


def validation_of(windows: Windows, clips: Sequence[Clip], dataset: Dataset, protocol: Protocol) -> Validation:
    """The validation split of a run; reads its labels.

    Args:
        windows: Of the split, as `read_inputs` gives them.
        clips: Of the split.
        dataset: Of the run.
        protocol: Of the run.

    Raises:
        DataError: if the labels are not of these clips, or have one class only.
    """
    labels = read_labels(dataset, "validation", clips)
    scenes = {clip.name: clip.scene for clip in clips}
    pipeline = protocol.on(dataset.info.name)

    def quality(scores: NDArray[np.float64]) -> float:
        figures: dict[str, Any] = evaluate(as_window_scores(scores, {}, windows, clips, "scorer"), labels, scenes, pipeline)
        headline = float(figures["headline"])
        if headline != headline:  # noqa: PLR0124 - NaN: one class is absent
            raise DataError(
                "nothing can be chosen by a validation split that has one class only",
                where=f"{dataset.info.name}, validation split",
                remedy="check its ground truth, or choose another scorer with --scorer",
            )
        return headline

    return Validation(windows, quality)
