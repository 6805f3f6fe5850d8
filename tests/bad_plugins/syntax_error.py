"""Bad: a bracket is missing."""

from vadbench.api import hookimpl


@hookimpl
def vadbench_register(registry:
    registry.detector("bad-syntax-error", "_plain:Plain", summary="a bad example")
