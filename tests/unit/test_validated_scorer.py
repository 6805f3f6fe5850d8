"""The scorer that chooses weights on a validation split: it finds the best of its grid, and asks for nothing but a figure."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from vadbench.api import ConfigError, DataError, Scorer, ValidatedScorer
from vadbench_msgflow.validated_scorer import LearnedOnValidation, LearnedOnValidationConfig, _shares

RNG = np.random.default_rng(0)
LABELS = RNG.random(300) < 0.3
NAMES = ("semantic", "detail", "reconstruction")
NORMAL = {name: RNG.normal(loc, scale, 400) for name, loc, scale in zip(NAMES, (5, 900, 0.1), (2, 120, 0.05), strict=True)}


def validation(**signal: float) -> dict[str, np.ndarray]:
    """Terms on the scale of the normal ones, which abnormal windows raise by so many deviations."""
    rng = np.random.default_rng(1)
    drawn = {name: rng.normal(size=300) + strength * LABELS for name, strength in signal.items()}
    return {name: NORMAL[name].mean() + NORMAL[name].std() * values for name, values in drawn.items()}


def auroc(scores: np.ndarray) -> float:
    return float(roc_auc_score(LABELS, scores))


def made(terms=("semantic", "detail"), **settings) -> LearnedOnValidation:
    scorer = LearnedOnValidation(LearnedOnValidationConfig(**settings))
    scorer.fit({name: NORMAL[name] for name in terms})
    return scorer


def test_the_best_of_the_grid():
    scorer, terms = made(), validation(semantic=0.4, detail=1.5)
    chosen = scorer.choose(terms, auroc)
    assert set(chosen) == {"weight.semantic", "weight.detail"}
    assert sum(chosen.values()) == pytest.approx(1)
    standardised = scorer.standardised(terms)
    grid = {w / 20: auroc(w / 20 * standardised["semantic"] + (1 - w / 20) * standardised["detail"]) for w in range(21)}
    assert auroc(scorer.score(terms)) == pytest.approx(max(grid.values()))
    assert grid[chosen["weight.semantic"]] == pytest.approx(max(grid.values()))
    assert 0 < chosen["weight.semantic"] < 0.5


def test_a_term_that_tells_nothing_gets_little():
    assert made().choose(validation(semantic=0.0, detail=3.0), auroc)["weight.detail"] >= 0.8
    assert made().choose(validation(semantic=3.0, detail=0.0), auroc)["weight.semantic"] >= 0.8


def test_ties_go_to_the_most_equal_weights():
    asked = []

    def flat(scores):
        asked.append(scores)
        return 0.5 + 1e-13 * len(asked)

    assert made().choose(validation(semantic=1, detail=1), flat) == {"weight.semantic": 0.5, "weight.detail": 0.5}
    assert len(asked) == 21
    found = made(NAMES).choose(validation(semantic=1, detail=1, reconstruction=1), flat)
    assert sorted(found.values()) == [0.3, 0.3, 0.4]
    assert len(asked) == 21 + 66, "three terms are tried in coarser steps"


def test_order_of_terms_is_of_no_account():
    terms = validation(semantic=0.6, detail=0.9, reconstruction=0.3)
    one, other = made(NAMES), made(NAMES[::-1])
    assert one.choose(terms, auroc) == other.choose(dict(reversed(terms.items())), auroc)
    assert one.score(terms).tolist() == other.score(dict(reversed(terms.items()))).tolist()


def test_one_term():
    scorer = made(["detail"])
    assert scorer.choose(validation(detail=1), auroc) == {"weight.detail": 1.0}


def test_it_sees_scores_and_no_label():
    """What quality is given has the windows' length and nothing else goes in or out."""
    shapes = []

    def quality(scores):
        shapes.append((scores.shape, scores.dtype))
        return 0.5

    made().choose(validation(semantic=1, detail=1), quality)
    assert set(shapes) == {((300,), np.dtype("float64"))}


def test_nothing_was_chosen():
    with pytest.raises(ConfigError, match="no labelled validation split") as caught:
        made().score(validation(semantic=1, detail=1))
    assert caught.value.where == "scorer.name"
    assert "--scorer" in caught.value.remedy


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_a_figure_that_is_none(figure):
    with pytest.raises(DataError, match="figure of the validation split") as caught:
        made().choose(validation(semantic=1, detail=1), lambda _: figure)
    assert "normal and abnormal" in caught.value.remedy


def test_state_round_trip():
    scorer, terms = made(), validation(semantic=0.4, detail=1.5)
    unchosen = LearnedOnValidation(scorer.config)
    unchosen.load_state_dict(scorer.state_dict())
    with pytest.raises(ConfigError):
        unchosen.score(terms)
    scorer.choose(terms, auroc)
    other = LearnedOnValidation(scorer.config)
    other.load_state_dict(scorer.state_dict())
    assert other.score(terms).tolist() == scorer.score(terms).tolist()
    assert isinstance(scorer, ValidatedScorer)
    assert isinstance(scorer, Scorer)


@given(st.integers(1, 4), st.integers(1, 6))
def test_the_grid_is_whole(terms, parts):
    wanted = {shares for shares in itertools.product(range(parts + 1), repeat=terms) if sum(shares) == parts}
    found = list(_shares(terms, parts))
    assert len(found) == len(wanted)
    assert set(found) == wanted
