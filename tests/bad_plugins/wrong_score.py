"""Bad: score takes no context."""

from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """With a score of its own."""

    def score(self, windows):
        return super().score(windows, None)


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-wrong-score", "wrong_score:Bad", summary="a bad example")
