"""Which submissions and rows a branch changes: what a pull request has to be checked for, and what it must not bring."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from vadbench.api.errors import DataError, VadbenchError
from vadbench.cli.submit.branch import branch_since

if TYPE_CHECKING:
    from vadbench.cli.submit.branch import Branch, ChangedFile
    from vadbench.store.row_record import RowRecord

PUBLISHED: Final = "published.csv"
_PAGES: Final = frozenset({"README.md", "labels.csv"})
"""What else lies in the folder, and a maintainer alone writes."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What differs from a revision.

    Args:
        submissions: Folders of those that are there.
        files: Every file that differs and is there, resolved.
        faults: What must not be, a sentence each.
        warnings: What a person has to look at, a sentence each.
    """

    submissions: tuple[Path, ...]
    files: frozenset[Path]
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Look:
    """What was found so far; what a flag allows is a warning, and without it a fault."""

    allow_unsubmitted: bool
    allow_replaced: bool
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def unsubmitted(self, what: str) -> None:
        (self.warnings if self.allow_unsubmitted else self.faults).append(what)

    def replaced(self, what: str) -> None:
        told = what if self.allow_replaced else f"{what}; look at both, and say --allow-replaced"
        (self.warnings if self.allow_replaced else self.faults).append(told)


def changed_since(revision: str, leaderboards: Path, *, allow_unsubmitted: bool, allow_replaced: bool) -> Changed:
    """The submissions below a folder of leaderboards that differ from where the branch left a revision.

    Args:
        revision: Of the branch that this one goes to.
        leaderboards: In a git checkout.
        allow_unsubmitted: Whether rows may change that no submission gives, and pages.
        allow_replaced: Whether rows and submissions that are there may be replaced or taken away.

    Raises:
        UsageError: if the folder is not in a git checkout, or there is no such revision.
    """
    from vadbench.report.row_files import SUBMISSIONS

    branch = branch_since(revision, leaderboards)
    look = _Look(allow_unsubmitted, allow_replaced)
    folders: dict[Path, None] = {}
    for each in branch.files:
        parts = PurePosixPath(each.name).parts
        if each.there and not each.plain:
            look.faults.append(f"{each.name} is a link, or another repository: leaderboards hold files alone")
        elif parts[0] == SUBMISSIONS and len(parts) > 3:
            folders[leaderboards.joinpath(*parts[:3])] = None
        elif parts[0] != SUBMISSIONS and len(parts) == 2 and each.name.endswith(".json"):
            folders |= dict.fromkeys(_look_at_row(each, branch, look))
        elif each.there:
            _look_at_other(parts, each, leaderboards, look)
        elif each.name in _PAGES or each.name == PUBLISHED:
            look.replaced(f"{each.name} was taken away")
    there = [folder for folder in folders if _is_there(folder, leaderboards)]
    for folder in folders:
        _look_at_submission(folder, folder in there, branch, look)
    files = frozenset((leaderboards / each.name).resolve() for each in branch.files if each.there)
    return Changed(tuple(there), files, tuple(look.faults), tuple(look.warnings))


def _is_there(folder: Path, leaderboards: Path) -> bool:
    """Whether a folder can be checked; below a link, which is a fault already, nothing is."""
    return folder.is_dir() and folder.resolve() == leaderboards.resolve() / folder.relative_to(leaderboards)


def _look_at_other(parts: tuple[str, ...], each: ChangedFile, leaderboards: Path, look: _Look) -> None:
    """Files that are no row and in no submission."""
    from vadbench.report.published import load_published
    from vadbench.report.row_files import SUBMISSIONS, TABLE

    if parts[0] == SUBMISSIONS:
        look.faults.append(f"{each.name} lies in no submission: {SUBMISSIONS}/DATASET/ROW/")
    elif each.name == PUBLISHED:
        look.warnings.append(f"{PUBLISHED} was changed: compare each line with its source")
        try:
            load_published(leaderboards / PUBLISHED)
        except VadbenchError as error:
            look.faults.append(f"{error.where}: {error.what}")
    elif each.name in _PAGES:
        look.unsubmitted(f"{each.name} was changed, which is the maintainers' to write")
    elif not (len(parts) == 2 and parts[1] == TABLE):  # whether a table is what its rows give, leaderboard --check says
        look.faults.append(f"{each.name} is no part of leaderboards: they hold rows, their tables and {SUBMISSIONS}/DATASET/ROW/")


def _look_at_row(each: ChangedFile, branch: Branch, look: _Look) -> list[Path]:
    """A row that was changed must be that of its submission, whose folder is given: no other row is anybody's word."""
    from vadbench.report.row_files import SUBMISSIONS, open_row
    from vadbench.store.submission import ROW

    path = branch.folder / each.name
    before = _row_of(branch.before(each.name))
    if not each.there:
        look.replaced(f"the row {each.name} was taken away{_figures(before)}")
        return []
    folder = branch.folder / SUBMISSIONS / path.parent.name / path.stem
    try:
        row = open_row(path)
        sent = open_row(folder / ROW) if (folder / ROW).is_file() else None
    except VadbenchError as error:
        look.faults.append(f"{error.where}: {error.what}")
        return []
    if each.was_there and before != row:
        look.replaced(f"the row {each.name} is replaced{_figures(before)} ->{_figures(row)}")
    if sent is None:
        what = "is changed" if each.was_there else "is new"
        look.unsubmitted(f"the row {each.name} {what}, and no submission holds its scores: send it in with vadbench submit pack")
        return []
    if row != sent:
        look.faults.append(f"the row {each.name} is not that of its submission, {folder}: write it with vadbench submit accept")
    return [folder]


def _look_at_submission(folder: Path, there: bool, branch: Branch, look: _Look) -> None:
    """One that was there before is somebody's: what becomes of it is told, with both figures."""
    from vadbench.report.row_files import open_row
    from vadbench.store.submission import ROW, SUBMISSION

    name = folder.relative_to(branch.folder).as_posix()
    was_row, was_about = branch.before(f"{name}/{ROW}"), branch.before(f"{name}/{SUBMISSION}")
    if was_row is None and was_about is None:
        return
    if not there:
        look.replaced(f"the submission {name} was taken away{_figures(_row_of(was_row))}")
        return
    try:
        now = open_row(folder / ROW)
    except VadbenchError:
        now = None  # the check of the submission says why
    before = _row_of(was_row)
    if before != now:
        look.replaced(f"the submission {name} is replaced{_figures(before)} ->{_figures(now)}{_senders(was_about, folder)}")
    elif was_about is not None and (folder / SUBMISSION).is_file() and (folder / SUBMISSION).read_bytes() != was_about:
        look.warnings.append(f"{name}/{SUBMISSION} was changed{_senders(was_about, folder)}")


def _row_of(content: bytes | None) -> RowRecord | None:
    from pydantic import ValidationError

    from vadbench.store.row_record import RowRecord

    try:
        return None if content is None else RowRecord.model_validate_json(content)
    except ValidationError:
        return None  # of an earlier version; the files differ, and that is told


def _figures(row: RowRecord | None) -> str:
    from vadbench.report.formatting import percent

    if row is None:
        return " (no row that can be read)"
    seeds = ", ".join(str(result.seed) for result in row.seeds)
    auroc, ap = (percent(spread.mean, spread.sd) for spread in (row.auroc, row.ap))
    return f" ({row.method.label}: AUROC {auroc}, AP {ap}, seeds {seeds})"


def _senders(before: bytes | None, folder: Path) -> str:
    """Who sent it in, then and now."""
    from vadbench.store.submission import SUBMISSION
    from vadbench.store.untrusted import read_json

    try:
        now = read_json(folder / SUBMISSION)
    except DataError:
        return ""
    return f"; contact {_contact(before)} -> {now.get('contact') if isinstance(now, dict) else None}"


def _contact(content: bytes | None) -> str:
    import json

    try:
        told = json.loads(content or b"{}")
    except ValueError:
        return "unknown"
    return str(told.get("contact", "unknown")) if isinstance(told, dict) else "unknown"
