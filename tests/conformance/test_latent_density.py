"""The integral of a flow's latent density is told where it is one, whatever the density, and where it is not."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from sound_components import SoundFlow

from vadbench.testing.rules.flow_checks import FlowTrial, check_density
from vadbench.testing.rules.latent_density import latent_mass

Density = Callable[[torch.Tensor], torch.Tensor]
"""(B, N) latents to (B,) nats."""


def logistic(z: torch.Tensor) -> torch.Tensor:
    return (-z - 2 * torch.nn.functional.softplus(-z)).sum(dim=1)


def student(z: torch.Tensor) -> torch.Tensor:
    return torch.distributions.StudentT(5.0).log_prob(z).sum(dim=1)


def two_summits(z: torch.Tensor) -> torch.Tensor:
    each = [torch.distributions.Normal(mean, 1.0).log_prob(z).sum(dim=1) for mean in (-2.0, 2.0)]
    return torch.logsumexp(torch.stack(each), dim=0) - math.log(2)


def correlated(z: torch.Tensor) -> torch.Tensor:
    """Neighbours go together: a random walk about 0, whose steps have a deviation of 0.5."""
    steps = torch.diff(z, dim=1, prepend=torch.zeros_like(z[:, :1]))
    return torch.distributions.Normal(0.0, 0.5).log_prob(steps).sum(dim=1)


def moved(z: torch.Tensor) -> torch.Tensor:
    return torch.distributions.Normal(3.0, 0.2).log_prob(z).sum(dim=1)


def flow_with(base: Density, off: float = 0.0) -> type[SoundFlow]:
    class Based(SoundFlow):
        def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
            z, log_det = self.forward(x, condition)
            return log_det + base(z.flatten(1)) + off

    return Based


def trial_of(cls: type[SoundFlow]) -> FlowTrial:
    return FlowTrial(lambda *shapes: cls(None, *shapes))


@pytest.mark.parametrize("base", [logistic, student, two_summits, correlated, moved], ids=lambda base: base.__name__)
def test_density_passes_and_a_constant_is_missed(base: Density) -> None:
    check_density(trial_of(flow_with(base)))
    missing = 0.5 * math.log(2 * math.pi) * 2 * 24 * 18
    for off in (missing, -missing):
        with pytest.raises(AssertionError, match="a density of z, whose integral is 1"):
            check_density(trial_of(flow_with(base, off)))


@pytest.mark.parametrize("base", [correlated, moved], ids=lambda base: base.__name__)
def test_gaussian_is_told_exactly(base: Density) -> None:
    trial = trial_of(flow_with(base, 1.5))
    mass = latent_mass(trial.trained(), trial.x, None)
    assert mass is not None
    assert mass.log == pytest.approx(1.5, abs=1e-3)
    assert mass.doubt < 1e-3


def test_covariance_that_no_gradient_tells_leaves_doubt() -> None:
    class Opaque(flow_with(correlated)):  # type: ignore[misc]
        @torch.no_grad()
        def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
            return super().inverse(z, condition)

    trial = trial_of(Opaque)
    mass = latent_mass(trial.trained(), trial.x, None)
    assert mass is not None
    assert abs(mass.log) <= mass.doubt
    check_density(trial_of(Opaque))
