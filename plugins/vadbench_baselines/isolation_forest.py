"""Isolation forest (Liu, Ting and Zhou, ICDM 2008): how few random cuts single a window out, in principal coordinates.

The trees are grown by scikit-learn and kept as arrays, from which windows are scored here: a forest of its own could only
be stored by pickle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field
from sklearn.ensemble import IsolationForest

from vadbench.api import ComponentConfig, Context, PoseShape
from vadbench_baselines.array_detector import CoordinateDetector, Judge

if TYPE_CHECKING:
    from numpy.typing import NDArray


class IsolationForestConfig(ComponentConfig):
    """Settings of the isolation forest; the numbers of trees and samples are the paper's."""

    trees: int = Field(default=100, ge=1, description="trees of the forest")
    samples: int = Field(default=256, ge=2, description="training windows a tree")
    variance: float = Field(default=0.95, gt=0, lt=1, description="share of the variance that the coordinates explain")
    windows: int = Field(default=20_000, ge=2, description="training windows that samples are drawn from, drawn at random")


class Forest(CoordinateDetector):
    """The paper's score 2^(-E[path length] / c(samples)), in (0, 1); fulfils `vadbench.api.Detector`."""

    def __init__(self, config: IsolationForestConfig, poses: PoseShape) -> None:
        super().__init__(poses, width=config.variance, kept=config.windows)
        self.config = config

    def learn(self, coordinates: NDArray[np.float32], rng: np.random.Generator, context: Context) -> None:  # noqa: ARG002
        """Grows the trees."""
        samples = min(self.config.samples, len(coordinates))
        forest = IsolationForest(n_estimators=self.config.trees, max_samples=samples, random_state=int(rng.integers(2**31)))
        self.keep(samples=np.int64(samples), **forest_arrays(forest.fit(coordinates)))

    def judge(self) -> Judge:
        """Scores."""
        arrays = self.arrays
        children, feature, threshold, length = (arrays[name] for name in ("children", "feature", "threshold", "length"))
        tree = np.arange(len(feature))
        # A tree is not grown deeper than its samples need to be halved.
        depth = int(np.ceil(np.log2(int(arrays["samples"]))))
        unit = path_length(arrays["samples"])

        def score(coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
            row = np.arange(len(coordinates))[:, None]
            node = np.zeros((len(coordinates), len(tree)), dtype=np.int64)
            for _ in range(depth):
                right = coordinates[row, feature[tree, node]] > threshold[tree, node]
                node = children[tree, node, right.astype(np.int64)]
            return np.asarray(2.0 ** -(length[tree, node].mean(axis=1) / unit), dtype=np.float64)

        return score


def forest_arrays(forest: Any) -> dict[str, NDArray[Any]]:
    """The trees of a fitted ``IsolationForest``, padded to M nodes each.

    Returns:
        ``children`` (trees, M, 2) int64, left and right, of a leaf the leaf itself; ``feature`` (trees, M) int64 and
        ``threshold`` (trees, M) float64, left at or below it; ``length`` (trees, M) float64, of a leaf the cuts down to it and
        those that its samples would still need on average.
    """
    trees = [estimator.tree_ for estimator in forest.estimators_]
    shape = (len(trees), max(tree.node_count for tree in trees))
    children = np.tile(np.arange(shape[1])[:, None], (len(trees), 1, 2))
    feature, threshold, length = np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)
    for number, tree in enumerate(trees):
        inner = np.flatnonzero(tree.children_left >= 0)
        children[number, inner] = np.stack([tree.children_left, tree.children_right], axis=1)[inner]
        feature[number, inner], threshold[number, inner] = tree.feature[inner], tree.threshold[inner]
        depth = np.zeros(tree.node_count)
        # A node comes before its children.
        for node in inner:
            depth[children[number, node]] = depth[node] + 1
        length[number, : tree.node_count] = depth + path_length(tree.n_node_samples)
    return {"children": children, "feature": feature, "threshold": threshold, "length": length}


def path_length(samples: NDArray[Any]) -> NDArray[np.float64]:
    """c(n) of the paper's equation 1: the mean path length of an unsuccessful search in a binary search tree of n samples."""
    n = np.asarray(samples, dtype=np.float64)
    large = np.maximum(n, 3)
    many = 2 * (np.log(large - 1) + np.euler_gamma) - 2 * (large - 1) / large
    return np.where(n > 2, many, np.where(n == 2, 1.0, 0.0))
