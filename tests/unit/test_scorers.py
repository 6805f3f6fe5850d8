"""Scorers: numbers by hand, monotone in every term, and statistics that survive a constant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import ConfigError, NoConfig, Scorer
from vadbench_msgflow.scorer import DetailAlone, Maximum, Nats, SemanticAlone, Standardised, StandardisedConfig

NORMAL = {"semantic": np.array([1.0, 3, 5, 7]), "detail": np.array([100.0, 100, 300, 300])}
TEST = {"semantic": np.array([4.0, 8.0]), "detail": np.array([400.0, 200.0])}
SD = 5**0.5


def standardised(**weights: float) -> Standardised:
    scorer = Standardised(StandardisedConfig(weights=weights))
    scorer.fit(NORMAL)
    return scorer


def largest() -> Maximum:
    scorer = Maximum(NoConfig())
    scorer.fit(NORMAL)
    return scorer


def alone(cls: type) -> Scorer:
    scorer = cls(NoConfig())
    scorer.fit(NORMAL)
    return scorer


MAKERS = [standardised, largest, lambda: Nats(NoConfig()), lambda: alone(SemanticAlone), lambda: alone(DetailAlone)]


def test_by_hand():
    assert standardised().score(TEST).tolist() == pytest.approx([0 + 2, 4 / SD + 0])
    assert standardised(semantic=0.5).score(TEST).tolist() == pytest.approx([2, 2 / SD])
    assert standardised(detail=0.0).score(TEST).tolist() == pytest.approx([0, 4 / SD])
    assert largest().score(TEST).tolist() == pytest.approx([2, 4 / SD])
    assert Nats(NoConfig()).score(TEST).tolist() == [404, 208]
    assert alone(SemanticAlone).score(TEST).tolist() == [4, 8]
    assert alone(DetailAlone).score(TEST).tolist() == [400, 200]


@pytest.mark.parametrize(("cls", "term", "other"), [(SemanticAlone, "semantic", "detail"), (DetailAlone, "detail", "semantic")])
def test_a_term_that_is_not_there(cls, term, other):
    scorer = cls(NoConfig())
    scorer.fit({term: NORMAL[term]})
    assert scorer.score({term: TEST[term]}).tolist() == TEST[term].tolist()
    with pytest.raises(ConfigError, match=f"needs the term '{term}', and the composition has {other}") as caught:
        scorer.fit({other: NORMAL[other]})
    assert caught.value.where == "scorer.name"
    assert "composition.terms" in caught.value.remedy


def test_a_term_alone_is_a_copy():
    score = alone(DetailAlone).score(TEST)
    score[:] = 0
    assert TEST["detail"].tolist() == [400, 200]


@pytest.mark.parametrize("make", MAKERS)
@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=10),
    st.sampled_from(["semantic", "detail"]),
    st.floats(0, 1e3),
)
def test_monotone_in_every_term(make, rows, term, more):
    terms = dict(zip(("semantic", "detail"), np.array(rows).T, strict=True))
    raised = {**terms, term: terms[term] + more}
    assert (make().score(raised) >= make().score(terms)).all()


@pytest.mark.parametrize("make", MAKERS)
def test_shape_and_contract(make):
    assert make().score(TEST).shape == (2,)
    assert make().score({name: np.zeros(0) for name in TEST}).shape == (0,)
    assert isinstance(make(), Scorer)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.1, -7.3])
@pytest.mark.parametrize("count", [1, 3, 10, 999])
def test_a_term_that_never_varies(value, count):
    scorer = Standardised(StandardisedConfig())
    scorer.fit({"semantic": np.full(count, value), "detail": np.array([0.0, 2.0])})
    assert scorer.sd == {"semantic": 1.0, "detail": 1.0}
    assert scorer.score({"semantic": np.array([value + 1]), "detail": np.array([1.0])})[0] == pytest.approx(1)


@pytest.mark.parametrize("scorer", [standardised(semantic=2.0), largest()])
def test_state_round_trip(scorer):
    other = type(scorer)(scorer.config)
    other.load_state_dict(scorer.state_dict())
    assert other.score(TEST).tolist() == scorer.score(TEST).tolist()
    assert dict(Nats(NoConfig()).state_dict()) == {}


def test_weight_of_an_unknown_term():
    with pytest.raises(ConfigError) as caught:
        standardised(semantics=2.0)
    assert caught.value.what == "there is no term 'semantics'"
    assert caught.value.where == "scorer.weights"
    assert "'semantic'" in caught.value.remedy


def test_statistics_are_of_training_not_of_test():
    scorer = standardised()
    one = scorer.score({name: values[:1] for name, values in TEST.items()})
    assert one[0] == scorer.score(TEST)[0]
