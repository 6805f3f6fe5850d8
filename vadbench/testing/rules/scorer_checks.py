"""The contract of a scorer, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.api import ConfigError, Context, Scorer, Terms, ValidatedScorer
from vadbench.testing.conformance import CheckSkipped, expect, expect_same, is_finite
from vadbench.testing.rules import conduct_checks, foundation_checks, learning_checks
from vadbench.testing.sample import sample_terms
from vadbench.testing.trial import LearningTrial

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_CONTRACT: Final = "Scorer"


class ScorerTrial(LearningTrial[Scorer]):
    """A scorer on trial.

    Args:
        make: ``make()`` gives an unfitted scorer.
        memory: See `LearningTrial`.
    """

    contract = _CONTRACT

    def __init__(self, make: Callable[[], Scorer], memory: dict[str, Any] | None = None) -> None:
        super().__init__(make, memory)
        self.terms = sample_terms()

    def build(self) -> Scorer:
        """A scorer."""
        return self.make()

    def teach(self, component: Scorer, context: Context) -> None:  # noqa: ARG002 - a scorer is given none
        """Fits it on the terms of normal windows."""
        self.teach_terms(component, self.terms)

    def teach_terms(self, component: Scorer, terms: Terms) -> None:
        """Fits it on these terms, and has it choose by how high it scores every third window, if it is one that chooses."""
        component.fit(terms)
        if isinstance(component, ValidatedScorer):
            component.choose(terms, lambda scores: float((scores[::3] > np.median(scores)).mean()))

    def outputs(self, component: Scorer) -> Mapping[str, Any]:
        """Scores."""
        return {"scores": component.score(self.terms)}

    def inputs(self) -> Mapping[str, Any]:
        """The terms."""
        return {f"the term {name}": values for name, values in self.terms.items()}


def check_scores(trial: ScorerTrial) -> None:
    """Scores are (B,) float64 and finite, also for terms as high as an absurd window's."""
    scorer = trial.trained()
    wanted = (len(trial.terms["semantic"]),)
    for steps in (0.0, 1e6):
        scores = scorer.score({name: values + steps * values.std() for name, values in trial.terms.items()})
        expect(isinstance(scores, np.ndarray), "a NumPy array of scores", type(scores).__name__, _CONTRACT)
        expect(scores.shape == wanted, f"scores of shape (B,) = {wanted}", scores.shape, _CONTRACT)
        expect(scores.dtype == np.float64, "scores of type float64", scores.dtype, _CONTRACT)
        expect(is_finite(scores), "finite scores", "NaN or infinity", _CONTRACT)


def check_monotone(trial: ScorerTrial) -> None:
    """A higher term never lowers a score, however high or low it is. A scorer that means otherwise says ``monotone = False``."""
    scorer = trial.trained()
    if not getattr(scorer, "monotone", True):
        raise CheckSkipped("the scorer declares monotone = False")
    before = scorer.score(trial.terms)
    for name, values in trial.terms.items():
        for size in (0.1, 10.0):
            after = scorer.score({**trial.terms, name: values + size * values.std()})
            fell = int((after < before - 1e-9 * np.abs(before)).sum())
            expect(fell == 0, f"no score to fall when the term {name} rises", f"{fell} of {len(before)} that do", _CONTRACT)
    # And one window's score, while one of its terms goes from far below what training showed to far above.
    steps = np.concatenate([-np.logspace(3, -1, 40), np.logspace(-1, 3, 40)])
    for name, values in trial.terms.items():
        swept = {other: np.full(len(steps), np.median(given)) for other, given in trial.terms.items()}
        swept[name] = values.mean() + values.std() * steps
        scores = scorer.score(swept)
        where = np.flatnonzero(np.diff(scores) < -1e-9 * np.abs(scores[:-1]))
        at = f"one that does {steps[where[0]]:.1f} standard deviations from its mean" if len(where) else ""
        expect(not len(where), f"no score to fall when the term {name} rises", at, _CONTRACT)


def check_higher_terms_score_higher(trial: ScorerTrial) -> None:
    """Where every term is higher, scores are higher on average: the terms decide. Not asked where ``monotone = False``."""
    scorer = trial.trained()
    if not getattr(scorer, "monotone", True):
        raise CheckSkipped("the scorer declares monotone = False")
    before = float(scorer.score(trial.terms).mean())
    after = float(scorer.score({name: values + 2 * values.std() for name, values in trial.terms.items()}).mean())
    expect(after > before, f"a mean score above {before:.4g} where every term is higher", f"{after:.4g}", _CONTRACT)


def check_order_of_terms(trial: ScorerTrial) -> None:
    """Terms are known by their names, not by the order they come in."""
    scorer = trial.trained()
    got = scorer.score(dict(reversed(trial.terms.items())))
    expect_same(got, scorer.score(trial.terms), "the same scores for the terms in another order", _CONTRACT)


def check_single_term(trial: ScorerTrial) -> None:
    """One term alone can be scored, as in a composition that has only one part; a scorer that needs another one says so."""
    refused = []
    for name, values in trial.terms.items():
        scorer = trial.fresh()
        try:
            trial.teach_terms(scorer, {name: values})
        except ConfigError as error:
            refused.append(error.what)
            continue
        scores = scorer.score({name: values})
        fine = scores.shape == values.shape and is_finite(scores)
        expect(fine, f"{values.shape} finite scores from the term {name} alone", scores.shape, _CONTRACT)
    expect(len(refused) < len(trial.terms), "a term that can be scored alone", f"none: {'; '.join(refused)}", _CONTRACT)


def check_constant_term(trial: ScorerTrial) -> None:
    """A term that never varies in training still leaves every score finite."""
    for name, values in trial.terms.items():
        scorer = trial.fresh()
        trial.teach_terms(scorer, {**trial.terms, name: np.full_like(values, 2.5)})
        with np.errstate(all="ignore"):
            scores = scorer.score(trial.terms)
        expect(is_finite(scores), f"finite scores where the term {name} was constant in training", "others", _CONTRACT)


def check_batches_do_not_matter(trial: ScorerTrial) -> None:
    """A window's score is the same in whatever batch it is fused."""
    scorer = trial.trained()
    got = np.concatenate([scorer.score(_rows(trial.terms, piece)) for piece in (slice(0, 1), slice(1, 8), slice(8, None))])
    expect_same(got, scorer.score(trial.terms), "the scores of a batch to be those of its pieces", _CONTRACT)


def check_order_does_not_matter(trial: ScorerTrial) -> None:
    """Windows in another order have the same scores, in that order."""
    scorer = trial.trained()
    order = np.random.default_rng(3).permutation(len(trial.terms["semantic"]))
    wanted = scorer.score(trial.terms)[order]
    expect_same(scorer.score(_rows(trial.terms, order)), wanted, "scores that follow the order of the windows", _CONTRACT)


def check_one_window(trial: ScorerTrial) -> None:
    """One window is a batch as well."""
    _check_count(trial, 1)


def check_no_windows(trial: ScorerTrial) -> None:
    """No windows have no scores."""
    _check_count(trial, 0)


def _check_count(trial: ScorerTrial, count: int) -> None:
    scores = np.asarray(trial.trained().score(_rows(trial.terms, slice(0, count))))
    expect(scores.shape == (count,), f"scores of shape {(count,)} for {count} windows", scores.shape, _CONTRACT)


def _rows(terms: Terms, index: slice | NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    return {name: values[index] for name, values in terms.items()}


CHECKS: Final = (
    *foundation_checks.CHECKS,
    check_scores,
    check_monotone,
    check_higher_terms_score_higher,
    check_order_of_terms,
    check_single_term,
    check_constant_term,
    check_batches_do_not_matter,
    check_order_does_not_matter,
    check_one_window,
    check_no_windows,
    *learning_checks.CHECKS,
    *conduct_checks.CHECKS,
)
"""Every check of a scorer."""
