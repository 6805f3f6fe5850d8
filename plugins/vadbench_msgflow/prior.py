"""Transformer prior: a causal Transformer over the motion primitives of a track.

The semantic level of MSG-Flow. As in T2M-GPT (arXiv 2301.06052) it is trained by cross-entropy with some of its input
tokens corrupted. A window has only a few tokens, so it also sees those of the windows before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import cross_entropy

from vadbench.api import ComponentConfig, ConfigError, Context, DataError, TokenShape, TrainingPlan
from vadbench_msgflow.histories import ABSENT, examples, padded_history

if TYPE_CHECKING:
    from collections.abc import Sequence


class TransformerConfig(ComponentConfig):
    """Settings of the Transformer prior."""

    width: int = Field(default=64, ge=1, description="numbers of a token's embedding")
    heads: int = Field(default=4, ge=1, description="attention heads; divides the width")
    layers: int = Field(default=2, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    corruption: float = Field(default=0.1, ge=0, lt=1, description="share of input tokens replaced at random in training")
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=5e-3, gt=0)
    decay: float = Field(default=0.8, gt=0, le=1, description="factor of the learning rate after each epoch")
    weight_decay: float = Field(default=0.01, ge=0)


class TransformerPrior(nn.Module):
    """log p(c_k | c_<k, history); fulfils `vadbench.api.Prior`.

    The input is a begin token, H tokens of history and all but the last token of the window; what came before the track
    began has an embedding of its own. Positions are counted from the window, so a track's age does not matter.

    Raises:
        ConfigError: if the heads do not divide the width.
    """

    mask: torch.Tensor

    def __init__(self, config: TransformerConfig, tokens: TokenShape, history: int) -> None:
        super().__init__()
        if config.width % config.heads:
            raise ConfigError(
                f"{config.heads} heads do not divide a width of {config.width}",
                where="prior.heads",
                remedy="choose a width that is a multiple of the heads",
            )
        self.config, self.tokens, self.history = config, tokens, history
        size, length = tokens.codebook_size, history + tokens.tokens
        self._absent, self._begin = size, size + 1
        self.embedding = nn.Embedding(size + 2, config.width)
        self.position = nn.Parameter(torch.randn(length, config.width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, 4 * config.width, config.dropout, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, config.layers, nn.LayerNorm(config.width), enable_nested_tensor=False)
        self.head = nn.Linear(config.width, size)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length), persistent=False)

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        """Maximises the likelihood of every window of every track given its history."""
        config = self.config
        codes, history = examples(sequences, self.tokens.tokens, self.history)
        if len(codes) == 0:
            raise DataError("there is no token sequence to learn from", where=context.name)
        generator = context.generator()

        def loss(index: torch.Tensor) -> torch.Tensor:
            own, before = codes[index].to(context.device), history[index].to(context.device)
            seen_own, seen_before = (self._corrupted(part, generator) for part in (own, before))
            return cross_entropy(self._logits(seen_own, seen_before).flatten(0, 1), own.flatten())

        plan = TrainingPlan(
            config.epochs,
            config.batch_size,
            config.learning_rate,
            decay=config.decay,
            weight_decay=config.weight_decay,
            clip_norm=1.0,
        )
        context.train(self, loss, examples=len(codes), plan=plan)

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L) nats for codes (B, L) and history (B, H) or None."""
        logits = self._logits(codes, padded_history(history, codes, self.history))
        return logits.log_softmax(dim=-1).gather(2, codes[..., None])[..., 0]

    @torch.no_grad()
    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        """Continues (B, H) histories by ``tokens`` tokens, window by window: (B, tokens)."""
        sequence, window = history, self.tokens.tokens
        for step in range(tokens):
            done = step % window
            before = sequence[:, : sequence.shape[1] - done]
            # The tokens of the window that are still to come are never looked at: the mask is causal.
            own = torch.cat([sequence[:, sequence.shape[1] - done :], sequence.new_zeros(len(sequence), window - done)], dim=1)
            logits = self._logits(own, padded_history(before, own, self.history))[:, done]
            drawn = torch.multinomial(logits.softmax(dim=-1).cpu(), 1, generator=generator).to(sequence.device)
            sequence = torch.cat([sequence, drawn], dim=1)
        return sequence[:, history.shape[1] :]

    def _logits(self, codes: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """(B, L, codebook_size) for the tokens of the window."""
        begin = codes.new_full((len(codes), 1), self._begin)
        before = torch.where(history == ABSENT, self._absent, history)
        x = self.embedding(torch.cat([begin, before, codes[:, :-1]], dim=1)) + self.position
        out: torch.Tensor = self.head(self.encoder(x, mask=self.mask, is_causal=True)[:, self.history :])
        return out

    def _corrupted(self, codes: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Some tokens replaced by random ones; what is absent stays absent."""
        if self.config.corruption == 0:
            return codes
        noise = torch.randint(self.tokens.codebook_size, codes.shape, generator=generator)
        hit = torch.rand(codes.shape, generator=generator) < self.config.corruption
        return torch.where(hit.to(codes.device) & (codes != ABSENT), noise.to(codes.device), codes)
