"""The affine coupling, and its derivative written out.

    shift = relu(o_0 + k_0 a)    scale = sigmoid(relu(o_1 + k_1 a) + 2) + 1e-6    y = (m x + n + shift) scale

with STG-NF's constants (arXiv 2211.10946); m and n are the ActNorm of x. What torch would derive by itself goes over the data two
to three times as often: training spends its time here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

_SCALE_FLOOR = 1e-6
_RAISED = 2.0
"""What the raw scale is raised by, so that scales begin near 1."""


def shift_and_scale(a: torch.Tensor, offset: torch.Tensor, slope: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Shift and scale, each (T, J, B).

    Args:
        a: (T, J, B), the channel that decides.
        offset: (2, T, 1, B), o: what is the same for every joint.
        slope: (2,), k.
    """
    shift = torch.addcmul(offset[0], a, slope[0]).relu_()
    raised = torch.addcmul(offset[1] + _RAISED, a, slope[1]).clamp_min_(_RAISED)
    return shift, raised.sigmoid_().add_(_SCALE_FLOOR)


class AffineCoupling(torch.autograd.Function):
    """``(y, log_det)`` of (x, m, n, a, offset, slope): y (T, J, B) and the sum of the logarithms of the scales, (B,)."""

    @staticmethod
    def forward(  # noqa: PLR0917 - torch passes them by position
        x: torch.Tensor, m: torch.Tensor, n: torch.Tensor, a: torch.Tensor, offset: torch.Tensor, slope: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Also gives shift and scale, which the derivative needs."""
        shift, scale = shift_and_scale(a, offset, slope)
        y = torch.addcmul(n, x, m).add_(shift).mul_(scale)
        # One logarithm a frame in place of one a joint: the product of a skeleton's scales is far from underflow.
        return y, scale.prod(dim=1).log().sum(dim=0), shift, scale

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, ...], output: tuple[torch.Tensor, ...]) -> None:
        """Keeps what the derivative needs."""
        x, m, _, a, _, slope = inputs
        y, _, shift, scale = output
        ctx.mark_non_differentiable(shift, scale)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, m, a, slope, y, shift, scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        """Gradients of x, m, n, a, offset and slope."""
        x, m, a, slope, y, shift, scale = ctx.saved_tensors
        of_y, of_log_det = given[:2]
        # Laid out like the rest, whatever comes: the gradient of windows would hand its own layout on from step to step.
        of_y = torch.zeros_like(y) if of_y is None else of_y.contiguous()
        of_sum = of_y * scale
        of_shift = _through_relu(of_sum, shift, 0)
        # d/d scale of y is y / scale, and so is that of log scale with 1 for y.
        of_raw = of_y * y
        if of_log_det is not None:
            of_raw += of_log_det
        sigmoid = scale - _SCALE_FLOOR
        of_raw = _through_relu(_through_sigmoid(of_raw.div_(scale), sigmoid), sigmoid, _LEAST)
        of_a = torch.addcmul(of_shift * slope[0], of_raw, slope[1])
        flat = a.flatten()
        of_slope = torch.stack([of_shift.flatten().dot(flat), of_raw.flatten().dot(flat)])
        of_offset = torch.stack([of_shift.sum(dim=1, keepdim=True), of_raw.sum(dim=1, keepdim=True)])
        of_m, of_n = of_sum.flatten().dot(x.flatten()), of_sum.sum()
        return of_sum.mul_(m), of_m, of_n, of_a, of_offset, of_slope


_through_relu = torch.ops.aten.threshold_backward
_through_sigmoid = torch.ops.aten.sigmoid_backward
_LEAST = float(torch.tensor(_RAISED, dtype=torch.float64).sigmoid()) + 1e-7
"""The sigmoid of a raw scale of 0, where the ReLU ends, and the rounding error of what it is compared with."""
