"""Held-out tracks: whole, seeded, without any effect on the training of the others; the best epoch is kept and declared."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import Context, DataError, PluginError, TrainingPlan
from vadbench.engine.training.held_out import best_epoch, is_exhausted, split_examples
from vadbench.engine.training.trainer import seeded, train

X = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
Y = X @ torch.tensor([1.0, -2, 0.5])
GROUPS = np.repeat(np.arange(12), 5)


@given(
    groups=st.lists(st.integers(-3, 9), min_size=2, max_size=60).filter(lambda groups: len(set(groups)) > 1),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 5),
)
def test_whole_tracks_at_least_one_and_never_all(groups, share, seed):
    used, held = split_examples(len(groups), share, np.array(groups), Context(seed=seed))
    assert sorted([*used.tolist(), *held.tolist()]) == list(range(len(groups)))
    inside, outside = ({groups[i] for i in part.tolist()} for part in (held, used))
    assert inside
    assert outside
    assert not inside & outside
    count = len(set(groups))
    assert len(inside) == min(max(round(share * count), 1), count - 1)
    again = split_examples(len(groups), share, torch.tensor(groups), Context(seed=seed))
    assert torch.equal(again[1], held)


def test_seeds_hold_out_others():
    assert len({tuple(split_examples(60, 0.2, GROUPS, Context(seed=seed))[1].tolist()) for seed in range(5)}) > 1


def test_single_examples_without_groups():
    used, held = split_examples(10, 0.3, None, Context())
    assert (len(used), len(held)) == (7, 3)


@pytest.mark.parametrize(
    ("examples", "groups", "told"), [(5, np.zeros(5), "one|1 track"), (1, None, "1 example"), (4, GROUPS, "shape")]
)
def test_nothing_to_hold_out(examples, groups, told):
    with pytest.raises(DataError, match=told) as caught:
        split_examples(examples, 0.1, groups, Context(name="m.prior"))
    assert caught.value.where == "m.prior"


@pytest.mark.parametrize(
    ("held", "best", "patience_1", "patience_2"),
    [
        ([], -1, False, False),
        ([3.0], 0, False, False),
        ([3, 3], 0, True, False),
        ([3, 4, 5], 0, True, True),
        ([3, 4, 2], 2, False, False),
    ],
)
def test_best_epoch_and_patience(held, best, patience_1, patience_2):
    assert best_epoch(held) == best
    assert [is_exhausted(held, patience) for patience in (0, 1, 2)] == [False, patience_1, patience_2]


class Noisy(torch.nn.Module):
    """A line with dropout, noise from a generator of its own, and an average that follows its outputs in training."""

    seen: torch.Tensor

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.line = torch.nn.Linear(3, 1)
        self.drop = torch.nn.Dropout(0.3)
        self.register_buffer("seen", torch.zeros(()))
        self.generator = context.generator()
        self.called: list[tuple[bool, list[int]]] = []

    def loss(self, index: torch.Tensor) -> torch.Tensor:
        self.called.append((self.training, index.tolist()))
        noise = 0.1 * torch.randn(len(index), generator=self.generator)
        out = self.line(self.drop(X[index]))[:, 0]
        if self.training:
            self.seen += out.detach().mean()
        else:
            assert not torch.is_grad_enabled()
        return (out + noise - Y[index]).square().mean()


def trained(plan: TrainingPlan, seed: int = 0, **given) -> tuple[Noisy, Context, list[float]]:
    context = Context(seed=seed, name="m.part")
    with seeded(seed):
        module = Noisy(context)
        history = train(
            module, module.loss, examples=60, plan=plan, context=context, generators=[module.generator], groups=GROUPS, **given
        )
    return module, context, history


def test_held_out_examples_are_never_trained_on():
    module, _, history = trained(TrainingPlan(3, 16, 0.05, held_out=0.25))
    trained_on, held = ({i for mode, index in module.called if mode == training for i in index} for training in (True, False))
    assert len(history) == 3
    assert len(trained_on) == 45
    assert len(held) == 15
    assert not trained_on & held
    assert len({GROUPS[i] for i in held}) == 3
    assert not module.training


def test_the_best_epoch_is_kept_and_declared():
    """The learning rate is far too high, so that it gets worse: epoch by epoch the weights are known from shorter plans."""
    plan = {"batch_size": 16, "learning_rate": 0.5, "held_out": 0.25}
    module, context, _ = trained(TrainingPlan(6, **plan))
    (choice,) = context.choices
    assert (choice.component, choice.what, choice.by) == ("m.part", "epoch", "held-out")
    assert choice.value < 6
    shorter, _, _ = trained(TrainingPlan(choice.value, **plan))
    assert torch.equal(module.line.weight, shorter.line.weight)
    assert torch.equal(module.seen, shorter.seen)


def test_patience_stops():
    plan = {"batch_size": 16, "learning_rate": 0.5, "held_out": 0.25}
    _, context, history = trained(TrainingPlan(50, patience=2, **plan))
    assert len(history) == context.choices[0].value + 2


def test_what_is_held_out_is_evaluated_without_any_effect(monkeypatch):
    """The same training without the evaluation: its examples, noise and dropout are the same."""
    plan = TrainingPlan(4, 16, 1e-3, held_out=0.25)
    plain, _, history = trained(plan)
    values = iter(range(10, 0, -1))
    monkeypatch.setattr("vadbench.engine.training.loop.held_out_loss", lambda *_: float(next(values)))
    without, _, same = trained(plan)
    assert history == same
    assert torch.equal(plain.seen, without.seen)
    assert torch.equal(plain.generator.get_state(), without.generator.get_state())


def test_epochs_are_compared_on_the_same_noise(caplog):
    """With weights that do not move, the held-out loss does not either."""
    import logging

    module = Noisy(Context())
    context = Context(name="m", logger=logging.getLogger("vadbench.test"))
    with caplog.at_level(logging.INFO, "vadbench.test"):
        plan = TrainingPlan(3, 16, 1e-30, held_out=0.25)
        train(module, module.loss, examples=60, plan=plan, context=context, generators=[module.generator])
    told = {record.message.split("held-out ")[1] for record in caplog.records if "held-out " in record.message}
    assert len(told) == 1


def test_held_out_loss_that_is_no_number():
    module = Noisy(Context())

    def loss(index: torch.Tensor) -> torch.Tensor:
        return module.loss(index) * (1 if module.training else math.nan)

    with pytest.raises(PluginError, match="held-out loss is nan after epoch 1"):
        train(module, loss, examples=60, plan=TrainingPlan(3, 16, 0.1, held_out=0.25), context=Context())


def test_prepare_serves_what_is_held_out():
    module = Noisy(Context())
    prepared: list[int] = []

    def prepare(index: torch.Tensor) -> torch.Tensor:
        prepared.extend(index.tolist())
        return index

    plan = TrainingPlan(1, 16, 0.1, held_out=0.25)
    train(module, module.loss, examples=60, plan=plan, context=Context(), prepare=prepare)
    assert sorted(prepared) == list(range(60))
