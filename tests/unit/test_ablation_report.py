"""Reports of ablations: every figure as it is computed by hand from the stored runs, in every format."""

from __future__ import annotations

import io
import json
from statistics import fmean, stdev

import numpy as np
import pandas as pd
import pytest
from ablated_runs import CLIPS, ablated_run, ablation_of
from ablation_grids import tiny_grid
from rich.console import Console
from sklearn.metrics import roc_auc_score
from stored_runs import FRAMES

from vadbench.api import UsageError
from vadbench.evaluation.clip_pairs import over_seeds
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.intervals import auroc_interval
from vadbench.evaluation.paired import difference_interval, exchange_test
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.report.ablation.export import ablation_csv
from vadbench.report.ablation.figure import draw_forest, draw_sweeps
from vadbench.report.ablation.report import make_report, write_report
from vadbench.report.ablation.rows import make_table, read_variants
from vadbench.report.ablation.table import TUNING, figures_block, markdown, notes, parts_block, terminal
from vadbench.report.comparison import compare
from vadbench.report.comparison_frames import counted_frames
from vadbench.store.folders import RECORD, open_run

RESAMPLES = 500
SHOWN = ("full", "counts", "max", "same-codes", "semantic", "off", "no-term")


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return tiny_grid(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    skills = {"full": 0.9, "counts": 0.4, "max": 0.85}
    made = {name: {seed: ablated_run(root, name, seed, skill=skill) for seed in (0, 1, 2)} for name, skill in skills.items()}
    return {**made, "same-codes": made["full"], "max": {seed: made["max"][seed] for seed in (1, 2)}}


@pytest.fixture(scope="module")
def ablation(grid, runs):
    return ablation_of(grid, runs, tuple(grid.named(name) for name in SHOWN))


@pytest.fixture(scope="module")
def table(ablation):
    return make_table(ablation, read_variants(ablation, 0), resamples=RESAMPLES)


def pairs(run):
    return counted_frames(run, STANDARD_V1.on("campus")).pairs()


class TestRows:
    def test_in_the_order_of_the_grid_and_what_has_no_figure_is_left_out_and_named(self, table, runs):
        assert [row.variant for row in table.rows] == ["full", "counts", "max", "same-codes", "semantic", "off"]
        assert [error.what for error in table.left_out] == ["the run has no term 'reconstruction'"] * 3
        assert [error.where for error in table.left_out] == [str(run.path) for run in runs["full"].values()]

    def test_of_what(self, table):
        assert (table.method, table.dataset, table.protocol, table.base) == ("msgflow", "campus", "standard-v1", "full")
        assert (table.clips, table.frames, table.stand_in) == (12, 12 * FRAMES, False)

    def test_mean_and_deviation_are_those_of_the_records(self, table, runs):
        for name in ("full", "counts", "max"):
            aurocs = [run.record.metrics.auroc for run in runs[name].values()]
            row = table.row(name)
            assert row.auroc.mean == pytest.approx(fmean(aurocs), abs=1e-9)
            assert row.auroc.sd == pytest.approx(stdev(aurocs), abs=1e-9)
            assert row.seeds == tuple(runs[name])
            assert row.runs == tuple(run.path for run in runs[name].values())

    def test_interval_is_that_of_the_mean_over_seeds(self, table, runs):
        expected = auroc_interval(over_seeds([pairs(run) for run in runs["counts"].values()]), resamples=RESAMPLES)
        assert table.row("counts").interval == expected

    def test_difference_and_test_are_those_of_compare(self, table, runs):
        found = compare(list(runs["counts"].values()), list(runs["full"].values()), resamples=RESAMPLES)
        row = table.row("counts")
        assert row.difference == pytest.approx(found.difference, abs=1e-12)
        assert row.difference_interval == found.interval
        assert row.p == found.test.p
        by_seed = [runs["counts"][seed].record.metrics.auroc - runs["full"][seed].record.metrics.auroc for seed in runs["counts"]]
        assert row.difference_sd == pytest.approx(stdev(by_seed), abs=1e-9)
        assert row.difference < 0

    def test_difference_is_over_the_seeds_that_both_have(self, table, runs):
        common = [runs["full"][seed] for seed in runs["max"]]
        expected = fmean(run.record.metrics.auroc for run in runs["max"].values()) - fmean(
            run.record.metrics.auroc for run in common
        )
        assert table.row("max").difference == pytest.approx(expected, abs=1e-9)
        both = (over_seeds([pairs(run) for run in side]) for side in (runs["max"].values(), common))
        assert table.row("max").difference_interval == difference_interval(*both, resamples=RESAMPLES)

    def test_the_base_is_not_compared_with_itself(self, table):
        row = table.row("full")
        assert (row.difference, row.difference_sd, row.difference_interval, row.p) == (None, None, None, None)

    def test_equal_runs_are_named_and_do_not_differ(self, table):
        row = table.row("same-codes")
        assert (row.same_as, row.difference, row.p) == ("full", 0, 1)
        assert (row.difference_interval.low, row.difference_interval.high) == (0, 0)
        assert [table.row(name).same_as for name in ("full", "semantic", "off")] == ["", "", ""]

    def test_a_term_alone_is_that_of_the_record(self, table, runs):
        expected = fmean(run.record.terms["semantic"].auroc for run in runs["full"].values())
        assert table.row("semantic").auroc.mean == pytest.approx(expected, abs=1e-9)
        assert table.row("full").terms["semantic"].mean == pytest.approx(expected, abs=1e-9)
        assert table.row("semantic").source == "term semantic of full"

    def test_without_smoothing_is_the_raw_auroc_of_the_record(self, table, runs):
        row = table.row("off")
        assert row.auroc.mean == pytest.approx(fmean(run.record.metrics.auroc_raw for run in runs["full"].values()), abs=1e-9)
        assert row.auroc.mean != pytest.approx(table.row("full").auroc.mean, abs=1e-6)

        def score(run, line):
            labels, scenes = run.labels()
            frames = frame_scores(run.scores(), FrameAxis.of_labels(labels, scenes), STANDARD_V1.on("campus"))
            return labels.abnormal, getattr(frames, line)

        raw, smoothed = ([score(run, line) for run in runs["full"].values()] for line in ("raw", "smoothed"))
        assert row.auroc.mean == pytest.approx(
            fmean(roc_auc_score(np.concatenate(truth), np.concatenate(line)) for truth, line in raw), abs=1e-12
        )
        test = exchange_test(raw[0][0], [line for _, line in raw], [line for _, line in smoothed], resamples=RESAMPLES)
        assert row.p == test.p

    def test_costs_are_of_runs_and_readings_have_none(self, table):
        assert (table.row("full").fit_s, table.row("full").parameters) == (3.0, 1002)
        assert (table.row("semantic").fit_s, table.row("semantic").parameters, table.row("semantic").terms) == (None, None, {})

    def test_a_record_that_was_edited_has_no_figure(self, grid, tmp_path):
        made = {name: {0: ablated_run(tmp_path, name, 0, skill=0.5)} for name in ("full", "counts")}
        path = made["counts"][0].path / RECORD
        path.write_text(path.read_text().replace('"auroc": 0.', '"auroc": 0.1', 1))
        made["counts"][0] = open_run(path)
        ablation = ablation_of(grid, made, tuple(grid.named(name) for name in ("full", "counts")), seeds=(0,))
        table = make_table(ablation, read_variants(ablation, 0), resamples=RESAMPLES)
        assert [row.variant for row in table.rows] == ["full"]
        assert "the stored scores give" in table.left_out[0].what

    def test_without_the_base_there_are_figures_and_no_differences(self, grid, runs):
        ablation = ablation_of(grid, {"counts": runs["counts"]}, tuple(grid.named(name) for name in ("full", "counts")))
        table = make_table(ablation, read_variants(ablation, 0), resamples=RESAMPLES)
        assert [(row.variant, row.difference) for row in table.rows] == [("counts", None)]

    def test_without_any_figure_there_is_no_table(self, grid):
        ablation = ablation_of(grid, {}, (grid.named("full"),))
        assert make_table(ablation, read_variants(ablation, 0)) is None


class TestText:
    def test_terminal(self, table):
        out = io.StringIO()
        console = Console(file=out, width=120)
        for block in (figures_block(table), parts_block(table)):
            console.print(terminal(block))
        flat = out.getvalue()
        row = table.row("counts")
        assert f"{100 * row.auroc.mean:.1f} ± {100 * row.auroc.sd:.1f}" in flat
        assert f"{100 * row.difference:+.1f} ± {100 * row.difference_sd:.1f}" in flat
        assert "do counts do as well?" in flat
        assert "from full" in flat

    def test_markdown_has_every_row_and_the_caution(self, ablation, table):
        told = [*notes(ablation, [table]), TUNING]
        text = markdown([figures_block(table), parts_block(table)], told)
        assert text.startswith("## msgflow on campus, standard-v1, 12 clips, 720 frames\n\n| variant | question | AUROC |")
        for name in ("full", "counts", "max", "semantic", "off"):
            assert f"| {name} | " in text
        assert "Read from stored runs, with nothing trained: semantic (term semantic of full), off (full, not smoothed)." in text
        assert "compared over those that it and the base have" in text
        assert text.rstrip().endswith(TUNING)

    def test_no_variant_is_called_best(self, ablation, table):
        text = markdown([figures_block(table), parts_block(table)], notes(ablation, [table])).lower()
        assert "best" not in text
        assert "**" not in text

    def test_stand_in_is_told(self, grid, tmp_path):
        made = {"full": {0: ablated_run(tmp_path, "full", 0, skill=0.5, stand_in=True)}}
        ablation = ablation_of(grid, made, (grid.named("full"),), seeds=(0,))
        table = make_table(ablation, read_variants(ablation, 0), resamples=RESAMPLES)
        assert figures_block(table).heading.endswith("(stand-in data, not a result)")
        assert any("With one seed" in note for note in notes(ablation, [table]))


class TestExports:
    def test_json(self, ablation, table):
        report = make_report(ablation, factorial=False, resamples=RESAMPLES)
        found = json.loads(report.json)
        assert set(found) == {
            *("unit", "method", "base", "seeds", "runs", "tables", "main_effects", "failed", "left_out", "notes", "choosing")
        }
        assert (found["unit"], found["base"], found["seeds"], found["choosing"]) == ("percent", "full", [0, 1, 2], TUNING)
        rows = {row["variant"]: row for row in found["tables"][0]["rows"]}
        assert set(rows["full"]) == {
            *("variant", "question", "source", "same_as", "seeds", "auroc", "auroc_sd", "auroc_interval", "difference"),
            *("difference_sd", "difference_interval", "p", "terms", "diagnostics", "parameters", "fit_s", "runs"),
        }
        assert rows["full"]["difference"] is None
        row = table.row("counts")
        assert rows["counts"]["auroc"] == pytest.approx(100 * row.auroc.mean, abs=1e-5)
        assert rows["counts"]["difference_interval"]["low"] == pytest.approx(100 * row.difference_interval.low, abs=1e-5)
        assert rows["off"]["parameters"] is None
        assert len(found["left_out"]) == 3
        assert "NaN" not in report.json

    def test_csv(self, table):
        frame = pd.read_csv(io.StringIO(ablation_csv([table]))).set_index("variant")
        assert list(frame.index) == [row.variant for row in table.rows]
        row = table.row("counts")
        assert frame.loc["counts", "difference_high"] == pytest.approx(100 * row.difference_interval.high, abs=1e-5)
        assert frame.loc["counts", "term_detail"] == pytest.approx(100 * row.terms["detail"].mean, abs=1e-5)
        assert frame.loc["max", "seeds"] == "1 2"
        assert pd.isna(frame.loc["full", "difference_low"])
        assert ablation_csv([]) == ""

    def test_files(self, ablation, tmp_path):
        written = write_report(make_report(ablation, factorial=False, resamples=RESAMPLES), tmp_path / "report")
        assert sorted(path.name for path in written) == ["ablation.csv", "ablation.json", "ablation.md", "differences.png"]
        assert sorted(path.name for path in (tmp_path / "report").iterdir()) == sorted(path.name for path in written)

    def test_a_folder_that_cannot_be_written(self, ablation, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="cannot be written"):
            write_report(make_report(ablation, factorial=False, resamples=RESAMPLES), tmp_path / "file" / "report")


class TestFigures:
    def test_differences_from_the_highest_to_the_lowest(self, grid, table):
        (axes,) = draw_forest([table], grid).axes
        labels = [label.get_text() for label in axes.get_yticklabels()]
        rows = [row for row in table.rows if row.difference is not None and not row.same_as]
        ordered = sorted(rows, key=lambda row: -row.difference)
        assert labels == [f"{row.variant} (read)" if row.source else row.variant for row in ordered]
        dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
        assert [line.get_xdata()[0] for line in dots] == pytest.approx([100 * row.difference for row in ordered])
        assert axes.get_ylim()[0] > axes.get_ylim()[1], "the highest stands on top"

    def test_nothing_to_draw(self, grid, runs):
        ablation = ablation_of(grid, {"full": runs["full"]}, (grid.named("full"),))
        table = make_table(ablation, read_variants(ablation, 0), resamples=RESAMPLES)
        assert draw_forest([table], grid) is None
        assert draw_sweeps([table], grid) is None

    def test_a_sweep_is_a_curve_and_is_not_drawn_twice(self, grid, runs):
        # Two variants with runs stand for weights here: what a figure is read from is no matter to the curve.
        shown = tuple(grid.named(name) for name in ("full", "counts", "max"))
        sweep = grid.sweep[0].model_copy(
            update={
                "at": tuple(p.model_copy(update={"variant": v}) for p, v in zip(grid.sweep[0].at, ("counts", "max"), strict=True))
            }
        )
        changed = grid.model_copy(update={"sweep": (sweep,)})
        ablation = ablation_of(changed, runs, shown)
        table = make_table(ablation, read_variants(ablation, 0), resamples=RESAMPLES)
        (axes,) = draw_sweeps([table], changed).axes
        (curve,) = [line for line in axes.get_lines() if line.get_marker() == "o"]
        assert list(curve.get_xdata()) == [0.5, 1.0]
        assert list(curve.get_ydata()) == pytest.approx([100 * table.row(name).auroc.mean for name in ("counts", "max")])
        assert draw_forest([table], changed) is None


def test_clips_are_enough_for_intervals():
    assert len(CLIPS) >= 10
