"""Bad: works in a directory of its own, and stays there."""

import os
import tempfile

from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """Has always been started in its own folder."""

    def fit(self, windows, context):
        os.chdir(tempfile.gettempdir())
        super().fit(windows, context)


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-changes-directory", "changes_directory:Bad", summary="a bad example")
