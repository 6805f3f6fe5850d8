"""Bad: a setting has no default, so that it cannot be run without one."""

from _plain import Plain
from pydantic import Field

from vadbench.api import ComponentConfig, hookimpl

VADBENCH_API = 1


class Settings(ComponentConfig):
    """With a required field."""

    width: int = Field(description="of something")


class Bad(Plain):
    """With settings."""


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-required-setting", "required_setting:Bad", config="required_setting:Settings", summary="a bad example")
