"""Without a condition the flow is STG-NF: the released checkpoints give the latents and likelihoods they gave there."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from vadbench.api import COCO_18, PoseShape
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINTS = {
    "shanghaitech": ("ShanghaiTech_85_9.tar", 3.0),
    "ubnormal_unsup": ("UBnormal_unsupervised_71_8.tar", 3.0),
    "ubnormal_sup": ("UBnormal_supervised_79_2.tar", 10.0),
}
RENAMED = {
    "actnorm.bias": "actnorm.bias",
    "actnorm.logs": "actnorm.log_scale",
    "block.0.gcn.conv": "conditioner.spatial",
    "block.0.tcn.0": "conditioner.spatial_norm",
    "block.0.tcn.2": "conditioner.temporal",
    "block.0.tcn.3": "conditioner.temporal_norm",
    "block.0.residual.0": "conditioner.residual",
    "block.0.residual.1": "conditioner.residual_norm",
}


def released_state(path: Path) -> dict[str, torch.Tensor]:
    """The parameters of a released model under our names and shapes."""
    with torch.serialization.safe_globals([argparse.Namespace]):
        archive: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    state = {}
    for name, value in archive["state_dict"].items():
        if not name.startswith("flow.layers."):
            continue
        _, _, step, rest = name.split(".", 3)
        for theirs, ours in RENAMED.items():
            if rest.startswith(theirs):
                tensor = value
                # A 1x1 convolution is a linear map, and a (K, 1) convolution over time one without the joint axis.
                if rest.endswith("weight") and tensor.ndim == 4:
                    tensor = tensor[..., 0] if "temporal" in ours else tensor[..., 0, 0]
                state[f"steps.{step}.{ours}{rest.removeprefix(theirs)}"] = tensor
    return state


@pytest.fixture(params=CHECKPOINTS)
def released(request: pytest.FixtureRequest, shared_data: Path) -> tuple[STGCNCouplingFlow, dict[str, np.ndarray]]:
    key: str = request.param
    file, base_mean = CHECKPOINTS[key]
    with np.load(shared_data.parent / "facts" / "golden_stgnf_sample.npz") as archive:
        golden = {name.removeprefix(f"{key}/"): archive[name] for name in archive.files if name.startswith(f"{key}/")}
    frames = golden["x"].shape[2]
    flow = STGCNCouplingFlow(STGCNCouplingConfig(base_mean=base_mean), PoseShape(2, frames, COCO_18), None)
    flow.load_state_dict(released_state(shared_data / "stgnf-checkpoints" / file))
    return flow.eval(), golden


def test_latents_and_likelihoods_are_those_of_the_released_model(
    released: tuple[STGCNCouplingFlow, dict[str, np.ndarray]],
) -> None:
    flow, golden = released
    x = torch.from_numpy(golden["x"])
    with torch.no_grad():
        z, log_det = flow.forward(x, None)
        bits = -flow.log_prob(x, None) / (math.log(2) * x[0].numel())
    # The released code's own float32 latents differ by 2e-4 from what it gives in float64, so no closer is possible.
    np.testing.assert_allclose(z.numpy(), golden["z"], atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(log_det.numpy(), golden["logdet"], atol=1e-3)
    np.testing.assert_allclose(bits.numpy(), golden["nll"], atol=1e-4)


def test_the_shanghaitech_model_has_the_published_number_of_parameters() -> None:
    flow = STGCNCouplingFlow(STGCNCouplingConfig(), PoseShape(2, 24, COCO_18), None)
    assert sum(parameter.numel() for parameter in flow.parameters()) == 616
