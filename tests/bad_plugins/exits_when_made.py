"""Bad: ends the process when it is made, because there is no GPU."""

import sys

from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """Was a program once."""

    def __init__(self, config, poses):
        sys.exit("no GPU")


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-exits-when-made", "exits_when_made:Bad", summary="a bad example")
