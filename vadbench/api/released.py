"""Weights that the authors of a method released, as one of our components holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch

Track = Literal["one-class", "supervised", "zero-shot"]
"""What a method was given to learn from: normal data alone; labelled abnormal data as well; nothing of the data set at hand."""


@dataclass(frozen=True, slots=True)
class Released:
    """A released model.

    Args:
        state: What the component's ``load_state_dict`` takes.
        settings: Dotted key of the method's configuration to value, as far as the model decides it, e.g. ``windows.length``.
        trained_on: Name of the data set that it was trained on; empty where the file does not tell.
        track: What it was given to learn from.
        seed: Of its training; None where the file does not tell.
        licence: Under which it was released.
        source: Where it comes from: authors, paper, repository.
        notes: What else to know, a sentence each.
    """

    state: Mapping[str, torch.Tensor]
    settings: Mapping[str, Any]
    trained_on: str
    track: Track
    seed: int | None
    licence: str
    source: str
    notes: tuple[str, ...] = ()


@runtime_checkable
class ReadsReleased(Protocol):
    """Optional, of a component: reads the files in which the authors of its method released their weights."""

    @classmethod
    def read_released(cls, path: Path) -> Released:
        """Reads a file, never by unpickling what it may name; raises `DataError` for one that is no such release."""
        ...
