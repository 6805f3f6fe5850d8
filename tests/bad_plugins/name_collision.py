"""Bad: offers a detector by a name that one of vadbench's own has."""

from vadbench.api import hookimpl

VADBENCH_API = 1


@hookimpl
def vadbench_register(registry):
    registry.detector("knn", "_plain:Plain", summary="a bad example")
