"""Whatever a component raises is told as its fault, `SystemExit` too; what ends the process is let through."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from vadbench.api import ComponentConfig, ConfigError, Entry, PluginError, Registry
from vadbench.api.faults import ENDS, Terminated, blamed, exit_remedy, said
from vadbench.engine.config import validated_config
from vadbench.engine.datasets import open_dataset
from vadbench.engine.plugins import PluginSource, load_plugins
from vadbench.testing.checks import Check, checks_for
from vadbench.testing.outcomes import outcome_of


class OwnEndError(BaseException):
    """An exception that no ``except Exception`` sees."""


RAISED = [
    ValueError("it is empty"),
    SystemExit(2),
    SystemExit("no GPU"),
    SystemExit(),
    GeneratorExit("over"),
    OwnEndError("mine"),
]
TOLD = [
    "ValueError: it is empty",
    "SystemExit: 2",
    "SystemExit: no GPU",
    "SystemExit",
    "GeneratorExit: over",
    "OwnEndError: mine",
]


def entry_of(cls: type, kind: Any = "detector", config: type | None = None) -> Entry:
    target = None if config is None else f"{config.__module__}:{config.__name__}"
    return Entry(kind, "tested", f"{cls.__module__}:{cls.__name__}", target, "", "tests")


def raising(error: BaseException) -> NoReturn:
    raise error


@pytest.mark.parametrize(("error", "told"), [*zip(RAISED, TOLD, strict=True)])
def test_a_fault_is_told_and_caught(error: BaseException, told: str) -> None:
    with pytest.raises(PluginError) as caught, blamed("x failed to fit", "detector x"):
        raise error
    assert caught.value.what == f"x failed to fit: {told}"
    assert caught.value.__cause__ is error
    assert said(error) == told


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Terminated(143), ConfigError("no such key", where="detector.k")])
def test_the_end_of_the_process_and_errors_of_vadbench_are_let_through(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, blamed("x failed to fit", "detector x"):
        raise error
    assert caught.value is error


def test_remedies() -> None:
    def remedy_of(act: Any) -> str | None:
        with pytest.raises(PluginError) as caught, blamed("x", "y", "the caller's"):
            act()
        return caught.value.remedy

    assert remedy_of(lambda: raising(ValueError())) == "the caller's"
    assert str(remedy_of(sys.exit)).startswith("raise an error instead")
    parsed = remedy_of(lambda: argparse.ArgumentParser().parse_args(["--dataset", "campus"]))
    assert str(parsed).startswith("parse no command line in a component: vadbench's own arguments are on sys.argv")
    assert exit_remedy(ValueError()) is None


def test_a_module_that_exits_when_it_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "exits_on_import.py").write_text("import argparse\nargparse.ArgumentParser().parse_args(['--x'])\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match="cannot be imported: SystemExit: 2") as caught:
        Entry("detector", "odd", "exits_on_import:C", None, "", "tests").load()
    assert "parse no command line" in str(caught.value.remedy)


class Exiting:
    """A data set that looks at the command line."""

    def __init__(self, config: Any, root: Any) -> None:
        sys.exit("no files")

    def tracks(self, split: Any) -> Any: ...

    def labels(self, split: Any) -> Any: ...


class ExitingConfig(ComponentConfig):
    """Settings that look at the command line."""

    def model_post_init(self, _context: Any) -> None:
        sys.exit(3)


def test_settings_that_exit() -> None:
    with pytest.raises(PluginError, match="the settings of dataset 'tested' cannot be read: SystemExit: 3"):
        validated_config(entry_of(Exiting, "dataset", ExitingConfig), {})


def test_a_data_set_that_exits() -> None:
    registry = Registry()
    registry.dataset("odd", f"{__name__}:Exiting")
    with pytest.raises(PluginError, match="dataset 'odd' cannot be opened: SystemExit: no files"):
        open_dataset("odd", registry, root=None, settings={})


def test_checks_of_what_exits_go_on() -> None:
    outcomes = [outcome_of(check, {}) for check in checks_for(entry_of(Exiting, "dataset"))]
    assert [row.outcome for row in outcomes if row.check == "importable"] == ["ok"]
    told = [row for row in outcomes if row.outcome == "failed"]
    assert "info" in {row.check for row in told}
    assert all("SystemExit: no files" in row.message and "raise an error instead" in str(row.remedy) for row in told)


@pytest.mark.parametrize("error", [RuntimeError("odd"), SystemExit(2)])
def test_a_check_that_fails_in_its_own_way_is_a_failure(error: BaseException) -> None:
    check = Check("odd", "It is even.", lambda: raising(error), "docs/plugins.md")
    outcome = outcome_of(check, {})
    assert (outcome.outcome, outcome.see, outcome.expected) == ("failed", "docs/plugins.md", "It is even.")
    assert said(error) in outcome.message
    assert outcome_of(check, {"odd": "known"}).outcome == "xfail"


@pytest.mark.parametrize("error", [KeyboardInterrupt, Terminated])
def test_no_loop_over_components_goes_on_after_the_end(error: type[BaseException]) -> None:
    assert error in ENDS
    with pytest.raises(error):
        outcome_of(Check("odd", "It is even.", lambda: raising(error()), ""), {})
    source = PluginSource("odd", "folder", "odd.py", "1", "odd.py", lambda: raising(error()))
    with pytest.raises(error):
        load_plugins(sources=[source])
