"""Five training steps of the flow are those of STG-NF as its paper draws it: what makes it fast changes nothing it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from unfolded_stgnf import UnfoldedSTGNF

from vadbench.api import COCO_18, PoseShape
from vadbench.engine.training.trainer import seeded
from vadbench.testing.sample import sample_windows
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow

NO_GRADIENT = ("spatial.bias", "temporal.bias", "residual.bias")
"""Before a batch norm, so their true gradient is 0 and Adamax would move them by the sign of rounding errors: they stay."""


@pytest.fixture(scope="module", params=[24, 16])
def pair(request) -> tuple[STGCNCouplingFlow, UnfoldedSTGNF, torch.Tensor]:
    windows = sample_windows(request.param, stride=1)
    x = torch.from_numpy(windows.batch(np.arange(0, len(windows), 2)).x)
    with seeded(0):
        flow = STGCNCouplingFlow(STGCNCouplingConfig(), PoseShape(2, request.param, COCO_18), None)
    # The released models divide by a variance of 1 + 1e-6, so that theirs is not quite a density; ours is one.
    unfolded = UnfoldedSTGNF(request.param, floor=0.0)
    unfolded.take(flow.state_dict())
    return flow, unfolded, x


def trace(module, log_prob, x: torch.Tensor) -> list[float]:
    module.train()
    moved = [parameter for name, parameter in module.named_parameters() if not name.endswith(NO_GRADIENT)]
    optimiser = torch.optim.Adamax(moved, 5e-4)
    losses = []
    for batch in torch.split(x, len(x) // 5)[:5]:
        optimiser.zero_grad()
        loss = -log_prob(batch).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 100)
        optimiser.step()
        losses.append(loss.item())
    module.eval()
    return losses


def test_five_steps(pair):
    flow, unfolded, x = (part.double() for part in pair)
    with torch.no_grad():
        flow._start(x[:256], None)
        unfolded.train()
        unfolded.start(x[:256])
        unfolded.eval()
    check_same_state(flow, unfolded)
    ours = trace(flow, lambda batch: flow.log_prob(batch, None), x)
    theirs = trace(unfolded, unfolded.log_prob, x)
    assert ours[0] > ours[-1]
    np.testing.assert_allclose(ours, theirs, rtol=1e-7)
    check_same_state(flow, unfolded)
    with torch.no_grad():
        torch.testing.assert_close(flow.log_prob(x, None), unfolded.log_prob(x), rtol=1e-6, atol=1e-3)


def check_same_state(flow, unfolded) -> None:
    own = flow.state_dict()
    for name, value in unfolded.state_dict().items():
        torch.testing.assert_close(
            own[name].reshape(value.shape), value, rtol=1e-6, atol=1e-7, msg=lambda said, name=name: f"{name}: {said}"
        )


def test_the_derivative_written_out_is_that_of_the_coupling():
    from vadbench_msgflow.coupling import AffineCoupling

    generator = torch.Generator().manual_seed(0)
    shapes = ((3, 4, 5), (), (), (3, 4, 5), (2, 3, 1, 5), (2,))
    given = [torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes]
    torch.autograd.gradcheck(lambda *parts: AffineCoupling.apply(*parts)[:2], given)
    # Each output alone, too: then the other one has no gradient.
    torch.autograd.gradcheck(lambda *parts: AffineCoupling.apply(*parts)[0], given)
    torch.autograd.gradcheck(lambda *parts: AffineCoupling.apply(*parts)[1], given)
