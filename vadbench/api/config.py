"""The base of every config model: frozen, and strict about keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ComponentConfig(BaseModel):
    """Settings of a component. Subclass it with annotated fields and defaults.

    An unknown key is an error, so that a misspelt setting never passes silently.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NoConfig(ComponentConfig):
    """For a component without settings."""
