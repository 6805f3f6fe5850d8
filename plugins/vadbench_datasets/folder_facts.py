"""What a user says of a pose folder, in its ``dataset.toml`` or on the command line; the command line wins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, Field, PositiveInt, ValidationError, field_validator

from vadbench.api import LAYOUTS, ComponentConfig, ConfigError, Split, did_you_mean
from vadbench_datasets.pose_family import Family, Missing

FILE: Final = "dataset.toml"


def _below(folder: str) -> str:
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError("name a folder below the pose folder, with forward slashes")
    return path.as_posix()


_Below = Annotated[str, AfterValidator(_below)]


class LabelFacts(ComponentConfig):
    """Where the masks of the test split are and what they mean.

    Args:
        folder: Their folder.
        suffix: How a mask's file name ends; the clip's name stands before it.
        abnormal: The number that stands for an abnormal frame.
        validation: Folder of the masks of validation clips; without it those are normal throughout.
    """

    folder: _Below | None = None
    suffix: str = Field(default=".npy", min_length=1)
    abnormal: Literal[0, 1] = 1
    validation: _Below | None = None


class FolderFacts(ComponentConfig):
    """What may stand in ``dataset.toml``; None for what it does not say.

    Args:
        title: As in print.
        licence: Licence of the data.
        citation: The paper to cite.
        layout: Name of the skeleton layout of the poses.
        resolution: Width and height of the pictures in pixels.
        frame_rate: Frames a second.
        family: One JSON file a clip, or one CSV file a person.
        splits: Split to the folder of its poses.
        labels: Where the masks are and what they mean.
        scenes: A regular expression with one group, the scene, that matches a clip's whole name; or a table clip to scene.
        missing: What a joint at exactly (0, 0) with confidence 0 is: ``zero``, a missing joint, or ``keep``, a joint there.
        first_frame: The number that the files give to a clip's first frame.
    """

    title: str | None = Field(default=None, min_length=1)
    licence: str | None = Field(default=None, min_length=1)
    citation: str | None = Field(default=None, min_length=1)
    layout: str | None = None
    resolution: tuple[PositiveInt, PositiveInt] | None = None
    frame_rate: float | None = Field(default=None, gt=0)
    family: Family | None = None
    splits: dict[Split, _Below] | None = Field(default=None, min_length=1)
    labels: LabelFacts | None = None
    scenes: str | dict[str, str] | None = None
    missing: Missing | None = None
    first_frame: Literal[0, 1] | None = None

    @field_validator("layout")
    @classmethod
    def _known(cls, layout: str | None) -> str | None:
        if layout is not None and layout not in LAYOUTS:
            raise ValueError(f"there is no layout {layout!r}: {did_you_mean(layout, LAYOUTS)}")
        return layout

    @field_validator("scenes")
    @classmethod
    def _one_group(cls, scenes: str | dict[str, str] | None) -> str | dict[str, str] | None:
        if isinstance(scenes, str):
            try:
                groups = re.compile(scenes).groups
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
            if groups != 1:
                raise ValueError(f"the expression has {groups} groups; the scene is the one group it must have")
        return scenes


def read_facts(folder: Path) -> FolderFacts | None:
    """What the folder's ``dataset.toml`` says; None where there is none.

    Raises:
        ConfigError: for a file that is not TOML, an unknown key (with the nearest known ones), or a value out of range.
    """
    path = folder / FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"{FILE} cannot be read: {error}", where=path, remedy="docs/datasets.md shows what it may hold"
        ) from error
    try:
        return FolderFacts.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"]]
        where = f"{path}, key {'.'.join(place)}"
        if first["type"] == "extra_forbidden":
            known = LabelFacts.model_fields if place[0] == "labels" else FolderFacts.model_fields
            raise ConfigError(f"unknown key {place[-1]!r}", where=where, remedy=did_you_mean(place[-1], known)) from None
        if place[0] == "splits" and place[-1] == "[key]":
            raise ConfigError(
                f"there is no split {place[1]!r}", where=where, remedy=did_you_mean(place[1], get_args(Split))
            ) from None
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{message} (given: {first['input']!r})", where=where, remedy="docs/datasets.md has the keys") from None


def merged(file: FolderFacts | None, said: FolderFacts) -> FolderFacts:
    """What the file says, where the command line says nothing."""
    if file is None:
        return said
    told = {name: value for name in FolderFacts.model_fields if (value := getattr(said, name)) is not None}
    return file.model_copy(update=told)
