"""Gaussian mixture: minus the log-density of a window's principal coordinates under a mixture of Gaussians (scikit-learn)."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from vadbench.api import ComponentConfig, Context, PoseShape
from vadbench_baselines.array_detector import CoordinateDetector, Demand, Judge

if TYPE_CHECKING:
    from numpy.typing import NDArray


class GMMConfig(ComponentConfig):
    """Settings of the Gaussian mixture."""

    mixtures: int = Field(default=10, ge=1, description="Gaussians, each with a full covariance")
    variance: float = Field(default=0.95, gt=0, lt=1, description="share of the variance that the coordinates explain")
    ridge: float = Field(default=1e-3, gt=0, description="added to each covariance, as a share of the mean variance")
    windows: int = Field(default=20_000, ge=2, description="training windows that it is fitted to, drawn at random")


class GMM(CoordinateDetector):
    """-log p(coordinates) in nats; fulfils `vadbench.api.Detector`.

    A density of the coordinates: of what lies beyond them it knows the length alone.
    """

    def __init__(self, config: GMMConfig, poses: PoseShape) -> None:
        demand = Demand(max(config.mixtures, 2), "detector.mixtures")
        super().__init__(poses, width=config.variance, kept=config.windows, demand=demand)
        self.config = config

    def learn(self, coordinates: NDArray[np.float32], rng: np.random.Generator, context: Context) -> None:
        """Expectation maximisation from a k-means start."""
        rows = coordinates.astype(np.float64)
        mixture = GaussianMixture(
            self.config.mixtures,
            reg_covar=self.config.ridge * float(rows.var(axis=0).mean()) + np.finfo(np.float64).tiny,
            random_state=int(rng.integers(2**31)),
        )
        with warnings.catch_warnings():
            # It is logged below.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(rows)
        if not mixture.converged_:
            context.logger.warning("%s: not converged after %d iterations", context.name, mixture.n_iter_)
        self.keep(weights=mixture.weights_, means=mixture.means_, whitenings=mixture.precisions_cholesky_)

    def judge(self) -> Judge:
        """Minus log-densities."""
        weights, means, whitenings = (self.arrays[name] for name in ("weights", "means", "whitenings"))
        log_det = np.log(np.diagonal(whitenings, axis1=1, axis2=2)).sum(axis=1)
        constant = np.log(weights) + log_det - 0.5 * means.shape[1] * math.log(2 * math.pi)

        def surprise(coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
            square = [
                np.square((coordinates - mean) @ whitening).sum(axis=1) for mean, whitening in zip(means, whitenings, strict=True)
            ]
            return -np.asarray(logsumexp(constant - 0.5 * np.stack(square, axis=1), axis=1), dtype=np.float64)

        return surprise
