"""Bad: the class that it registers is not there."""

from vadbench.api import hookimpl

VADBENCH_API = 1


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-absent-target", "_plain:Plane", summary="a bad example")
