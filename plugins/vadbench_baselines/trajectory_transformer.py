"""A transformer encoder-decoder over the frames of a trajectory, some of which are hidden (Vaswani et al. 2017).

The encoder is given the observed frames alone. Mask tokens, one learned vector with the position of each hidden frame, join
what it puts out, and the decoder turns them into frames.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention


class TrajectoryTransformer(nn.Module):
    """Observed frames to hidden ones.

    Args:
        numbers: Of a frame: D.
        frames: T, places that a frame may have.
        width: Numbers of a token.
        heads: Heads of the attention.
        encoder_layers: Layers over the observed frames.
        decoder_layers: Layers over all of them.
    """

    def __init__(self, numbers: int, frames: int, *, width: int, heads: int, encoder_layers: int, decoder_layers: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(numbers, width)
        self.position = nn.Parameter(0.02 * torch.randn(frames, width))
        self.mask = nn.Parameter(0.02 * torch.randn(width))
        self.encoder = nn.ModuleList([Layer(width, heads) for _ in range(encoder_layers)])
        self.decoder = nn.ModuleList([Layer(width, heads) for _ in range(decoder_layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, numbers)
        # Begins as the simplest guess, to which it adds nothing.
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: torch.Tensor, observed: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Frames x (B, O, D) that stand at ``observed`` (B, O) int64 to those at ``hidden`` (B, F) int64: (B, F, D)."""
        tokens = self.embedding(x) + self.position[observed]
        for layer in self.encoder:
            tokens = layer(tokens, tokens.shape[1])
        count = hidden.shape[1]
        # The hidden frames go first, so that the last layer can leave out the others, which nobody asks for.
        tokens = torch.cat([self.mask + self.position[hidden], tokens + self.position[observed]], dim=1)
        for number, layer in enumerate(self.decoder, start=1):
            tokens = layer(tokens, count if number == len(self.decoder) else tokens.shape[1])
        frames: torch.Tensor = self.head(self.norm(tokens[:, :count]))
        return frames


class Layer(nn.Module):
    """Attention and a feed-forward network of twice the width, each after a normalisation and added to what was there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_forward = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.memory = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.attended = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: torch.Tensor, asked: int) -> torch.Tensor:
        """Tokens (B, L, width) to the first ``asked`` of them (B, asked, width), which have seen all."""
        normed = self.before_attention(x)
        query = self._by_head(self.query(normed[:, :asked]))
        key, value = (self._by_head(part) for part in self.memory(normed).chunk(2, dim=-1))
        seen = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        x = x[:, :asked] + self.attended(seen)
        changed: torch.Tensor = x + self.down(gelu(self.up(self.before_forward(x))))
        return changed

    def _by_head(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(*x.shape[:2], self.heads, x.shape[2] // self.heads).transpose(1, 2)
