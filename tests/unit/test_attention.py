"""Attention blocks against torch's own encoder layer, which computes all places of the sequence."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vadbench.engine.training.trainer import seeded
from vadbench_msgflow.attention import AttentionBlock

WIDTH, LENGTH = 12, 7


def both(dropout: float = 0.0) -> tuple[AttentionBlock, nn.TransformerEncoderLayer]:
    with seeded(0):
        own = AttentionBlock(WIDTH, 3, dropout)
        theirs = nn.TransformerEncoderLayer(WIDTH, 3, 4 * WIDTH, dropout, batch_first=True, norm_first=True)
    pairs = {
        theirs.self_attn.in_proj_weight: own.queries_keys_values.weight,
        theirs.self_attn.in_proj_bias: own.queries_keys_values.bias,
        theirs.self_attn.out_proj.weight: own.attended.weight,
        theirs.self_attn.out_proj.bias: own.attended.bias,
        theirs.linear1.weight: own.feed[0].weight,
        theirs.linear1.bias: own.feed[0].bias,
        theirs.linear2.weight: own.feed[2].weight,
        theirs.linear2.bias: own.feed[2].bias,
    }
    with torch.no_grad():
        for given, taken in pairs.items():
            given.copy_(taken)
        for layer in (own.before_attention, own.before_feed):
            layer.weight.normal_(generator=torch.Generator().manual_seed(1))
        theirs.norm1.load_state_dict(own.before_attention.state_dict())
        theirs.norm2.load_state_dict(own.before_feed.state_dict())
    return own, theirs


@pytest.mark.parametrize("places", range(1, LENGTH + 1))
@pytest.mark.parametrize("grad", [False, True])
def test_the_last_places_are_those_of_torchs_layer(places, grad):
    own, theirs = both()
    own.train(grad), theirs.train(grad)
    x = torch.randn(5, LENGTH, WIDTH, generator=torch.Generator().manual_seed(2))
    mask = nn.Transformer.generate_square_subsequent_mask(LENGTH)
    with torch.set_grad_enabled(grad):
        expected = theirs(x, src_mask=mask, is_causal=True)[:, LENGTH - places :]
        torch.testing.assert_close(own(x, places), expected, rtol=1e-5, atol=1e-5)


def test_dropout_is_for_training():
    own, _ = both(dropout=0.5)
    x = torch.randn(5, LENGTH, WIDTH)
    with torch.random.fork_rng():
        assert not torch.equal(own(x, 3), own(x, 3))
    own.eval()
    assert torch.equal(own(x, 3), own(x, 3))
