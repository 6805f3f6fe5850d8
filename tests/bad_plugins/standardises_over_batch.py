"""Bad: standardises scores over the windows that are scored together, so that a score depends on test data."""

from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """z-scores of the test set."""

    def score(self, windows, context):
        scores = super().score(windows, context)
        return (scores - scores.mean()) / (scores.std() + 1e-9) if len(scores) else scores


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-standardises-over-batch", "standardises_over_batch:Bad", summary="a bad example")
