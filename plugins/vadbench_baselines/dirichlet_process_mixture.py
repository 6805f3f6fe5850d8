"""Log-density under a Dirichlet-process mixture of Gaussians fitted by scikit-learn, kept as tensors."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import digamma
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture
from torch import nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Context


class DirichletProcessMixture(nn.Module):
    """A mixture of at most K full Gaussians in D dimensions under a Dirichlet-process prior (Blei and Jordan 2006).

    The density is scikit-learn's ``score_samples``: it takes logarithms of weights and precisions in expectation over their
    variational posterior (Bishop, 2006, equations 10.64 to 10.66), and so lies a little below that of the mean parameters.
    """

    means: torch.Tensor
    whitenings: torch.Tensor
    constants: torch.Tensor

    def __init__(self, components: int, dimensions: int) -> None:
        super().__init__()
        self.components = components
        self.register_buffer("means", torch.zeros(components, dimensions, dtype=torch.float64))
        self.register_buffer("whitenings", torch.zeros(components, dimensions, dimensions, dtype=torch.float64))
        self.register_buffer("constants", torch.zeros(components, dtype=torch.float64))

    def fit(self, rows: NDArray[np.float64], ridge: float, seed: int, context: Context) -> NDArray[np.float64]:
        """Fits it to rows (N, D), N at least K, with ``ridge`` added to each covariance; the mean weights (K,)."""
        mixture = BayesianGaussianMixture(
            n_components=self.components,
            weight_concentration_prior_type="dirichlet_process",
            reg_covar=ridge,
            max_iter=200,
            random_state=seed,
        )
        with warnings.catch_warnings():
            # It is logged below.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(rows)
        if not mixture.converged_:
            context.logger.warning("%s: the mixture has not converged after %d iterations", context.name, mixture.n_iter_)
        self.take(mixture)
        return np.asarray(mixture.weights_, dtype=np.float64)

    def take(self, mixture: BayesianGaussianMixture) -> None:
        """The numbers of a fitted mixture of full covariances."""
        width = mixture.means_.shape[1]
        ahead, behind = mixture.weight_concentration_
        # E log v_k + sum_j<k E log(1 - v_j) of the stick that is broken.
        broken, left = digamma(ahead) - digamma(ahead + behind), digamma(behind) - digamma(ahead + behind)
        log_weights = broken + np.concatenate([[0.0], np.cumsum(left)[:-1]])
        freedom = mixture.degrees_of_freedom_
        # E log det of a Wishart, of which scikit-learn scales the precision by its degrees of freedom.
        log_lambda = width * np.log(2 / freedom) + digamma(0.5 * (freedom - np.arange(width)[:, None])).sum(axis=0)
        log_det = np.log(np.diagonal(mixture.precisions_cholesky_, axis1=1, axis2=2)).sum(axis=1)
        constants = log_weights + log_det + 0.5 * (log_lambda - width / mixture.mean_precision_ - width * np.log(2 * np.pi))
        self.means.copy_(torch.from_numpy(mixture.means_))
        self.whitenings.copy_(torch.from_numpy(mixture.precisions_cholesky_))
        self.constants.copy_(torch.from_numpy(constants))

    def log_prob(self, rows: torch.Tensor) -> torch.Tensor:
        """(B,) nats, float64, for rows (B, D)."""
        away = rows.double()[:, None] - self.means
        square = torch.einsum("bkd,kde->bke", away, self.whitenings).square().sum(dim=2)
        return (self.constants - 0.5 * square).logsumexp(dim=1)
