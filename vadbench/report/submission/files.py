"""The files of a submission: which are there, whether they have their hashes, and whether ``row.json`` agrees with itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from vadbench.api import DataError, UsageError, VadbenchError, did_you_mean
from vadbench.evaluation.published_protocols import STANDARD_V1, protocol_named
from vadbench.report.row_agreement import disagreements
from vadbench.report.row_files import SUBMISSIONS, row_name
from vadbench.report.submission.names import check_names
from vadbench.store.folders import SCORES, file_digest
from vadbench.store.row_record import RowRecord
from vadbench.store.submission import ROW, SUBMISSION, Submission, expected_files, seed_folder
from vadbench.store.untrusted import LARGEST_FILE, read_json, unplain_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vadbench.report.submission.findings import Findings

_Model = TypeVar("_Model", bound=BaseModel)
MOST_FILES: Final = 1000


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission as it was read.

    Args:
        folder: Where it lies.
        row: Its row.
        submission: Who sends it in; None where that cannot be read.
        files: Paths below the folder that are files and no links.
    """

    folder: Path
    row: RowRecord
    submission: Submission | None
    files: frozenset[str]


def read_sent(folder: Path, findings: Findings, *, min_seeds: int) -> Sent | None:
    """Reads a submission and looks at everything that takes no scores; None where its row cannot be read.

    Args:
        folder: Of the submission.
        findings: Takes whatever is wrong.
        min_seeds: Seeds that a row must have.

    Raises:
        UsageError: if there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=folder, remedy="give the folder that vadbench submit pack wrote")
    files = frozenset(_files(folder, findings))
    submission = _read(Submission, folder, SUBMISSION, files, findings)
    row = _read(RowRecord, folder, ROW, files, findings)
    if submission is not None:
        _check_hashes(folder, submission, files, findings)
    if row is None:
        return None
    if not check_names(row, findings):
        return None
    _check_layout(folder, row, files, findings)
    for fault in disagreements(row):
        findings.tampered(fault, ROW)
    _check_components(row, findings)
    if submission is not None:
        _check_track(row, submission, findings)
    _check_protocol(row, findings)
    if len(row.seeds) < min_seeds:
        told = ", ".join(str(result.seed) for result in row.seeds)
        findings.damaged(f"{len(row.seeds)} seeds ({told}), and a row of these leaderboards has at least {min_seeds}", ROW)
    for result in row.seeds:
        name = f"{seed_folder(result.seed)}/{SCORES}"
        if name in files and (digest := file_digest(folder / name)) != result.scores:
            findings.tampered(f"SHA-256 of {name}: the row says {result.scores}, the file has {digest}", ROW)
    return Sent(folder, row, submission, files)


def _files(folder: Path, findings: Findings) -> Iterator[str]:
    """Paths of the files that may be read; links and what is no file are told, and never followed."""
    waiting, count = [folder], 0
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            name = path.relative_to(folder).as_posix()
            count += 1
            if count > MOST_FILES:
                findings.damaged(f"more than {MOST_FILES} files and folders", ".")
                return
            if path.is_symlink():
                findings.damaged("a link: a submission holds files alone, and none is followed", name)
            elif path.is_dir():
                waiting.append(path)
            elif not path.is_file():
                findings.damaged("this is no file", name)
            elif path.stat().st_size > LARGEST_FILE:
                findings.damaged(f"{path.stat().st_size} bytes, and {LARGEST_FILE} are allowed", name)
            else:
                yield name


def _read(model: type[_Model], folder: Path, name: str, files: frozenset[str], findings: Findings) -> _Model | None:
    if name not in files:
        findings.damaged("the file is missing: pack the submission with vadbench submit pack", name)
        return None
    try:
        content = read_json(folder / name)
    except DataError as error:
        findings.error(error, name)
        return None
    unplain = list(unplain_texts(content, lines=("notes",)))
    for key, text in unplain:
        findings.damaged(f"{text!a} holds a control character", f"{name}: {key}")
    if any("\ud800" <= sign <= "\udfff" for _, text in unplain for sign in text):
        return None  # half a character can be read from JSON, and written nowhere
    try:
        # Strict, as a row of a leaderboard is read: "1" and true are no seeds.
        return model.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        for each in error.errors():
            findings.damaged(_told(each, model), f"{name}: {'.'.join(map(str, each['loc']))}".removesuffix(": "))
        return None


def _told(error: Any, model: type[BaseModel]) -> str:
    loc: Sequence[str | int] = error["loc"]
    if error["type"] == "extra_forbidden":
        return f"unknown key {str(loc[-1])!r}; {did_you_mean(str(loc[-1]), _keys_at(model, loc[:-1]))}"
    if error["type"] == "missing":
        return f"the key {str(loc[-1])!r} is missing"
    message = str(error["msg"]).removeprefix("Value error, ")
    given = error["input"]
    return f"{message} (given: {given!r})" if isinstance(given, str | int | float) and repr(given) not in message else message


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    for part in loc:
        field = model.model_fields.get(str(part))
        inner = None if field is None else _model_in(field.annotation)
        model = model if inner is None else inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


def _check_hashes(folder: Path, submission: Submission, files: frozenset[str], findings: Findings) -> None:
    for name in sorted(files - {SUBMISSION}):
        if name not in submission.files:
            findings.damaged(f"{SUBMISSION} does not name this file", name)
        elif (digest := file_digest(folder / name)) != submission.files[name]:
            findings.tampered(f"SHA-256 of {name}: {SUBMISSION} says {submission.files[name]}, the file has {digest}", name)
    for name in sorted(submission.files.keys() - files):
        findings.damaged(f"{SUBMISSION} names this file, and it is missing", name)


def _check_layout(folder: Path, row: RowRecord, files: frozenset[str], findings: Findings) -> None:
    needed, allowed = expected_files(row)
    for name in sorted(needed - files - {ROW, SUBMISSION}):
        findings.damaged("the file is missing, and the row names its seed", name)
    for name in sorted(files - needed - allowed):
        findings.damaged("this file is no part of a submission", name)
    whole = folder.resolve()
    told = f"{whole.parent.name}/{whole.name}"
    if whole.parent.parent.name == SUBMISSIONS and told != row_name(row):
        findings.damaged(f"the folder is {told}, and its row is called {row_name(row)}: give it that name", ".")


def _check_components(row: RowRecord, findings: Findings) -> None:
    config = row.method.config
    if config is None:
        return
    named = {kind: part["name"] for kind, part in config.items() if isinstance(part, dict) and "name" in part}
    if named != row.method.components:
        findings.tampered(f"components: the row says {row.method.components}, its configuration {named}", f"{ROW}: method")
    if config.get("track") != row.method.track:
        told = f"the row says {row.method.track}, its configuration {config.get('track')}"
        findings.tampered(f"track: {told}", f"{ROW}: method.track")
    if config.get("weights") or row.ran_in.compiled:
        how = "was compiled" if row.ran_in.compiled else "took weights from a file"
        findings.damaged(f"the method {how}: the command of a row would not make it again", f"{ROW}: method")


def _check_track(row: RowRecord, submission: Submission, findings: Findings) -> None:
    if submission.track != row.method.track:
        findings.tampered(f"track: {SUBMISSION} declares {submission.track}, the row says {row.method.track}", SUBMISSION)


def _check_protocol(row: RowRecord, findings: Findings) -> None:
    try:
        protocol = protocol_named(row.protocol)
    except VadbenchError as error:
        findings.damaged(f"{error.what}; {error.remedy}", f"{ROW}: protocol")
        return
    if protocol.name != STANDARD_V1.name:
        # A row of another would have the name of the standard row, and vadbench reproduce would not make it.
        what = (
            f"rows of leaderboards are under {STANDARD_V1.name}, and this one is under {protocol.name}: pack it again; "
            f"vadbench score --protocol {protocol.name} gives figures under another protocol from the same scores"
        )
        findings.damaged(what, f"{ROW}: protocol")
    if protocol.digest() != row.protocol_digest:
        told = f"the row says {row.protocol_digest}, {row.protocol} has {protocol.digest()}"
        findings.tampered(f"digest of the protocol: {told}", f"{ROW}: protocol_digest")
