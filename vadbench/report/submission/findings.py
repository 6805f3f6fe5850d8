"""What the check of a submission finds: all of it, each with its place, and what it amounts to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vadbench.api import DataError, DriftError, VadbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

Severity = Literal["tampered", "damaged", "warning", "note"]
"""``tampered``: it does not agree with itself or with the data. ``damaged``: missing, unreadable or not allowed. Both faults."""


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
        self.found.append(Finding("tampered", what, where))

    def damaged(self, what: str, where: str) -> None:
        """Something is missing, cannot be read or is not allowed."""
        self.found.append(Finding("damaged", what, where))

    def warning(self, what: str, where: str) -> None:
        """A person has to look at it."""
        self.found.append(Finding("warning", what, where))

    def note(self, what: str, where: str) -> None:
        """Worth knowing."""
        self.found.append(Finding("note", what, where))

    def error(self, error: VadbenchError, where: str) -> None:
        """A fault that was raised elsewhere; its own place within a file is kept."""
        what = error.what if error.where is None or error.where.endswith(where) else f"{error.what} ({_row_of(error.where)})"
        self.found.append(Finding("tampered" if isinstance(error, DriftError) else "damaged", what, where))

    def faults(self) -> Iterator[Finding]:
        """What a submission is refused for."""
        return (each for each in self.found if each.severity in ("tampered", "damaged"))

    @property
    def exit_code(self) -> int:
        """6 if something was tampered with, 3 if something is missing or damaged, else 0."""
        severities = {each.severity for each in self.found}
        return DriftError.exit_code if "tampered" in severities else DataError.exit_code if "damaged" in severities else 0


def _row_of(where: str) -> str:
    """The place within a file, without the way to it."""
    return where.partition(", ")[2] or where.rpartition("/")[2]
