"""The convolutions that tokenizers share: the VQ-VAE's to the weight, shapes, and where the decoder starts."""

from __future__ import annotations

import pytest
import torch

from vadbench.api import COCO_18, ConfigError, PoseShape
from vadbench.engine.training.trainer import seeded
from vadbench_msgflow.convolutions import Convolutions, motion_loss
from vadbench_msgflow.fsq import FSQ, FSQConfig
from vadbench_msgflow.residual_vq import ResidualVQ, ResidualVQConfig
from vadbench_msgflow.tokenizer import VQVAE, VQVAEConfig

POSES = PoseShape(2, 8, COCO_18)


def made(poses: PoseShape = POSES, downsampling: int = 4) -> Convolutions:
    with seeded(1):
        return Convolutions(poses, width=5, hidden=8, downsampling=downsampling).eval()


@pytest.mark.parametrize(
    "tokenizer",
    [
        lambda: VQVAE(VQVAEConfig(width=5, hidden=8), POSES),
        lambda: FSQ(FSQConfig(levels=[2] * 5, hidden=8), POSES),
        lambda: ResidualVQ(ResidualVQConfig(width=5, hidden=8), POSES),
    ],
)
def test_a_seed_gives_the_same_weights_in_every_tokenizer(tokenizer):
    own = made().state_dict()
    with seeded(1):
        whole = tokenizer().state_dict()
    shared = {name: value for name, value in whole.items() if name.startswith(("encoder", "decoder"))}
    assert list(shared) == list(own)
    assert all(torch.equal(shared[name], own[name]) for name in own)


@torch.no_grad()
@pytest.mark.parametrize(("frames", "downsampling", "tokens"), [(8, 4, 2), (8, 8, 1), (8, 1, 8), (24, 4, 6), (6, 2, 3)])
def test_shapes(frames, downsampling, tokens):
    convolutions = made(PoseShape(2, frames, COCO_18), downsampling)
    features = convolutions.features(torch.randn(3, 2, frames, 18))
    assert convolutions.tokens == tokens
    assert features.shape == (3, tokens, 5)
    assert convolutions.windows(features).shape == (3, 2, frames, 18)


@pytest.mark.parametrize(("frames", "downsampling"), [(8, 3), (8, 16), (10, 4), (9, 2)])
def test_downsampling_that_does_not_fit(frames, downsampling):
    with pytest.raises(ConfigError) as caught:
        made(PoseShape(2, frames, COCO_18), downsampling)
    assert caught.value.where == "tokenizer.downsampling"
    assert str(downsampling) in caught.value.what
    assert "power of two" in caught.value.remedy


@torch.no_grad()
def test_the_decoder_starts_at_the_mean_pose():
    convolutions, x = made(), torch.randn(20, 2, 8, 18) + torch.randn(1, 2, 1, 18) * 50
    convolutions.start_at_mean_pose(x)
    decoded = convolutions.windows(torch.zeros(1, 2, 5))
    gap = (decoded - x.mean(dim=(0, 2))[None, :, None]).abs().max()
    assert gap < 2, "what is left is the untrained decoder's own"
    assert x.abs().max() > 50


def test_loss_by_hand():
    x = torch.zeros(1, 2, 3, 1)
    decoded = torch.tensor([0.0, 0.5, 3.0]).view(1, 1, 3, 1).expand(1, 2, 3, 1)
    position = (0 + 0.125 + 2.5) / 3
    velocity = (0.125 + 2.0) / 2
    assert motion_loss(decoded, x, 0.5).item() == pytest.approx(position + 0.5 * velocity)
