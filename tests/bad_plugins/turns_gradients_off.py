"""Bad: turns torch's gradients off for whoever comes after it."""

from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """Saves memory, it thinks."""

    def fit(self, windows, context):
        import torch

        torch.set_grad_enabled(False)
        super().fit(windows, context)


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-turns-gradients-off", "turns_gradients_off:Bad", summary="a bad example")
