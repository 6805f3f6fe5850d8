"""What is checked: a component, or a plug-in as a whole, with its checks in the order they are run."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import UsageError, did_you_mean
from vadbench.api.requirements import install_command
from vadbench.testing.checks import Check, checks_for
from vadbench.testing.outcomes import Outcome, outcome_of
from vadbench.testing.plugin_checks import LOADS, plugin_checks
from vadbench.testing.rules.class_checks import FOUNDATIONS, IMPORTABLE, declared_failures

if TYPE_CHECKING:
    from vadbench.api import Entry
    from vadbench.testing.plugin_checks import PluginTrial

RESTS_ON: Final = "rests on"
"""How the reason begins why a check is skipped that another one has decided."""
_IN_CODE: Final = re.compile(r"\bvadbench\.api\b")
_FOUNDATIONS: Final = FOUNDATIONS | {LOADS}
_OF_CLASS: Final = _FOUNDATIONS - {"can_be_made", "can_be_fitted"}
_INPUTS: Final = "inputs_unchanged"
"""Name of the check without which others may fail for a reason of its own."""


class Subject:
    """One thing that is checked.

    Where a check that the others rest on has failed, they are skipped: they could say nothing of their own. One of a build, as
    ``can_be_fitted[conditioned]``, has none but that build's rest on it. What fails after ``inputs_unchanged`` did, says so.

    Args:
        name: ``detector/my-speed``, or the plug-in's name.
        checks: In the order they are run.
        declared: Gives the declared failures.
        own: Whether a file is the plug-in's own.
        absent: Gives the reason why nothing can be checked here, or None.
        entry: Of a component; None of a plug-in as a whole.
    """

    def __init__(
        self,
        name: str,
        checks: Iterable[Check],
        *,
        declared: Callable[[], Mapping[str, str]] = dict,
        own: Callable[[str], bool] = lambda _file: False,
        absent: Callable[[], str | None] = lambda: None,
        entry: Entry | None = None,
    ) -> None:
        self.name, self.checks, self.entry = name, tuple(checks), entry
        self._declared, self._own, self._absent = declared, own, absent
        self._failed: list[str] = []
        self._wrote_to: set[str] = set()

    def outcome(self, check: Check) -> Outcome:
        """Runs one of its checks."""
        reason = self._absent()
        if reason is None and (failed := self._rests_on_failed(check)) is not None:
            reason = f"{RESTS_ON} {failed}, which failed"
        if reason is not None:
            return Outcome(check.name, check.contract, "skipped", reason, 0.0)
        outcome = self._hinted(self._paged(outcome_of(check, self._declared(), self._own)))
        name, build = _parts(check.name)
        if outcome.outcome == "failed" and name in _FOUNDATIONS:
            self._failed.append(check.name)
        if outcome.expected is not None and name == _INPUTS:
            self._wrote_to.add(build)
        return outcome

    def _rests_on_failed(self, check: Check) -> str | None:
        """The check that it rests on, if one has failed."""
        name, build = _parts(check.name)
        for failed in self._failed:
            base, of = _parts(failed)
            among = name in _OF_CLASS and base in _OF_CLASS
            if of in ("", build) and (not among or base in (IMPORTABLE, LOADS)) and failed != check.name:
                return failed
        return None

    def _hinted(self, outcome: Outcome) -> Outcome:
        """With the hint that the cause may be another one, where nothing better is known."""
        if outcome.outcome != "failed" or outcome.remedy is not None or _parts(outcome.check)[1] not in self._wrote_to:
            return outcome
        return replace(outcome, remedy=f"see {_INPUTS} first: what was written to its input may be the cause")

    def _paged(self, outcome: Outcome) -> Outcome:
        """With the page of the contract beside its place in the code."""
        if self.entry is None or not outcome.see or not _IN_CODE.search(outcome.see):
            return outcome
        return replace(outcome, see=f"{outcome.see}, docs/contracts/{self.entry.kind}.md")

    def outcomes(self) -> Iterator[Outcome]:
        """Runs all of them."""
        return map(self.outcome, self.checks)

    def only(self, names: Iterable[str]) -> Subject:
        """With no other checks than those named, with or without the build in brackets."""
        wanted = frozenset(names)
        self.checks = tuple(check for check in self.checks if {check.name, check.name.partition("[")[0]} & wanted)
        return self


def _parts(name: str) -> tuple[str, str]:
    """Of a check's name, what stands before the bracket, and the build within it."""
    base, _, build = name.partition("[")
    return base, build


def component_subject(entry: Entry, *, settings: Mapping[str, Any] | None = None, data_root: Path | None = None) -> Subject:
    """A registered component, with the checks of its kind; see `checks_for`."""
    return Subject(
        f"{entry.kind}/{entry.name}",
        checks_for(entry, settings=settings, data_root=data_root),
        declared=partial(declared_failures, entry),
        own=partial(_is_own, entry),
        absent=partial(_absent, entry, settings),
        entry=entry,
    )


def plugin_subject(trial: PluginTrial) -> Subject:
    """A plug-in as a whole."""
    return Subject(trial.source.name, plugin_checks(trial))


def check_known(names: Iterable[str], subjects: Iterable[Subject]) -> None:
    """Raises `UsageError` for a name that no check of the subjects has."""
    known = {part for subject in subjects for check in subject.checks for part in (check.name, check.name.partition("[")[0])}
    for name in names:
        if name not in known:
            raise UsageError(f"no check is named {name!r}", remedy=did_you_mean(name, known))


def _absent(entry: Entry, settings: Mapping[str, Any] | None) -> str | None:
    if missing := entry.missing():
        return f"needs {', '.join(missing)}: {install_command(missing, plugin=entry.plugin)}"
    if entry.runs_programs and not settings:
        return f"it runs programs that its settings name: say which with --set {entry.kind}.KEY=VALUE"
    return None


def _is_own(entry: Entry, file: str) -> bool:
    """Whether a file is of the package that a component's class is in."""
    top = sys.modules.get(entry.target.partition(":")[0].partition(".")[0])
    paths = [Path(folder) for folder in getattr(top, "__path__", ())]
    if paths:
        return any(Path(file).is_relative_to(folder) for folder in paths)
    own = getattr(top, "__file__", None)
    if own is None and entry.loaded is not None:
        try:
            own = inspect.getfile(entry.loaded)
        except (TypeError, OSError):  # a class of a console
            own = None
    return own is not None and Path(own) == Path(file)
