"""The training loop: the loss falls, the seed decides, NaN is told by epoch and step."""

from __future__ import annotations

import logging
import math
from itertools import chain

import numpy as np
import pytest
import torch

from vadbench.api import Context, PluginError, TrainingPlan
from vadbench.engine.trainer import seeded, train

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
    assert str(value) in caught.value.what
    assert caught.value.where == "msgflow.flow"
    assert "learning_rate" in caught.value.remedy


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
