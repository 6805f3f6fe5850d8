"""Scorers: how the terms of a composition become one anomaly score.

With a deterministic quantiser, ``-log p(c) - log p(x | c)`` is the exact joint negative log-likelihood of a window and
its tokens, so `Nats` is the principled fusion. The detail term has hundreds of dimensions and the semantic term a few
tokens, though, so the former drowns the latter; `Standardised` puts both on one scale, with training statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from pydantic import Field

from vadbench.api import ComponentConfig, ConfigError, NoConfig, Terms, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray


class StandardisedConfig(ComponentConfig):
    """Settings of the standardised scorer."""

    weights: dict[str, float] = Field(default={}, description="weight of a term; 1 where none is given. Never from test labels")


class TermStatistics:
    """Mean and standard deviation of each term over training windows."""

    def __init__(self, config: ComponentConfig) -> None:
        self.config = config
        self.mean: dict[str, float] = {}
        self.sd: dict[str, float] = {}

    def fit(self, terms: Terms) -> None:
        """Takes the statistics; a term that never varies gets the deviation 1."""
        self.mean = {name: float(np.mean(values)) for name, values in terms.items()}
        # The deviation of equal numbers is not always 0: their mean is rounded.
        self.sd = {name: float(np.std(values)) if np.ptp(values) > 0 else 1.0 for name, values in terms.items()}

    def state_dict(self) -> dict[str, torch.Tensor]:
        """(2,) float64, mean and deviation, by term."""
        return {name: torch.tensor([self.mean[name], self.sd[name]], dtype=torch.float64) for name in self.mean}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes back what `state_dict` gave."""
        self.mean = {name: float(value[0]) for name, value in state_dict.items()}
        self.sd = {name: float(value[1]) for name, value in state_dict.items()}

    def standardised(self, terms: Terms) -> dict[str, NDArray[np.float64]]:
        """(term - mean) / deviation, each (B,)."""
        return {name: (values - self.mean[name]) / self.sd[name] for name, values in terms.items()}


class Standardised(TermStatistics):
    """Weighted sum of standardised terms; fulfils `vadbench.api.Scorer`."""

    config: StandardisedConfig

    def check_terms(self, terms: Iterable[str]) -> None:
        """Raises `ConfigError` for a weight of a term that there is not."""
        known = list(terms)
        for name in self.config.weights:
            if name not in known:
                raise ConfigError(f"there is no term {name!r}", where="scorer.weights", remedy=did_you_mean(name, known))

    def fit(self, terms: Terms) -> None:
        """Takes the statistics; raises what `check_terms` raises."""
        self.check_terms(terms)
        super().fit(terms)

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes back what `state_dict` gave; raises what `check_terms` raises."""
        self.check_terms(state_dict)
        super().load_state_dict(state_dict)

    def score(self, terms: Terms) -> NDArray[np.float64]:
        """(B,)."""
        parts = [self.config.weights.get(name, 1.0) * values for name, values in self.standardised(terms).items()]
        return np.asarray(np.sum(parts, axis=0))


class Maximum(TermStatistics):
    """The largest standardised term: whichever level is most surprised; fulfils `vadbench.api.Scorer`."""

    def score(self, terms: Terms) -> NDArray[np.float64]:
        """(B,)."""
        return np.asarray(np.max(list(self.standardised(terms).values()), axis=0))


class Unlearned:
    """What scorers have in common that need no statistics."""

    def __init__(self, config: NoConfig) -> None:
        self.config = config

    def fit(self, terms: Terms) -> None:
        """Learns nothing."""

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Nothing."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes nothing."""


class Nats(Unlearned):
    """Unweighted sum of the terms; fulfils `vadbench.api.Scorer`."""

    def score(self, terms: Terms) -> NDArray[np.float64]:
        """(B,) nats."""
        return np.asarray(np.sum(list(terms.values()), axis=0))


class OneTerm(Unlearned):
    """One of the terms, as it is, whatever others there are; fulfils `vadbench.api.Scorer`."""

    term: ClassVar[str]
    part: ClassVar[str]
    """The part of a composition that the term comes from."""

    def fit(self, terms: Terms) -> None:
        """Learns nothing; raises what `check_terms` raises."""
        self.check_terms(terms)

    def check_terms(self, terms: Iterable[str]) -> None:
        """Raises `ConfigError` if the composition has no such term."""
        if self.term not in terms:
            raise ConfigError(
                f"the scorer {self.term} needs the term {self.term!r}, and the composition has {', '.join(terms) or 'none'}",
                where="scorer.name",
                remedy=f"add {self.term!r} to composition.terms and keep the {self.part}, or choose another scorer with --scorer",
            )

    def score(self, terms: Terms) -> NDArray[np.float64]:
        """(B,) nats."""
        return np.array(terms[self.term], dtype=np.float64)


class SemanticAlone(OneTerm):
    """The semantic term: how unlikely the order of the primitives is."""

    term = "semantic"
    part = "prior"


class DetailAlone(OneTerm):
    """The detail term: how unlikely the poses are."""

    term = "detail"
    part = "flow"
