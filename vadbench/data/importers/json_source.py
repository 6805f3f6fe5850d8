"""Reads a JSON file of unknown shape, and takes it apart with errors that name the file and the place in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from vadbench.api import DataError
from vadbench.data.importers.raw_poses import LARGEST_NUMBER, kind_of

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Node:
    """A value within a document, and where it stands.

    Args:
        value: As parsed.
        path: The file.
        place: Such as ``entry 3, keypoints``; empty at the top.
        form: What the file should hold, for errors.
    """

    value: Any
    path: Path
    place: str
    form: str

    def items(self) -> list[Node]:
        """The elements of a list; raises `DataError` where it is none."""
        return [self._below(value, f"entry {i}") for i, value in enumerate(self._of(list, "a list"))]

    def members(self) -> dict[str, Node]:
        """The members of an object; raises `DataError` where it is none."""
        return {key: self._below(value, key) for key, value in self._of(dict, "an object").items()}

    def get(self, *keys: str) -> Node | None:
        """The first of these members that is there and not null; None where none is. Raises `DataError` for no object."""
        found = self._of(dict, "an object")
        return next((self._below(found[key], key) for key in keys if found.get(key) is not None), None)

    def need(self, *keys: str) -> Node:
        """As `get`, but raises `DataError` where none is there."""
        found = self.get(*keys)
        if found is None:
            raise self.wrong(f"there is no {' or '.join(keys)}")
        return found

    def list(self) -> list[Any]:
        """The value of a list; raises `DataError` where it is none."""
        found: list[Any] = self._of(list, "a list")
        return found

    def whole_number(self) -> int:
        """A number counted from 0 (12, 12.0 or "12"); raises `DataError` where it is none."""
        number = whole_number(self.value)
        if number is None:
            raise self.wrong(f"{str(self.value)[:40]!r} is not a whole number from 0 to {LARGEST_NUMBER}")
        return number

    def wrong(self, what: str) -> DataError:
        """The error for this place."""
        return DataError(what, where=self.where, remedy=f"the file should hold {self.form}")

    @property
    def where(self) -> str:
        """File and place."""
        return f"{self.path}, {self.place}" if self.place else str(self.path)

    def _below(self, value: Any, step: str) -> Node:
        return Node(value, self.path, f"{self.place}, {step}" if self.place else step, self.form)

    def _of(self, kind: type, name: str) -> Any:
        if not isinstance(self.value, kind):
            raise self.wrong(f"here is {kind_of(self.value)}, not {name}")
        return self.value


def whole_number(value: Any) -> int | None:
    """The whole number from 0 that a value is or spells; None where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= LARGEST_NUMBER else None


def json_document(path: Path, form: str) -> Node:
    """The document in a file.

    Args:
        path: The file.
        form: What it should hold, for errors.

    Raises:
        DataError: if it cannot be read or is not JSON; names the byte.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=path, remedy="check its permissions") from error
    return json_text(raw, path, "", form)


def json_text(raw: bytes | str, path: Path, place: str, form: str) -> Node:
    """The document in a text that stands at a place of a file; raises `DataError` where it is not JSON."""
    try:
        return Node(orjson.loads(raw), path, place, form)
    except orjson.JSONDecodeError as error:
        inner = f"byte {len(error.doc[: error.pos].encode())} (line {error.lineno}, column {error.colno})"
        where = f"{path}, {place}, {inner}" if place else f"{path}, {inner}"
        if error.doc.startswith(("NaN", "Infinity"), error.pos) or "infinity" in error.msg:
            what = "NaN, Infinity or a number too large, which JSON does not have"
            remedy = "leave out poses that were not estimated; every number must be finite"
        else:
            what, remedy = f"this is not JSON: {error.msg}", f"the file should hold {form}; is it cut off, or another file?"
        raise DataError(what, where=where, remedy=remedy) from error
