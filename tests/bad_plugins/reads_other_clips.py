"""Bad: a score depends on what other clips show."""

import numpy as np
from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """Looks at all tracks that it can reach."""

    def score(self, windows, context):
        return super().score(windows, context) + 0.01 * np.nanmean(windows.tracks.keypoints[:, :, 0])


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-reads-other-clips", "reads_other_clips:Bad", summary="a bad example")
