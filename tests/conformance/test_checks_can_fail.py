"""A check that cannot fail is a defect: each is failed here by a component that breaks its rule, and by no sound one."""

from __future__ import annotations

from typing import get_args
from unittest.mock import patch

import broken_datasets
import broken_detectors
import broken_flows
import broken_priors
import broken_scorers
import broken_tokenizers
import pytest
import torch
from sound_components import SOUND, SoundFlow, SoundScorer

from vadbench.api import KINDS, ConfigError, Entry, Kind, PoseShape, Terms, TokenShape
from vadbench.testing.checks import check_names, checks_for
from vadbench.testing.conformance import CheckSkipped, ConformanceError
from vadbench.testing.rules import budget_checks, class_checks

BROKEN: dict[Kind, tuple[type, ...]] = {
    "tokenizer": broken_tokenizers.BROKEN,
    "prior": broken_priors.BROKEN,
    "flow": broken_flows.BROKEN,
    "scorer": broken_scorers.BROKEN,
    "detector": broken_detectors.BROKEN,
    "dataset": broken_datasets.BROKEN,
}


class FlowWithoutCondition(SoundFlow):
    """A flow that says it takes no condition."""

    def __init__(self, config: object, poses: PoseShape, condition: TokenShape | None) -> None:
        if condition is not None:
            raise ConfigError("this flow has no use for one", where="flow")
        super().__init__(config, poses, condition)


class DeclaredScorer(broken_scorers.BothTails):
    """A scorer that says it is not monotone."""

    monotone = False


class DeclaredPrior(broken_priors.Uniform):
    """A prior that says it learns nothing."""

    learns = False


class ScorerOfOneTerm(SoundScorer):
    """A scorer that refuses a composition without the one term that it is about."""

    def fit(self, terms: Terms) -> None:
        if "detail" not in terms:
            raise ConfigError("there is no term 'detail'", where="scorer")
        super().fit(terms)


class ScorerOfTwoTerms(SoundScorer):
    """A scorer that refuses every composition with one term."""

    def fit(self, terms: Terms) -> None:
        if len(terms) < 2:
            raise ConfigError("one term is too few", where="scorer")
        super().fit(terms)


def entry_of(kind: Kind, cls: type) -> Entry:
    return Entry(kind, "tested", f"{cls.__module__}:{cls.__name__}", None, "", "tests")


def outcomes(kind: Kind, cls: type) -> tuple[dict[str, str], dict[str, str]]:
    """Messages of the checks that fail, and reasons of those that are skipped."""
    failed, skipped = {}, {}
    for check in checks_for(entry_of(kind, cls)):
        try:
            with patch.object(budget_checks, "CPU_SECONDS", getattr(cls, "cpu_seconds", budget_checks.CPU_SECONDS)):
                check.run()
        except ConformanceError as error:
            failed[check.name] = str(error)
        except CheckSkipped as reason:
            skipped[check.name] = str(reason)
    return failed, skipped


def named(kind: Kind, cls: type) -> set[str]:
    """The checks that a broken component is said to fail; a flow's without brackets stand for both builds."""
    return {name for name in check_names(kind) if name in cls.fails or name.partition("[")[0] in cls.fails}


@pytest.mark.parametrize(
    ("kind", "cls"), [pytest.param(kind, cls, id=f"{kind}-{cls.__name__}") for kind in KINDS for cls in BROKEN[kind]]
)
def test_broken_component_fails_the_checks_of_its_rule_and_no_other(kind: Kind, cls: type) -> None:
    failed, _ = outcomes(kind, cls)
    assert set(failed) == named(kind, cls), failed
    first = next(message for name, message in failed.items() if name.startswith(cls.fails[0]))
    assert cls.says in first
    assert first.startswith("expected")


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_is_failed_by_some_component(kind: Kind) -> None:
    seen = set().union(*(named(kind, cls) for cls in BROKEN[kind]))
    # Those of the class itself are failed in test_class_checks_can_fail.
    of_class = {function.__name__.removeprefix("check_") for function in class_checks.CHECKS}
    # And whether one can be made and fitted in test_faults_told_once.
    of_class |= {name for name in check_names(kind) if name.partition("[")[0] in class_checks.FOUNDATIONS}
    unseen = set() if torch.cuda.is_available() else {name for name in check_names(kind) if name.startswith("moves_to_cuda")}
    assert set(check_names(kind)) == seen | unseen | of_class


@pytest.mark.parametrize(
    ("kind", "cls"), [pytest.param(kind, cls, id=f"{kind}-{cls.__name__}") for kind in KINDS for cls in SOUND[kind]]
)
def test_sound_component_fails_no_check(kind: Kind, cls: type) -> None:
    failed, _ = outcomes(kind, cls)
    assert failed == {}


def test_kinds_are_complete() -> None:
    assert set(BROKEN) == set(SOUND) == set(get_args(Kind))


def test_flow_may_decline_a_condition() -> None:
    failed, skipped = outcomes("flow", FlowWithoutCondition)
    assert failed == {}
    may_be_absent = {"joint_surprise[unconditioned]", "moves_to_cuda[unconditioned]"}
    assert set(skipped) - may_be_absent == {name for name in check_names("flow") if name.endswith("[conditioned]")}
    assert skipped["log_det[conditioned]"] == "the flow takes no condition: this flow has no use for one"


def test_scorer_may_declare_that_it_is_not_monotone() -> None:
    failed, skipped = outcomes("scorer", DeclaredScorer)
    assert failed == {}
    reason = "the scorer declares monotone = False"
    assert skipped == {"monotone": reason, "higher_terms_score_higher": reason}


def test_prior_may_declare_that_it_learns_nothing() -> None:
    failed, skipped = outcomes("prior", DeclaredPrior)
    assert failed == {}
    assert skipped["learned"] == "the prior declares learns = False"
    assert set(skipped) - {"moves_to_cuda"} == {"learned", "distribution"}


def test_scorer_may_refuse_the_terms_that_it_is_not_about() -> None:
    assert outcomes("scorer", ScorerOfOneTerm) == ({}, {})
    failed, _ = outcomes("scorer", ScorerOfTwoTerms)
    assert list(failed) == ["single_term"]
    assert "one term is too few" in failed["single_term"]


def test_component_that_cannot_be_imported_fails_every_check() -> None:
    checks = checks_for(Entry("scorer", "absent", "no_such_package:Scorer", None, "", "tests"))
    for check in checks:
        with pytest.raises(ConformanceError, match="no_such_package"):
            check.run()


def test_checks_carry_the_rule_they_check() -> None:
    checks = checks_for(entry_of("scorer", SoundScorer))
    assert [check.name for check in checks] == check_names("scorer")
    assert all(check.contract.endswith(".") for check in checks)
