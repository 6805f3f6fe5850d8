"""Weights to hand on: a safetensors file and beside it a JSON card that says what they are, where from, and how to use them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from vadbench.api import DataError, DriftError, Track, UsageError
from vadbench.data.whole_folder import whole_folder
from vadbench.store.arrays import save_weights
from vadbench.store.folders import file_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX: Final = ".safetensors"
_CARD: Final = ".json"


class ModelCard(BaseModel):
    """What the card of a weights file holds; every key is documented here and nowhere else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    """Of the card."""
    method: str
    """Name of the preset or detector that the weights are of: ``vadbench run METHOD --weights FILE``."""
    track: Track
    """What they were given to learn from."""
    config: dict[str, Any]
    """The resolved configuration that they were trained with, or that they fit."""
    channels: int
    """C, coordinates of a joint."""
    frames: int
    """T, of a window."""
    parameters: int
    """Numbers that were learned."""
    trained_on: str
    """Name of the data set; empty where nobody says."""
    dataset_settings: dict[str, Any] = Field(default_factory=dict)
    """The settings that it was read with."""
    poses: str | None = None
    """SHA-256 of the training poses; null where they are not known."""
    seeds: tuple[int, ...] = ()
    """Of the training; empty where they are not known."""
    licence: str
    """Of the weights."""
    source: str
    """Where they come from: a paper and its repository, or a run of vadbench."""
    notes: tuple[str, ...] = ()
    """What else to know, a sentence each."""
    vadbench: str
    """Version that wrote the card."""
    created: str
    """UTC, ISO 8601."""
    weights: str = ""
    """SHA-256 of the weights file."""

    @field_validator("config")
    @classmethod
    def _resolved(cls, config: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(windows := config.get("windows"), dict) or "layout" not in windows:
            raise ValueError("it has no windows, as a resolved configuration has")
        return config


def weights_path(path: Path) -> Path:
    """The weights file that a path means, with or without its suffix."""
    return path if path.suffix == SUFFIX else path.parent / (path.name + SUFFIX)


def card_path(weights: Path) -> Path:
    """Where the card of a weights file stands."""
    return weights.with_suffix(_CARD)


def write_model(path: Path, state: Mapping[str, Any], card: ModelCard, *, replace: bool = False) -> Path:
    """Writes weights and card, both or neither: the path of the weights.

    Raises:
        UsageError: if one of the two is there and may not be replaced, or nothing can be written.
    """
    weights = weights_path(path)
    parts = (weights.name, card_path(weights).name)
    with whole_folder(weights.parent, parts, replace=replace) as folder:
        save_weights(folder / parts[0], state)
        told = card.model_copy(update={"weights": file_digest(folder / parts[0])})
        (folder / parts[1]).write_text(told.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return weights


def read_card(path: Path) -> tuple[Path, ModelCard]:
    """The weights file of a path and its card.

    Raises:
        UsageError: if there is no such file.
        DataError: if it has no card, or none that can be read.
        DriftError: if the weights are not those that the card was written for.
    """
    weights = weights_path(path)
    if not weights.is_file():
        raise UsageError("there are no such weights", where=weights, remedy="name a file that vadbench weights wrote")
    place = card_path(weights)
    try:
        card = ModelCard.model_validate_json(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"the weights have no card beside them: {error.strerror}",
            where=place,
            remedy="write both with vadbench weights import or vadbench weights export",
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        said = error.errors()[0] if isinstance(error, ValidationError) else None
        what = f"{'.'.join(map(str, said['loc'])) or 'the card'}: {said['msg']}" if said else "it is not text"
        raise DataError(f"the card of the weights cannot be read: {what}", where=place, remedy="write it again") from error
    if file_digest(weights) != card.weights:
        raise DriftError(
            "the weights are not those that their card was written for",
            where=weights,
            remedy="write both again; weights and card are moved together",
        )
    return weights, card
