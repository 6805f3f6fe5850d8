"""From preset and changes to a resolved configuration: order, defaults, and every wrong key told by its full path."""

from __future__ import annotations

import copy

import pytest

from vadbench.api import ConfigError, PluginError, Registry, UsageError
from vadbench.engine.config import digest_of, parse_change, resolve
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import load_preset


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins().registry


@pytest.fixture
def preset(registry):
    return load_preset("msgflow", registry)


@pytest.fixture
def settle(registry, preset):
    def resolved(*changes: str, dataset: str = "campus", preset=preset, **swaps: str):
        return resolve(preset, registry, dataset=dataset, swaps=swaps, changes=changes)

    return resolved


def refusal(call, *args, **kwargs) -> ConfigError:
    with pytest.raises(UsageError) as caught:
        call(*args, **kwargs)
    assert caught.value.exit_code == 2
    return caught.value


class TestParseChange:
    @pytest.mark.parametrize(
        ("text", "key", "value"),
        [
            ("a.b=1", "a.b", 1),
            ("a.b=1.5", "a.b", 1.5),
            ("a.b=1e-3", "a.b", 0.001),
            ("a.b=true", "a.b", True),
            ("a.b=True", "a.b", "True"),
            ('a.b="1"', "a.b", "1"),
            ("a.b=word", "a.b", "word"),
            ("a.b = coco-17 ", "a.b", "coco-17"),
            ("a.b=[1, 2]", "a.b", [1, 2]),
            ('a.b=["detail"]', "a.b", ["detail"]),
            ("a.b={x = 1}", "a.b", {"x": 1}),
            ("a.b.c=1", "a.b.c", 1),
            ("a.b=x=y", "a.b", "x=y"),
            ("a.b=", "a.b", ""),
            ("a-b.c_d=1", "a-b.c_d", 1),
        ],
    )
    def test_types(self, text, key, value):
        found = parse_change(text)
        assert found == (key, value)
        assert type(found[1]) is type(value)

    @pytest.mark.parametrize("text", ["", "a.b", "=1", "a=1", "a.=1", ".b=1", "a..b=1", "a b.c=1"])
    def test_no_setting(self, text):
        assert "section.key=value" in refusal(parse_change, text).remedy

    def test_one_value_only(self):
        assert parse_change("a.b=1\nc = 2") != ("a.b", {"value": 1, "c": 2})


class TestOrder:
    def test_defaults_are_filled_in(self, settle):
        settings = settle().settings
        assert settings["windows"]["missing"] == 2
        assert settings["tokenizer"]["commitment"] == 0.02
        assert settings["composition"]["history"] == 2
        assert set(settings) == {"windows", "track", "composition", "tokenizer", "prior", "flow", "scorer"}

    def test_override_for_a_data_set(self, settle):
        assert settle().settings["windows"]["length"] == 24
        short = settle(dataset="hr-ubnormal").settings["windows"]
        assert short["length"] == 16
        assert short["train_stride"] == 6, "the rest of the section stays"

    def test_the_user_comes_last(self, settle):
        assert settle("windows.length=12", dataset="hr-ubnormal").settings["windows"]["length"] == 12

    def test_the_last_of_two_changes_counts(self, settle):
        assert settle("windows.length=12", "windows.length=8").settings["windows"]["length"] == 8

    def test_a_swap_drops_the_old_settings(self, settle):
        settings = settle(prior="ngram").settings["prior"]
        assert settings == {"name": "ngram", "order": 3}
        assert settle("prior.name=ngram").settings["prior"] == settings

    def test_a_swap_for_the_same_changes_nothing(self, settle, preset):
        preset["tokenizer"]["width"] = 48
        plain, swapped = settle(preset=preset), settle(preset=preset, tokenizer="vq-vae")
        assert swapped.settings["tokenizer"]["width"] == 48
        assert (swapped.digest, swapped.changes) == (plain.digest, ())

    def test_the_order_of_changes_does_not_tell_runs_apart(self, settle):
        one, other = "tokenizer.width=8", "prior.layers=1"
        assert settle(one, other).changes == settle(other, one).changes == (other, one)

    def test_a_change_after_a_swap(self, settle):
        assert settle("prior.order=2", prior="ngram").settings["prior"]["order"] == 2
        assert settle("prior.name=ngram", "prior.order=2").settings["prior"]["order"] == 2
        assert settle("prior.order=2", "prior.name=ngram").settings["prior"]["order"] == 2

    def test_swap_over_override(self, settle, preset):
        preset["per-dataset"] = {"campus": {"tokenizer": {"width": 48}}}
        assert settle(preset=preset).settings["tokenizer"]["width"] == 48
        assert settle(preset=preset, tokenizer="kmeans").settings["tokenizer"]["width"] == 32

    def test_what_was_changed_is_told(self, settle):
        assert settle().changes == ()
        assert settle("windows.length=12", prior="ngram").changes == ("prior=ngram", "windows.length=12")

    def test_preset_and_changes_are_left_alone(self, settle, preset):
        preset["scorer"]["weights"] = {"semantic": 0.5}
        before = copy.deepcopy(preset)
        settings = settle("windows.length=12", "scorer.weights.detail=2.0", dataset="hr-ubnormal", preset=preset).settings
        assert settings["scorer"]["weights"] == {"semantic": 0.5, "detail": 2.0}
        assert preset == before

    def test_section_that_the_preset_leaves_to_its_defaults(self, settle, preset):
        del preset["composition"], preset["windows"]
        settings = settle("composition.history=1", "windows.length=8", preset=preset).settings
        assert settings["composition"]["history"] == 1
        assert settings["windows"]["length"] == 8


class TestParts:
    def test_none_leaves_a_part_out(self, settle):
        resolved = settle(flow="none")
        assert list(resolved.components) == ["tokenizer", "prior", "scorer"]
        assert "flow" not in resolved.settings

    def test_prior_without_tokenizer(self, settle):
        assert "--prior none" in refusal(settle, tokenizer="none").remedy

    def test_without_tokenizer_and_prior(self, settle):
        assert list(settle(tokenizer="none", prior="none").components) == ["flow", "scorer"]

    def test_nothing_left_to_score(self, settle):
        assert "nothing is left to score" in refusal(settle, prior="none", flow="none").what
        assert settle('composition.terms=["reconstruction"]', prior="none", flow="none").components

    def test_composition_without_scorer(self, settle):
        assert "needs a scorer" in refusal(settle, scorer="none").what

    def test_detector_with_parts(self, settle, registry):
        knn = load_preset("knn", registry)
        error = refusal(settle, preset=knn, tokenizer="kmeans")
        assert "either a detector or a composition" in error.what
        assert list(settle(preset=knn).components) == ["detector"]
        assert "composition" not in settle(preset=knn).settings

    def test_unknown_component(self, settle):
        error = refusal(settle, tokenizer="k-means")
        assert error.what == "no tokenizer is named 'k-means'"
        assert "'kmeans'" in error.remedy


class TestWrongKeys:
    @pytest.mark.parametrize(
        ("change", "where", "near"),
        [
            ("windows.lenght=8", "windows.lenght", "'length'"),
            ("composition.histroy=8", "composition.histroy", "'history'"),
            ("tokenizer.codebok_size=8", "tokenizer.codebok_size", "'codebook_size'"),
            ("scorer.weight=8", "scorer.weight", "'weights'"),
        ],
    )
    def test_unknown_key(self, settle, change, where, near):
        error = refusal(settle, change)
        assert error.what == f"unknown key {where.split('.')[1]!r}"
        assert error.where == where
        assert near in error.remedy

    def test_unknown_section(self, settle):
        error = refusal(settle, "tokeniser.width=8")
        assert "no section 'tokeniser'" in error.what
        assert error.where == "--set tokeniser.width=8"
        assert "'tokenizer'" in error.remedy

    @pytest.mark.parametrize("change", ["name.x=1", "detector.neighbours=3", "title.x=1"])
    def test_section_that_is_none(self, settle, change):
        assert "no section" in refusal(settle, change).what

    def test_unknown_key_at_the_top(self, settle, preset):
        error = refusal(settle, preset={**preset, "tokeniser": {}})
        assert error.where == "tokeniser"
        assert "'tokenizer'" in error.remedy

    @pytest.mark.parametrize(
        ("change", "where"),
        [
            ("windows.length=1", "windows.length"),
            ("windows.length=8.5", "windows.length"),
            ("windows.length=long", "windows.length"),
            ("windows.augment=3", "windows.augment"),
            ("composition.terms=['semantics']", "composition.terms.0"),
            ("composition.condition=others", "composition.condition"),
            ("tokenizer.codebook_size=1", "tokenizer.codebook_size"),
            ("tokenizer.ema=1.0", "tokenizer.ema"),
            ("flow.learning_rate=nan", "flow.learning_rate"),
            ("flow.base_mean=inf", "flow.base_mean"),
            ("scorer.weights.semantic=inf", "scorer.weights.semantic"),
        ],
    )
    def test_value_out_of_range(self, settle, change, where):
        error = refusal(settle, change)
        assert error.where == where
        assert "given:" in error.what

    @pytest.mark.parametrize("change", ["tokenizer.width.x=1", "tokenizer.width.x.y=1", "windows.length.x=2"])
    def test_key_below_a_value(self, settle, change):
        assert change in refusal(settle, change).where

    @pytest.mark.parametrize("change", ["windows.layout=coco17", "windows.normalisation=stgnf", "windows.missing=24"])
    def test_a_wrong_name_is_found_before_any_data_is_read(self, settle, change):
        refusal(settle, change)

    @pytest.mark.parametrize("changed", [{"windows": 3}, {"tokenizer": "vq-vae"}, {"scorer": {}}, {"flow": {"name": 3}}])
    def test_section_of_another_type(self, settle, preset, changed):
        refusal(settle, preset={**preset, **changed})

    @pytest.mark.parametrize("overrides", [3, {"campus": 3}, {"campus": {"windows": 3}}, {"campus": {"title": {"x": 1}}}])
    def test_overrides_of_another_type(self, settle, preset, overrides):
        refusal(settle, preset={**preset, "per-dataset": overrides})

    def test_config_model_that_is_none(self, settle, registry):
        theirs = Registry()
        theirs.merge(registry)
        theirs.prior("odd", "vadbench_msgflow.ngram:NGramPrior", config="builtins:dict")
        with pytest.raises(PluginError, match="config"):
            resolve({**load_preset("msgflow", registry)}, theirs, dataset="x", swaps={"prior": "odd"}, changes=())

    def test_unknown_key_inside_an_optional_part(self, registry, tmp_path, monkeypatch):
        from modules_on_disk import write_module

        source = """
            from vadbench.api import ComponentConfig
            class Inner(ComponentConfig):
                width: int = 3
            class Outer(ComponentConfig):
                inner: Inner | None = None
                many: dict[str, Inner] = {}
        """
        theirs = Registry()
        theirs.merge(registry)
        theirs.prior("odd", "vadbench_msgflow.ngram:NGramPrior", config=f"{write_module(tmp_path, monkeypatch, source)}:Outer")
        for change in ("prior.inner.widht=3", "prior.many.a.widht=3"):
            with pytest.raises(ConfigError) as caught:
                resolve(load_preset("msgflow", registry), theirs, dataset="x", swaps={"prior": "odd"}, changes=[change])
            assert caught.value.where == change.partition("=")[0]


class TestHash:
    def test_stable_under_the_order_of_keys(self):
        assert digest_of({"a": 1, "b": {"c": 2, "d": 3}}) == digest_of({"b": {"d": 3, "c": 2}, "a": 1})

    def test_repeats(self, settle):
        assert settle().digest == settle().digest
        assert len(settle().digest) == 12

    def test_spelt_out_default_is_the_same_configuration(self, settle):
        assert settle("windows.missing=2").digest == settle().digest

    def test_name_title_and_notes_do_not_count(self, settle, preset):
        other = {**preset, "name": "other", "title": "x", "notes": ["y"], "paper": "z"}
        assert settle(preset=other).digest == settle().digest

    def test_every_setting_counts(self, settle):
        digests = {settle().digest}
        changes = [
            *("windows.length=16", "windows.train_stride=3", "windows.test_stride=2", "windows.missing=1"),
            *("windows.keep_last=true", "windows.normalisation=none", "windows.augment=[]", "windows.layout=coco-17"),
            *('composition.terms=["detail"]', "composition.history=1", "composition.condition=none"),
            *("tokenizer.codebook_size=16", "prior.width=32", "flow.steps=2", "scorer.weights.semantic=2.0"),
        ]
        for change in changes:
            digests.add(settle(change).digest)
        for swap in ({"tokenizer": "kmeans"}, {"prior": "ngram"}, {"flow": "none"}, {"scorer": "nats"}):
            digests.add(settle(**swap).digest)
        assert len(digests) == 1 + len(changes) + 4

    def test_track_counts(self, settle, preset):
        assert settle(preset={**preset, "track": "supervised"}).digest != settle().digest
