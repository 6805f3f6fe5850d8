"""Scorers that break one rule each. ``fails``: the checks that see it; ``says``: what the first one's message holds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
from asked_again import AskedAgain
from cpu_time import spend
from sound_components import SoundScorer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Terms


class SinglePrecision(SoundScorer):
    fails = ("scores",)
    says = "expected scores of type float64, got float32"

    def score(self, terms: Terms) -> Any:
        return super().score(terms).astype(np.float32)


class Overflows(SoundScorer):
    fails = ("scores",)
    says = "expected finite scores, got NaN or infinity"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        with np.errstate(over="ignore"):
            return np.sum([np.exp(values / 100) for values in self.standardised(terms).values()], axis=0)


class BothTails(SoundScorer):
    fails = ("monotone",)
    says = "expected no score to fall when the term semantic rises"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return np.sum([np.abs(values) for values in self.standardised(terms).values()], axis=0)


class FallsBeyondTraining(SoundScorer):
    """Takes for a fault of measurement what is far above anything that it was shown."""

    fails = ("monotone",)
    says = "expected no score to fall when the term semantic rises, got one that does"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return np.sum([np.where(values > 100, 0, values) for values in self.standardised(terms).values()], axis=0)


class Product(SoundScorer):
    """Right as long as every term is above 0, which the detail is not."""

    fails = ("monotone", "higher_terms_score_higher")
    says = "expected no score to fall when the term semantic rises"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return np.prod(list(terms.values()), axis=0)


class AnswersOtherwiseAgain(SoundScorer):
    fails = ("same_answer_twice",)
    says = "expected the same scores when it is asked again"

    def __init__(self, config: object) -> None:
        super().__init__(config)
        self.again = AskedAgain()

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return super().score(terms) + self.again(list(terms), *terms.values())


class AlwaysZero(SoundScorer):
    fails = ("higher_terms_score_higher",)
    says = "expected a mean score above 0 where every term is higher, got 0"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return 0 * super().score(terms)


class TakesItsTime(SoundScorer):
    fails = ("budget",)
    says = "expected at most 0.2 s of CPU time (CPU_SECONDS), got"
    cpu_seconds = 0.2

    def score(self, terms: Terms) -> NDArray[np.float64]:
        spend(0.3)
        return super().score(terms)


class WeightsByPlace(SoundScorer):
    fails = ("order_of_terms",)
    says = "expected the same scores for the terms in another order"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return np.sum([(place + 1) * values for place, values in enumerate(self.standardised(terms).values())], axis=0)


class NeedsEveryTerm(SoundScorer):
    fails = ("single_term",)
    says = "Got KeyError: 'detail'"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        parts = self.standardised(terms)
        return parts["detail"] + parts["semantic"]


class DividesByZero(SoundScorer):
    fails = ("constant_term",)
    says = "expected finite scores where the term semantic was constant in training"

    def fit(self, terms: Terms) -> None:
        self.statistics = {name: (float(values.mean()), np.float64(values.std())) for name, values in terms.items()}


class RankOfTheBatch(SoundScorer):
    fails = ("batches_do_not_matter", "higher_terms_score_higher")
    says = "expected the scores of a batch to be those of its pieces"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return super().score(terms).argsort().argsort().astype(np.float64)


class HighestSoFar(SoundScorer):
    fails = ("order_does_not_matter", "batches_do_not_matter")
    says = "expected scores that follow the order of the windows"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return np.maximum.accumulate(super().score(terms))


class Squeezed(SoundScorer):
    fails = ("one_window", "batches_do_not_matter")
    says = "expected scores of shape (1,) for 1 windows, got ()"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return super().score(terms).squeeze()


class NeedsWindows(SoundScorer):
    fails = ("no_windows",)
    says = "No windows have no scores. Got ValueError: zero-size array"

    def score(self, terms: Terms) -> NDArray[np.float64]:
        scores = super().score(terms)
        return scores + 0 * scores.max()


class Unseeded(SoundScorer):
    fails = ("same_seed_same_outputs",)
    says = "expected the same seed to give the same scores"

    def fit(self, terms: Terms) -> None:
        half = np.random.default_rng().random(len(next(iter(terms.values())))) < 0.5
        super().fit({name: values[half] for name, values in terms.items()})


class Forgetful(SoundScorer):
    fails = ("state_round_trip",)
    says = "expected the same scores once its state was stored and loaded"

    def state_dict(self) -> dict[str, Any]:
        return {name: pair.ceil() for name, pair in super().state_dict().items()}


class Prints(SoundScorer):
    fails = ("prints_nothing",)
    says = "expected nothing on stdout"

    def fit(self, terms: Terms) -> None:
        super().fit(terms)
        print(self.statistics)  # noqa: T201 - the fault


class SeedsRandom(SoundScorer):
    fails = ("global_generators_untouched",)
    says = "expected the global generator of Python's random to be left alone"

    def __init__(self, config: object) -> None:
        super().__init__(config)
        random.seed(0)


class SortsItsInput(SoundScorer):
    fails = ("inputs_unchanged",)
    says = "expected the term semantic to be left as it was given"

    def fit(self, terms: Terms) -> None:
        for values in terms.values():
            values.sort()
        super().fit(terms)


class SilencesNumPy(SoundScorer):
    fails = ("leaves_the_process_as_it_was",)
    says = "got a change of numpy.seterr"

    def fit(self, terms: Terms) -> None:
        np.seterr(all="ignore")
        super().fit(terms)


BROKEN = (
    SinglePrecision,
    Overflows,
    BothTails,
    FallsBeyondTraining,
    Product,
    AnswersOtherwiseAgain,
    AlwaysZero,
    TakesItsTime,
    WeightsByPlace,
    NeedsEveryTerm,
    DividesByZero,
    RankOfTheBatch,
    HighestSoFar,
    Squeezed,
    NeedsWindows,
    Unseeded,
    Forgetful,
    Prints,
    SeedsRandom,
    SortsItsInput,
    SilencesNumPy,
)
