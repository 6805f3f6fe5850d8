"""Planning an ablation: each distinct run once, in an order in which trained parts are shared."""

from __future__ import annotations

import pytest
from ablation_grids import TINY_GRID, write_grid
from fixtures import write_pose_folder
from tiny_methods import TINY_MSGFLOW

from vadbench.api import ConfigError, UsageError
from vadbench.engine.ablation.plan import AblationRequest, plan_ablation
from vadbench.engine.plugins import load_plugins


@pytest.fixture(scope="module")
def plugins():
    return load_plugins()


@pytest.fixture
def plan(plugins, tmp_path):
    """Plans the tiny grid on an empty folder, which no plan reads."""
    grid = write_grid(tmp_path)
    (tmp_path / "campus").mkdir()

    def make(*only: str, **more):
        settings = {"datasets": (str(tmp_path / "campus"),), "changes": TINY_MSGFLOW, "grid": grid, "only": only} | more
        return plan_ablation(AblationRequest("msgflow", **settings), plugins)

    return make


def made(plan):
    return [planned.variants for planned in plan.runs]


def test_readings_need_the_runs_that_they_are_read_from_and_no_more(plan):
    assert made(plan("semantic", "off", "even")) == [("full", "semantic", "off", "even")]


def test_the_source_of_a_reading_is_run_though_it_is_not_shown(plan):
    found = plan("counts-semantic")
    assert [variant.name for variant in found.variants] == ["full", "counts-semantic"]
    assert made(found) == [("full",), ("counts-semantic",)]
    assert found.runs[1].job.resolved.components["prior"].entry.name == "ngram"


def test_equal_settings_are_one_run(plan, tmp_path):
    assert made(plan("same-codes", "counts")) == [("full", "same-codes"), ("counts",)]
    other = TINY_GRID.replace("codebook_size=8", "codebook_size=16")
    (tmp_path / "other").mkdir()
    assert made(plan("same-codes", grid=write_grid(tmp_path / "other", other))) == [("full",), ("same-codes",)]


def test_seeds_and_data_sets_are_groups_and_every_group_has_the_same_runs(plan, tmp_path):
    (tmp_path / "other").mkdir()
    found = plan("counts", "kmeans", seeds=(3, 1, 3), datasets=(str(tmp_path / "campus"), str(tmp_path / "other")))
    assert found.seeds == (3, 1)
    assert found.datasets == ("campus", "other")
    assert [planned.group for planned in found.runs] == sorted([0, 1, 2, 3] * 3)
    groups = {planned.group: (planned.job.dataset.info.name, planned.job.seed) for planned in found.runs}
    assert groups == {0: ("campus", 3), 1: ("campus", 1), 2: ("other", 3), 3: ("other", 1)}
    assert made(found) == [("full",), ("counts",), ("kmeans",)] * 4


def test_runs_of_one_tokenizer_stand_together_and_the_base_first(plan):
    order = made(plan("kmeans", "counts", "flow-alone", "max"))
    assert order == [("full",), ("max",), ("counts",), ("kmeans",), ("flow-alone",)]


def test_what_cannot_be_resolved_is_a_failure_and_stops_no_other(plan):
    found = plan("absent", "counts")
    assert made(found) == [("full",), ("counts",)]
    (failure,) = found.failed
    assert (failure.variants, failure.dataset.endswith("campus"), failure.seed, failure.exit_code) == (("absent",), True, None, 2)
    assert "no-such-prior" in failure.what


def test_a_base_that_cannot_be_resolved_is_an_error(plan):
    with pytest.raises(ConfigError) as caught:
        plan("counts", changes=("tokenizer.codbook_size=8",))
    assert "'codebook_size'" in caught.value.remedy


class TestChanges:
    """Changes for all variants."""

    def test_to_a_part_that_is_swapped_count_as_far_as_the_new_one_has_them(self, plan):
        found = {planned.variants[0]: planned.job.resolved.settings for planned in plan("kmeans", "flow-alone").runs}
        assert found["full"]["tokenizer"]["epochs"] == 1
        assert found["kmeans"]["tokenizer"]["codebook_size"] == 8
        assert "epochs" not in found["kmeans"]["tokenizer"]
        assert found["flow-alone"]["flow"]["epochs"] == 1
        assert "tokenizer" not in found["flow-alone"]

    def test_those_of_a_variant_come_last(self, plan):
        found = {
            planned.variants[0]: planned.job.resolved.settings for planned in plan("counts", changes=("prior.epochs=1",)).runs
        }
        assert found["counts"]["prior"]["order"] == 2

    def test_another_component_in_the_method_itself_does_not_undo_a_swap(self, plan):
        changes = ("prior.name=ngram", "prior.order=4", "windows.length=8")
        found = {each.variants[0]: each.job.resolved.settings for each in plan(factorial=True, changes=changes).runs}
        priors = {name: settings["prior"]["name"] for name, settings in found.items()}
        assert priors["full"] == "ngram"
        assert priors["transformer_standardised"] == "transformer"
        assert found["ngram_max"]["prior"]["order"] == 4

    def test_settings_of_the_data_set_count_in_all(self, plugins, tmp_path):
        write_pose_folder(tmp_path / "campus")
        request = AblationRequest(
            "msgflow",
            write_grid(tmp_path),
            ("counts",),
            datasets=("shanghaitech",),
            changes=("dataset.family=csv",),
            root=tmp_path,
        )
        for planned in plan_ablation(request, plugins).runs:
            assert planned.job.dataset_settings == {"family": "csv"}


class TestFactorial:
    def test_every_combination_once_and_the_base_is_one_of_them(self, plan):
        found = plan(factorial=True)
        assert found.variants[0].name == "full"
        assert made(found) == [
            ("full", "transformer_standardised"),
            ("transformer_max",),
            ("ngram_standardised",),
            ("ngram_max",),
        ]

    def test_excludes_only(self, plan):
        with pytest.raises(UsageError) as caught:
            plan("counts", factorial=True)
        assert caught.value.where == "--factorial, --only"


def test_the_stand_in_where_no_data_set_is_named(plan, tmp_path):
    found = plan("counts", datasets=(), root=tmp_path)
    assert found.defaulted
    assert found.datasets == ("synthetic-campus",)
