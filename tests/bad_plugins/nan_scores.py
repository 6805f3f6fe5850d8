"""Bad: some scores are NaN."""

import numpy as np
from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """The logarithm of what may be negative."""

    def score(self, windows, context):
        scores = super().score(windows, context)
        return np.where(windows.start == 0, np.nan, scores)


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-nan-scores", "nan_scores:Bad", summary="a bad example")
