"""What a check says: a diagnosis of a split, with the clips, files or tracks it rests on, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from vadbench.api import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""From the worst to the mildest."""


@dataclass(frozen=True, slots=True)
class Case:
    """One clip, file or track that a diagnosis rests on.

    Args:
        what: What is the matter there, with numbers.
        where: The file, and the person and frame within it where that helps.
    """

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is wrong with a split, or worth knowing.

    Args:
        split: The split, or two of them joined by ``and``.
        check: Name of the check.
        severity: See `Severity`.
        what: What was found in the split as a whole, with numbers.
        remedy: What to do about it.
        cases: Where it was found, at least one, worst first.
    """

    split: str
    check: str
    severity: Severity
    what: str
    remedy: str
    cases: tuple[Case, ...]

    @property
    def where(self) -> str:
        """The worst case's file, person and frame."""
        return self.cases[0].where


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of an examination.

    Args:
        dataset: Name of the data set.
        splits: What was examined.
        diagnoses: By split in that order, errors first.
        root: The folder that holds all files of the poses; None where they are not known.
    """

    dataset: str
    splits: tuple[str, ...]
    diagnoses: tuple[Diagnosis, ...]
    root: str | None = None

    def counts(self) -> dict[Severity, int]:
        """How many diagnoses there are of each severity."""
        return {severity: sum(found.severity == severity for found in self.diagnoses) for severity in SEVERITIES}


def gathered(split: str, findings: Sequence[Finding]) -> list[Diagnosis]:
    """A data set's own findings as diagnoses: those of one check and severity together, in the order given."""
    groups: dict[tuple[str, Severity], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.check, finding.severity), []).append(finding)
    return [
        Diagnosis(
            split,
            check,
            severity,
            what=group[0].what if len(group) == 1 else f"{len(group)} times: {group[0].what}",
            remedy=group[0].remedy,
            cases=tuple(Case(finding.what, finding.where) for finding in group),
        )
        for (check, severity), group in groups.items()
    ]


def in_order(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Errors before warnings before notes; otherwise as given."""
    return sorted(diagnoses, key=lambda found: SEVERITIES.index(found.severity))
