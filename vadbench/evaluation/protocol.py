"""Evaluation protocols as values: frozen, named, versioned, hashed; each field names a step that is written and tested by itself.

This file imports no numerical library, so that protocols can be listed at once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

from vadbench.api.errors import ConfigError

WIDEST: Final = 100_000
"""Frames; a filter of a larger standard deviation would outlast every clip, and fill the memory."""
HUMAN_RELATED: Final = "hr-"
"""Begins the name of a data set's human-related subset, which has the shift and the smoothing of the whole."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps from window scores to frame scores on one data set, in the order in which they are taken.

    T is the length of a window, f its first frame. All scores are anomaly scores.

    Args:
        origin: ``as-is``; or ``non-negative``, for rules made for errors, which are never below 0: where any window scores
            below 0, all are raised by one constant so that the lowest of the test set is 0.
        branches: Names of terms, each with the windows by which its frame lies further on. Where the scores have all these
            terms, each goes through the steps by itself, and the frame scores, each standardised by mean and standard
            deviation over the test set, are added. Otherwise the score itself goes through the steps.
        short_tracks: ``keep`` them, or ``leave-out`` persons with fewer than T windows.
        placement: Which frames get a window's score: ``centre`` f + T // 2; ``start`` f; ``last`` f + T - 1; ``next`` f + T;
            ``every`` f to f + T - 1; ``target`` the last ``target_frames`` of these. Of scores given frame by frame those of
            the placed frames count (for ``next`` that of the last frame). What falls behind the clip's end is dropped.
        target_frames: With ``target`` only: how many; of a shorter window all.
        backfill: The frames from the first one of a person's first window to its placed one get its score, too; after a gap
            likewise, but no more than the gap is long.
        overlap: Of several windows of a person on one frame the ``max``, the ``mean``, or the ``mean-nonzero``, for which a
            score of exactly 0 is no score.
        absence_pad: A person's scored frames within so many frames of a frame of the clip without a score of theirs lose
            theirs; 0 for none.
        absent: Persons without a score in a frame are ``ignored`` there, or count with ``zero``: every person of the clip
            that any window scores.
        persons: How the persons of a frame make its score: ``max``, ``min``, or ``mean-plus-log-range``,
            mean p + max log(1 + p) - min log(1 + p).
        fill: What a frame gets that has no score: the ``minimum`` of the test set, ``below-minimum``, 1 less than that, or
            ``zero``. Where not one frame has a score: 0.
        frames_leave: When frames outside a human-related subset are dropped, relative to shift and smoothing.
        shift: Frames by which each clip is moved towards its end; ``window`` for T + T // 2 - 1.
        vacated: What the first ``shift`` frames get: ``zero`` or the ``minimum`` of the test set.
        smoothing: Standard deviations, in frames, of Gaussian filters applied one after another, mirrored at the ends.
        smoothing_over: Shift and smooth each ``clip``, or the clips of the ``test-set`` strung together.
        scenes: ``as-is``, or ``quantile``: within each scene frame scores become their quantiles, uniform in [0, 1].
        metric: The headline figure, over all frames (``micro-auroc``) or the mean over clips with both classes
            (``macro-auroc``).
    """

    origin: Literal["as-is", "non-negative"] = "as-is"
    branches: tuple[tuple[str, int], ...] = ()
    short_tracks: Literal["keep", "leave-out"] = "keep"
    placement: Literal["centre", "start", "last", "next", "every", "target"] = "centre"
    target_frames: int = 0
    backfill: bool = False
    overlap: Literal["max", "mean", "mean-nonzero"] = "max"
    absence_pad: int = 0
    absent: Literal["ignored", "zero"] = "ignored"
    persons: Literal["max", "min", "mean-plus-log-range"] = "max"
    fill: Literal["minimum", "below-minimum", "zero"] = "minimum"
    frames_leave: Literal["before-smoothing", "after-smoothing"] = "after-smoothing"
    shift: int | Literal["window"] = 0
    vacated: Literal["zero", "minimum"] = "zero"
    smoothing: tuple[float, ...] = ()
    smoothing_over: Literal["clip", "test-set"] = "clip"
    scenes: Literal["as-is", "quantile"] = "as-is"
    metric: Literal["micro-auroc", "macro-auroc"] = "micro-auroc"

    def __post_init__(self) -> None:
        faults = {
            "smoothing": any(not 0 <= sigma <= WIDEST for sigma in self.smoothing),
            "shift": self.shift != "window" and self.shift < 0,
            "absence_pad": self.absence_pad < 0,
            "target_frames": (self.target_frames < 1) == (self.placement == "target"),
            "branches": any(ahead < 0 for _, ahead in self.branches),
        }
        for name, faulty in faults.items():
            if faulty:
                raise ConfigError(
                    f"{getattr(self, name)!r} cannot be used",
                    where=f"protocol, {name}",
                    remedy=f"a standard deviation is 0 to {WIDEST:,} frames; other numbers of frames are 0 or more; "
                    "target_frames is at least 1 with placement target, and 0 without",
                )

    def settings(self) -> dict[str, Any]:
        """What differs from the defaults, as plain values: what digests are taken over.

        So a step that is added later, with a default that changes nothing, leaves every digest before it as it is.
        """
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) != each.default}

    def shift_frames(self, length: int) -> int:
        """Frames of the shift for windows of ``length`` frames."""
        return length + length // 2 - 1 if self.shift == "window" else self.shift


@dataclass(frozen=True, slots=True)
class Protocol:
    """How window scores become frame scores and a figure.

    Args:
        name: As on the command line.
        version: Counts up when the rule is changed; a published version never changes.
        pipeline: The steps, for data sets that have none of their own.
        per_dataset: The steps by data set, where shift and smoothing were published for each.
        source: Where the rule comes from.
        notes: What has to be known to read its figures, a sentence each.
    """

    name: str
    version: int
    pipeline: Pipeline
    source: str
    per_dataset: tuple[tuple[str, Pipeline], ...] = ()
    notes: tuple[str, ...] = ()

    def on(self, dataset: str) -> Pipeline:
        """The steps on a data set, by its name; a human-related subset has those of the whole."""
        return dict(self.per_dataset).get(dataset.removeprefix(HUMAN_RELATED), self.pipeline)

    def knows(self, dataset: str) -> bool:
        """Whether it has steps for this data set, or the same for all; else the general ones are taken for want of its own."""
        return not self.per_dataset or dataset.removeprefix(HUMAN_RELATED) in dict(self.per_dataset)

    def digest(self) -> str:
        """12 hex digits over name, version and every step: the same rule, the same digest."""
        rule = {
            "name": self.name,
            "version": self.version,
            "pipeline": self.pipeline.settings(),
            "per_dataset": {name: pipeline.settings() for name, pipeline in self.per_dataset},
        }
        return hashlib.sha256(json.dumps(rule, sort_keys=True).encode()).hexdigest()[:12]

    def rule(self) -> dict[str, Any]:
        """Every step with its value, as JSON and TOML can hold them: what `load_protocol` reads."""
        return {
            "name": self.name,
            "version": self.version,
            "source": self.source,
            "notes": list(self.notes),
            "pipeline": asdict(self.pipeline),
            "per-dataset": {name: pipeline.settings() for name, pipeline in self.per_dataset},
        }


_PLACEMENTS: Final = {
    "centre": "middle frame of the window",
    "start": "first frame of the window",
    "last": "last frame of the window",
    "next": "frame after the window",
    "every": "every frame of the window",
    "target": "last {target_frames} frames of the window",
}
_OVERLAPS: Final = {"max": "max over windows", "mean": "mean over windows", "mean-nonzero": "mean over windows that are not 0"}
_PERSONS: Final = {"max": "max over persons", "min": "min over persons", "mean-plus-log-range": "mean + log range over persons"}
_FILLS: Final = {
    "minimum": "empty frames get the minimum",
    "below-minimum": "empty frames get minimum - 1",
    "zero": "empty frames get 0",
}


def in_words(pipeline: Pipeline) -> str:
    """The steps in a line, for tables and figures."""
    p = pipeline
    several = p.placement in ("every", "target") or p.backfill
    smoothing = ", ".join(f"{sigma:g}" for sigma in p.smoothing)
    one_by_one = " one after another" if len(p.smoothing) > 1 else ""
    shift = "1.5 T - 1" if p.shift == "window" else p.shift
    parts = [
        "scores raised to 0 where any is below" if p.origin == "non-negative" else "",
        f"terms {' + '.join(name for name, _ in p.branches)} standardised and added" if p.branches else "",
        "persons with fewer than T windows left out" if p.short_tracks == "leave-out" else "",
        _PLACEMENTS[p.placement].format(target_frames=p.target_frames) + (", filled backwards" if p.backfill else ""),
        _OVERLAPS[p.overlap] if several else "",
        f"scores within {p.absence_pad} frames of an absence removed" if p.absence_pad else "",
        _PERSONS[p.persons] + (", absent ones count 0" if p.absent == "zero" else ""),
        _FILLS[p.fill],
        "HR frames leave first" if p.frames_leave == "before-smoothing" else "",
        f"shift {shift}" if p.shift else "",
        f"first frames get {'the minimum' if p.vacated == 'minimum' else '0'}" if p.shift else "",
        f"sigma {smoothing}{one_by_one}" if p.smoothing else "not smoothed",
        "across clips" if p.smoothing_over == "test-set" and (p.smoothing or p.shift) else "",
        "quantiles within each scene" if p.scenes == "quantile" else "",
        "AUROC macro" if p.metric == "macro-auroc" else "",
    ]
    return "; ".join(part for part in parts if part)
