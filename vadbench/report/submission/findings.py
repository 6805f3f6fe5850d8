"""What the check of a submission finds: all of it, each with its place, and what it amounts to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from vadbench.api import DataError, DriftError, VadbenchError
from vadbench.api.plain_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

Severity = Literal["tampered", "damaged", "undecided", "warning", "note"]
"""``tampered``: it does not agree with itself or with the data. ``damaged``: missing, unreadable or not allowed. ``undecided``:
what is here does not suffice to say. These three are faults."""
FAULTS: Final = frozenset({"tampered", "damaged", "undecided"})
_LONGEST: Final = 1000
"""Characters that are shown of what somebody else wrote."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Args:
        severity: What it amounts to.
        what: A sentence; of a difference with both sides.
        where: File of the submission, or key of one.
    """

    severity: Severity
    what: str
    where: str


@dataclass(slots=True)
class Findings:
    """Everything that was found, in the order in which it was looked at."""

    found: list[Finding] = field(default_factory=list)

    def tampered(self, what: str, where: str) -> None:
        """Something does not agree with itself."""
        self._add("tampered", what, where)

    def damaged(self, what: str, where: str) -> None:
        """Something is missing, cannot be read or is not allowed."""
        self._add("damaged", what, where)

    def undecided(self, what: str, where: str) -> None:
        """What is here does not suffice to say whether it is sound."""
        self._add("undecided", what, where)

    def warning(self, what: str, where: str) -> None:
        """A person has to look at it."""
        self._add("warning", what, where)

    def note(self, what: str, where: str) -> None:
        """Worth knowing."""
        self._add("note", what, where)

    def error(self, error: VadbenchError, where: str) -> None:
        """A fault that was raised elsewhere; its own place within a file is kept."""
        what = error.what if error.where is None or error.where.endswith(where) else f"{error.what} ({_row_of(error.where)})"
        self._add("tampered" if isinstance(error, DriftError) else "damaged", what, where)

    def faults(self) -> Iterator[Finding]:
        """What a submission is refused for."""
        return (each for each in self.found if each.severity in FAULTS)

    @property
    def exit_code(self) -> int:
        """6 if something was tampered with, 3 if something is missing, damaged or not decided, else 0."""
        severities = {each.severity for each in self.found}
        return DriftError.exit_code if "tampered" in severities else DataError.exit_code if severities & FAULTS else 0

    def _add(self, severity: Severity, what: str, where: str) -> None:
        # What was sent in stands in these sentences: one line each, and nothing that a terminal obeys.
        told = what if len(what) <= _LONGEST else f"{what[:_LONGEST]}..."
        self.found.append(Finding(severity, shown(told), shown(where[:_LONGEST])))


def _row_of(where: str) -> str:
    """The place within a file, without the way to it."""
    return where.partition(", ")[2] or where.rpartition("/")[2]
