"""Main effects of a factorial, by hand, and their picture."""

from __future__ import annotations

import io
from itertools import product
from statistics import fmean

import pandas as pd
import pytest
from ablated_runs import ablated_run, ablation_of
from ablation_grids import tiny_grid

from vadbench.evaluation.clip_pairs import over_seeds
from vadbench.evaluation.intervals import auroc_interval
from vadbench.evaluation.paired import difference_interval
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.report.ablation.export import effects_csv
from vadbench.report.ablation.main_effects import main_effects
from vadbench.report.ablation.main_effects_figure import draw_main_effects
from vadbench.report.ablation.report import make_report, write_report
from vadbench.report.ablation.rows import read_variants
from vadbench.report.ablation.table import effects_block, effects_notes
from vadbench.report.comparison_frames import counted_frames

RESAMPLES = 500
PRIORS, SCORERS, SEEDS = ("transformer", "ngram"), ("standardised", "max"), (0, 1)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return tiny_grid(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    skills = {"transformer": 0.8, "ngram": 0.4}
    return {
        f"{prior}_{scorer}": {seed: ablated_run(root, f"{prior}_{scorer}", seed, skill=skills[prior]) for seed in SEEDS}
        for prior, scorer in product(PRIORS, SCORERS)
    }


def ablation(grid, runs):
    base = grid.named("full")
    made = {**runs, "full": runs.get("transformer_standardised", {})}
    return ablation_of(grid, made, (base, *grid.combinations()), seeds=SEEDS)


def effects_of(grid, runs):
    return main_effects(read_variants(ablation(grid, runs), 0), grid.factorial, resamples=RESAMPLES)


def auroc(run):
    return run.record.metrics.auroc


def test_a_level_is_the_mean_over_all_runs_with_it(grid, runs):
    found = effects_of(grid, runs)
    everything = [auroc(run) for by_seed in runs.values() for run in by_seed.values()]
    assert (found.runs, found.seeds, found.balanced, found.absent) == (8, SEEDS, True, ())
    assert found.mean == pytest.approx(fmean(everything), abs=1e-9)
    for i, (slot, names) in enumerate((("prior", PRIORS), ("scorer", SCORERS))):
        assert [level.name for level in found.factors[slot]] == list(names)
        for level in found.factors[slot]:
            mine = [run for name, by_seed in runs.items() if name.split("_")[i] == level.name for run in by_seed.values()]
            assert level.mean == pytest.approx(fmean(map(auroc, mine)), abs=1e-9)
            assert sorted(level.single) == pytest.approx(sorted(map(auroc, mine)), abs=1e-9)
            assert level.effect == pytest.approx(level.mean - found.mean, abs=1e-12)
        assert sum(level.effect for level in found.factors[slot]) == pytest.approx(0, abs=1e-12)
    transformer, ngram = found.factors["prior"]
    assert transformer.effect > 0 > ngram.effect
    assert transformer.effect_interval.low > 0


def test_intervals_are_over_clips_drawn_for_all_runs_at_once(grid, runs):
    pipeline = STANDARD_V1.on("campus")
    pairs = {name: [counted_frames(run, pipeline).pairs() for run in by_seed.values()] for name, by_seed in runs.items()}
    mine = over_seeds([each for name, found in pairs.items() if name.startswith("ngram") for each in found])
    everything = over_seeds([each for found in pairs.values() for each in found])
    ngram = effects_of(grid, runs).factors["prior"][1]
    assert ngram.interval == auroc_interval(mine, resamples=RESAMPLES)
    assert ngram.effect_interval == difference_interval(mine, everything, resamples=RESAMPLES)


def test_a_seed_that_lacks_a_combination_takes_no_part(grid, runs):
    partial = {**runs, "ngram_max": {0: runs["ngram_max"][0]}}
    found = effects_of(grid, partial)
    assert (found.runs, found.seeds, found.balanced) == (4, (0,), True)
    assert found.mean == pytest.approx(fmean(auroc(by_seed[0]) for by_seed in runs.values()), abs=1e-9)


def test_a_combination_that_is_missing_in_every_seed_is_told(grid, runs):
    found = effects_of(grid, {name: by_seed for name, by_seed in runs.items() if name != "ngram_max"})
    assert (found.runs, found.balanced, found.absent) == (6, False, ())
    assert any("combinations are missing" in note for note in effects_notes([found]))


def test_a_level_without_any_run_is_told_and_the_rest_is_balanced(grid, runs):
    found = effects_of(grid, {name: by_seed for name, by_seed in runs.items() if name.startswith("transformer")})
    assert (found.runs, found.balanced, found.absent) == (4, True, ("prior=ngram",))
    assert any("no run with prior=ngram" in note for note in effects_notes([found]))


def test_nothing_without_runs(grid):
    assert effects_of(grid, {}) is None


def test_block_and_csv(grid, runs):
    found = effects_of(grid, runs)
    block = effects_block(found)
    assert [line[:2] for line in block.lines] == [*(("prior", name) for name in PRIORS), *(("scorer", name) for name in SCORERS)]
    assert block.lines[0][2] == f"{100 * found.factors['prior'][0].mean:.1f}"
    frame = pd.read_csv(io.StringIO(effects_csv([found])))
    assert list(frame["effect"]) == pytest.approx(
        [100 * level.effect for levels in found.factors.values() for level in levels], abs=1e-5
    )
    assert set(frame["runs"]) == {4}


def test_picture(grid, runs):
    found = effects_of(grid, runs)
    figure = draw_main_effects([found, found])
    assert len(figure.axes) == 4
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(PRIORS)
    means = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in means] == pytest.approx([100 * level.mean for level in found.factors["prior"]])
    dots = [line for line in axes.get_lines() if line.get_marker() == "."]
    assert [len(line.get_xdata()) for line in dots] == [4, 4]


def test_files_of_a_factorial(grid, runs, tmp_path):
    written = write_report(make_report(ablation(grid, runs), factorial=True, resamples=RESAMPLES), tmp_path)
    assert sorted(path.name for path in written) == [
        *("factorial.csv", "factorial.json", "factorial.md", "main-effects.csv", "main-effects.png")
    ]
