"""Pictures and words of an explanation: colours, orders and places in them, and that nothing is left out or doubled."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from explained_runs import opened, tiny_run
from fixtures import write_pose_folder
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure
from PIL import Image

from vadbench.api import COCO_18, LAYOUTS, UsageError
from vadbench.engine.explaining.clip import clip_lines, top_alarms, windows_of
from vadbench.engine.explaining.codebook import codebook_of
from vadbench.engine.explaining.explanation import Poses
from vadbench.report.explaining.codebook_gallery import animate_codebook, draw_codebook
from vadbench.report.explaining.explanation import Question, draw_explanation, explain
from vadbench.report.explaining.skeleton_strip import LEFT, MIDDLE, RIGHT, draw_strip, limb_colours, placed
from vadbench.report.explaining.text import explanation_json, lines_of
from vadbench.report.explaining.token_timeline import code_colours, draw_token_timeline
from vadbench.report.explaining.transition_diagram import circular_order, draw_transitions


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=40)


@pytest.fixture(scope="module")
def stored(tmp_path_factory, data):
    return tiny_run(tmp_path_factory.mktemp("runs"), data)


@pytest.fixture(scope="module")
def run(stored, data):
    with opened(stored, data) as found:
        yield found


def poses_at(xy: np.ndarray, seen: np.ndarray | None = None) -> Poses:
    """Poses (2, F, J) in frames from 0."""
    seen = np.ones(xy.shape[1:], dtype=bool) if seen is None else seen
    return Poses(xy.astype(np.float32), seen, np.arange(xy.shape[1]))


class TestStrips:
    @pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
    def test_limbs_have_the_colour_of_their_side(self, layout):
        for (a, b), colour in zip(layout.edges, limb_colours(layout), strict=True):
            sides = {name.partition("_")[0] for name in (a, b)} & {"left", "right"}
            assert colour == (MIDDLE if len(sides) != 1 else LEFT if sides == {"left"} else RIGHT)

    def test_up_is_up_and_sideways_motion_is_taken_out(self):
        pose = np.random.default_rng(0).uniform(0, 100, (2, 18))
        walking = np.stack([pose + np.array([[40.0 * i], [0.0]]) for i in range(3)], axis=1)
        xy, seen = placed(poses_at(walking), np.arange(3))
        assert seen.all()
        np.testing.assert_allclose(xy[:, 0], xy[:, 2], atol=1e-5)
        assert xy[1, 0].argmax() == pose[1].argmin()

    def test_rising_stays(self):
        pose = np.random.default_rng(0).uniform(0, 100, (2, 18))
        rising = np.stack([pose, pose - np.array([[0.0], [30.0]])], axis=1)
        xy, _ = placed(poses_at(rising), np.arange(2))
        assert np.all(xy[1, 1] > xy[1, 0])

    @given(arrays(np.float64, (2, 4, 18), elements=st.floats(-1e4, 1e4)), arrays(bool, (4, 18)))
    def test_everything_seen_fits(self, xy, seen):
        found, shown = placed(poses_at(xy, seen), np.arange(4))
        assert np.isfinite(found).all()
        assert np.abs(found[:, shown]).max(initial=0) <= 0.5 + 1e-6

    def test_joints_that_are_not_seen_have_no_limbs(self):
        seen = np.ones((1, 18), dtype=bool)
        seen[0, COCO_18.index("left_knee")] = False
        axes = Figure().subplots()
        draw_strip(axes, COCO_18, poses_at(np.random.default_rng(0).uniform(0, 100, (2, 1, 18)), seen))
        (limbs,) = axes.collections
        assert len(limbs.get_segments()) == len(COCO_18.edges) - 2

    def test_strips_do_not_overlap(self):
        poses = poses_at(np.random.default_rng(0).uniform(0, 100, (2, 4, 18)))
        axes = Figure().subplots()
        first = draw_strip(axes, COCO_18, poses, every=2)
        second = draw_strip(axes, COCO_18, poses, every=2, left=first)
        reach = [np.concatenate(limbs.get_segments())[:, 0] for limbs in axes.collections]
        assert len(reach) == 4
        assert all(one.max() < two.min() for one, two in pairwise(reach))
        assert second == pytest.approx(2 * first)


class TestTimeline:
    def test_frequent_codes_have_colours_of_their_own(self):
        colours = code_colours([7] * 5 + [3] * 4 + list(range(10, 30)))
        assert colours[7] != colours[3]
        assert len({colours[code] for code in (7, 3, 10, 11, 12, 13, 14, 15)}) == 8
        assert len({colours[code] for code in range(16, 30)}) == 2

    def test_pieces_cover_the_frames_of_the_tokens_and_labels_shade(self, run):
        lines = clip_lines(run, run.clips[0])
        abnormal = np.zeros(lines.n_frames, dtype=bool)
        abnormal[10:15] = True
        figure = draw_token_timeline(run, lines, top_alarms(run, windows_of(run, run.clips[0]), 2), abnormal=abnormal, title="t")
        bands = [axes for axes in figure.axes if "codes" in axes.get_ylabel()]
        assert len(bands) == len(lines.persons) == 3
        for axes, line in zip(bands, lines.persons, strict=True):
            frames = {
                frame
                for patch in axes.patches
                for frame in range(round(patch.get_x() + 0.5), round(patch.get_x() + patch.get_width() + 0.5))
            }
            assert frames == set(line.frames.tolist())
        (shade,) = figure.axes[0].patches
        assert (shade.get_x(), shade.get_width()) == (9.5, 5)
        assert any("Joints of person" in axes.get_title(loc="left") for axes in figure.axes)


class TestTransitions:
    @given(st.integers(0, 9).flatmap(lambda n: arrays(np.float64, (n, n), elements=st.floats(0, 1))))
    def test_order_is_one_and_no_worse_than_the_first(self, between):
        np.fill_diagonal(between, 0)
        n = len(between)
        order = circular_order(between)
        assert sorted(order.tolist()) == list(range(n))

        def cost(places):
            return sum(
                between[a, b] * min(abs(places[a] - places[b]), n - abs(places[a] - places[b]))
                for a in range(n)
                for b in range(n)
            )

        assert cost(np.argsort(order)) <= cost(np.arange(n)) + 1e-9

    def test_strong_transitions_are_neighbours(self):
        ring = [0, 3, 1, 4, 2]
        between = np.zeros((5, 5))
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
            between[a, b] = 0.9
        order = circular_order(between).tolist()
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
            assert abs(order.index(a) - order.index(b)) in (1, 4)

    def test_every_node_has_its_name(self, run):
        book = codebook_of(run, 5)
        (axes,) = draw_transitions(book, COCO_18, "t").axes
        names = [text.get_text().splitlines()[0] for text in axes.texts if "stays" in text.get_text()]
        assert sorted(names) == sorted(str(primitive.code) for primitive in book.primitives)


class TestGallery:
    def test_a_panel_for_each_primitive(self, run):
        book = codebook_of(run, 4)
        titles = [axes.get_title(loc="left") for axes in draw_codebook(book, COCO_18, "t").axes]
        assert sorted(title.partition(":")[0] for title in titles if title) == sorted(str(p.code) for p in book.primitives)

    def test_animation_moves(self, run, tmp_path):
        animate_codebook(codebook_of(run, 3), COCO_18, tmp_path / "new" / "a.gif")
        with Image.open(tmp_path / "new" / "a.gif") as picture:
            assert picture.n_frames > 1
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.gif"]

    def test_where_nothing_can_be_written(self, run, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="animation cannot be written"):
            animate_codebook(codebook_of(run, 1), COCO_18, tmp_path / "file" / "a.gif")


class TestExplanation:
    def test_whole_run(self, stored, run, tmp_path):
        found = explain(run, Question(top=2, primitives=3))
        pictures = draw_explanation(stored, run, found, tmp_path)
        assert [path.name for path in pictures] == ["alarms.png", "codebook.png", "codebook.gif", "transitions.png"]
        for path in pictures:
            with Image.open(path) as picture:
                assert np.asarray(picture.convert("L")).std() > 1
        made = explanation_json(found, stored.record, str(stored.path), pictures)
        json.dumps(made, allow_nan=False)
        assert len(made["alarms"]) == 2
        assert made["clip"] is made["frame"] is None
        assert len(made["codebook"]["primitives"]) == 3

    def test_same_question_same_answer(self, stored, run):
        asked = Question(clip=run.clips[1], frame=15, person=1, primitives=2)
        one, two = (explanation_json(explain(run, asked), stored.record, "", []) for _ in range(2))
        assert one == two

    def test_nothing_but_a_flow(self, tmp_path, data):
        stored = tiny_run(tmp_path, data, swaps={"tokenizer": "none", "prior": "none"})
        with opened(stored, data) as run:
            found = explain(run, Question(clip=run.clips[0], frame=20, top=2))
            pictures = draw_explanation(stored, run, found, tmp_path / "out")
            assert [path.name.partition("-")[0] for path in pictures] == ["tokens", "alarms", "frame"]
            text = "\n".join(lines_of(found, stored.record))
            assert "There is no tokenizer" in text
            assert "most surprising joints" in text
            assert "codes" not in text.replace("no codes", "")
            made = explanation_json(found, stored.record, "", pictures)
            assert made["codebook"] is None
            assert all(person["tokens"] == [] for person in made["clip"]["persons"])
