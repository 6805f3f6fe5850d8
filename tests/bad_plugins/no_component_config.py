"""Bad: its config model is an ordinary pydantic model."""

from _plain import Plain
from pydantic import BaseModel

from vadbench.api import hookimpl

VADBENCH_API = 1


class Settings(BaseModel):
    """Takes unknown keys in silence."""

    width: int = 8


class Bad(Plain):
    """With settings."""


@hookimpl
def vadbench_register(registry):
    registry.detector(
        "bad-no-component-config", "no_component_config:Bad", config="no_component_config:Settings", summary="a bad example"
    )
