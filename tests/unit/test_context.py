"""The context of a component: seeds that depend on seed and name and nothing else."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from vadbench.api import Context, PluginError, Silent
from vadbench.api.context import Choice


def test_children_differ_by_name_and_by_seed():
    seeds = {Context(seed=seed).child(name).seed for seed in (0, 1, 2) for name in ("tokenizer", "prior", "flow")}
    assert len(seeds) == 9
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_children_repeat():
    assert Context(seed=3).child("flow").seed == Context(seed=3, name="other", device="meta").child("flow").seed


def test_a_child_is_the_parent_but_for_name_and_seed():
    parent = Context(seed=3, name="method", device="cuda:1")
    child = parent.child("flow").child("inner")
    assert child.name == "method.flow.inner"
    assert child.device == "cuda:1"
    assert child.trainer is parent.trainer
    assert child.seed not in (parent.seed, parent.child("flow").seed, parent.child("inner").seed)


def test_generators_start_anew_at_each_call():
    context = Context(seed=5)
    assert context.rng().integers(2**60) == context.rng().integers(2**60)
    assert context.rng().integers(2**60) != Context(seed=6).rng().integers(2**60)
    assert torch.equal(torch.rand(3, generator=context.generator()), torch.rand(3, generator=context.generator()))


def test_generators_leave_the_global_state_alone():
    before = torch.get_rng_state()
    torch.rand(3, generator=Context(seed=5).generator())
    assert torch.equal(before, torch.get_rng_state())


def test_no_trainer_outside_the_harness():
    with pytest.raises(RuntimeError, match="no trainer"):
        Context().train(torch.nn.Linear(1, 1), lambda _: torch.zeros(()), examples=1, plan=None)


def test_silence(capfd):
    with Silent().task("anything", 3) as advance:
        advance(1)
    assert capfd.readouterr() == ("", "")


class TestChoices:
    def test_are_shared_with_children_logged_and_copied(self, caplog):
        context = Context(name="m", logger=logging.getLogger("vadbench.test"))
        value = [1, 2]
        with caplog.at_level(logging.INFO, "vadbench.test"):
            context.child("flow").chosen("epochs", value, by="held-out")
            context.chosen("threshold", np.float32(0.5), by="validation")
        value.append(3)
        assert context.choices == [
            Choice("m.flow", "epochs", [1, 2], "held-out"),
            Choice("m", "threshold", 0.5, "validation"),
        ]
        assert [record.getMessage() for record in caplog.records] == [
            "m.flow: epochs = [1, 2], chosen by held-out",
            "m: threshold = 0.5, chosen by validation",
        ]

    def test_of_one_run_are_not_those_of_another(self):
        Context().chosen("epoch", 3, by="training")
        assert Context().choices == []

    @pytest.mark.parametrize("by", ["test", "labels", "", "Validation", None])
    def test_by_anything_else_is_refused(self, by):
        context = Context(name="m.flow")
        with pytest.raises(PluginError, match="no component may choose by") as caught:
            context.chosen("epoch", 3, by=by)
        assert caught.value.where == "m.flow"
        assert context.choices == []

    @pytest.mark.parametrize("value", [float("nan"), np.float32("inf"), object(), {1, 2}, b"x"])
    def test_of_a_value_that_no_record_can_hold(self, value):
        context = Context()
        with pytest.raises(PluginError, match="cannot be recorded"):
            context.chosen("epoch", value, by="training")
        assert context.choices == []

    @pytest.mark.parametrize(
        ("value", "plain"),
        [(3, 3), ("x", "x"), (None, None), (torch.tensor([1.5, 2.0]), [1.5, 2.0]), ({"a": np.arange(2)}, {"a": [0, 1]})],
    )
    def test_stand_in_the_record_of_the_run(self, value, plain, tmp_path, monkeypatch):
        import recorded_plugin
        from tiny_methods import plugins_with_recorded

        from vadbench.engine.plan import make_plan
        from vadbench.engine.run import run_job

        fit = recorded_plugin.Whole.fit

        def choosing(self, windows, context):
            context.child("part").chosen("size", value, by="validation")
            fit(self, windows, context)

        monkeypatch.setattr(recorded_plugin.Whole, "fit", choosing)
        plugins = plugins_with_recorded()
        (job,) = make_plan("recorded", plugins, datasets=["recorded"]).jobs
        run = run_job(job, plugins, out=tmp_path).run
        (choice,) = run.record.choices
        assert (choice.component, choice.what, choice.by) == ("recorded.part", "size", "validation")
        assert choice.value == plain
        assert "chosen by validation" in (run.path / "log.txt").read_text()
