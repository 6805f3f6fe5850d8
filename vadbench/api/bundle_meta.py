"""The ``meta.json`` of a score bundle: what whoever made the scores has to say of them. Every key is documented here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from vadbench.api.errors import DataError, did_you_mean
from vadbench.api.plain_text import plain_lines, plain_text
from vadbench.api.released import Track

if TYPE_CHECKING:
    from pathlib import Path

META: Final = "meta.json"


class BundleMeta(BaseModel):
    """What has to be known of scores to turn them into figures. Unknown keys and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    method: Annotated[str, AfterValidator(plain_text)] = Field(
        pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"
    )
    """Name of the method, as a table shows it: one line, no blanks around it."""
    window_length: int = Field(ge=1)
    """T, frames of a window."""
    dataset: Annotated[str, AfterValidator(plain_text)] = Field(min_length=1)
    """Name of the data set that was scored."""
    higher_is_more_anomalous: bool
    """False for scores of normality, such as log-likelihoods: they are read with the other sign."""
    seed: int | None = Field(default=None, ge=0)
    """Seed of the training; bundles of one method that differ in it are averaged."""
    track: Track = "one-class"
    """Which rows it may be ranked with."""
    notes: Annotated[str, AfterValidator(plain_lines)] = ""
    """Whatever else a reader should know."""
    paper: Annotated[str, AfterValidator(plain_lines)] = ""
    """Where the method is described."""


def read_bundle_meta(path: Path) -> BundleMeta:
    """The description in a ``meta.json``.

    Raises:
        DataError: if it is missing, no JSON object, lacks a key, has one that is not known, or a value of the wrong type.
    """
    try:
        # utf-8-sig: some editors begin a file with a byte-order mark.
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(
            f"the description of the scores cannot be read: {error.strerror}",
            where=path,
            remedy=f"put a {META} beside the scores, with {_listed(_required())}",
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"the file is not UTF-8: {error.reason}", where=path, remedy="save it as UTF-8") from error
    try:
        return BundleMeta.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            what, remedy = f"unknown key {key!r}", did_you_mean(key, BundleMeta.model_fields)
        elif first["type"] == "missing":
            what, remedy = f"the key {key!r} is missing", f"a {META} has {_listed(_required())}"
        elif key:
            what, remedy = f"{key}: {first['msg']} (given: {first['input']!r})", "correct the value"
        else:
            what, remedy = f"this is no JSON object: {first['msg']}", f"write an object with {_listed(_required())}"
        raise DataError(what, where=path, remedy=remedy) from error


def _required() -> list[str]:
    return [name for name, field in BundleMeta.model_fields.items() if field.is_required()]


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
