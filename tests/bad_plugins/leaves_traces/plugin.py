"""The registration, which changes the environment of the process."""

import os

from vadbench.api import hookimpl

VADBENCH_API = 1
os.environ["LEAVES_TRACES_HOME"] = "/nowhere"


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-leaves-traces", "leaves_traces.detector:Bad", summary="a bad example")
