"""Pictures: what they show, and how they are written."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from frame_axes import axis_of
from sklearn.metrics import auc
from stored_runs import ABNORMAL, FRAMES, LENGTH, made_labels, made_scores, write_run

from vadbench.api import UsageError, WindowScores
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.report.figures import draw_roc, draw_timeline, save_figure
from vadbench.report.timeline import telling_clip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs"), terms=True)


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def covered(axes, label):
    """Frames whose middle lies under the patches that begin with the one of this label."""
    frames, found = set(), False
    for patch in axes.patches:
        name = patch.get_label() or "_"
        if not name.startswith("_"):
            found = name == label
        if found:
            x = patch.get_patch_transform().transform(patch.get_path().vertices)[:, 0]
            frames |= {frame for frame in range(FRAMES) if x.min() < frame < x.max()}
    return frames


def legend_texts(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize("clip", [clip for clip, stretches in ABNORMAL.items() if stretches])
def test_timeline_shades_exactly_the_abnormal_frames(run, clip):
    figure = draw_timeline([run], clip)
    expected = {frame for first, end in ABNORMAL[clip] for frame in range(first, end)}
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert covered(axes, "abnormal (ground truth)") == expected


def test_timeline_of_a_normal_clip_shades_nothing(run):
    assert covered(draw_timeline([run], "02_01").axes[0], "abnormal (ground truth)") == set()


def test_timeline_marks_frames_that_no_window_scores(run):
    unscored = covered(draw_timeline([run], "01_01").axes[0], "no window scores the frame")
    assert unscored == {*range(LENGTH // 2), *range(FRAMES - LENGTH // 2 + 1, FRAMES)}


def test_timeline_hatches_frames_that_do_not_count(tmp_path):
    run = write_run(tmp_path, labels=made_labels(leave_out=(30, 38)))
    axes = draw_timeline([run], "01_02").axes[0]
    assert covered(axes, "frame does not count") == set(range(30, 38))
    assert covered(axes, "abnormal (ground truth)") == set(range(25, 50))


def test_timeline_draws_frame_and_person_scores(run):
    scores, (labels, _) = run.scores(), run.labels()
    expected = frame_scores(scores, axis_of(dict.fromkeys(labels.clips, FRAMES)), STANDARD_V1.on("campus"))
    drawn = lines(draw_timeline([run], "01_02").axes[0])
    np.testing.assert_array_equal(drawn["frame score"].get_ydata(), expected.smoothed[1])
    np.testing.assert_array_equal(drawn["frame score, not smoothed"].get_ydata(), expected.raw[1])
    chosen = (scores.clip == "01_02") & (scores.person == 2)
    np.testing.assert_array_equal(drawn["person 2"].get_ydata(), scores.score[chosen])
    np.testing.assert_array_equal(drawn["person 2"].get_xdata(), scores.start[chosen] + LENGTH // 2)


def test_terms_are_standardised_over_the_clip(run):
    line = lines(draw_timeline([run], "01_02").axes[1])["term detail"].get_ydata()
    assert line.mean() == pytest.approx(0, abs=1e-9)
    assert line.std() == pytest.approx(1)


def test_a_constant_term_is_a_flat_line(tmp_path):
    labels = made_labels()
    made = made_scores(labels)
    scores = WindowScores(made.clip, made.person, made.start, made.score, LENGTH, {"flat": np.full(len(made), 3.0)})
    run = write_run(tmp_path, labels=labels, scores=scores)
    np.testing.assert_allclose(lines(draw_timeline([run], "01_01").axes[1])["term flat"].get_ydata(), 0, atol=1e-9)


def test_wide_strides_leave_lines_whole_and_gaps_open(tmp_path):
    labels = made_labels()
    every = made_scores(labels)
    kept = (every.start % 4 == 0) & ~((every.start > 16) & (every.start < 32))
    scores = WindowScores(every.clip[kept], every.person[kept], every.start[kept], every.score[kept], LENGTH)
    drawn = lines(draw_timeline([write_run(tmp_path, labels=labels, scores=scores)], "01_01").axes[0])
    x = drawn["person 1"].get_xdata()
    assert np.isnan(x).sum() == 1
    assert x[np.flatnonzero(np.isnan(x))[0] - 1] == 16 + LENGTH // 2


def test_a_person_scored_once_is_a_dot(tmp_path):
    labels = made_labels()
    scores = WindowScores(np.array(["01_01"]), np.array([5]), np.array([12]), np.array([1.0]), LENGTH)
    drawn = lines(draw_timeline([write_run(tmp_path, labels=labels, scores=scores)], "01_01").axes[0])
    assert drawn["person 5"].get_marker() == "."


def test_many_persons_share_one_line_of_the_legend(tmp_path):
    labels = made_labels()
    persons = {"01_01": range(12), "01_02": (1,), "02_01": (1,)}
    run = write_run(tmp_path, labels=labels, scores=made_scores(labels, persons=persons))
    texts = legend_texts(draw_timeline([run], "01_01"))
    assert [text for text in texts if "person" in text] == ["12 persons (colours repeat)"]


def test_several_runs_have_a_panel_each(tmp_path):
    runs = [write_run(tmp_path, seed=seed, changes=("k=9",)) for seed in (0, 1, 2)]
    figure = draw_timeline(runs)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [f"knn [k=9], seed {seed}" for seed in (0, 1, 2)]


def test_the_clip_is_chosen_by_persons_and_truth_not_by_skill():
    labels = made_labels()
    assert {telling_clip(labels, made_scores(labels, seed=s, skill=k)) for s in range(3) for k in (-2, 0, 2)} == {"01_02"}
    crowded = {"01_01": (1, 2), "01_02": range(40), "02_01": (1,)}
    assert telling_clip(labels, made_scores(labels, persons=crowded)) == "01_01"
    normal = made_labels({"01_01": (), "01_02": (), "02_01": ()})
    assert telling_clip(normal, made_scores(normal)) == "01_01"
    whole = made_labels({"01_01": (), "01_02": ((0, FRAMES),), "02_01": ()})
    assert telling_clip(whole, made_scores(whole)) == "01_02"


def test_an_unknown_clip_gets_the_nearest_names(run):
    with pytest.raises(UsageError, match="did you mean '01_02'"):
        draw_timeline([run], "1_02")


def test_roc_names_every_auroc(run):
    metrics = run.record.metrics
    figure = draw_roc([run])
    first, *rest = legend_texts(figure)
    assert first.replace("\n", " ") == (
        f"knn, seed 0: {100 * metrics.auroc:.1f}, not smoothed (dashed) {100 * metrics.auroc_raw:.1f}"
    )
    assert rest[:2] == [f"term {name}: {100 * term.auroc:.1f}" for name, term in run.record.terms.items()]
    assert len(figure.axes[0].get_lines()) == 5


def test_roc_curve_encloses_the_auroc(run):
    curve = next(line for line in draw_roc([run]).axes[0].get_lines() if line.get_label().startswith("knn"))
    assert auc(curve.get_xdata(), curve.get_ydata()) == pytest.approx(run.record.metrics.auroc)


def test_roc_of_several_runs_leaves_the_terms_out(tmp_path):
    runs = [write_run(tmp_path, seed=seed, terms=True) for seed in (0, 1)]
    assert not any("term" in text for text in legend_texts(draw_roc(runs)))


def test_roc_without_a_class_says_so(tmp_path):
    run = write_run(tmp_path, labels=made_labels({"01_01": (), "01_02": (), "02_01": ()}))
    assert "only one class" in legend_texts(draw_roc([run]))[0]


def test_stand_in_data_are_named_in_the_title(tmp_path):
    run = write_run(tmp_path, stand_in=True)
    for figure in (draw_roc([run]), draw_timeline([run])):
        assert "stand-in data, not a result" in figure.get_suptitle()
        assert "campus, protocol standard-v1" in figure.get_suptitle()


@pytest.mark.parametrize("draw", [draw_roc, draw_timeline])
def test_what_is_not_comparable_is_not_drawn_together(tmp_path, draw):
    here = write_run(tmp_path)
    with pytest.raises(UsageError, match="different data sets"):
        draw([here, write_run(tmp_path, dataset="alley")])
    with pytest.raises(UsageError, match="different labels"):
        draw([here, write_run(tmp_path, seed=1, labels=made_labels(leave_out=(0, 3)))])
    with pytest.raises(UsageError, match="no run to draw"):
        draw([])


@pytest.mark.parametrize(
    ("suffix", "signature"), [(".png", b"\x89PNG\r\n"), (".svg", b"<?xml"), (".pdf", b"%PDF-"), (".PNG", b"\x89PNG")]
)
def test_figures_are_written_in_three_formats(run, tmp_path, suffix, signature):
    path = tmp_path / "new" / "folder" / f"roc{suffix}"
    save_figure(draw_roc([run]), path)
    assert path.read_bytes().startswith(signature)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_equal_figures_give_equal_bytes(run, tmp_path, suffix):
    for name in ("a", "b"):
        save_figure(draw_timeline([run]), tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_an_unknown_suffix_lists_the_known_ones(run, tmp_path):
    for name in ("roc.jpeg", "roc"):
        with pytest.raises(UsageError, match=r"\.png, \.svg, \.pdf"):
            save_figure(draw_roc([run]), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_an_error_of_use(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        save_figure(draw_roc([run]), tmp_path / "file" / "roc.png")


def test_drawing_leaves_the_settings_of_matplotlib_alone(run, tmp_path):
    with mpl.rc_context({"font.size": 31, "savefig.bbox": "tight"}):
        before = dict(mpl.rcParams)
        save_figure(draw_roc([run]), tmp_path / "a.svg")
        assert dict(mpl.rcParams) == before
    save_figure(draw_roc([run]), tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
