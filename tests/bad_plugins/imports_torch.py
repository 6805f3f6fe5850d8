"""Bad: imports torch where it registers, so that every command waits for it."""

import torch

from vadbench.api import hookimpl

VADBENCH_API = 1
DEVICE = torch.device("cpu")


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-imports-torch", "_plain:Plain", summary="a bad example")
