"""Uniform prior: every code is as likely as every other, whatever came before. What any other prior has to beat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vadbench.api import Context, NoConfig, TokenShape


class UniformPrior:
    """log p = -log K, in nats; fulfils `vadbench.api.Prior` and `Predictive`.

    Its semantic term is the same for every window, so a composition with it detects by its other terms alone.
    """

    learns = False
    """It finds no sequence likelier than another."""

    def __init__(self, config: NoConfig, tokens: TokenShape, history: int) -> None:
        self.config, self.tokens, self.history = config, tokens, history

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        """Learns nothing."""

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:  # noqa: ARG002 - of no effect
        """(B, L) nats for codes (B, L)."""
        return torch.full(codes.shape, -math.log(self.tokens.codebook_size), device=codes.device)

    def distribution(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L, codebook_size) nats, every number the same; it takes no memory of its own."""
        return self.log_prob(codes, history)[..., None].expand(-1, -1, self.tokens.codebook_size)

    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        """(B, tokens) codes drawn uniformly."""
        drawn = torch.randint(self.tokens.codebook_size, (len(history), tokens), generator=generator)
        return drawn.to(history.device)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Nothing."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes nothing."""
