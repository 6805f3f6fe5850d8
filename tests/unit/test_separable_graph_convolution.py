"""The separable graph convolution: its products, its residuals, and that its memory order changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import batch_norm, prelu

from vadbench.engine.training.trainer import seeded
from vadbench_baselines.separable_graph_convolution import SeparableGraphConvolution

B, C, T, J = 5, 3, 4, 6
X = torch.randn(B, C, T, J, generator=torch.Generator().manual_seed(4))


def layer(channels_out: int = C, **settings) -> SeparableGraphConvolution:
    with seeded(1):
        return SeparableGraphConvolution(C, channels_out, T, J, **settings)


def plainly(of: SeparableGraphConvolution, x: torch.Tensor) -> torch.Tensor:
    """The layer in training mode, as its equation stands in the paper."""
    mixed = torch.einsum("bctj,jst->bcsj", x, of.temporal)
    mixed = torch.einsum("bctj,tkj->bctk", mixed, of.spatial)
    out = batch_norm(torch.einsum("bctj,dc->bdtj", mixed, of.mixing.weight), None, None, training=True)
    if of.residual is not None:
        x = batch_norm(torch.einsum("bctj,dc->bdtj", x, of.residual.weight), None, None, training=True)
    return prelu(out + x, of.slope[None])


@pytest.mark.parametrize("channels_out", [C, 5, 1])
def test_it_is_the_equation(channels_out):
    of = layer(channels_out)
    torch.testing.assert_close(of(X), plainly(of, X))
    assert (of.residual is None) == (channels_out == C)


def test_its_gradients_are_those_of_the_equation():
    of, x = layer(5).double(), X.double()
    parameters = [of.temporal, of.spatial, of.mixing.weight, of.residual.weight, of.slope]
    wanted = torch.autograd.grad(plainly(of, x).cos().sum(), parameters)
    torch.testing.assert_close(torch.autograd.grad(of(x).cos().sum(), parameters), wanted)


def test_every_place_hears_every_other():
    x = X[:1].clone().requires_grad_()
    of = layer().eval()
    (gradient,) = torch.autograd.grad(of(x)[0, :, 2, 3].sum(), x)
    assert (gradient != 0).all()


def test_a_window_in_evaluation_is_alone():
    of = layer(5)
    of(X)
    of.eval()
    for number in range(B):
        torch.testing.assert_close(of(X[number : number + 1]), of(X)[number : number + 1])
    assert of(X[:0]).shape == (0, 5, T, J)


def test_it_has_no_constant():
    of = layer(5).eval()
    assert of(torch.zeros_like(X)).abs().max() == 0
    assert not {name for name, _ in of.named_parameters() if name.endswith("bias")}


def test_layers_in_a_row_copy_nothing_between_them():
    out = layer(5)(X)
    assert out.permute(2, 3, 1, 0).is_contiguous()
    np.testing.assert_equal(tuple(out.shape), (B, 5, T, J))
