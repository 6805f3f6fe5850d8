"""Bad: has all of torch compute in double precision, and logging and warnings its own way."""

import logging
import warnings

from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """Was a program once."""

    def fit(self, windows, context):
        import torch

        torch.set_default_dtype(torch.float64)
        torch.manual_seed(1)
        logging.basicConfig(level=logging.DEBUG, force=True)
        warnings.simplefilter("error")
        super().fit(windows, context)


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-sets-default-dtype", "sets_default_dtype:Bad", summary="a bad example")
