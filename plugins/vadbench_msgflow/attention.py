"""A block of a causal Transformer that computes no more places than it is asked for."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import linear, scaled_dot_product_attention


class AttentionBlock(nn.Module):
    """Causal self-attention and a feed-forward network, each behind a layer norm and beside a residual path.

    The function is that of torch's ``TransformerEncoderLayer`` with ``norm_first``; that one computes all places.

    Args:
        width: Numbers of a place.
        heads: Attention heads; divide the width.
        dropout: Share of what each of the two adds that is dropped in training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(inplace=True), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, places: int) -> torch.Tensor:
        """The last ``places`` places of x (B, T, width): (B, places, width)."""
        width, length = x.shape[2], x.shape[1]
        normed = self.before_attention(x)
        weight, bias = self.queries_keys_values.weight, self.queries_keys_values.bias
        if places == length:
            queries, keys, values = self.queries_keys_values(normed).chunk(3, dim=2)
        else:
            queries = linear(normed[:, length - places :], weight[:width], bias[:width])
            keys, values = linear(normed, weight[width:], bias[width:]).chunk(2, dim=2)
        mask = torch.ones(places, length, dtype=torch.bool, device=x.device).tril(length - places)
        mixed = scaled_dot_product_attention(self._split(queries), self._split(keys), self._split(values), attn_mask=mask)
        x = x[:, length - places :] + self.dropout(self.attended(mixed.transpose(1, 2).flatten(2)))
        out: torch.Tensor = x + self.dropout(self.feed(self.before_feed(x)))
        return out

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, width) to (B, heads, T, width / heads)."""
        return x.view(*x.shape[:2], self.heads, x.shape[2] // self.heads).transpose(1, 2)
