"""Weights of the terms that are chosen on a labelled validation split, where a data set has one.

The scorer is given no label: it is told how good a score of the validation windows is, and tries a fixed grid of weights.
"""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import Field

from vadbench.api import ComponentConfig, ConfigError, DataError, Quality, Terms
from vadbench_msgflow.scorer import TermStatistics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


class LearnedOnValidationConfig(ComponentConfig):
    """Settings of the search."""

    parts: int = Field(default=20, ge=1, description="a weight is a multiple of one over this, with two terms")
    parts_of_many: int = Field(default=10, ge=1, description="the same with three terms or more, which have more combinations")


class LearnedOnValidation(TermStatistics):
    """Sum of standardised terms with the best convex weights; fulfils `vadbench.api.ValidatedScorer`.

    The weights are not negative and add up to 1. Of equally good ones those nearest to equal are taken.
    """

    config: LearnedOnValidationConfig

    def __init__(self, config: LearnedOnValidationConfig) -> None:
        super().__init__(config)
        self.weights: dict[str, float] = {}

    def choose(self, terms: Terms, quality: Quality) -> dict[str, float]:
        """Tries every weight of the grid and keeps the best.

        Args:
            terms: Of the validation windows, each (W,).
            quality: Of a score (W,) of those windows.

        Returns:
            ``weight.<term>`` to the weight.

        Raises:
            DataError: if the quality of a score is not a finite number.
        """
        standardised, names = self.standardised(terms), sorted(terms)
        columns = np.stack([standardised[name] for name in names])
        parts = self.config.parts if len(names) < 3 else self.config.parts_of_many
        best: tuple[float, ...] = ()
        rank = (-math.inf, 0.0)
        for shares in _shares(len(names), parts):
            weights = tuple(share / parts for share in shares)
            figure = quality(np.asarray(weights) @ columns)
            if not math.isfinite(figure):
                raise DataError(
                    f"the figure of the validation split is {figure}",
                    where="scorer",
                    remedy="weights can be chosen where the split has normal and abnormal frames; choose another scorer",
                )
            # Rounded, so that what differs by rounding alone is equally good.
            better = (round(figure, 9), -sum(share * share for share in shares))
            if better > rank:
                best, rank = weights, better
        self.weights = dict(zip(names, best, strict=True))
        return {f"weight.{name}": weight for name, weight in self.weights.items()}

    def score(self, terms: Terms) -> NDArray[np.float64]:
        """(B,); raises `ConfigError` if nothing was chosen."""
        if not self.weights:
            raise ConfigError(
                "the scorer learned-on-validation has no weights: the data set has no labelled validation split",
                where="scorer.name",
                remedy="use it on a data set that has one, such as ubnormal, or choose another scorer with --scorer",
            )
        standardised = self.standardised(terms)
        return np.asarray(np.sum([self.weights[name] * standardised[name] for name in sorted(standardised)], axis=0))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Mean and deviation by term, float64, and its weight as a third number once that was chosen."""
        weights = {name: torch.tensor([weight], dtype=torch.float64) for name, weight in self.weights.items()}
        return {name: torch.cat([value, weights.get(name, value[:0])]) for name, value in super().state_dict().items()}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes back what `state_dict` gave."""
        super().load_state_dict(state_dict)
        self.weights = {name: float(value[2]) for name, value in state_dict.items() if len(value) > 2}


def _shares(terms: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to deal out ``parts`` equal parts to ``terms`` terms."""
    for bars in combinations(range(parts + terms - 1), terms - 1):
        edges = (-1, *bars, parts + terms - 1)
        yield tuple(after - before - 1 for before, after in pairwise(edges))
