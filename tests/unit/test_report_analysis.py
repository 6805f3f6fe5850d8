"""What limits a stored run: costs that add up, changed steps, frames without a score, and reasons from poses."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from frame_axes import axis_of
from sklearn.metrics import roc_auc_score
from stored_runs import ABNORMAL, FRAMES, LENGTH, SCENES, made_labels, made_scores, write_run

from vadbench.api import FrameLabels, WindowScores
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.report.analysis import analyse
from vadbench.report.analysis_figure import draw_analysis
from vadbench.report.analysis_text import analysis_json, sentences
from vadbench.report.worst_stretches import worst_stretches

STEPS = STANDARD_V1.on("campus")
PLAIN = replace(STEPS, smoothing=())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs"), skill=0.6)


@pytest.fixture(scope="module")
def found(run):
    return analyse(run)


def pooled_auroc(run, steps) -> float:
    labels, scenes = run.labels()
    frames = frame_scores(run.scores(), FrameAxis.of_labels(labels, scenes), steps)
    return roc_auc_score(np.concatenate(labels.abnormal), np.concatenate(frames.smoothed))


def test_the_figure_is_the_runs(run, found):
    assert found.auroc == run.record.metrics.auroc
    assert found.shares.auroc == pytest.approx(found.auroc)
    assert found.macro_auroc == run.record.metrics.macro_auroc


def test_changes_are_the_same_scores_under_other_steps(run, found):
    changes = {change.name: change for change in found.changes}
    assert set(changes) == {"not smoothed", "every frame", "last frame", "filled backwards"}
    assert changes["not smoothed"].auroc == run.record.metrics.auroc_raw
    assert changes["last frame"].auroc == pytest.approx(pooled_auroc(run, replace(STEPS, placement="last")))
    for change in changes.values():
        assert change.difference == pytest.approx(change.auroc - found.auroc)


def test_frames_without_a_score(run, found):
    labels, scenes = run.labels()
    frames = frame_scores(run.scores(), FrameAxis.of_labels(labels, scenes), STEPS)
    (lost,) = found.lost
    gone = ~np.concatenate(frames.scored)
    truth, score = np.concatenate(labels.abnormal), np.concatenate(frames.smoothed)
    # Clips of 60 frames, windows of 8: the first 4 frames and the last 3.
    assert (lost.frames, lost.abnormal) == (gone.sum(), (gone & truth).sum()) == (3 * (LENGTH - 1), 0)
    assert lost.auroc_without == pytest.approx(roc_auc_score(truth[~gone], score[~gone]))
    assert lost.difference == pytest.approx(lost.auroc_without - found.auroc)
    assert lost.ceiling_gain == 0
    assert (found.ceiling, found.coverage) == (1, 1)


def test_scenes_add_up(found, run):
    assert [scene.name for scene in found.scenes] == sorted(set(SCENES.values()))
    assert sum(scene.frames for scene in found.scenes) == len(ABNORMAL) * FRAMES
    assert found.scenes[0].auroc == run.record.metrics.per_scene["01"]
    assert math.isnan(found.scenes[1].auroc)


class TestWorstStretches:
    def worst(self, lines: dict[str, list[float]], abnormal: dict[str, list[int]], keep=None, top=99):
        """One person a clip, windows of one frame: frame scores are the lines themselves."""
        scores = WindowScores(
            np.repeat(list(lines), [len(line) for line in lines.values()]),
            np.concatenate([np.full(len(line), 7 + i) for i, line in enumerate(lines.values())]),
            np.concatenate([np.arange(len(line)) for line in lines.values()]),
            np.concatenate(list(lines.values())).astype(float),
            1,
        )
        axis = axis_of({name: len(line) for name, line in lines.items()}, keep=keep)
        labels = FrameLabels(axis.clips, tuple(np.array(abnormal[name], bool) for name in axis.clips), axis.keep)
        return worst_stretches(scores, labels, axis, frame_scores(scores, axis, PLAIN), PLAIN, top=top)

    def test_by_hand(self):
        alarms, misses = self.worst({"a": [0, 9, 8, 0, 5], "b": [1, 6, 1]}, {"a": [0, 0, 0, 0, 1], "b": [0, 1, 1]})
        # Abnormal 5, 6, 1; normal 0, 9, 8, 0, 1. Of 15 pairs the frames 9 and 8 get 3 each wrong; the tie of 1 and 1 counts half.
        (alarm,) = alarms
        assert (alarm.clip, alarm.first, alarm.last, alarm.person) == ("a", 1, 2, 7)
        assert alarm.cost == pytest.approx(6 / 15)
        # The event in b: 6 is below 9 and 8; 1 below 9 and 8, and ties with 1. That in a: 5 is below 9 and 8.
        assert [(miss.clip, miss.first, miss.last) for miss in misses] == [("b", 1, 2), ("a", 4, 4)]
        assert [miss.cost for miss in misses] == pytest.approx([4.5 / 15, 2 / 15])

    def test_misses_of_all_events_sum_to_what_is_lost(self):
        rng = np.random.default_rng(0)
        lines = {name: rng.integers(0, 6, size=30).astype(float).tolist() for name in "abc"}
        abnormal = {name: (rng.uniform(size=30) < 0.4).astype(int).tolist() for name in "abc"}
        _, misses = self.worst(lines, abnormal)
        auroc = roc_auc_score(np.concatenate(list(abnormal.values())), np.concatenate(list(lines.values())))
        assert sum(miss.cost for miss in misses) == pytest.approx(1 - auroc)

    def test_frames_that_do_not_count_do_not_end_a_stretch(self):
        keep = {"a": np.array([1, 1, 0, 1, 1], bool)}
        _, (miss,) = self.worst({"a": [1, 0, 9, 0, 2]}, {"a": [0, 1, 0, 1, 0]}, keep=keep)
        assert (miss.first, miss.last) == (1, 3)

    def test_as_many_as_asked_for(self):
        lines = {name: [5.0, 0, 5, 0, 5, 0] for name in "ab"}
        abnormal = {name: [0, 1, 0, 1, 0, 1] for name in "ab"}
        alarms, misses = self.worst(lines, abnormal, top=2)
        assert len(alarms) == len(misses) == 2

    def test_one_class(self):
        assert self.worst({"a": [1, 2]}, {"a": [0, 0]}) == ((), ())


class TestShown:
    def test_json_has_everything_and_no_nan(self, run, found):
        made = analysis_json(found, run.record, "here")
        text = json.dumps(made, allow_nan=False)
        assert json.loads(text)["auroc"] == found.auroc
        assert made["scenes"][1]["auroc"] is None
        assert made["shares"]["gain_within"] + made["shares"]["gain_between"] == pytest.approx(found.auroc - 0.5)

    def test_sentences_say_the_bounds(self, run, found):
        told = " ".join(sentences(found, run.record))
        for share in (found.auroc, found.oracles.clip_share, found.oracles.clip_level, found.ceiling, found.shares.clip_means):
            assert f"{100 * share:.1f}" in told

    def test_figure(self, run, found):
        figure = draw_analysis(run, found)
        titles = [axes.get_title(loc="left") for axes in figure.get_axes()]
        assert sum(title.startswith("miss: clip") for title in titles) == min(3, len(found.misses))
        assert any("points" in title.lower() for title in titles)

    def test_one_class_everywhere(self, tmp_path):
        labels = made_labels(dict.fromkeys(ABNORMAL, ()))
        run = write_run(tmp_path, labels=labels, scores=made_scores(labels))
        found = analyse(run)
        assert "no AUROC is defined" in sentences(found, run.record)[0]
        assert analysis_json(found, run.record, "here")["auroc"] is None
        draw_analysis(run, found)
