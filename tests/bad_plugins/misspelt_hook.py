"""Bad: the hook is called vadbench_register, and this one is not."""

from vadbench.api import hookimpl

VADBENCH_API = 1


@hookimpl
def vadbench_regsiter(registry):
    registry.detector("bad-misspelt-hook", "_plain:Plain", summary="a bad example")
