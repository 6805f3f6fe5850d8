"""What comes of a check: declared failures, checks that rest on others, where an error came from, names that are misspelt."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from vadbench.api import ConfigError, Entry, PluginError, UsageError
from vadbench.testing.checks import Check
from vadbench.testing.conformance import Advice, CheckSkipped, ConformanceError
from vadbench.testing.outcomes import FAULTS, outcome_of
from vadbench.testing.parametrized import told
from vadbench.testing.subjects import Subject, check_known, component_subject
from vadbench.testing.targets import find_targets

SCORER = """
import math
from vadbench.api import ComponentConfig, hookimpl

VADBENCH_API = 1


class Settings(ComponentConfig):
    weight: float = 1.0


class Sum:
    expected_failures = {expected!r}

    def __init__(self, config):
        self.weight = config.weight

    def fit(self, terms):
        pass

    def score(self, terms):
        {body}
        return self.weight * sum(terms.values())

    def state_dict(self):
        return {{}}

    def load_state_dict(self, state_dict):
        pass


@hookimpl
def vadbench_register(registry):
    registry.scorer("{name}", "{module}:Sum", config="{module}:Settings", summary="sum")
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a plug-in of one file with a scorer; a module of its own each time."""
    monkeypatch.setattr(sys, "path", [*sys.path])

    def write(name: str, *, body: str = "pass", expected: dict[str, str] | None = None) -> Path:
        module = name.replace("-", "_")
        path = tmp_path / f"{module}.py"
        path.write_text(SCORER.format(name=name, module=module, body=body, expected=expected or {}))
        importlib.invalidate_caches()
        return path

    return write


def check_that(raises: Exception | None = None, name: str = "rule[a]") -> Check:
    def run() -> None:
        if raises is not None:
            raise raises

    return Check(name, "A rule.", run, "Scorer in vadbench.api.contracts")


def test_kept_rule_is_ok() -> None:
    outcome = outcome_of(check_that(), {})
    assert (outcome.outcome, outcome.message, outcome.fault) == ("ok", "", False)
    assert outcome.seconds >= 0


def test_broken_rule_fails_and_says_what_came() -> None:
    outcome = outcome_of(check_that(ConformanceError("order", "chaos", "the law")), {})
    assert outcome.outcome == "failed"
    assert (outcome.expected, outcome.got, outcome.see) == ("order", "chaos", "the law")
    assert outcome.message == "expected order, got chaos, see the law"


@pytest.mark.parametrize("key", ["rule", "rule[a]"])
def test_declared_failure(key: str) -> None:
    outcome = outcome_of(check_that(ConformanceError("order", "chaos")), {key: "it is young"})
    assert (outcome.outcome, outcome.fault) == ("xfail", False)
    assert outcome.message == "declared: it is young"
    assert outcome.got == "chaos"


def test_declaration_for_another_build_does_not_count() -> None:
    assert outcome_of(check_that(ConformanceError("order", "chaos")), {"rule[b]": "no"}).outcome == "failed"


def test_declared_failure_that_passes_is_a_fault() -> None:
    outcome = outcome_of(check_that(), {"rule": "it is young"})
    assert (outcome.outcome, outcome.fault) == ("xpass", True)
    assert "passes although it is declared to fail (it is young): remove the declaration" in outcome.message
    assert outcome.message in told(outcome)


@pytest.mark.parametrize(("error", "verdict"), [(CheckSkipped("no device"), "skipped"), (Advice("say more"), "advice")])
def test_no_fault(error: Exception, verdict: str) -> None:
    outcome = outcome_of(check_that(error), {"rule": "whatever"})
    assert (outcome.outcome, outcome.message) == (verdict, str(error))
    assert verdict not in FAULTS


def test_checks_that_rest_on_a_failed_one_are_skipped() -> None:
    subject = Subject("s", [check_that(ConformanceError("a", "b"), "signatures"), check_that(name="scores")])
    first, second = subject.outcomes()
    assert first.outcome == "failed"
    assert (second.outcome, second.message) == ("skipped", "rests on signatures, which failed")


def test_component_that_needs_what_is_not_there_is_skipped() -> None:
    entry = Entry("scorer", "needy", "no_such:Thing", None, "", "tests", requires=("a_library_that_nobody_has",))
    outcomes = list(component_subject(entry).outcomes())
    assert {outcome.outcome for outcome in outcomes} == {"skipped"}
    assert "pip install a_library_that_nobody_has" in outcomes[0].message


def test_component_that_runs_programs_is_skipped_until_they_are_named() -> None:
    entry = Entry("scorer", "runner", "no_such:Thing", None, "", "tests", runs_programs=True)
    assert {outcome.outcome for outcome in component_subject(entry).outcomes()} == {"skipped"}
    assert "failed" in {outcome.outcome for outcome in component_subject(entry, settings={"command": "x"}).outcomes()}


def test_declared_failures_of_a_component(written) -> None:
    expected = {"no_windows": "needs some", "monotone": "not so", "prints_nothin": "it prints"}
    body = "list(map(len, terms.values()))[0] or 1 // 0"
    (target,) = find_targets(str(written("sum-declared", body=body, expected=expected)))
    _, component = target.subjects()
    outcomes = {outcome.check: outcome for outcome in component.outcomes()}
    assert outcomes["no_windows"].outcome == "xfail"
    assert outcomes["no_windows"].at.startswith(str(target.trial.source.where))
    assert outcomes["no_windows"].at.endswith("in score")
    assert outcomes["monotone"].outcome == "xpass"
    assert outcomes["expected_failures"].outcome == "failed"
    assert "did you mean 'prints_nothing'" in outcomes["expected_failures"].message
    assert outcomes["scores"].outcome == "ok"
    assert outcomes["no_windows"].see == "Scorer in vadbench.api.contracts, docs/contracts/scorer.md"


def test_settings_reach_the_components_that_have_them(written) -> None:
    path = written("sum-weighted")
    (target,) = find_targets(str(path), changes=["scorer.weight=-1.0"])
    _, component = target.subjects()
    outcomes = {outcome.check: outcome.outcome for outcome in component.outcomes()}
    assert outcomes["monotone"] == "failed"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("scorer.wait=2", "did you mean 'weight'"),
        ("scorr.weight=2", "did you mean 'scorer'"),
        ("detector.weight=2", "there is no detector with settings here"),
    ],
)
def test_settings_that_nothing_has(written, change: str, says: str) -> None:
    path = written("sum-unset")
    with pytest.raises(ConfigError) as raised:
        find_targets(str(path), changes=[change])
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("text", "name", "components"),
    [
        ("scorer/nats", "msgflow", ["scorer/nats"]),
        ("scorer nats", "msgflow", ["scorer/nats"]),
        ("nats", "msgflow", ["scorer/nats"]),
    ],
)
def test_component_is_found(text: str, name: str, components: list[str]) -> None:
    (target,) = find_targets(text)
    assert target.name == name
    assert [subject.name for subject in target.subjects()] == components


def test_plugin_and_distribution_are_found() -> None:
    (target,) = find_targets("baselines")
    assert target.whole
    assert target.subjects()[0].name == "baselines"
    assert {target.name for target in find_targets("vadbench")} >= {"baselines", "datasets", "msgflow"}


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("nat", UsageError, "did you mean 'nats'"),
        ("scorer/nat", UsageError, "did you mean 'nats'"),
        ("./nowhere.py", PluginError, "there is no such file or folder"),
    ],
)
def test_unknown_names(text: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as raised:
        find_targets(text)
    assert says in str(raised.value)


def test_folder_without_a_plugin(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="holds no plug-in"):
        find_targets(str(tmp_path))


def test_unknown_check() -> None:
    (target,) = find_targets("scorer/nats")
    with pytest.raises(UsageError) as raised:
        check_known(["monoton"], target.subjects())
    assert "did you mean 'monotone'" in str(raised.value)


def test_plugin_that_kills_the_process_is_not_loaded_here(written) -> None:
    path = written("sum-deadly")
    path.write_text("import os\nos._exit(3)\n")
    (target,) = find_targets(str(path))
    (plugin,) = target.subjects()
    first = next(plugin.outcomes())
    assert first.outcome == "failed"
    assert first.got.startswith("the process ended with code 3 while the plug-in was loaded")


def test_unseen_faults_of_a_plugin_as_a_whole(written) -> None:
    path = written("sum-busy")
    text = (
        path.read_text()
        .replace("VADBENCH_API = 1", "import threading\nthreading.Timer(30, print).start()\n")
        .replace('"sum"', '""')
    )
    path.write_text(text + "\n\nimport time\nend = time.process_time() + 1.1\nwhile time.process_time() < end: pass\n")
    (target,) = find_targets(str(path))
    outcomes = {check.name: target.subjects()[0].outcome(check) for check in target.subjects()[0].checks if check.name != "loads"}
    assert outcomes["leaves_no_trace"].got == "a change of the running threads"
    assert outcomes["quick"].outcome == "failed"
    assert outcomes["api_version_declared"].outcome == "advice"
    assert outcomes["summaries"].got == "none, or several lines, of scorer/sum-busy"
    assert outcomes["settings_described"].message.endswith("scorer/sum-busy weight")
    assert outcomes["light"].outcome == outcomes["silent"].outcome == "ok"
