"""Bad: learns from labels without saying so."""

from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """Leaves labelled windows out."""

    def fit(self, windows, context):
        super().fit(windows.normal(), context)


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-uses-labels", "uses_labels:Bad", summary="a bad example")
