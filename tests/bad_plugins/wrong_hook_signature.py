"""Bad: the hook wants more than the registry."""

from vadbench.api import hookimpl

VADBENCH_API = 1


@hookimpl
def vadbench_register(registry, settings):
    registry.detector("bad-wrong-hook-signature", "_plain:Plain", summary="a bad example")
