"""The noise schedule against the closed forms of Ho et al. and of Nichol and Dhariwal, and one step of the chain at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vadbench_baselines.diffusion import NoiseSchedule, Schedule, betas

SCHEDULES = ("cosine", "linear")


def kept(steps: int, schedule: Schedule) -> np.ndarray:
    return np.cumprod(1 - betas(steps, schedule).numpy())


def test_cosine_keeps_what_the_paper_says_up_to_the_last_step() -> None:
    steps = 10
    wanted = [math.cos((t / steps + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(steps + 1)]
    np.testing.assert_allclose(kept(steps, "cosine")[:-1], np.array(wanted[1:-1]) / wanted[0], rtol=1e-12)
    assert betas(steps, "cosine")[-1] == pytest.approx(0.9)


def test_a_thousand_linear_steps_are_those_of_ho() -> None:
    np.testing.assert_allclose(betas(1000, "linear").numpy(), np.linspace(1e-4, 0.02, 1000), rtol=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_little_is_left_after_the_last_step(schedule: Schedule) -> None:
    left = kept(10, schedule)
    assert (np.diff(left) < 0).all()
    assert left[-1] < 0.003


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("step", [0, 4, 9])
def test_forward_process_has_mean_and_variance_of_the_chain(schedule: Schedule, step: int) -> None:
    """Mean and variance of the chain x_s = sqrt(1 - beta) x_{s-1} + sqrt(beta) noise, run in numbers beside the sampler."""
    process, x0 = NoiseSchedule(10, schedule), 1.7
    mean, variance = x0, 0.0
    for beta in betas(10, schedule)[: step + 1].tolist():
        mean, variance = math.sqrt(1 - beta) * mean, (1 - beta) * variance + beta
    draws = 200_000
    noise = torch.randn(draws, generator=torch.Generator().manual_seed(1))
    found = process.noised(torch.full((draws,), x0), torch.full((draws,), step), noise)
    assert float(found.mean()) == pytest.approx(mean, abs=5 * math.sqrt(variance / draws) + 1e-5)
    assert float(found.var()) == pytest.approx(variance, rel=5 * math.sqrt(2 / draws))


def test_each_window_has_its_own_step() -> None:
    process = NoiseSchedule(10, "cosine")
    x, noise = torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    step = torch.tensor([0, 3, 3, 9])
    together = process.noised(x, step, noise)
    for window in range(4):
        alone = process.noised(x[..., window : window + 1], step[window : window + 1], noise[..., window : window + 1])
        torch.testing.assert_close(together[..., window : window + 1], alone)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_perfect_predictor_brings_the_sample_back(schedule: Schedule) -> None:
    """Whatever noise is added on the way, as the last step takes away all that is left."""
    process, generator = NoiseSchedule(10, schedule), torch.Generator().manual_seed(2)
    clean = torch.randn(3, 17, 2, 5, generator=generator)
    x = torch.randn(clean.shape, generator=generator)
    for step in reversed(range(10)):
        kept = process.kept[step]
        predicted = (x - kept.sqrt() * clean) / (1 - kept).sqrt()
        noise = torch.randn(clean.shape, generator=generator) if step else None
        x = process.previous(x, step, predicted, noise)
    torch.testing.assert_close(x, clean, atol=1e-5, rtol=0)


def test_a_step_back_has_the_mean_of_the_posterior() -> None:
    """Ho et al., eq. 7, from the clean sample; eq. 11, which is what is computed, from the noise."""
    process, step = NoiseSchedule(10, "cosine"), 5
    clean, noise = torch.tensor([0.8]), torch.tensor([-0.4])
    beta, here, before = (float(v) for v in (process.beta[step], process.kept[step], process.kept[step - 1]))
    x = process.noised(clean, torch.tensor([step]), noise)
    wanted = math.sqrt(before) * beta / (1 - here) * clean + math.sqrt(1 - beta) * (1 - before) / (1 - here) * x
    torch.testing.assert_close(process.previous(x, step, noise, None), wanted, rtol=1e-5, atol=1e-6)
    added = process.previous(x, step, noise, torch.ones(1)) - process.previous(x, step, noise, None)
    assert float(added) == pytest.approx(math.sqrt(beta), rel=1e-5)
