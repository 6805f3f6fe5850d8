"""The training loop: the loss falls, the seed decides, NaN is told by epoch and step."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import math
from itertools import chain

import numpy as np
import pytest
import torch
from everything_reachable import everything_reachable
from tiny_methods import TINY_MSGFLOW

from vadbench.api import Context, FrameLabels, PluginError, Trainer, TrainingPlan, Windows
from vadbench.engine.training.trainer import seeded, train

X = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
Y = X @ torch.tensor([1.0, -2, 0.5]) + 3


class Line(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(3))
        self.bias = torch.nn.Parameter(torch.zeros(()))
        self.frozen = torch.nn.Parameter(torch.ones(2), requires_grad=False)
        self.steps: list[list[int]] = []

    def loss(self, index: torch.Tensor) -> torch.Tensor:
        assert self.training
        self.steps.append(index.tolist())
        return (X[index] @ self.weight + self.bias - Y[index]).square().mean()


def fitted(seed: int = 0, **plan) -> tuple[Line, list[float]]:
    module = Line()
    settings = {"epochs": 20, "batch_size": 8, "learning_rate": 0.1, **plan}
    return module, train(module, module.loss, examples=50, plan=TrainingPlan(**settings), context=Context(seed=seed))


@pytest.mark.parametrize("optimiser", ["adamw", "adamax"])
def test_loss_falls(optimiser):
    module, history = fitted(optimiser=optimiser)
    assert len(history) == 20
    assert history[-1] < history[0] / 20
    assert not module.training
    assert torch.equal(module.frozen, torch.ones(2))


def test_every_example_once_an_epoch_in_another_order():
    module, _ = fitted(epochs=2)
    assert [len(step) for step in module.steps] == [8, 8, 8, 8, 8, 8, 2] * 2
    first, second = (list(chain(*module.steps[i : i + 7])) for i in (0, 7))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second


def test_mean_loss_weighs_the_last_batch_by_its_size():
    module = Line()
    plan = TrainingPlan(1, 8, learning_rate=1e-30)
    (mean,) = train(module, module.loss, examples=50, plan=plan, context=Context())
    assert mean == pytest.approx(float(Y.square().mean()), rel=1e-5)


def test_the_seed_decides():
    (a, first), (b, again), (_, other) = fitted(3), fitted(3), fitted(4)
    assert first == again
    assert a.steps == b.steps
    assert torch.equal(a.weight, b.weight)
    assert first != other


def test_the_global_state_plays_no_part():
    torch.manual_seed(1)
    _, first = fitted()
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002 - the global state is what is tested
    before = torch.get_rng_state()
    _, second = fitted()
    assert first == second
    assert torch.equal(before, torch.get_rng_state())


def test_learning_rate_decays():
    fast, slow = fitted(decay=1.0)[1], fitted(decay=1e-6)[1]
    assert fast[0] == slow[0]
    assert slow[-1] == pytest.approx(slow[2], rel=1e-3)
    assert fast[-1] < slow[-1] / 2


def test_clipping_bounds_the_step():
    seen = []

    def loss(index: torch.Tensor) -> torch.Tensor:
        if module.weight.grad is not None:
            parameters = (module.weight, module.bias)
            seen.append(math.sqrt(sum(float(p.grad.square().sum()) for p in parameters)))
        return 1e4 * module.loss(index)

    module = Line()
    train(module, loss, examples=50, plan=TrainingPlan(2, 8, 0.1, clip_norm=0.5), context=Context())
    assert max(seen) <= 0.5 + 1e-5


def test_weight_decay():
    light, heavy = fitted(weight_decay=0.0)[0], fitted(weight_decay=5.0)[0]
    assert heavy.weight.norm() < light.weight.norm()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_loss_that_is_no_number(value):
    module = Line()

    def loss(index: torch.Tensor) -> torch.Tensor:
        broken = len(module.steps) == 9
        return module.loss(index) + (value if broken else 0)

    with pytest.raises(PluginError) as caught:
        train(module, loss, examples=50, plan=TrainingPlan(3, 8, 0.1), context=Context(name="msgflow.flow"))
    assert "epoch 2, step 3 of 7" in caught.value.what
    assert f"examples {', '.join(map(str, module.steps[9][:5]))}, ..." in caught.value.what
    assert str(value) in caught.value.what
    assert caught.value.where == "msgflow.flow"
    assert "learning_rate" in caught.value.remedy


@pytest.mark.parametrize("clip_norm", [0.0, 0.5])
def test_gradient_that_is_no_number_spoils_nothing(clip_norm):
    """The loss is 0 there and its gradient infinite: the square root of 0."""
    module, before = Line(), []

    def loss(index: torch.Tensor) -> torch.Tensor:
        before[:] = [module.weight.detach().clone(), module.bias.detach().clone()]
        value = module.loss(index)
        return value if len(module.steps) < 8 else (value - value.detach()).sqrt()

    with pytest.raises(PluginError) as caught:
        train(module, loss, examples=50, plan=TrainingPlan(3, 8, 0.1, clip_norm=clip_norm), context=Context(name="m.flow"))
    assert "gradient norm is nan" in caught.value.what or "gradient norm is inf" in caught.value.what
    assert "epoch 2, step 1 of 7" in caught.value.what
    assert f"examples {', '.join(map(str, module.steps[7][:5]))}, ..." in caught.value.what
    assert torch.equal(module.weight, before[0])
    assert torch.equal(module.bias, before[1])


def test_loss_that_is_no_number_spoils_no_parameter():
    module = Line()
    with pytest.raises(PluginError):
        train(module, lambda index: module.loss(index) * math.nan, examples=50, plan=TrainingPlan(1, 8, 0.1), context=Context())
    assert torch.equal(module.weight, torch.zeros(3))


def test_a_small_batch_is_named_whole():
    module = Line()
    with pytest.raises(PluginError) as caught:
        train(module, lambda index: module.loss(index) * math.nan, examples=2, plan=TrainingPlan(1, 8, 0.1), context=Context())
    assert caught.value.what.endswith(("(examples 0, 1)", "(examples 1, 0)"))


def test_progress_and_log(caplog):
    told = []

    class Counting:
        def task(self, description, total):
            from contextlib import nullcontext

            told.append((description, total))
            return nullcontext(told.append)

    module = Line()
    context = Context(name="m.part", progress=Counting(), logger=logging.getLogger("vadbench.test"))
    with caplog.at_level(logging.INFO, "vadbench.test"):
        train(module, module.loss, examples=50, plan=TrainingPlan(2, 8, 0.1), context=context)
    assert told == [("train m.part", 14), *[1] * 14]
    assert [record.message.split(",")[0] for record in caplog.records] == ["m.part: epoch 1 of 2", "m.part: epoch 2 of 2"]


class TestSeeded:
    def test_inside_and_after(self):
        before = torch.get_rng_state()
        with seeded(5):
            first = torch.rand(3)
        assert torch.equal(before, torch.get_rng_state())
        with seeded(5):
            assert torch.equal(first, torch.rand(3))
        with seeded(6):
            assert not torch.equal(first, torch.rand(3))

    def test_after_an_error(self):
        before = torch.get_rng_state()

        def fail() -> None:
            with seeded(5):
                torch.rand(3)
                raise ValueError("x")

        with pytest.raises(ValueError, match="x"):
            fail()
        assert torch.equal(before, torch.get_rng_state())


class TestPrepare:
    def test_same_training(self):
        plain, module = fitted()[0], Line()

        def loss(batch):
            x, y = batch
            return (x @ module.weight + module.bias - y).square().mean()

        plan = TrainingPlan(epochs=20, batch_size=8, learning_rate=0.1)
        train(module, loss, examples=50, plan=plan, context=Context(), prepare=lambda index: (X[index], Y[index]))
        assert torch.equal(module.weight, plain.weight)
        assert torch.equal(module.bias, plain.bias)

    def test_what_it_raises_arrives(self):
        def prepare(index):
            raise KeyError("no such example")

        module = Line()
        with pytest.raises(KeyError, match="no such example"):
            train(module, module.loss, examples=50, plan=TrainingPlan(1, 8, 0.1), context=Context(), prepare=prepare)


class TestNothingIsChosenByTheTestData:
    """The loop has no test data, hands no score to anybody, and keeps the last weights, or the best on held-out training data."""

    def test_it_is_given_a_module_a_loss_and_a_plan_and_nothing_to_evaluate_with(self):
        given = {"module", "loss", "examples", "plan", "context", "prepare", "groups", "generators"}
        assert set(inspect.signature(train).parameters) == given
        assert set(inspect.signature(Trainer.__call__).parameters) == {"self", *given}
        assert {field.name for field in dataclasses.fields(TrainingPlan)} == {
            *("epochs", "batch_size", "learning_rate", "optimiser", "decay", "weight_decay", "clip_norm"),
            *("schedule", "warmup", "held_out", "patience", "amp"),
        }

    def test_the_last_weights_are_kept_and_not_the_best_where_nothing_is_held_out(self):
        module, states = Line(), []

        def loss(index):
            states.append(module.weight.detach().clone())
            # From the second epoch on it is large, and pulls the weights away from where they were best.
            return module.loss(index) if len(states) <= 7 else 1000 - module.loss(index)

        history = train(module, loss, examples=50, plan=TrainingPlan(6, 8, 0.05), context=Context())
        assert min(history) == history[0]
        after_best, last_seen = states[7], states[-1]
        assert (module.weight - last_seen).abs().max() < 0.06, "one step of AdamW away"
        assert (module.weight - after_best).abs().max() > 0.5

    def test_no_poses_of_the_test_split_can_be_reached_while_a_method_trains(self, pose_folder, tmp_path, monkeypatch):
        from vadbench.engine import run as engine_run
        from vadbench.engine.plan import make_plan
        from vadbench.engine.plugins import load_plugins

        plugins, reached = load_plugins(), []

        def watching(training, module, loss, **given):
            reached.append(list(everything_reachable(training, module, loss, given)))
            return made(training, module, loss, **given)

        made = engine_run.Training.__call__
        monkeypatch.setattr(engine_run.Training, "__call__", watching)
        (job,) = make_plan("msgflow", plugins, datasets=[str(pose_folder)], changes=TINY_MSGFLOW).jobs
        engine_run.run_job(job, plugins, out=tmp_path / "runs")
        poses = {split: len(job.dataset.tracks(split)) for split in ("train", "test")}
        assert poses["train"] != poses["test"]
        windows = [thing for things in reached for thing in things if isinstance(thing, Windows)]
        assert {len(found.tracks) for found in windows} == {poses["train"]}
        assert not [thing for things in reached for thing in things if isinstance(thing, FrameLabels)]
