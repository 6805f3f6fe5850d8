"""What a detector does at a fixed rate of false alarms: frames and events found, delay, false alarms an hour.

The threshold is set with the test labels, as it is for the equal error rate and the false positive rate at 95 % recall. These
figures describe the curve of the scores; they are not those of a threshold that could have been chosen before the test.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.evaluation.events import detect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FALSE_ALARM_LIMITS: Final = (0.01, 0.05)
"""The shares of the normal frames that may raise an alarm."""


def operating_point(
    scores: Sequence[NDArray[np.float64]],
    abnormal: Sequence[NDArray[np.bool_]],
    limit: float,
    frame_rate: float | None = None,
) -> dict[str, Any]:
    """The figures at the lowest threshold whose false-alarm rate is not above a limit.

    The alarm is on in every frame whose score is at or above the threshold. The threshold is one of the scores; where even the
    highest score has too many normal frames there is none, and the alarm is never on. What an event, a delay and a false alarm
    are is said in `vadbench.evaluation.events`.

    Args:
        scores: Per clip, of the frames that count.
        abnormal: The same, bool.
        limit: The largest share of normal frames with an alarm, in [0, 1].
        frame_rate: Frames a second.

    Returns:
        Floats and ints by name. Without a normal frame there is no threshold, and all but ``limit`` and ``events`` are NaN.

        - ``limit``; ``threshold``, NaN also where the alarm is never on;
        - ``false_alarm_rate``, ``recall``: shares of the normal and of the abnormal frames with an alarm;
        - ``events``, and ``events_detected``, the share of them with an alarm in one of their frames;
        - ``median_delay_frames`` over all events, an undetected one being infinitely late, so that it is NaN where one of the
          middle two (or the middle one) is undetected; ``mean_delay_frames`` over the detected events;
        - ``median_delay_seconds``, ``mean_delay_seconds``: NaN without a frame rate;
        - ``false_alarms``, and ``false_alarms_per_hour`` of normal video, NaN without a frame rate.
    """
    lengths = [len(part) for part in scores]
    score = np.concatenate(scores) if lengths else np.zeros(0)
    truth = np.concatenate(abnormal).astype(bool) if lengths else np.zeros(0, dtype=bool)
    threshold = _threshold(score, score[~truth], limit)
    alarm = score >= threshold
    known = not math.isnan(threshold)
    found = detect(truth, alarm, lengths)
    detected = np.isfinite(found.delay)
    median = float(np.median(found.delay)) if known and len(detected) else math.inf
    mean = float(found.delay[detected].mean()) if detected.any() else math.nan
    second = math.nan if frame_rate is None else 1 / frame_rate
    hours = int((~truth).sum()) * second / 3600
    return {
        "limit": limit,
        "threshold": threshold if math.isfinite(threshold) else math.nan,
        "false_alarm_rate": _share(alarm[~truth]),
        "recall": _share(alarm[truth]) if known else math.nan,
        "events": len(detected),
        "events_detected": _share(detected) if known else math.nan,
        "median_delay_frames": median if math.isfinite(median) else math.nan,
        "mean_delay_frames": mean,
        "median_delay_seconds": median * second if math.isfinite(median) else math.nan,
        "mean_delay_seconds": mean * second,
        "false_alarms": found.false_alarms if known else math.nan,
        "false_alarms_per_hour": found.false_alarms / hours if known else math.nan,
    }


def _threshold(score: NDArray[np.float64], normal: NDArray[np.float64], limit: float) -> float:
    """The lowest score that at most a share ``limit`` of the normal ones reaches; inf where none is, NaN without a normal one."""
    if not len(normal):
        return math.nan
    # Rates are compared as rates: limit * n would round a whole number down now and then.
    allowed = int(np.searchsorted(np.arange(len(normal) + 1) / len(normal), limit, side="right")) - 1
    too_low = -math.inf if allowed == len(normal) else np.partition(normal, -allowed - 1)[-allowed - 1]
    return float(np.min(score, where=score > too_low, initial=math.inf))


def _share(mask: NDArray[np.bool_]) -> float:
    return float(mask.mean()) if len(mask) else math.nan
