"""Whether the density of a flow's latents integrates to one.

What ``log_prob`` says, less ``log_det``, is the log-density b of the latent, log p(z | condition). Whatever it is, its integral
is one, which a log-determinant or a constant that was forgotten changes. In hundreds of dimensions no integral can be taken, but
most flows have a Gaussian there, of any mean and covariance, and of a Gaussian the value and two derivatives at a point tell the
integral. So a Gaussian q is fitted to b. Drawn from q, the numbers w = b(z) - log q(z) are all the logarithm of the integral if
b is a multiple of q. If it is not, their mean and half their variance still come near it, the nearer the less they vary: this is
the importance sampling estimate for a logarithm that is nearly normal.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from vadbench.api import Flow

_ROWS: Final = 96
"""Latents that are asked for at once."""
_DRAWS: Final = 192
_ITERATIONS: Final = 5
_STEP: Final = 0.25
"""Of the central differences, in latents; a Gaussian's derivatives are exact at any step."""


@dataclass(frozen=True, slots=True)
class Mass:
    """An estimate of log of the integral of p(z), nats; 0 for a density.

    Args:
        log: The estimate.
        doubt: By how much it may be off.
    """

    log: float
    doubt: float


def latent_mass(flow: Flow, x: torch.Tensor, condition: torch.Tensor | None) -> Mass | None:
    """The mass of the latents' density, under one condition; None where no Gaussian can be fitted to it.

    Args:
        flow: A torch module is cast to float64, and stays so: hand over one that nobody else needs.
        x: (B, C, T, J), windows, at least one; about their latents the summit is looked for.
        condition: (1, L, D), or None.
    """
    if isinstance(flow, torch.nn.Module):
        flow.double()
    condition = None if condition is None else condition.double()
    size = x.shape[1:]

    def log_density(z: torch.Tensor) -> torch.Tensor:
        """(B,) of latents (B, N)."""
        given = None if condition is None else condition.expand(len(z), *condition.shape[1:])
        back = flow.inverse(z.view(-1, *size), given)
        return flow.log_prob(back, given).double() - flow.forward(back, given)[1].double()

    with torch.no_grad():
        given = None if condition is None else condition.expand(len(x), *condition.shape[1:])
        shown = flow.forward(x.double(), given)[0].flatten(1).double()
    # Between several summits there may be none in the middle: then from where a window is.
    fitted = _fitted(log_density, shown.mean(dim=0)) or _fitted(log_density, shown[0])
    if fitted is None:
        return None
    at, factor = fitted
    normal = torch.randn(_DRAWS, len(at), generator=torch.Generator().manual_seed(43), dtype=torch.float64)
    drawn = at + torch.linalg.solve_triangular(factor.T, normal.T, upper=True).T
    log_q = factor.diagonal().log().sum() - 0.5 * (normal.square() + math.log(2 * math.pi)).sum(dim=1)
    with torch.no_grad():
        weights = torch.cat([log_density(piece) for piece in torch.split(drawn, _ROWS)]) - log_q
    if not torch.isfinite(weights).all():
        return None
    variance, count = float(weights.var()), len(weights)
    error = math.sqrt(variance / count + variance**2 / (2 * count))
    # Half the variance is short or too much by less than four times the variance, so long as the Gaussian is no more than
    # some ten times too wide in any direction.
    return Mass(float(weights.mean()) + variance / 2, 4 * (error + variance))


def _fitted(log_density: Callable[[torch.Tensor], torch.Tensor], start: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Mean (N,) of the Gaussian, and the Cholesky factor of its precision (N, N); None where there is no summit to climb."""
    at, slopes = start, _slopes(log_density)
    # Newton's method: of a Gaussian, the first step ends at the summit, and the second one is 0.
    for _ in range(_ITERATIONS):
        gradient, curvature = _derivatives(log_density, slopes, at)
        factor, fault = torch.linalg.cholesky_ex(-curvature)
        if fault:  # the logarithm is not concave here
            return None
        step = torch.cholesky_solve(gradient[:, None], factor)[:, 0]
        at = at + step
        if step.abs().max() < _STEP / 100:
            break
    return at, factor


def _slopes(log_density: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor | None]:
    """Gradients (B, N) at latents (B, N); None where the flow's inverse keeps none."""

    def slopes(z: torch.Tensor) -> torch.Tensor | None:
        z = z.clone().requires_grad_()
        with torch.enable_grad(), contextlib.suppress(RuntimeError):  # a tensor that was changed in place has no gradient
            values = log_density(z)
            # A flow whose inverse keeps no gradient still has one if log_prob has parameters: not with respect to z.
            found = torch.autograd.grad(values.sum(), z, allow_unused=True)[0] if values.requires_grad else None
            return None if found is None else found.detach()
        return None

    return slopes


def _derivatives(
    log_density: Callable[[torch.Tensor], torch.Tensor],
    slopes: Callable[[torch.Tensor], torch.Tensor | None],
    at: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient (N,) and curvature (N, N) at a latent (N,); without gradients of the flow, the curvature's diagonal alone."""
    gradient = slopes(at[None])
    steps = _STEP * torch.eye(len(at), dtype=at.dtype)
    if gradient is not None:
        rows = [(_known(slopes(at + step)) - _known(slopes(at - step))) / (2 * _STEP) for step in torch.split(steps, _ROWS)]
        curvature = torch.cat(rows)
        return gradient[0], (curvature + curvature.T) / 2
    with torch.no_grad():
        here = log_density(at[None])
        ahead, behind = (torch.cat([log_density(at + sign * step) for step in torch.split(steps, _ROWS)]) for sign in (1, -1))
    return (ahead - behind) / (2 * _STEP), torch.diag((ahead + behind - 2 * here) / _STEP**2)


def _known(gradient: torch.Tensor | None) -> torch.Tensor:
    assert gradient is not None  # it was there at the first latent
    return gradient
