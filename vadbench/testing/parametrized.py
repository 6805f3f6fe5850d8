"""The checks as parameters of a test of one's own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vadbench.api import Registry
from vadbench.engine.plugins import register_plugin
from vadbench.testing.subjects import Subject, component_subject
from vadbench.testing.targets import find_targets

if TYPE_CHECKING:
    from vadbench.testing.checks import Check
    from vadbench.testing.outcomes import Outcome


class BoundCheck:
    """A check that ends as a test does when it is called: it returns, fails, is skipped, or fails as declared."""

    def __init__(self, subject: Subject, check: Check) -> None:
        self.subject, self.check = subject, check

    def __call__(self) -> None:
        """Runs the check."""
        conclude(self.subject.outcome(self.check))

    def __repr__(self) -> str:
        return f"{self.subject.name}-{self.check.name}"


def parametrize_with_checks(
    component: str | None = None,
    *,
    plugin: str | None = None,
    settings: Mapping[str, Any] | None = None,
    data_root: Path | None = None,
) -> Callable[..., Any]:
    """Decorates a test with one parameter, ``check``: a test for each check, which ``check()`` runs.

    Args:
        component: ``detector my-speed``: a component of an installed plug-in.
        plugin: The module with the hook, e.g. ``vad_speed.plugin``: every component that it registers; it need not be installed.
        settings: Of the components, where the defaults take too long.
        data_root: The folder below which the files of data sets lie.

    Raises:
        TypeError: unless exactly one of ``component`` and ``plugin`` is given.
        UsageError: for a component that is not there.
        PluginError: for a plug-in that cannot be loaded.
    """
    if (component is None) == (plugin is None):
        raise TypeError("name either a component, as 'detector my-speed', or plugin='package.module'")
    if plugin is not None:
        registry = Registry()
        register_plugin(importlib.import_module(plugin), plugin, registry)
        entries = registry.entries()
    else:
        entries = [entry for target in find_targets(str(component)) for entry in target.chosen or target.trial.entries]
    subjects = [component_subject(entry, settings=settings, data_root=data_root) for entry in entries]
    calls = [BoundCheck(subject, check) for subject in subjects for check in subject.checks]
    return pytest.mark.parametrize("check", calls, ids=repr)


def conclude(outcome: Outcome) -> None:
    """Ends the test that is running as a check ended."""
    __tracebackhide__ = True
    if outcome.outcome == "skipped":
        pytest.skip(outcome.message)
    if outcome.outcome == "advice":
        pytest.skip(f"advice: {outcome.message}")
    if outcome.outcome == "xfail":
        pytest.xfail(outcome.message.removeprefix("declared: "))
    if outcome.fault:
        pytest.fail(told(outcome), pytrace=False)


def told(outcome: Outcome) -> str:
    """A fault in lines, for people."""
    if outcome.expected is None:
        return f"{outcome.check}: {outcome.message}"
    parts = {
        "expected": outcome.expected,
        "got": outcome.got,
        "rule": outcome.contract if outcome.contract != outcome.expected else None,
        "contract": outcome.see,
        "remedy": outcome.remedy,
        "at": outcome.at,
    }
    width = max(len(name) for name, text in parts.items() if text)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in parts.items() if text)
