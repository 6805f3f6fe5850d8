"""A plan that cannot be meant is refused with what to do; the learning rate of every step follows from the plan alone."""

from __future__ import annotations

import math

import pytest
import torch

from vadbench.api import ConfigError, TrainingPlan
from vadbench.engine.training.optimisation import Amp, learning_rate, make_optimiser


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"epochs": 0}, "at least 1"),
        ({"batch_size": 0}, "at least 1"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"learning_rate": math.nan}, "finite"),
        ({"decay": 0.0}, "above 0"),
        ({"weight_decay": -1.0}, "at least 0"),
        ({"clip_norm": -0.1}, "at least 0"),
        ({"clip_norm": math.inf}, "finite"),
        ({"warmup": -1.0}, "at least 0"),
        ({"warmup": 5.5}, "there are 5"),
        ({"held_out": -0.1}, "at least 0"),
        ({"held_out": 1.0}, "below 1"),
        ({"patience": -1}, "at least 0"),
        ({"patience": 2}, "set held_out"),
        ({"schedule": "cosin"}, "cosine"),
        ({"optimiser": "adam"}, "adamw"),
    ],
)
def test_what_cannot_be_meant(change, told):
    with pytest.raises(ConfigError) as caught:
        TrainingPlan(**{"epochs": 5, "batch_size": 8, "learning_rate": 0.1, **change})
    (name,) = change
    assert name in caught.value.what
    assert caught.value.where == f"TrainingPlan.{name}"
    assert told in caught.value.remedy


def test_what_can():
    plan = TrainingPlan(5, 8, 0.1, warmup=5, held_out=0.9, patience=1, schedule="cosine")
    assert plan.amp


def rates(plan: TrainingPlan, steps: int) -> list[float]:
    return [learning_rate(plan, epoch, step, steps) for epoch in range(plan.epochs) for step in range(steps)]


def test_exponential_is_that_of_torch_to_the_last_bit():
    plan = TrainingPlan(40, 8, 3.7e-4, decay=0.93)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=plan.learning_rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, gamma=plan.decay)
    for epoch in range(plan.epochs):
        assert {learning_rate(plan, epoch, step, 3) for step in range(3)} == {optimiser.param_groups[0]["lr"]}
        optimiser.step()
        schedule.step()


def test_cosine_is_that_of_torch():
    plan = TrainingPlan(5, 8, 0.1, schedule="cosine", decay=0.5)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=plan.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=20)
    expected = []
    for _ in range(20):
        expected.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert rates(plan, 4) == pytest.approx(expected, rel=1e-9)


def test_constant():
    assert set(rates(TrainingPlan(5, 8, 0.1, schedule="constant", decay=0.5), 4)) == {0.1}


def test_warmup_rises_in_equal_steps_and_then_the_schedule_begins():
    rising = rates(TrainingPlan(4, 8, 0.1, schedule="constant", warmup=1.5), 4)
    assert rising[:6] == pytest.approx([0.1 * (n + 1) / 6 for n in range(6)])
    assert set(rising[5:]) == {0.1}
    cosine = rates(TrainingPlan(4, 8, 0.1, schedule="cosine", warmup=1), 4)
    assert max(cosine) == cosine[3] == cosine[4] == 0.1
    assert cosine[4:] == sorted(cosine[4:], reverse=True)
    assert 0 < cosine[-1] < 0.01
    assert max(rates(TrainingPlan(2, 8, 0.1, schedule="cosine", warmup=2), 4)) == 0.1


def test_optimisers():
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    assert isinstance(make_optimiser(parameters, TrainingPlan(1, 1, 0.1, optimiser="adamax")), torch.optim.Adamax)
    (group,) = make_optimiser(parameters, TrainingPlan(1, 1, 0.1, weight_decay=0.3)).param_groups
    assert (group["weight_decay"], group["betas"], group["lr"]) == (0.3, (0.9, 0.99), 0.1)


class TestAmp:
    """On CUDA; a computer without a GPU can only check what would be chosen."""

    def chosen(self, monkeypatch, device: str, capability: tuple[int, int], **plan) -> Amp:
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(torch.amp, "GradScaler", lambda device, enabled: (device, enabled))
        return Amp(torch.device(device), TrainingPlan(1, 1, 0.1, **plan))

    def test_nothing_on_the_cpu(self, monkeypatch):
        amp = self.chosen(monkeypatch, "cpu", (9, 0))
        assert (amp.on, amp.scaler) == (False, ("cpu", False))
        with amp.autocast():
            assert not torch.is_autocast_enabled("cpu")

    def test_bfloat16_without_scaling_where_the_gpu_has_it(self, monkeypatch):
        amp = self.chosen(monkeypatch, "cuda:1", (8, 6))
        assert (amp.on, amp.dtype, amp.scaler) == (True, torch.bfloat16, ("cpu", False))

    def test_float16_with_scaling_before(self, monkeypatch):
        amp = self.chosen(monkeypatch, "cuda", (7, 5))
        assert (amp.on, amp.dtype, amp.scaler) == (True, torch.float16, ("cuda", True))

    def test_nothing_where_the_plan_says_no(self, monkeypatch):
        amp = self.chosen(monkeypatch, "cuda", (7, 5), amp=False)
        assert (amp.on, amp.scaler) == (False, ("cpu", False))
