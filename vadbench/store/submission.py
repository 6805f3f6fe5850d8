"""A submission to a leaderboard: the folder that somebody sends in, and what its ``submission.json`` holds.

``row.json`` (a `RowRecord`), ``submission.json``, ``labels.npz`` (may be left out), and for each seed ``seed-<n>/scores.npz``;
for scores only ``seed-<n>/meta.json`` beside it. Nothing else. Every key of ``submission.json`` is documented here and nowhere
else.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.headerregistry import Address
from typing import TYPE_CHECKING, Annotated, Final, Literal

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from pydantic import AfterValidator, HttpUrl, TypeAdapter, ValidationError

from vadbench.api import Track  # noqa: TC001 - pydantic reads it
from vadbench.api.plain_text import plain_lines, plain_text
from vadbench.store.record import RecordPart

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.store.row_record import RowRecord

ROW: Final = "row.json"
SUBMISSION: Final = "submission.json"
_SEED: Final = "seed-"
_URL: Final[TypeAdapter[HttpUrl]] = TypeAdapter(HttpUrl)


def contact_told(text: str) -> str:
    """A contact as it is stored: an e-mail address or a web address; raises `ValueError` for what is neither."""
    plain_text(text)
    if "://" in text:
        return web_address(text)
    try:
        address = Address(addr_spec=text)
    except (MessageError, ValueError, IndexError) as error:  # the parser's own way to say that a part is missing
        raise ValueError(f"{text!r} is no e-mail address and no web address") from error
    if not address.username or "." not in address.domain.strip("."):
        raise ValueError(f"{text!r} is no e-mail address and no web address")
    return text


def web_address(text: str) -> str:
    """An ``http`` or ``https`` address; raises `ValueError` for anything else."""
    plain_text(text)
    try:
        _URL.validate_python(text)
    except ValidationError as error:
        raise ValueError(f"{text!r} is no web address") from error
    return text


def licence_told(text: str) -> str:
    """A licence expression as SPDX writes it, of identifiers that SPDX knows; raises `ValueError` for anything else."""
    try:
        known = str(canonicalize_license_expression(text))
    except InvalidLicenseExpression as error:
        raise ValueError(f"{text!r} is no SPDX licence: {error}") from error
    if "licenseref-" in known.lower():
        raise ValueError(f"{text!r} is a licence of its own; name one that SPDX knows, such as CC-BY-4.0")
    return known


def paper_told(text: str) -> str:
    """An arXiv identifier, or nothing; raises `ValueError` for anything else."""
    if text and not re.fullmatch(r"\d{4}\.\d{4,5}(v\d+)?|[a-z-]+(\.[A-Z]{2})?/\d{7}(v\d+)?", text):
        raise ValueError(f"{text!r} is no arXiv identifier, such as 2211.10946")
    return text


def _address_or_nothing(text: str) -> str:
    return web_address(text) if text else text


class Submission(RecordPart):
    """Who sends what in."""

    schema_version: Literal[1] = 1
    contact: Annotated[str, AfterValidator(contact_told)]
    """An e-mail address, or a web address at which somebody answers."""
    licence: Annotated[str, AfterValidator(licence_told)]
    """SPDX expression: under which licence everything in the folder may be given on."""
    track: Track
    """As declared by whoever sends it in."""
    code: Annotated[str, AfterValidator(_address_or_nothing)] = ""
    """Web address of the method's code; empty where there is none."""
    paper: Annotated[str, AfterValidator(paper_told)] = ""
    """arXiv identifier; empty where there is none."""
    notes: Annotated[str, AfterValidator(plain_lines)] = ""
    """Whatever else a reader should know."""
    files: dict[str, str]
    """Every other file of the folder, by its path below it, to its SHA-256."""


def seed_folder(seed: int) -> str:
    """Name of the folder of a seed."""
    return f"{_SEED}{seed}"


def expected_files(row: RowRecord) -> tuple[set[str], set[str]]:
    """Paths below a submission's folder: those that must be there, and those that may."""
    from vadbench.api.bundle_meta import META
    from vadbench.store.folders import LABELS, SCORES

    names = (SCORES, META) if row.scores_only else (SCORES,)
    needed = {f"{seed_folder(result.seed)}/{name}" for result in row.seeds for name in names}
    return {ROW, SUBMISSION, *needed}, {LABELS}


def write_submission(folder: Path, submission: Submission) -> None:
    """Writes ``submission.json``, the last file of a submission."""
    (folder / SUBMISSION).write_text(submission.model_dump_json(indent=2) + "\n", encoding="utf-8")
