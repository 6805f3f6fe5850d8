"""Events, alarms and operating points: by hand, against plain loops, and at the edges."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.evaluation.events import Stretches, detect
from vadbench.evaluation.metrics import all_metrics
from vadbench.evaluation.operating_points import operating_point

clips = st.lists(st.lists(st.tuples(st.booleans(), st.integers(-2, 3), st.booleans()), max_size=25), max_size=5)


def columns(drawn):
    scores = [np.array([row[1] for row in clip], dtype=np.float64) for clip in drawn]
    abnormal, keep = ([np.array([row[i] for row in clip], dtype=bool) for clip in drawn] for i in (0, 2))
    return scores, abnormal, keep


def runs(marked) -> list[tuple[int, int]]:
    """First frame and frame after the last, of each stretch of one clip."""
    found, first = [], None
    for t, mark in enumerate([*marked, False]):
        if mark and first is None:
            first = t
        if not mark and first is not None:
            found.append((first, t))
            first = None
    return found


def restated(scores, abnormal, limit, rate):
    """The same in plain loops."""
    normal = [s for clip, a in zip(scores, abnormal, strict=True) for s, bad in zip(clip, a, strict=True) if not bad]
    everything = sorted({float(s) for clip in scores for s in clip})
    fitting = [s for s in everything if sum(n >= s for n in normal) / len(normal) <= limit]
    threshold = fitting[0] if fitting else math.inf
    delays, false_alarms = [], 0
    for clip, a in zip(scores, abnormal, strict=True):
        alarm = [s >= threshold for s in clip]
        for first, end in runs(a):
            delays.append(next((t - first for t in range(first, end) if alarm[t]), math.inf))
        false_alarms += sum(not a[first] for first, _ in runs(alarm))
    return threshold, delays, false_alarms, false_alarms / (len(normal) / rate / 3600)


@given(clips, st.sampled_from([0.0, 0.01, 0.05, 0.3, 1.0]))
def test_as_plain_loops(drawn, limit):
    scores, abnormal, _ = columns(drawn)
    found = operating_point(scores, abnormal, limit, frame_rate=25)
    if all(part.all() for part in abnormal):
        assert math.isnan(found["threshold"])
        return
    threshold, delays, false_alarms, per_hour = restated(scores, abnormal, limit, 25)
    assert found["threshold"] == pytest.approx(threshold if math.isfinite(threshold) else math.nan, nan_ok=True)
    assert found["events"] == len(delays)
    assert found["false_alarms"] == false_alarms
    assert found["false_alarms_per_hour"] == pytest.approx(per_hour)
    assert found["false_alarm_rate"] <= limit
    finite = [d for d in delays if math.isfinite(d)]
    share = len(finite) / len(delays) if delays else math.nan
    assert found["events_detected"] == pytest.approx(share, nan_ok=True)
    assert found["mean_delay_frames"] == pytest.approx(sum(finite) / len(finite) if finite else math.nan, nan_ok=True)
    delays.sort()
    median = (delays[(len(delays) - 1) // 2] + delays[len(delays) // 2]) / 2 if delays else math.inf
    assert found["median_delay_frames"] == pytest.approx(median if math.isfinite(median) else math.nan, nan_ok=True)


@given(clips)
def test_a_frame_that_does_not_count_is_as_if_it_were_not_there(drawn):
    scores, abnormal, keep = columns(drawn)
    with_nan = [np.where(k, s, np.nan) for s, k in zip(scores, keep, strict=True)]
    shorter = [[part[k] for part, k in zip(parts, keep, strict=True)] for parts in (scores, abnormal)]
    np.testing.assert_equal(all_metrics(with_nan, abnormal, 25, keep), all_metrics(*shorter, 25))


def test_by_hand():
    # One clip of 14 frames, 10 normal, at 5 frames a second: two events, frames 3-4 and 9-10. Limit 30 %: three normal frames.
    scores = [np.array([0, 9, 9, 9, 9, 0, 0, 0, 0, 0, 5, 5, 0, 0.0])]
    abnormal = [np.isin(np.arange(14), [3, 4, 9, 10])]
    found = operating_point(scores, abnormal, 0.3, frame_rate=5)
    assert found["threshold"] == 5
    assert found["false_alarm_rate"] == 0.3  # frames 1, 2, 11
    assert found["recall"] == 0.75  # 3, 4, 10
    assert (found["events"], found["events_detected"]) == (2, 1.0)
    assert found["median_delay_frames"] == 0.5  # 0 and 1
    assert found["median_delay_seconds"] == found["mean_delay_seconds"] == 0.1
    assert found["false_alarms"] == 1  # that of 1-4 begins before its event; that of 10-11 begins in one
    assert found["false_alarms_per_hour"] == pytest.approx(1800)  # 10 normal frames are 2 seconds
    # At 29 % two normal frames may alarm, those at 9. The second event is missed: the median of 0 and infinity is not defined.
    stricter = operating_point(scores, abnormal, 0.29, frame_rate=5)
    assert (stricter["threshold"], stricter["events_detected"], stricter["mean_delay_frames"]) == (9, 0.5, 0)
    assert math.isnan(stricter["median_delay_frames"])


def test_events_and_alarms_end_with_their_clip():
    marked = np.array([True, True, True, False, True])
    stretches = Stretches.of(marked, [2, 0, 2, 1])
    assert list(zip(stretches.first.tolist(), stretches.end.tolist(), strict=True)) == [(0, 2), (2, 3), (4, 5)]


def test_an_alarm_after_the_event_does_not_detect_it():
    assert detect(np.array([True, False]), np.array([False, True]), [2]).delay.tolist() == [math.inf]


def test_where_the_highest_score_is_of_too_many_normal_frames_the_alarm_is_never_on():
    found = operating_point([np.zeros(4)], [np.array([True, False, False, False])], 0.5, 25)
    assert math.isnan(found["threshold"])
    assert (found["recall"], found["false_alarms"], found["events_detected"], found["false_alarm_rate"]) == (0, 0, 0, 0)


@pytest.mark.parametrize("n_normal", range(100, 3100, 100))
def test_a_whole_number_of_frames_is_not_rounded_away(n_normal):
    score = np.arange(n_normal, dtype=float)
    found = operating_point([score], [np.zeros(n_normal, dtype=bool)], 0.01, None)
    assert round(found["false_alarm_rate"] * n_normal) == n_normal // 100


@pytest.mark.parametrize("clip", [[], [True] * 3, [False] * 3])
@pytest.mark.parametrize("n_clips", [0, 1, 2])
def test_one_class_or_no_frame_gives_numbers_or_nan_and_no_warning(clip, n_clips):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = all_metrics([np.arange(len(clip), dtype=float)] * n_clips, [np.array(clip, dtype=bool)] * n_clips, 25)
    assert all(math.isnan(found[name]) for name in ("auroc", "macro_auroc", "ap", "eer", "fpr95"))
    assert (found["macro_clips"], found["macro_clips_without"]) == (0, n_clips)
    assert all(math.isnan(point["median_delay_frames"]) or clip[0] for point in found["operating_points"])


@given(clips, st.sampled_from([None, 25]))
def test_the_result_is_plain(drawn, frame_rate):
    found = all_metrics(*columns(drawn)[:2], frame_rate)
    assert set(map(type, [v for k, v in found.items() if k != "operating_points"])) <= {int, float}
    json.loads(json.dumps(found))
    assert not any(math.isinf(value) for point in found["operating_points"] for value in point.values())
    if frame_rate is None:
        assert all(math.isnan(point["false_alarms_per_hour"]) for point in found["operating_points"])
