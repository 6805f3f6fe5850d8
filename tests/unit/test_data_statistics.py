"""The statistics of a data set: counted as one would count by hand, summed over scenes, and how far windows reach."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from frame_axes import axis_of
from hypothesis import given
from hypothesis import strategies as st
from made_tracks import made_tracks

from vadbench.api import COCO_17, Clip, DataError, DatasetInfo, FrameLabels, Tracks, WindowRule, WindowScores
from vadbench.data.stats import LOW_CONFIDENCE, measure, scenes_of, spread, summarise
from vadbench.data.windowing import window_starts
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.metrics import auroc
from vadbench.evaluation.published_protocols import PROTOCOLS, STANDARD_V1
from vadbench.evaluation.report import evaluate
from vadbench.report.coverage import REASONS, STATES, frame_states, reach
from vadbench.report.data_figure import draw_statistics
from vadbench.report.data_statistics import as_json, split_statistics
from vadbench.report.data_tables import scene_table, split_table
from vadbench.report.figures import save_figure

STANDARD = STANDARD_V1.on("any")

persons = st.dictionaries(st.integers(1, 4), st.sets(st.integers(0, 25), min_size=1), max_size=3)
clips_of_persons = st.lists(persons, min_size=1, max_size=4)
rules = st.builds(
    WindowRule, length=st.integers(4, 9), stride=st.integers(1, 4), missing=st.integers(0, 3), keep_last=st.booleans()
)


def tracks_of(clips, **more) -> Tracks:
    return made_tracks(*clips, layout=COCO_17, **more)


def labels_of(tracks: Tracks, seed: int = 0, *, keep: float = 0.8) -> FrameLabels:
    rng = np.random.default_rng(seed)
    lengths = [clip.n_frames for clip in tracks.clips]
    return FrameLabels(
        tuple(clip.name for clip in tracks.clips),
        tuple(rng.random(n) < 0.4 for n in lengths),
        tuple(rng.random(n) < keep for n in lengths),
    )


def flat(parts):
    return np.concatenate(parts)


def windows_of(tracks: Tracks, rule: WindowRule, score=None) -> WindowScores:
    first = window_starts(tracks, rule)
    names = np.array([clip.name for clip in tracks.clips])
    return WindowScores(
        names[tracks.clip[first]],
        tracks.person[first],
        tracks.frame[first],
        np.zeros(len(first)) if score is None else score,
        rule.length,
    )


class TestMeasures:
    @given(clips_of_persons, rules)
    def test_counted_by_hand(self, clips, rule):
        tracks = tracks_of(clips)
        summary = summarise(measure(tracks, rule))
        seen = [sorted(frames) for people in clips for frames in people.values()]
        jumps = [[b - a - 1 for a, b in itertools.pairwise(frames) if b - a > 1] for frames in seen]
        lengths = [clip.n_frames for clip in tracks.clips]
        crowd = [
            sum(t in frames for frames in people.values()) for people, n in zip(clips, lengths, strict=True) for t in range(n)
        ]
        assert summary.clips == len(clips)
        assert summary.clips_without_poses == sum(not people for people in clips)
        assert summary.frames == len(crowd)
        assert summary.frames_with_nobody == crowd.count(0)
        assert summary.persons_a_frame.largest == max(crowd)
        assert summary.persons_a_frame.mean == pytest.approx(np.mean(crowd))
        assert summary.poses == sum(map(len, seen))
        assert summary.tracks == len(seen)
        assert summary.gaps == sum(map(len, jumps))
        assert summary.tracks_with_gaps == sum(map(bool, jumps))
        assert summary.frames_in_gaps == sum(map(sum, jumps))
        assert summary.longest_gap == max((max(gaps) for gaps in jumps if gaps), default=0)

    @given(clips_of_persons, rules)
    def test_windows_counted_by_hand(self, clips, rule):
        tracks = tracks_of(clips)
        measures, summary = measure(tracks, rule), summarise(measure(tracks, rule))
        bounds = tracks.track_bounds()
        held, given_, possible = np.zeros(len(tracks), dtype=bool), [], []
        for begin, end in itertools.pairwise(bounds):
            frames = tracks.frame[begin:end]
            starts = range(0, len(frames) - rule.length + rule.keep_last, rule.stride)
            good = [k for k in starts if frames[k + rule.length - 1 - rule.missing] < frames[k] + rule.length]
            for k in good:
                held[begin + k : begin + k + rule.length] = True
            given_.append(len(good))
            possible.append(len(starts))
        assert measures.track_windows.tolist() == given_
        assert measures.track_candidates.tolist() == possible
        np.testing.assert_array_equal(measures.pose_used, held)
        assert summary.windows == sum(given_)
        assert summary.windows_refused == sum(possible) - sum(given_)
        assert summary.tracks_too_short == possible.count(0)
        assert summary.tracks_too_short + summary.tracks_too_broken == given_.count(0)

    @given(clips_of_persons, rules, st.integers(0, 5))
    def test_scenes_add_up(self, clips, rule, seed):
        measures = measure(tracks_of(clips, missing=0.2, seed=seed), rule)
        whole = summarise(measures)
        parts = [summarise(measures, chosen) for chosen in scenes_of(measures.clips).values()]
        for name in ("clips", "clips_without_poses", "frames", "frames_with_nobody", "poses", "tracks", "gaps", "frames_in_gaps"):
            assert getattr(whole, name) == sum(getattr(part, name) for part in parts)
        for name in ("windows", "windows_refused", "tracks_too_short", "tracks_too_broken", "tracks_with_gaps"):
            assert getattr(whole, name) == sum(getattr(part, name) for part in parts)
        for name in ("joints_missing", "joints_unsure", "poses_in_windows"):
            mean = sum(getattr(part, name) * part.poses for part in parts if part.poses)
            assert whole.poses == 0 or mean / whole.poses == pytest.approx(getattr(whole, name))

    @pytest.mark.parametrize("n", [1, 8191, 8192, 8193, 20000])
    def test_joints_are_counted_across_blocks(self, n):
        tracks = made_tracks({1: range(n)}, layout=COCO_17, missing=0.3, seed=n)
        measures = measure(tracks, WindowRule())
        gone = np.isnan(tracks.planes[0])
        dim = ~gone & (tracks.planes[2] < LOW_CONFIDENCE)
        np.testing.assert_array_equal(measures.pose_missing, gone.sum(axis=1))
        np.testing.assert_array_equal(measures.pose_unsure, dim.sum(axis=1))
        np.testing.assert_allclose(measures.joint_missing, gone.mean(axis=0))
        np.testing.assert_allclose(measures.joint_unsure, dim.mean(axis=0))
        y = np.where(gone, np.nan, tracks.planes[1])
        height = np.nanmax(y, axis=1) - np.nanmin(y, axis=1)
        np.testing.assert_allclose(measures.pose_height, height, rtol=1e-6)

    def test_a_joint_without_confidence_has_no_part_in_the_height(self):
        tracks = made_tracks({1: range(3)}, layout=COCO_17)
        keypoints = tracks.keypoints.copy()
        keypoints[0, 0] = (0, 10_000, 0)
        keypoints[1, 1:] = (np.nan, np.nan, 0)
        height = measure(replace(tracks, keypoints=keypoints), WindowRule()).pose_height
        assert height[0] == pytest.approx(np.ptp(keypoints[0, 1:, 1]))
        assert np.isnan(height[1])
        assert height[2] > 0

    def test_a_gap_across_tracks_is_none(self):
        summary = summarise(measure(tracks_of([{1: range(5), 2: range(20, 25)}, {1: range(3, 6)}]), WindowRule(4)))
        assert (summary.gaps, summary.frames_in_gaps, summary.longest_gap) == (0, 0, 0)

    @pytest.mark.parametrize("clips", [[], [{}], [{}, {}]], ids=["no clip", "no pose", "two clips without poses"])
    def test_nothing(self, clips):
        tracks = tracks_of(clips)
        summary = summarise(measure(tracks, WindowRule()))
        assert (summary.poses, summary.tracks, summary.windows, summary.longest_gap) == (0, 0, 0, 0)
        assert math.isnan(summary.height.median)
        assert math.isnan(summary.joints_missing)
        assert math.isnan(summary.poses_in_windows)
        assert summary.clips == summary.clips_without_poses == len(clips)

    @given(st.lists(st.floats(-100, 100), min_size=1, max_size=40))
    def test_spread(self, values):
        found = spread(np.array([*values, np.nan]))
        expected = [np.mean(values), *np.quantile(values, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])]
        told = [found.mean, found.smallest, found.q05, found.q25, found.median, found.q75, found.q95, found.largest]
        np.testing.assert_allclose(told, expected, atol=1e-12)


class TestCoverage:
    @given(clips_of_persons, rules, st.integers(0, 5))
    def test_is_what_a_run_reports(self, clips, rule, seed):
        tracks = tracks_of(clips)
        labels = labels_of(tracks, seed)
        statistics = split_statistics("test", tracks, labels, rule, STANDARD).whole
        scenes = {clip.name: clip.scene for clip in tracks.clips}
        expected = evaluate(windows_of(tracks, rule), labels, scenes, STANDARD)
        np.testing.assert_equal(statistics.reach.scored, expected["coverage"]["frames"])
        np.testing.assert_equal(statistics.abnormal_reach.scored, expected["coverage"]["abnormal_frames"])
        assert (statistics.counted, statistics.abnormal) == (expected["frames"], expected["abnormal_frames"])

    @pytest.mark.parametrize("name", PROTOCOLS)
    @given(clips=clips_of_persons, rule=rules)
    def test_scored_frames_are_those_of_every_protocol(self, name, clips, rule):
        tracks, pipeline = tracks_of(clips), PROTOCOLS[name].on("any")
        # Scores of 1: a score of 0 is no score under some rules.
        windows = windows_of(tracks, rule)
        scores = replace(windows, score=np.ones(len(windows)))
        frames = frame_scores(scores, FrameAxis.of_clips(tracks.clips), pipeline)
        np.testing.assert_array_equal(frame_states(tracks, rule, pipeline) == 0, np.concatenate([np.zeros(0), *frames.scored]))

    @given(clips_of_persons, rules)
    def test_every_reason_by_hand(self, clips, rule):
        tracks = tracks_of(clips)
        states = frame_states(tracks, rule, STANDARD)
        windows = windows_of(tracks, rule)
        expected = []
        for clip, people in zip(tracks.clips, clips, strict=True):
            centres = {
                person: windows.start[(windows.clip == clip.name) & (windows.person == person)] + rule.length // 2
                for person in people
            }
            for t in range(clip.n_frames):
                reasons = ["nobody"]
                for person, frames in people.items():
                    own = centres[person]
                    if t in own:
                        reasons.append("scored")
                    elif t in frames:
                        ends = len(own) == 0 or not own.min() <= t <= own.max()
                        reasons.append("no-window" if len(own) == 0 else "track-ends" if ends else "between")
                order = [*REASONS, "scored"]
                expected.append(max(reasons, key=order.index))
        assert [STATES[state] for state in states] == expected

    def test_each_reason_on_its_own(self):
        rule = WindowRule(length=8, stride=1, missing=0)
        gap = [*range(20), *range(26, 46)]
        tracks = tracks_of([{1: range(20)}, {1: range(8)}, {1: [*range(3), *range(6, 30, 3)]}, {1: gap}, {}])
        tracks = replace(tracks, clips=(*tracks.clips[:4], Clip("c4", "s0", 5, (856, 480))))
        states = np.split(frame_states(tracks, rule, STANDARD), np.cumsum([clip.n_frames for clip in tracks.clips])[:-1])
        assert [STATES[state] for state in states[0]] == ["track-ends"] * 4 + ["scored"] * 12 + ["track-ends"] * 4
        assert {STATES[state] for state in states[1]} == {"no-window"}
        assert {STATES[state] for state in states[2]} == {"no-window", "nobody"}
        assert [STATES[state] for state in states[3][16:30]] == ["scored"] + ["between"] * 3 + ["nobody"] * 6 + ["between"] * 4
        assert {STATES[state] for state in states[4]} == {"nobody"}

    def test_a_wide_stride_leaves_frames_between(self):
        states = frame_states(tracks_of([{1: range(40)}]), WindowRule(length=8, stride=4), STANDARD)
        assert reach(states).unscored["between"] == 21
        assert reach(states).scored == 8 / 40

    def test_nothing(self):
        found = reach(frame_states(tracks_of([]), WindowRule(), STANDARD))
        assert found.frames == 0
        assert math.isnan(found.scored)

    @given(clips_of_persons, rules, st.integers(0, 9))
    def test_no_scores_exceed_the_ceiling_and_perfect_ones_reach_it(self, clips, rule, seed):
        tracks = tracks_of(clips)
        labels = labels_of(tracks, seed)
        ceiling = split_statistics("test", tracks, labels, rule, STANDARD).whole.ceiling
        truth, keep = flat(labels.abnormal), flat(labels.keep)
        windows = windows_of(tracks, rule)
        if ceiling is None or truth[keep].all():
            return
        at = {name: i for i, name in enumerate(labels.clips)}
        centre = zip(windows.clip, windows.start + rule.length // 2, strict=True)
        perfect = np.array([float(labels.abnormal[at[clip]][frame]) for clip, frame in centre])
        lengths = {clip.name: clip.n_frames for clip in tracks.clips}
        frames = frame_scores(windows_of(tracks, rule, perfect), axis_of(lengths), STANDARD)
        reached = auroc(truth[keep], flat(frames.raw)[keep])
        assert reached <= ceiling + 1e-12
        if (flat(frames.scored) & ~truth).any():
            assert reached == pytest.approx(ceiling)


class TestStatistics:
    @pytest.fixture
    def tracks(self):
        return tracks_of([{1: range(30), 2: range(4, 16)}, {1: range(40)}, {7: [*range(10), *range(13, 30)]}], missing=0.1)

    def test_frames_that_do_not_count(self, tracks):
        labels = labels_of(tracks, keep=0.5)
        found = split_statistics("test", tracks, labels, WindowRule(8), STANDARD)
        assert found.whole.summary.frames == 100
        assert found.whole.counted == labels.n_frames < 100
        assert found.whole.abnormal == labels.n_abnormal
        assert found.whole.reach.frames == labels.n_frames
        assert found.whole.abnormal_reach.frames == labels.n_abnormal
        assert sum(group.counted for group in found.scenes.values()) == labels.n_frames
        assert sum(group.abnormal for group in found.scenes.values()) == labels.n_abnormal

    @pytest.mark.parametrize("fault", ["absent", "other clips", "other length"])
    def test_without_labels(self, tracks, fault):
        labels = labels_of(tracks)
        match fault:
            case "absent":
                labels = DataError("there is no mask")
            case "other clips":
                labels = replace(labels, clips=("x", *labels.clips[1:]))
            case "other length":
                cut = (labels.abnormal[0][:-1], *labels.abnormal[1:])
                labels = replace(labels, abnormal=cut, keep=(labels.keep[0][:-1], *labels.keep[1:]))
        found = split_statistics("test", tracks, labels, WindowRule(8), STANDARD)
        said = {
            "absent": "no mask",
            "other clips": "not of the same clips",
            "other length": "clip c0 has 30 frames and 29 labels",
        }
        assert said[fault] in found.problem
        assert found.whole.counted == 100
        assert found.whole.abnormal is None
        assert found.whole.reach.frames == 100
        assert found.whole.abnormal_reach is None
        assert found.whole.ceiling is None

    def test_a_split_that_is_not_scored_has_no_coverage(self, tracks):
        found = split_statistics("train", tracks, labels_of(tracks), WindowRule(8), None)
        assert found.states is None
        assert found.whole.reach is found.whole.abnormal_reach is found.whole.ceiling is None

    def test_json_has_no_nan(self, tracks):
        empty = tracks_of([{}])
        for each in (tracks, empty):
            found = as_json(split_statistics("test", each, labels_of(each), WindowRule(8), STANDARD))
            assert json.loads(json.dumps(found, allow_nan=False)) == json.loads(json.dumps(found))
            assert set(found["joints"]) == set(COCO_17.joints)
        assert found["all"]["height"]["median"] is None


@pytest.fixture(scope="module")
def splits():
    """A split that is not scored and one that is, of other scenes."""
    train = tracks_of([{1: range(30), 2: range(5)}])
    test = tracks_of([{1: range(40), 2: range(4, 12)}, {1: range(50)}, {3: [*range(20), *range(26, 45)]}, {}], missing=0.1)
    rules = WindowRule(8, 6), WindowRule(8)
    return (
        split_statistics("train", train, labels_of(train), rules[0], None),
        split_statistics("test", test, labels_of(test), rules[1], STANDARD),
    )


class TestFigure:
    INFO = DatasetInfo("made", "Made $up", "coco-17", 24.0, "none", "none", "nowhere")

    def panels(self, splits, info=INFO):
        figure = draw_statistics(info, splits, "standard-v1")
        return figure, {axes.get_title(loc="left"): axes for axes in figure.axes if axes.axison}

    def test_panels(self, splits):
        _, panels = self.panels(splits)
        assert list(panels) == [
            "Track length",
            "Persons a frame",
            "Height of a pose, by scene",
            "Frames that no window scores, by scene (test)",
        ]
        for name in list(panels)[2:]:
            assert [tick.get_text() for tick in panels[name].get_yticklabels()] == ["all", "s0", "s1"]

    def test_a_split_that_is_not_scored_has_no_coverage_panel(self, splits):
        figure, panels = self.panels(splits[:1])
        assert len(panels) == 3
        assert "protocol" not in figure.get_suptitle()

    def test_title(self, splits):
        figure, _ = self.panels(splits)
        assert figure.get_suptitle() == r"Made \$up: windows of T = 8 poses, stride 6 (train), 1 (test); protocol standard-v1"
        figure, _ = self.panels(splits, replace(self.INFO, stand_in=True))
        assert figure.get_suptitle().endswith("(stand-in data, not a result)")

    def test_bars_are_the_unscored_frames_by_reason(self, splits):
        axes = self.panels(splits)[1]["Frames that no window scores, by scene (test)"]
        found = splits[1]
        for row, group in enumerate((found.whole, *found.scenes.values())):
            bars = [bar for bar in axes.patches if round(bar.get_y() + bar.get_height() / 2) == row]
            shares = [100 * frames / group.counted for frames in group.reach.unscored.values()]
            np.testing.assert_allclose([bar.get_width() for bar in bars], shares)
            np.testing.assert_allclose([bar.get_x() for bar in bars], np.cumsum([0, *shares[:-1]]))
            assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(100 * (1 - group.reach.scored))
        marks = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() == "D"]
        groups = (found.whole, *found.scenes.values())
        np.testing.assert_allclose(marks, [100 * (1 - group.abnormal_reach.scored) for group in groups])

    def test_steps_are_the_share_of_longer_tracks(self, splits):
        axes = self.panels(splits)[1]["Track length"]
        for each, line in zip(splits, axes.get_lines(), strict=False):
            x, y = line.get_data()
            lengths = each.measures.track_poses
            for at in np.unique(lengths):
                assert y[np.flatnonzero(x == at)[-1]] == pytest.approx(100 * (lengths > at).mean())
            assert y[0] == 100
        assert axes.get_lines()[-1].get_xdata()[0] == 8
        assert axes.get_legend_handles_labels()[1] == [
            "train: 2 tracks, 50.0 % without a window",
            "test: 4 tracks, 25.0 % without a window",
            "T = 8",
        ]

    def test_bars_are_the_frames_by_persons(self, splits):
        axes = self.panels(splits)[1]["Persons a frame"]
        persons = splits[0].measures.frame_persons
        most = max(int(each.measures.frame_persons.max()) for each in splits)
        first = axes.containers[0]
        np.testing.assert_allclose(
            [bar.get_height() for bar in first], 100 * np.bincount(persons, minlength=most + 1) / len(persons)
        )
        assert sum(bar.get_height() for bar in first) == pytest.approx(100)

    def test_crowds_share_a_bar(self):
        tracks = tracks_of([dict.fromkeys(range(1, 31), range(9)) | {99: range(20)}])
        panel = self.panels([split_statistics("test", tracks, labels_of(tracks), WindowRule(8), STANDARD)])[1]["Persons a frame"]
        assert panel.get_xticklabels()[-1].get_text() == "12+"
        assert panel.containers[0][-1].get_height() == pytest.approx(100 * 9 / 20)

    @pytest.mark.parametrize("clips", [[], [{}], [{1: range(3)}]], ids=["no clip", "no pose", "no window"])
    def test_little_can_be_drawn(self, clips, tmp_path):
        tracks = tracks_of(clips)
        found = split_statistics("test", tracks, DataError("none"), WindowRule(8), STANDARD)
        save_figure(draw_statistics(self.INFO, [found], "standard-v1"), tmp_path / "a.png")
        assert (tmp_path / "a.png").stat().st_size > 0

    def test_equal_statistics_give_equal_bytes(self, splits, tmp_path):
        for name in ("a.svg", "b.svg"):
            save_figure(draw_statistics(self.INFO, splits, "standard-v1"), tmp_path / name)
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


class TestTables:
    def test_one_scene_needs_no_table_of_scenes(self):
        tracks = tracks_of([{1: range(30)}])
        assert scene_table(split_statistics("test", tracks, labels_of(tracks), WindowRule(8), STANDARD)) is None

    @pytest.mark.parametrize(("clips", "reason"), [([{1: range(8)}], "no-window"), ([{1: range(20)}], "track-ends")])
    def test_what_most_frames_are_lost_to_is_said(self, clips, reason):
        tracks = tracks_of(clips)
        labels = FrameLabels(("c0",), (np.zeros(len(tracks), bool),), (np.ones(len(tracks), bool),))
        caption = str(split_table([split_statistics("test", tracks, labels, WindowRule(8), STANDARD)]).caption)
        assert f"lost to {REASONS[reason].label}: {REASONS[reason].meaning}." in caption

    def test_nothing_lost_nothing_said(self):
        tracks = tracks_of([{}])
        found = split_statistics("test", replace(tracks, clips=()), DataError("none"), WindowRule(8), STANDARD)
        assert "lost to" not in str(split_table([found]).caption)
