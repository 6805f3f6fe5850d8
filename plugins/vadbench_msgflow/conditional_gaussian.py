"""A Gaussian whose mean is linear in a condition, in closed form from moments.

    rows = mean + weights (c - mean of c) + L z,    z standard normal

The weights are those of a ridge regression. L is the Cholesky factor of what is left, whose covariance is shrunk towards a
multiple of the identity by the oracle approximating shrinkage (Chen, Wiesel, Eldar and Hero, IEEE Trans. Signal Processing
58, 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from vadbench_msgflow.window_moments import Moments

LEAST_SHRINKAGE: Final = 1e-6
"""Of the mean variance: windows that have joints computed from others lie in a subspace, in which alone they have a density."""
RIDGE: Final = 1e-3
"""Penalty of the regression, as a share of the condition's mean variance."""


@dataclass(frozen=True, slots=True)
class ConditionalGaussian:
    """Of rows of N numbers given E numbers, float64.

    Args:
        mean: (N,).
        condition_mean: (E,).
        weights: (E, N).
        whitening: (N, N), lower triangular: the inverse of L.
    """

    mean: torch.Tensor
    condition_mean: torch.Tensor
    weights: torch.Tensor
    whitening: torch.Tensor

    @classmethod
    def of(cls, moments: Moments, numbers: int, *, shrinkage: float | None = None, ridge: float = RIDGE) -> ConditionalGaussian:
        """From moments of rows and conditions.

        Args:
            moments: Of N + E numbers.
            numbers: N.
            shrinkage: Weight of the identity in the covariance; None to estimate it.
            ridge: Penalty of the regression, as a share of the condition's mean variance.
        """
        covariance = moments.covariance
        own, shared, given = covariance[:numbers, :numbers], covariance[numbers:, :numbers], covariance[numbers:, numbers:]
        weights = shared
        if len(given):
            penalty = ridge * given.diagonal().mean().clamp(min=1e-12)
            weights = torch.linalg.solve(given + penalty * torch.eye(len(given), dtype=given.dtype, device=given.device), shared)
            explained = shared.T @ weights
            own = own - explained - explained.T + weights.T @ given @ weights
        variance = own.diagonal().mean().clamp(min=1e-12)
        share = shrinkage or max(oracle_shrinkage(own, moments.count), LEAST_SHRINKAGE)
        identity = torch.eye(numbers, dtype=own.dtype, device=own.device)
        factor = torch.linalg.cholesky((1 - share) * own + share * variance * identity)
        whitening = torch.linalg.solve_triangular(factor, identity, upper=False)
        return cls(moments.mean[:numbers], moments.mean[numbers:], weights, whitening)


def oracle_shrinkage(covariance: torch.Tensor, count: int) -> float:
    """Weight of the identity that comes nearest to the true covariance of a Gaussian (N, N), by what ``count`` samples show."""
    n = len(covariance)
    square, trace = covariance.square().sum(), covariance.trace().square()
    spread = (count + 1 - 2 / n) * (square - trace / n)
    return min(1.0, float(((1 - 2 / n) * square + trace) / spread)) if spread > 0 else 1.0
