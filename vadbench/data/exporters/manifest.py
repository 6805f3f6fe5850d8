"""``dataset.toml`` of a pose folder: what its pose files and masks cannot say themselves."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

from vadbench.api import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST: Final = "dataset.toml"
Missing = Literal["zero", "keep"]
"""What a joint at 0, 0 with confidence 0 is: a missing joint, or a joint at that place."""

_ASSUMED: Final[Mapping[str, Any]] = {
    "layout": "coco-17",
    "resolution": [856, 480],
    "frame_rate": 24.0,
    "family": "json",
    "missing": "keep",
    "first_frame": 0,
    "splits": None,
    "labels": None,
}
"""What holds of a pose folder that says nothing."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is said of a pose folder; None for what nobody said.

    Args:
        title: As in print.
        licence: Of the data.
        citation: The paper to cite.
        layout: Skeleton layout of its poses.
        resolution: Width and height of its pictures in pixels.
        frame_rate: Frames a second.
        family: One JSON file a clip, or one CSV file a person.
        missing: See `Missing`; None for CSV, where 0, 0 is always missing.
        first_frame: The number that its files give the first frame.
        scenes: Clip to scene, of every clip; None where the names of clips say it.
    """

    title: str | None = None
    licence: str | None = None
    citation: str | None = None
    layout: str | None = None
    resolution: tuple[int, int] | None = None
    frame_rate: float | None = None
    family: Literal["json", "csv"] | None = None
    missing: Missing | None = None
    first_frame: int | None = None
    scenes: Mapping[str, str] | None = None

    def text(self) -> str:
        """The file: what was said, and as a comment what a reader assumes because nobody said it."""
        lines = ["# What the files of this folder cannot say themselves. docs/datasets.md explains the keys."]
        for key, value in self._said().items():
            if value is not None:
                lines.append(f"{key} = {_toml(value)}")
            elif key in self.assumed:
                lines.append(f"# {key} = {json.dumps(_ASSUMED[key])}    nobody said: this is assumed")
        if self.scenes is not None:
            lines += ["", "[scenes]", *(f"{_toml(clip)} = {_toml(scene)}" for clip, scene in sorted(self.scenes.items()))]
        return "\n".join(lines) + "\n"

    @property
    def assumed(self) -> tuple[str, ...]:
        """What readers assume of the pictures because nobody said it."""
        return tuple(key for key in ("resolution", "frame_rate") if getattr(self, key) is None)

    def check_fits(self, folder: Path) -> None:
        """Raises `UsageError` where a folder that holds poses already says something else of them; see `difference`."""
        if found := self.difference(folder):
            raise UsageError(
                f"the folder holds poses of another kind: {found}",
                where=folder,
                remedy="import into another folder, convert with --layout, or say of the new poses what the folder says: all "
                "splits of a folder are of one kind",
            )

    def difference(self, folder: Path) -> str:
        """In what a folder says, or is assumed to say, something else, in words; titles, licences and papers may differ.

        What is not said here is taken from the folder.

        Raises:
            DataError: if the folder's own manifest cannot be read.
        """
        there, here = {**_ASSUMED, **_read(folder / MANIFEST)}, self._said()
        found = [
            f"{key} is {there[key]} there and {here[key]} here"
            for key in _ASSUMED
            if here.get(key) is not None and here[key] != there[key]
        ]
        found += [f"its {MANIFEST} gives {key} a place of their own" for key in ("splits", "labels") if there[key] is not None]
        return "; ".join(found)

    def _said(self) -> dict[str, Any]:
        said = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "scenes"}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}


def _toml(value: Any) -> str:
    """A text, a number, or a list of numbers; JSON's forms of these are TOML's, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{MANIFEST} cannot be read: {error}", where=path, remedy="mend it, or take it away") from error
