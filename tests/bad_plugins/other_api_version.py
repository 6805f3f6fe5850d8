"""Bad: was written for a vadbench.api that there is not."""

from vadbench.api import hookimpl

VADBENCH_API = 99


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-other-api-version", "_plain:Plain", summary="a bad example")
