"""The names of a submission: they become names of files, and none may be taken for another's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from vadbench.report.row_files import SUBMISSIONS, TABLE, row_name, shipped_rows
from vadbench.store.submission import ROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from vadbench.report.submission.findings import Findings
    from vadbench.store.row_record import RowRecord

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
"""As the registry names components; on some file systems a name with a dot at its end, or in capitals, is another's."""
_LONGEST: Final = 100
_TAKEN: Final = frozenset({SUBMISSIONS, TABLE.lower(), "published.csv", "labels.csv"})
"""What else lies in a folder of leaderboards."""


def unfit_names(row: RowRecord) -> Iterator[tuple[str, str]]:
    """What of a row cannot be the name of a file: its key, and a sentence."""
    names = {"dataset.name": row.dataset.name} | ({} if row.scores_only else {"method.name": row.method.name})
    for key, name in names.items():
        if not _NAME.fullmatch(name) or name in _TAKEN or len(name) > _LONGEST:
            yield key, f"{name!r} cannot be the name of a file; small letters, digits, and between them '.', '_' and '-' can"


def check_names(row: RowRecord, findings: Findings) -> bool:
    """Whether the row can be given a file: nothing in it may lead elsewhere."""
    bad = list(unfit_names(row))
    bad += [("seeds", f"{result.seed} is no seed: seeds are 0 or more") for result in row.seeds if result.seed < 0]
    for key, value in row.dataset.settings.items():
        if key == "root" or _is_path(value):
            what = f"{value!r} leads to a file or folder: a row does not hold where data lie"
            bad.append((f"dataset.settings.{key}", what))
    for key, what in bad:
        findings.damaged(what, f"{ROW}: {key}")
    return not bad


def check_not_anothers(
    row: RowRecord, datasets: Iterable[str], methods: Iterable[str], leaderboards: Path, findings: Findings
) -> bool:
    """Whether no name is that of something else but for capitals, dots, dashes and underscores.

    Args:
        row: With names that can be those of files.
        datasets: That are installed.
        methods: That are installed.
        leaderboards: Whose rows have names, too.
        findings: Takes what is another's.
    """
    rows = shipped_rows(leaderboards)
    known = {*datasets, *(name.partition("/")[0] for name in rows)}
    pairs = [("dataset.name", row.dataset.name, known)]
    if not row.scores_only:
        pairs.append(("method.name", row.method.name, set(methods)))
    pairs.append(("method.name", row_name(row), set(rows)))
    for key, name, others in pairs:
        like = sorted(other for other in others if other != name and _alike(other) == _alike(name))
        if like and name not in others:
            findings.damaged(f"{name!r} could be taken for {like[0]!r}, which is another: choose another name", f"{ROW}: {key}")
            return False
    return True


def _alike(name: str) -> str:
    return re.sub(r"[._-]+", "-", name.casefold()).strip("-")


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and ("/" in value or "\\" in value or ".." in value or value.startswith("~"))
