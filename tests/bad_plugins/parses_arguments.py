"""Bad: reads the command line when it is fitted, which is not its own."""

import argparse

from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """Was a program once."""

    def fit(self, windows, context):
        parser = argparse.ArgumentParser()
        parser.add_argument("--config", required=True)
        self.arguments = parser.parse_args()
        super().fit(windows, context)


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-parses-arguments", "parses_arguments:Bad", summary="a bad example")
