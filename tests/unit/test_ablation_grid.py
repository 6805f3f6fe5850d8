"""Ablation grids: the shipped ones, subsets, and what is said of a grid that cannot be meant."""

from __future__ import annotations

import pytest
from ablation_grids import TINY_GRID, tiny_grid, write_grid

from vadbench.api import ConfigError, UsageError
from vadbench.engine.ablation.grid import Reading, grid_names, grid_of, load_grid
from vadbench.engine.ablation.plan import AblationRequest, plan_ablation
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import preset_names


@pytest.fixture(scope="module")
def plugins():
    return load_plugins()


class TestShipped:
    def test_each_is_of_a_preset_and_has_a_base_and_a_default(self):
        assert "msgflow" in grid_names()
        for name in grid_names():
            assert name in preset_names()
            grid = load_grid(name)
            assert grid.base in grid.names
            assert "default" in grid.subsets

    def test_grid_files_are_no_presets(self):
        assert not any("ablation" in name for name in preset_names())

    @pytest.mark.parametrize("factorial", [False, True])
    def test_every_variant_can_be_planned_on_every_data_set(self, plugins, factorial):
        for dataset in ("synthetic-campus", "hr-ubnormal"):
            only = () if factorial else ("all",)
            plan = plan_ablation(AblationRequest("msgflow", only=only, factorial=factorial, datasets=(dataset,)), plugins)
            assert plan.failed == ()

    def test_the_base_changes_nothing(self):
        for name in grid_names():
            base = load_grid(name).named(load_grid(name).base)
            assert (base.swaps, base.set, base.reading) == ({}, (), None)

    def test_msgflow_has_what_the_method_is_to_be_asked(self):
        grid = load_grid("msgflow")
        for size in (32, 64, 128, 256, 512):
            assert grid.named(f"codebook-{size}").set == (f"tokenizer.codebook_size={size}",)
        for length in (12, 16, 24, 32):
            assert grid.named(f"window-{length}").set == (f"windows.length={length}",)
        for i in range(11):
            weights = grid.named(f"fusion-{i / 10:.1f}").reading.scorer["weights"]
            assert weights == {"semantic": pytest.approx(i / 10), "detail": pytest.approx(1 - i / 10)}
        fusion = next(sweep for sweep in grid.sweep if sweep.name == "fusion")
        assert [grid.named(point.variant).reading.scorer["weights"]["semantic"] for point in fusion.at] == [
            p.x for p in fusion.at
        ]
        assert len(fusion.at) == 11
        assert grid.named("smoothing-off").reading == Reading(smoothing=False)
        assert set(grid.factorial) == {"tokenizer", "prior", "flow", "scorer"}


class TestChosen:
    def test_default_subset_and_base_first(self, tmp_path):
        assert [each.name for each in tiny_grid(tmp_path).chosen()] == ["full", "counts", "semantic", "off"]

    def test_without_default_every_variant(self, tmp_path):
        text = 'base = "b"\n[[variant]]\nname = "a"\nquestion = "?"\n[[variant]]\nname = "b"\nquestion = "?"\n'
        assert [each.name for each in load_grid(write_grid(tmp_path, text)).chosen()] == ["b", "a"]

    def test_names_and_subsets_in_the_order_of_the_file_each_once(self, tmp_path):
        grid = tiny_grid(tmp_path)
        assert [each.name for each in grid.chosen(["weights", "even", "max"])] == ["full", "max", "even", "semantic-only"]
        assert [each.name for each in grid.chosen(["all"])] == grid.names

    def test_unknown_name(self, tmp_path):
        with pytest.raises(UsageError) as caught:
            tiny_grid(tmp_path).chosen(["weigths"])
        assert (caught.value.what, caught.value.where) == ("the grid has no variant or subset 'weigths'", "--only")
        assert "'weights'" in caught.value.remedy

    def test_sources(self, tmp_path):
        grid = tiny_grid(tmp_path)
        assert grid.source(grid.named("counts-semantic")).name == "counts"
        assert grid.source(grid.named("off")).name == "full"
        assert grid.source(grid.named("max")).name == "max"

    def test_combinations(self, tmp_path):
        found = tiny_grid(tmp_path).combinations()
        assert [each.name for each in found] == [f"{a}_{b}" for a in ("transformer", "ngram") for b in ("standardised", "max")]
        assert found[3].swaps == {"prior": "ngram", "scorer": "max"}

    def test_no_factorial(self, tmp_path):
        grid = load_grid(write_grid(tmp_path, TINY_GRID.partition("[factorial]")[0]))
        with pytest.raises(UsageError, match="no factorial"):
            grid.combinations()


class TestFound:
    def test_by_method(self, plugins):
        assert grid_of("msgflow", None, plugins.registry) == load_grid("msgflow")

    def test_by_the_name_in_the_methods_file(self, plugins, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text('name = "msgflow"\n')
        assert grid_of(str(path), None, plugins.registry) == load_grid("msgflow")

    def test_a_method_without_one(self, plugins):
        with pytest.raises(UsageError, match="no ablation grid is shipped for 'knn'") as caught:
            grid_of("knn", None, plugins.registry)
        assert "--grid FILE.toml" in caught.value.remedy
        assert "msgflow" in caught.value.remedy

    def test_absent_file(self, tmp_path):
        with pytest.raises(ConfigError, match="No such file") as caught:
            load_grid(str(tmp_path / "grid.toml"))
        assert caught.value.where == str(tmp_path / "grid.toml")

    def test_not_toml(self, tmp_path):
        with pytest.raises(ConfigError, match="not valid TOML"):
            load_grid(write_grid(tmp_path, "[[variant"))


@pytest.mark.parametrize(
    ("change", "what", "where", "remedy"),
    [
        (('swaps = { scorer = "max" }', 'swap = { scorer = "max" }'), "unknown key 'swap'", "variant.'max'.swap", "'swaps'"),
        (
            ("reading = { smoothing", "reading = { smooth = 1, smoothing"),
            "unknown key 'smooth'",
            "'off'.reading.smooth",
            "'smoothing'",
        ),
        (
            ('axis = "weight of the semantic term"', 'axes = "w"\naxis = "w"'),
            "unknown key 'axes'",
            "sweep.'weights'.axes",
            "'axis'",
        ),
        (("diagnostics =", "diagnostic ="), "unknown key 'diagnostic'", "diagnostic", "'diagnostics'"),
        (('question = "as configured"', ""), "the key 'question' is missing", "variant.'full'.question", "docs/ablations.md"),
        (
            ('scorer = "max" }', 'scoring = "max" }'),
            "Input should be 'tokenizer', 'prior', 'flow' or 'scorer'",
            "'max'.swaps.scoring",
            "",
        ),
        (
            ('"prior.order=2"', '"order 2"'),
            "'order 2' is not a setting; write it as section.key=value",
            "variant.'counts'.set",
            "",
        ),
        (("smoothing = false", "smoothing = true"), "Input should be False (given: True)", "variant.'off'.reading.smoothing", ""),
        (("smoothing = false", 'smoothing = false, term = "detail"'), "exactly one of", "variant.'off'.reading", ""),
        (("reading = { smoothing", 'set = ["prior.order=1"]\nreading = { smoothing'), "changes nothing", "variant.'off'", ""),
        (('base = "full"', 'base = "fool"'), "there is no variant 'fool'", "base", "'full'"),
        (('default = ["counts"', 'default = ["count"'), "there is no variant 'count'", "subsets.default", "'counts'"),
        (('of = "counts"', 'of = "count"'), "there is no variant 'count'", "'counts-semantic'.reading.of", "'counts'"),
        (('of = "counts"', 'of = "semantic"'), "'semantic' is itself a reading", "variant.'semantic'", "that is run"),
        (('base = "full"', 'base = "off"'), "'off' is itself a reading", "variant.'off'", "that is run"),
        (('{ variant = "even"', '{ variant = "evn"'), "there is no variant 'evn'", "sweep.'weights'.at", "'even'"),
        (('name = "max"', 'name = "kmeans"'), "'kmeans' is there twice", "variant", "another name"),
        (('name = "max"', 'name = "The Max"'), "String should match pattern", "variant.'The Max'.name", ""),
        (("default = [", "all = ["), "'all' is the name of every variant together", "subsets.all", "another name"),
        (("weights = [", "kmeans = ["), "'kmeans' is the name of a variant", "subsets.kmeans", "another name"),
        (('prior = ["transformer", "ngram"]', "prior = []"), "a factor has no level", "factorial.prior", "components"),
        (('["transformer", "ngram"]', '["ngram", "ngram"]'), "'ngram' is there twice", "factorial.prior", "another name"),
        (('prior = ["transformer", "ngram"]', 'priors = ["ngram"]'), "Input should be 'tokenizer'", "factorial.priors", ""),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path, change, what, where, remedy):
    old, new = change
    assert old in TINY_GRID
    path = write_grid(tmp_path, TINY_GRID.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_grid(path)
    assert what in caught.value.what
    assert caught.value.where.startswith(path)
    assert caught.value.where.endswith(where)
    assert remedy in caught.value.remedy
