"""Classes and config models that break one rule each before anything is made of them, for any kind.

``fails``: the checks that see it, of which the first says ``says``; where the class cannot be used at all, every check fails.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field
from sound_components import SOUND

from vadbench.api import KINDS, ComponentConfig, Kind

USED_METHOD: dict[Kind, str] = {
    "dataset": "tracks",
    "tokenizer": "encode",
    "prior": "log_prob",
    "flow": "log_prob",
    "scorer": "score",
    "detector": "score",
}


class NoComponentConfig(BaseModel):
    """Pydantic's own base."""


class RequiredField(ComponentConfig):
    """A setting without a default."""

    width: int


class InvalidDefault(ComponentConfig):
    """A default that its own rule forbids."""

    width: int = Field(default=0, ge=1)


class TakesAnything(ComponentConfig, extra="ignore"):
    """A misspelt setting passes in silence."""


CONFIGS: dict[type[Any], str] = {
    NoComponentConfig: "is no ComponentConfig",
    RequiredField: "expected RequiredField() to be valid, as a run without settings makes it, got width: Field required",
    InvalidDefault: "expected defaults of InvalidDefault that its own rules allow, got width: Input should be greater",
    TakesAnything: "expected TakesAnything to refuse a key that it does not have, got one that it takes in silence",
}


def _without_method(kind: Kind) -> type[Any]:
    return type("WithoutMethod", (SOUND[kind][0],), {USED_METHOD[kind]: None})


def _without_arguments(kind: Kind) -> type[Any]:
    return type("WithoutArguments", (SOUND[kind][0],), {USED_METHOD[kind]: lambda self: None})


def _made_of_nothing(kind: Kind) -> type[Any]:
    return type("MadeOfNothing", (SOUND[kind][0],), {"__init__": lambda self: None})


def _misspelt(kind: Kind) -> type[Any]:
    return type("Misspelt", (SOUND[kind][0],), {"expected_failures": {"prints_nothin": "it prints"}})


def _without_reason(kind: Kind) -> type[Any]:
    return type("WithoutReason", (SOUND[kind][0],), {"expected_failures": {"prints_nothing": ""}})


WITHOUT_METHOD = {kind: _without_method(kind) for kind in KINDS}
WITHOUT_ARGUMENTS = {kind: _without_arguments(kind) for kind in KINDS}
MADE_OF_NOTHING = {kind: _made_of_nothing(kind) for kind in KINDS}
MISSPELT = {kind: _misspelt(kind) for kind in KINDS}
WITHOUT_REASON = {kind: _without_reason(kind) for kind in KINDS}
