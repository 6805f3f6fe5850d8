"""The part store: a part is trained once, known by all that decides what it learns, and never taken when it is damaged."""

from __future__ import annotations

import errno
import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from made_parts import SignTokenizer, SumFlow, SumScorer, WeightedPrior
from made_tracks import made_windows

from vadbench.api import Context, UsageError
from vadbench.engine.composing import part_store
from vadbench.engine.composing.composition import Composition, Parts
from vadbench.engine.composing.part_store import PartStore
from vadbench.engine.config import CompositionConfig

IDENTITY = {"seed": 0, "poses": "ab"}
RECIPE = {kind: {"name": kind, "size": 1} for kind in ("tokenizer", "prior", "flow", "scorer")}


class Layer(torch.nn.Linear):
    """A part that learns a number."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__(1, 1)
        self.fits = 0
        self.value = value

    def fit(self, context: Context) -> None:
        self.fits += 1
        torch.nn.init.constant_(self.weight, self.value)
        context.chosen("epoch", 3, by="held-out")


def fitted(store: PartStore, part: Layer, key: str = "k") -> Context:
    context = Context()
    if not store.taken(key, "flow", part, context):
        with store.kept(key, "flow", part, context):
            part.fit(context)
    return context


def test_a_part_is_trained_once(tmp_path):
    first, second = Layer(2.0), Layer(9.0)
    fitted(PartStore(tmp_path, IDENTITY), first)
    store = PartStore(tmp_path, IDENTITY)
    context = fitted(store, second)
    assert (first.fits, second.fits) == (1, 0)
    assert torch.equal(second.weight, first.weight)
    assert [(choice.what, choice.value, choice.by) for choice in context.choices] == [("epoch", 3, "held-out")]
    assert store.reused == ["flow"]
    assert store.reused_s > 0


def test_nothing_is_kept_of_a_part_that_failed(tmp_path):
    store, part = PartStore(tmp_path, IDENTITY), Layer()
    with pytest.raises(RuntimeError), store.kept("k", "flow", part, Context()):
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    assert not store.taken("k", "flow", part, Context())


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "part.json").write_text("{"),
        lambda path: (path / "part.json").write_text("[]"),
        lambda path: (path / "part.json").write_text('{"choices": []}'),
        lambda path: (path / "weights.safetensors").write_bytes(b"no"),
        lambda path: (path / "weights.safetensors").unlink(),
        lambda path: (path / "weights.safetensors").write_bytes((path / "weights.safetensors").read_bytes()[:-1] + b"x"),
    ],
)
def test_what_is_damaged_is_trained_again(tmp_path, damage, caplog):
    fitted(PartStore(tmp_path, IDENTITY), Layer(2.0))
    damage(tmp_path / "k")
    again = Layer(2.0)
    fitted(PartStore(tmp_path, IDENTITY), again)
    assert again.fits == 1
    assert "trained again" in caplog.text
    third = Layer()
    fitted(PartStore(tmp_path, IDENTITY), third)
    assert third.fits == 0, "it was mended"


def test_other_shapes_are_not_taken_and_change_nothing(tmp_path):
    fitted(PartStore(tmp_path, IDENTITY), Layer())
    other = torch.nn.Linear(3, 1)
    torch.nn.init.constant_(other.bias, 7.0)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    assert not PartStore(tmp_path, IDENTITY).taken("k", "flow", other, Context())
    torch.testing.assert_close(dict(other.state_dict()), before)


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    store = PartStore(tmp_path / "file", IDENTITY)
    with pytest.raises(UsageError) as caught, store.kept("k", "flow", Layer(), Context()):
        pass
    assert "cannot be stored here" in caught.value.what
    assert "--out" in caught.value.remedy


def test_the_record_is_plain_json(tmp_path):
    fitted(PartStore(tmp_path, IDENTITY), Layer())
    record = json.loads((tmp_path / "k" / "part.json").read_text())
    assert record["kind"] == "flow"
    assert record["choices"] == [{"component": "", "what": "epoch", "value": 3, "by": "held-out"}]


def test_a_part_that_another_process_stored_first_is_no_fault(tmp_path, monkeypatch):
    first, second = PartStore(tmp_path, IDENTITY), PartStore(tmp_path, IDENTITY)
    with first.kept("k", "flow", Layer(2.0), Context()):
        fitted(second, Layer(2.0))

        @contextmanager
        def full(*_args, **_kwargs):
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
            yield

        monkeypatch.setattr(part_store, "staged", full)
    assert PartStore(tmp_path, IDENTITY).taken("k", "flow", Layer(), Context())


def test_a_part_without_state_until_it_is_fitted_is_taken(tmp_path):
    class Late(Layer):
        def state_dict(self, *args, **kwargs):
            return super().state_dict(*args, **kwargs) if self.fits or self.loaded else {"weight": None}

        loaded = False

        def load_state_dict(self, state, *args, **kwargs):
            self.loaded = True
            return super().load_state_dict(state, *args, **kwargs)

    fitted(PartStore(tmp_path, IDENTITY), Late(2.0))
    again = Late()
    fitted(PartStore(tmp_path, IDENTITY), again)
    assert again.fits == 0


def test_choices_are_those_of_whoever_takes_the_part(tmp_path):
    first, second = (Context(name=name) for name in ("one.flow", "other.flow"))
    store = PartStore(tmp_path, IDENTITY)
    with store.kept("k", "flow", part := Layer(), first):
        part.fit(first)
    store.taken("k", "flow", Layer(), second)
    assert [choice.component for choice in second.choices] == ["other.flow"]


class TestKeys:
    """Which change makes which part another."""

    def keys(self, tmp_path, *, identity=IDENTITY, recipe=RECIPE, **config) -> dict[str, str]:
        class Noted(PartStore):
            def key(self, kind, settings, before):
                found[kind] = super().key(kind, settings, before)
                return found[kind]

        found: dict[str, str] = {}
        parts = Parts(SumScorer(), SignTokenizer(), WeightedPrior(), SumFlow())
        settings = CompositionConfig(history=1).model_copy(update=config)
        Composition(parts, settings, Noted(tmp_path / "parts", identity), recipe).fit(made_windows({1: range(30)}), Context())
        return found

    def changed(self, tmp_path, **changes) -> set[str]:
        before, after = self.keys(tmp_path), self.keys(tmp_path, **changes)
        return {kind for kind in before if before[kind] != after[kind]}

    def test_nothing(self, tmp_path):
        assert self.changed(tmp_path) == set()

    def test_the_run(self, tmp_path):
        assert self.changed(tmp_path, identity=IDENTITY | {"seed": 1}) == set(RECIPE)

    @pytest.mark.parametrize(
        ("kind", "follow"),
        [
            ("tokenizer", {"tokenizer", "prior", "flow", "scorer"}),
            ("prior", {"prior", "scorer"}),
            ("flow", {"flow", "scorer"}),
            ("scorer", {"scorer"}),
        ],
    )
    def test_settings_of_a_part(self, tmp_path, kind, follow):
        assert self.changed(tmp_path, recipe=RECIPE | {kind: {"name": "other"}}) == follow

    def test_history(self, tmp_path):
        assert self.changed(tmp_path, history=2) == {"prior", "scorer"}

    def test_terms(self, tmp_path):
        assert self.changed(tmp_path, terms=("detail",)) == {"scorer"}

    def test_an_unconditioned_flow_does_not_depend_on_the_tokenizer(self, tmp_path):
        recipe = RECIPE | {"tokenizer": {"name": "other"}}
        before = self.keys(tmp_path, condition="none")
        after = self.keys(tmp_path, condition="none", recipe=recipe)
        assert before["flow"] == after["flow"]
        assert before["flow"] != self.keys(tmp_path)["flow"]


def test_a_composition_taken_from_the_store_is_the_one_that_was_trained(tmp_path):
    made = []
    for _ in range(2):
        parts = Parts(SumScorer(), SignTokenizer(), WeightedPrior(), SumFlow())
        composition = Composition(parts, CompositionConfig(), PartStore(tmp_path, IDENTITY), RECIPE)
        composition.fit(made_windows({1: range(40)}), replace(Context(), seed=3))
        made.append(composition)
    assert made[0].parts.tokenizer.fitted == made[1].parts.tokenizer.fitted
    assert made[1].parts.flow.condition is None, "it was not fitted"
    assert made[0].parts.flow.condition is not None
