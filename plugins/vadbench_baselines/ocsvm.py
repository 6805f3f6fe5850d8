"""One-class support vector machine (Schoelkopf et al., Neural Computation 2001) on principal coordinates (scikit-learn)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field
from sklearn.svm import OneClassSVM

from vadbench.api import ComponentConfig, Context, PoseShape
from vadbench_baselines.array_detector import CoordinateDetector, Judge

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OneClassSVMConfig(ComponentConfig):
    """Settings of the one-class SVM."""

    nu: float = Field(default=0.1, gt=0, lt=1, description="at most this share of the training windows is left outside")
    gamma: float | None = Field(
        default=None, gt=0, description="of the kernel exp(-gamma d^2); by default 1 / the coordinates' total variance"
    )
    variance: float = Field(default=0.95, gt=0, lt=1, description="share of the variance that the coordinates explain")
    windows: int = Field(default=5_000, ge=2, description="training windows that it is fitted to, drawn at random")


class OneClass(CoordinateDetector):
    """Minus the decision function, above 0 outside of the learned region; fulfils `vadbench.api.Detector`.

    Far from all support vectors it comes to a highest value, that of an empty kernel.
    """

    def __init__(self, config: OneClassSVMConfig, poses: PoseShape) -> None:
        super().__init__(poses, width=config.variance, kept=config.windows)
        self.config = config

    def learn(self, coordinates: NDArray[np.float32], rng: np.random.Generator, context: Context) -> None:
        """Support vectors and their coefficients."""
        rows = coordinates.astype(np.float64)
        spread = float(rows.var(axis=0).sum())
        gamma = self.config.gamma or (1 / spread if spread > 0 else 1.0)
        machine = OneClassSVM(nu=self.config.nu, gamma=gamma)
        # Not among its arguments, though it seeds libsvm; without it the seed is drawn from NumPy's global generator.
        machine.random_state = int(rng.integers(2**31))
        machine.fit(rows)
        self.keep(
            vectors=machine.support_vectors_, coefficients=machine.dual_coef_[0], intercept=machine.intercept_[0], gamma=gamma
        )
        context.logger.info("%s: %d support vectors", context.name, len(machine.support_vectors_))

    def judge(self) -> Judge:
        """Minus decision values."""
        vectors, coefficients = self.arrays["vectors"], self.arrays["coefficients"]
        intercept, gamma = float(self.arrays["intercept"]), float(self.arrays["gamma"])
        size = np.square(vectors).sum(axis=1)

        def outside(coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
            rows = coordinates.astype(np.float64)
            square = np.square(rows).sum(axis=1)[:, None] + size - 2 * rows @ vectors.T
            return -np.asarray(np.exp(-gamma * np.maximum(square, 0)) @ coefficients + intercept, dtype=np.float64)

        return outside
