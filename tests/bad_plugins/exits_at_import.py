"""Bad: ends the process when it is imported, as a script without a main guard does."""

import sys

from vadbench.api import hookimpl

sys.exit("usage: exits_at_import.py VIDEO")


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-exits-at-import", "_plain:Plain", summary="a bad example")
