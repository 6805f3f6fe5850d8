"""Bad: prints when it is imported and when it is asked for its components, which breaks every --json."""

from vadbench.api import hookimpl

VADBENCH_API = 1
print("prints.py: welcome")


@hookimpl
def vadbench_register(registry):
    print("registering")
    registry.detector("bad-prints", "_plain:Plain", summary="a bad example")
