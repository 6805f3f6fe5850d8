"""The log-determinant of a flow by differentiation: what its ``log_det`` is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from vadbench.api import Flow

_ROWS: Final = 96
"""Copies of the window that are differentiated at once."""
_STEP: Final = 1e-3
"""Of the central differences; large enough for a flow that computes in float32 whatever it is given."""


def log_det_by_derivatives(flow: Flow, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[float, float]:
    """What ``forward`` says log |det dz/dx| is, and what its derivatives say, in nats.

    Row i of the Jacobian is the gradient of z's i-th number. All rows come out of a few backward passes over copies of
    the window, as windows of a batch do not depend on one another. A flow that keeps no gradients is differentiated
    numerically.

    Args:
        flow: A torch module is cast to float64, and stays so: hand over one that nobody else needs.
        x: (1, C, T, J), one window.
        condition: (1, L, D), or None.
    """
    if isinstance(flow, torch.nn.Module):
        flow.double()
    x = x.double()
    condition = None if condition is None else condition.double()
    with torch.no_grad():
        _, log_det = flow.forward(x, condition)
    jacobian = _by_autograd(flow, x, condition)
    if jacobian is None:
        jacobian = _by_differences(flow, x, condition)
    return float(log_det[0]), float(torch.linalg.slogdet(jacobian).logabsdet)


def _by_autograd(flow: Flow, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor | None:
    rows = []
    for index in torch.split(torch.arange(x.numel()), _ROWS):
        copies = x.expand(len(index), *x.shape[1:]).clone().requires_grad_()
        z, _ = flow.forward(copies, _repeated(condition, len(index)))
        if not z.requires_grad:
            return None
        own = z.flatten(1).gather(1, index[:, None]).sum()
        rows.append(torch.autograd.grad(own, copies)[0].flatten(1))
    return torch.cat(rows)


@torch.no_grad()
def _by_differences(flow: Flow, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
    columns = []
    for index in torch.split(torch.arange(x.numel()), _ROWS):
        step = torch.zeros(len(index), x.numel(), dtype=x.dtype).scatter_(1, index[:, None], _STEP).view(-1, *x.shape[1:])
        ahead, _ = flow.forward(x + step, _repeated(condition, len(index)))
        behind, _ = flow.forward(x - step, _repeated(condition, len(index)))
        columns.append((ahead - behind).flatten(1) / (2 * _STEP))
    return torch.cat(columns).T


def _repeated(condition: torch.Tensor | None, count: int) -> torch.Tensor | None:
    return None if condition is None else condition.expand(count, *condition.shape[1:])
