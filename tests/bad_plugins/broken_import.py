"""Bad: imports a name that vadbench.api does not have."""

from vadbench.api import Detectr, hookimpl


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-broken-import", "_plain:Plain", summary="a bad example")
