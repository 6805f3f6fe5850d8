"""Bad: imports a library that is not installed."""

import a_library_that_nobody_has

from vadbench.api import hookimpl


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-missing-dependency", "_plain:Plain", summary="a bad example")
