"""The numbers of an explanation: pieces that sum to the terms, timelines that cover what windows cover, levels, codebooks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from explained_runs import opened, tiny_run
from fixtures import write_pose_folder
from hypothesis import given
from hypothesis import strategies as st
from made_parts import SumFlow
from made_tracks import made_windows

from vadbench.api import DataError, UsageError, WindowRule
from vadbench.engine.composing.composition import Parts
from vadbench.engine.explaining.clip import clip_lines, frame_alarms, tiling, top_alarms, windows_of
from vadbench.engine.explaining.codebook import codebook_of, nearest_training
from vadbench.engine.explaining.explanation import BASELINE_WINDOWS, explained, poses_of, spread, token_edges

FRAMES = 44


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=FRAMES)


@pytest.fixture(scope="module")
def run(tmp_path_factory, data):
    """A whole msgflow, open; no test changes it."""
    with opened(tiny_run(tmp_path_factory.mktemp("runs"), data), data) as found:
        yield found


def without(run, **absent: object):
    """The same run with parts of its composition replaced."""
    parts = run.composition.parts
    composition = object.__new__(type(run.composition))
    composition.__dict__.update(run.composition.__dict__)
    composition.parts = Parts(**{**{kind: getattr(parts, kind) for kind in ("scorer", "tokenizer", "prior", "flow")}, **absent})
    return replace(run, composition=composition)


def sums_to(shares: np.ndarray, whole: np.ndarray) -> bool:
    """Whether shares (W, T, J) of either sign sum to (W,), but for what single precision loses of such large shares."""
    return bool(np.all(np.abs(shares.sum(axis=(1, 2)) - whole) < 1e-3 * np.abs(shares).sum(axis=(1, 2))))


class TestPieces:
    def test_they_sum_to_the_stored_terms(self, run):
        pieces = run.surprises(run.test)
        np.testing.assert_allclose(pieces.tokens.sum(axis=1), run.scores.terms["semantic"], rtol=1e-4, atol=1e-4)
        assert sums_to(pieces.joints, run.scores.terms["detail"])

    @pytest.mark.parametrize("condition", ["predicted", "none"])
    def test_they_do_whatever_the_flow_is_conditioned_on(self, tmp_path, data, condition):
        with opened(tiny_run(tmp_path, data, f"composition.condition={condition}"), data) as run:
            pieces = run.surprises(run.test)
            assert sums_to(pieces.joints, run.scores.terms["detail"])

    def test_they_depend_on_no_other_window(self, run):
        some = np.array([30, 2, 17])
        whole, alone = run.surprises(run.test), run.surprises(run.test.select(some))
        assert np.array_equal(whole.codes[some], alone.codes)
        np.testing.assert_allclose(whole.tokens[some], alone.tokens, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(whole.joints[some], alone.joints, rtol=1e-3, atol=1e-3)

    def test_excess_is_measured_from_training(self, run):
        usual = run.train.select(spread(len(run.train), BASELINE_WINDOWS))
        pieces = run.surprises(usual)
        assert np.all(np.abs(pieces.excess.mean(axis=0)) < 1e-4 * np.abs(pieces.joints).max())

    def test_joints_in_training_have_deviation_1(self, run):
        usual = run.train.select(spread(len(run.train), BASELINE_WINDOWS))
        odd = run.surprises(usual).excess.sum(axis=1) / run.spread
        np.testing.assert_allclose(odd.std(axis=0), 1, atol=0.02)

        np.testing.assert_allclose(run.surprises(usual).odd.std(axis=0), 1, atol=0.02)

    def test_standardised_terms_have_mean_0_in_training(self, run):
        pieces = run.surprises(run.train)
        standard = run.standardised("semantic", pieces.tokens.sum(axis=1))
        assert abs(standard.mean()) < 1e-3
        assert abs(standard.std() - 1) < 1e-3

    def test_absent_parts(self, run):
        bare = without(run, tokenizer=None, prior=None)
        bare.composition.condition = "none"
        assert any("no tokenizer" in note for note in bare.missing())
        assert bare.codes(bare.test) is None
        assert codebook_of(bare, 3) is None
        assert any("no prior" in note for note in without(run, prior=None).missing())
        pieces = without(run, prior=None, flow=None).surprises(run.test.select(np.arange(2)))
        assert pieces.codes is not None
        assert pieces.tokens is pieces.joints is pieces.excess is pieces.odd is None

    def test_a_flow_that_does_not_localise(self, run):
        plain = without(run, flow=SumFlow())
        assert any("does not say where" in note for note in plain.missing())
        assert plain.surprises(run.test.select(np.arange(2))).joints is None
        assert top_alarms(plain, windows_of(plain), 1)[0].joints == ()

    def test_whole_run_misses_nothing(self, run):
        assert run.missing() == []

    def test_scores_of_other_windows_are_refused(self, run, tmp_path, data):
        from vadbench.engine.trained import Trained

        trained = Trained(run.method, run.test.shape, run.composition.state_dict(), run.context)
        inputs = type("Made", (), {"train": run.train, "test": run.test, "test_clips": run.test.tracks.clips})()
        with pytest.raises(DataError, match="not of the windows"):
            explained(trained, inputs, replace(run.scores, start=run.scores.start + 1))


class TestLevels:
    def test_level_is_the_largest_standardised_term(self, run):
        for alarm in top_alarms(run, windows_of(run), 5):
            assert alarm.standardised[alarm.level] == max(alarm.standardised.values())
            mean, sd = run.statistics["semantic"]
            assert alarm.standardised["semantic"] == pytest.approx((alarm.terms["semantic"] - mean) / sd)

    def test_no_level_without_statistics(self, tmp_path, data):
        with opened(tiny_run(tmp_path, data, swaps={"scorer": "nats"}), data) as run:
            (alarm,) = top_alarms(run, windows_of(run), 1)
            assert run.statistics == {}
            assert alarm.level is None
            assert alarm.standardised == {}
            assert alarm.score == pytest.approx(sum(alarm.terms.values()))
            assert any("no level is named" in note for note in run.missing())


class TestAlarms:
    def test_the_first_is_the_highest_and_none_of_a_person_overlap(self, run):
        found = top_alarms(run, windows_of(run), 50)
        assert found[0].score == run.scores.score.max()
        assert [alarm.score for alarm in found] == sorted((alarm.score for alarm in found), reverse=True)
        for i, one in enumerate(found):
            assert all(
                (one.clip, one.person) != (two.clip, two.person) or two.first > one.last or two.last < one.first
                for two in found[:i]
            )

    def test_once_for_each_person(self, run):
        found = top_alarms(run, windows_of(run), 50, once=True)
        persons = [(alarm.clip, alarm.person) for alarm in found]
        assert len(persons) == len(set(persons)) == 9
        here = run.scores.clip == found[-1].clip
        assert found[-1].score == run.scores.score[here & (run.scores.person == found[-1].person)].max()

    def test_parts_of_an_alarm(self, run):
        (alarm,) = top_alarms(run, windows_of(run), 1)
        assert alarm.first <= alarm.frame <= alarm.last
        assert sum(token.surprise for token in alarm.tokens) == pytest.approx(alarm.terms["semantic"], rel=1e-4, abs=1e-3)
        assert sum(joint.surprise for joint in alarm.joints) == pytest.approx(alarm.terms["detail"], rel=1e-2)
        assert [joint.standardised for joint in alarm.joints] == sorted(
            (joint.standardised for joint in alarm.joints), reverse=True
        )
        assert sorted(joint.name for joint in alarm.joints) == sorted(run.test.tracks.layout.joints)
        assert alarm.tokens[0].first == alarm.first
        assert alarm.tokens[-1].last == alarm.last

    def test_no_windows_no_alarms(self, run):
        assert top_alarms(run, np.zeros(0, dtype=np.int64), 3) == []

    def test_at_a_frame_each_person_once_in_the_window_around_it(self, run):
        found = frame_alarms(run, run.clips[0], 20)
        assert sorted(alarm.person for alarm in found) == [1, 2, 3]
        assert all(alarm.frame == 20 for alarm in found)
        assert found[0].score == max(alarm.score for alarm in found)

    def test_a_frame_at_the_edge(self, run):
        at = int(run.test.start[0])
        (alarm,) = frame_alarms(run, run.clips[0], at, int(run.test.person[0]))
        assert alarm.first <= at < alarm.frame

    @pytest.mark.parametrize(
        ("clip", "person", "frame", "said"),
        [
            ("01_99", None, None, "no clip '01_99'"),
            (0, None, FRAMES, f"no frame {FRAMES}"),
            (0, None, -1, "no frame -1"),
            (0, 9, None, "person 9 has no window"),
            (None, None, 3, "none is named"),
            (None, 1, None, "none is named"),
        ],
    )
    def test_what_is_not_there(self, run, clip, person, frame, said):
        with pytest.raises(UsageError, match=said):
            windows_of(run, run.clips[clip] if clip == 0 else clip, person, frame)

    def test_a_frame_that_no_window_covers(self, run):
        with pytest.raises(UsageError, match="no window of person 1 covers frame"):
            frame_alarms(run, run.clips[0], FRAMES - 1, 1)


class TestTimeline:
    def test_it_covers_the_frames_of_the_windows_once(self, run):
        length = run.test.rule.length
        for line in clip_lines(run, run.clips[1]).persons:
            rows = {row for first in run.test.first[line.windows].tolist() for row in range(first, first + length)}
            expected = sorted(int(run.test.tracks.frame[row]) for row in rows)
            assert line.frames.tolist() == expected
            assert [frame for token in line.tokens for frame in range(token.first, token.last + 1)] == expected
            assert line.odd.shape == (len(expected), len(run.test.tracks.layout))

    def test_one_person_alone(self, run):
        (line,) = clip_lines(run, run.clips[0], 2).persons
        assert line.person == 2
        assert set(run.test.person[line.windows]) == {2}

    def test_tokens_are_those_of_the_tile(self, run):
        (line,) = clip_lines(run, run.clips[0], 1).persons
        codes = run.codes(run.test.select(line.windows[:1]))[0]
        assert [token.code for token in line.tokens[: len(codes)]] == codes.tolist()

    @given(
        gaps=st.lists(st.integers(1, 12), min_size=9, max_size=70),
        stride=st.integers(1, 11),
        missing=st.integers(0, 3),
    )
    def test_tiles_are_whatever_windows_cover_and_never_overlap(self, gaps, stride, missing):
        frames = np.cumsum([0, *(1 if gap < 10 else gap for gap in gaps)]).tolist()
        windows = made_windows({1: frames}, rule=WindowRule(8, stride, missing))
        taken = [int(windows.first[window]) + row for window, rows in tiling(windows) for row in range(*rows.indices(8))]
        assert taken == sorted({int(first) + row for first in windows.first for row in range(8)})

    def test_tiles_begin_with_whole_windows(self):
        tiles = list(tiling(made_windows({1: range(30)}, rule=WindowRule(8, keep_last=True))))
        assert [(window, rows.start) for window, rows in tiles] == [(0, 0), (8, 0), (16, 0), (22, 2)]

    @pytest.mark.parametrize(("length", "tokens"), [(24, 6), (16, 4), (7, 3), (5, 5)])
    def test_token_edges(self, length, tokens):
        edges = token_edges(length, tokens)
        assert (edges[0], edges[-1], len(edges)) == (0, length, tokens + 1)
        assert set(np.diff(edges)) <= {length // tokens, length // tokens + 1}


@pytest.fixture(scope="module")
def book(run):
    return codebook_of(run, 100)


class TestCodebook:
    def test_usage_is_that_of_the_training_windows(self, run, book):
        codes = run.codes(run.train)
        assert book.windows == len(run.train)
        assert book.used == len(np.unique(codes))
        assert {primitive.code: primitive.usage for primitive in book.primitives}.items() <= dict(
            zip(*np.unique(codes, return_counts=True), strict=True)
        ).items()
        assert sum(primitive.usage for primitive in book.primitives) <= codes.size
        assert [p.usage for p in book.primitives] == sorted((p.usage for p in book.primitives), reverse=True)
        assert 1 <= book.perplexity <= book.used + 1e-9

    def test_examples_have_the_code(self, run, book):
        codes, edges = run.codes(run.train), token_edges(run.train.rule.length, run.tokenizer.shape.tokens)
        for primitive in book.primitives:
            for example in primitive.examples:
                held = [
                    int(code)
                    for window in np.flatnonzero((run.train.clip == example.clip) & (run.train.person == example.person))
                    for place, code in enumerate(codes[window])
                    if run.train.tracks.frame[run.train.first[window] + edges[place]] == example.first
                ]
                assert primitive.code in held

    def test_what_follows_is_a_distribution(self, book):
        codes = sorted(set(book.transitions[:, :2].ravel().tolist()))
        table = book.probabilities(codes)
        leaving = table.sum(axis=1)
        assert np.all((table >= 0) & (table <= 1))
        assert np.all(np.isclose(leaving, 1) | (leaving == 0))

    def test_fewer_primitives(self, run, book):
        few = codebook_of(run, 2)
        assert [p.code for p in few.primitives] == [p.code for p in book.primitives[:2]]
        assert few.used == book.used

    def test_nearest_to_a_decoded_stretch(self, run):
        import torch

        x = torch.from_numpy(run.train.batch(np.arange(1)).x)
        decoded = run.tokenizer.decode(run.tokenizer.encode(x).codes).detach().numpy()[0]
        length = run.train.rule.length // run.tokenizer.shape.tokens
        book = codebook_of(run, 1, decoded[:, :length])
        distances = [distance for _, distance in book.nearest]
        assert distances == sorted(distances)
        assert 0 < len(distances) <= 3

    def test_nearest_training_window_of_a_training_window_is_itself(self, run):
        some = np.array([3, 11])
        for window, example in zip(some, nearest_training(run, run.train.select(some)), strict=True):
            assert example.distance == pytest.approx(0, abs=1e-3)
            assert (example.clip, example.person) == (run.train.clip[window], run.train.person[window])
            np.testing.assert_array_equal(example.poses.frames, poses_of(run.train, int(window)).frames)


def test_poses_are_pixels(run):
    poses = poses_of(run.test, 4)
    row = int(run.test.first[4])
    there = poses.seen
    pixels = run.test.tracks.keypoints[row : row + run.test.rule.length, :, :2].transpose(2, 0, 1)
    np.testing.assert_allclose(poses.xy[:, there], pixels[:, there], rtol=1e-3, atol=0.05)


def test_spread():
    assert spread(0, 5).tolist() == []
    assert spread(3, 5).tolist() == [0, 1, 2]
    assert spread(100, 3).tolist() == [0, 49, 99]
