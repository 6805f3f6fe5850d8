"""A fault that no check could do without is told by one check, and the others say that they rest on it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from broken_flows import CannotBeConditioned
from sound_components import SOUND, SoundScorer

from vadbench.api import KINDS, Entry, Kind, Terms
from vadbench.testing.subjects import component_subject

if TYPE_CHECKING:
    from vadbench.testing.outcomes import Outcome


def outcomes_of(kind: Kind, cls: type) -> dict[str, Outcome]:
    setattr(sys.modules[__name__], "Tested", cls)  # noqa: B010 - found by its name, as a plug-in's class is
    entry = Entry(kind, "tested", f"{__name__}:Tested", None, "", "tests")
    return {outcome.check: outcome for outcome in component_subject(entry).outcomes()}


def failed(outcomes: dict[str, Outcome]) -> list[str]:
    return [name for name, outcome in outcomes.items() if outcome.fault]


@pytest.mark.parametrize("kind", KINDS)
def test_component_that_cannot_be_made(kind: Kind) -> None:
    class Unmade(SOUND[kind][0]):
        def __init__(self, *given: Any) -> None:
            raise RuntimeError("no room")

    outcomes = outcomes_of(kind, Unmade)
    builds = ["[unconditioned]", "[conditioned]"] if kind == "flow" else [""]
    assert failed(outcomes) == [f"can_be_made{build}" for build in builds]
    assert "RuntimeError: no room" in outcomes[f"can_be_made{builds[0]}"].message
    resting = [outcome for outcome in outcomes.values() if outcome.outcome == "skipped"]
    assert len(resting) > 8
    assert {outcome.message for outcome in resting} == {f"rests on can_be_made{build}, which failed" for build in builds}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dataset"])
def test_component_that_cannot_be_fitted(kind: Kind) -> None:
    class Unfitted(SOUND[kind][0]):
        def fit(self, *given: Any) -> None:
            raise RuntimeError("too few windows")

    outcomes = outcomes_of(kind, Unfitted)
    builds = ["[unconditioned]", "[conditioned]"] if kind == "flow" else [""]
    assert failed(outcomes) == [f"can_be_fitted{build}" for build in builds]
    assert "RuntimeError: too few windows" in outcomes[f"can_be_fitted{builds[0]}"].message
    assert outcomes[f"budget{builds[0]}"].message == f"rests on can_be_fitted{builds[0]}, which failed"


def test_one_build_does_not_rest_on_another() -> None:
    outcomes = outcomes_of("flow", CannotBeConditioned)
    assert failed(outcomes) == ["can_be_fitted[conditioned]"]
    assert outcomes["log_det[conditioned]"].message == "rests on can_be_fitted[conditioned], which failed"
    assert outcomes["log_det[unconditioned]"].outcome == "ok"


def test_what_fails_after_input_was_written_to_says_so() -> None:
    class Standardises(SoundScorer):
        def score(self, terms: Terms) -> Any:
            for values in terms.values():
                values[:] = values - values.mean()
            return super().score(terms)

    outcomes = outcomes_of("scorer", Standardises)
    assert failed(outcomes)[0] == "inputs_unchanged"
    assert outcomes["inputs_unchanged"].remedy is None
    others = failed(outcomes)[1:]
    assert others
    hint = "see inputs_unchanged first: what was written to its input may be the cause"
    assert hint in {outcomes[name].remedy for name in others}


def test_it_cannot_be_declared_away() -> None:
    class Declared(SoundScorer):
        expected_failures = {"can_be_fitted": "not yet"}  # noqa: RUF012 - as a plug-in writes it

    outcomes = outcomes_of("scorer", Declared)
    assert failed(outcomes)[0] == "expected_failures"
    assert "can be left unkept" in outcomes["expected_failures"].message
