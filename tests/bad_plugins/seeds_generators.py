"""Bad: seeds the global generator of NumPy."""

import numpy as np
from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """Reproducible, it thinks."""

    def fit(self, windows, context):
        np.random.seed(0)
        super().fit(windows, context)


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-seeds-generators", "seeds_generators:Bad", summary="a bad example")
