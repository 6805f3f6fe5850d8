"""Checks of the class and its settings, each failed by some class of every kind."""

from __future__ import annotations

import broken_classes
import pytest
from broken_classes import CONFIGS, MADE_OF_NOTHING, MISSPELT, USED_METHOD, WITHOUT_ARGUMENTS, WITHOUT_METHOD, WITHOUT_REASON
from sound_components import SOUND

from vadbench.api import KINDS, Entry, Kind
from vadbench.testing.checks import checks_for
from vadbench.testing.conformance import ConformanceError
from vadbench.testing.rules import class_checks


def failures(kind: Kind, cls: type, config: type | None = None) -> dict[str, str]:
    """Messages of the checks of the class that fail."""
    broken_classes.Tested, broken_classes.TestedConfig = cls, config
    target = "broken_classes:TestedConfig" if config is not None else None
    entry = Entry(kind, "tested", "broken_classes:Tested", target, "", "tests")
    names = {function.__name__.removeprefix("check_") for function in class_checks.CHECKS}
    failed = {}
    for check in checks_for(entry):
        if check.name in names:
            try:
                check.run()
            except ConformanceError as error:
                failed[check.name] = str(error)
    return failed


@pytest.mark.parametrize("kind", KINDS)
def test_sound_class_fails_none(kind: Kind) -> None:
    assert failures(kind, SOUND[kind][0]) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_class_without_a_method_cannot_be_used(kind: Kind) -> None:
    failed = failures(kind, WITHOUT_METHOD[kind])
    assert set(failed) == {function.__name__.removeprefix("check_") for function in class_checks.CHECKS}
    assert f"{kind} 'tested' lacks {USED_METHOD[kind]}" in failed["importable"]
    assert f"{kind.capitalize()} in vadbench.api" in failed["importable"]


@pytest.mark.parametrize("kind", KINDS)
def test_method_that_does_not_take_what_it_is_given(kind: Kind) -> None:
    failed = failures(kind, WITHOUT_ARGUMENTS[kind])
    assert set(failed) == {"signatures"}
    assert failed["signatures"].startswith(f"expected {USED_METHOD[kind]}(")
    assert f"got {USED_METHOD[kind]}(): too many positional arguments, see {kind.capitalize()} in" in failed["signatures"]


@pytest.mark.parametrize("kind", KINDS)
def test_constructor_that_does_not_take_what_it_is_given(kind: Kind) -> None:
    failed = failures(kind, MADE_OF_NOTHING[kind])
    assert set(failed) == {"signatures"}
    assert "expected MadeOfNothing(config" in failed["signatures"]
    assert "how the harness makes one" in failed["signatures"]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_config_model(config: type) -> None:
    failed = failures("scorer", SOUND["scorer"][0], config)
    assert set(failed) == {"settings"}
    assert CONFIGS[config] in failed["settings"]


@pytest.mark.parametrize("kind", KINDS)
def test_misspelt_expected_failure(kind: Kind) -> None:
    failed = failures(kind, MISSPELT[kind])
    assert set(failed) == {"expected_failures"}
    assert "got 'prints_nothin'" in failed["expected_failures"]
    assert "did you mean 'prints_nothing'" in failed["expected_failures"]


def test_expected_failure_without_a_reason() -> None:
    assert "expected a reason why prints_nothing fails" in failures("scorer", WITHOUT_REASON["scorer"])["expected_failures"]


def test_parameters_with_other_names_and_more_of_them_are_fine() -> None:
    class Liberal(SOUND["detector"][0]):
        def score(self, these, *rest, verbose=False, **more):
            return super().score(these, *rest)

        @staticmethod
        def load_state_dict(state, strict=True):
            pass

    assert failures("detector", Liberal) == {}
