"""Transformer prior: a causal Transformer over the motion primitives of a track.

The semantic level of MSG-Flow. As in T2M-GPT (arXiv 2301.06052) it is trained by cross-entropy with some of its input
tokens corrupted. A window has only a few tokens, so it also sees those of the windows before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import cross_entropy

from vadbench.api import ConfigError, Context, DataError, EarlyStopping, TokenShape, TrainingPlan
from vadbench_msgflow.attention import AttentionBlock
from vadbench_msgflow.corruption import corrupted
from vadbench_msgflow.histories import ABSENT, example_tracks, examples, padded_history

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BATCH: Final = 256
"""Windows computed at once on a CPU: what they take stays in a core's cache, which is a fifth faster than a thousand of them."""


class TransformerConfig(EarlyStopping):
    """Settings of the Transformer prior."""

    width: int = Field(default=64, ge=1, description="numbers of a token's embedding")
    heads: int = Field(default=4, ge=1, description="attention heads; divides the width")
    layers: int = Field(default=2, ge=1, description="attention blocks on top of one another")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="share of what a block adds that is dropped in training")
    corruption: float = Field(default=0.1, ge=0, lt=1, description="share of input tokens replaced at random in training")
    epochs: int = Field(default=6, ge=1, description="passes over the training windows")
    batch_size: int = Field(default=128, ge=1, description="windows a step")
    learning_rate: float = Field(default=5e-3, gt=0, description="the highest; it falls to 0 along a half cosine")
    warmup: float = Field(default=0.3, ge=0, description="epochs, at most all, in which the learning rate rises")
    weight_decay: float = Field(default=0.01, ge=0, description="of AdamW")


class TransformerPrior(nn.Module):
    """log p(c_k | c_<k, history); fulfils `vadbench.api.Prior` and `vadbench.api.Predictive`.

    The input is a begin token, H tokens of history and all but the last token of the window; what came before the track
    began has an embedding of its own. Positions are counted from the window, so a track's age does not matter.

    Raises:
        ConfigError: if the heads do not divide the width.
    """

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
        self.blocks = nn.ModuleList(AttentionBlock(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, size)

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        """Maximises the likelihood of every window of every track given its history."""
        config = self.config
        codes, history = examples(sequences, self.tokens.tokens, self.history)
        if len(codes) == 0:
            raise DataError(
                "there is no token sequence to learn from", where=context.name, remedy="train on tracks longer than a window"
            )
        generator = context.generator()

        def loss(index: torch.Tensor) -> torch.Tensor:
            own, before = codes[index].to(context.device), history[index].to(context.device)
            seen_own, seen_before = (corrupted(part, self.tokens, config.corruption, generator) for part in (own, before))
            return cross_entropy(self._logits(seen_own, seen_before).flatten(0, 1), own.flatten())

        plan = TrainingPlan(
            config.epochs,
            config.batch_size,
            config.learning_rate,
            schedule="cosine",
            warmup=min(config.warmup, config.epochs),
            weight_decay=config.weight_decay,
            clip_norm=1.0,
            held_out=config.held_out,
            patience=config.patience,
        )
        tracks = example_tracks(sequences, self.tokens.tokens)
        context.train(self, loss, examples=len(codes), plan=plan, groups=tracks, generators=(generator,))

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L) nats for codes (B, L) and history (B, H) or None."""
        chances = [
            -cross_entropy(logits.flatten(0, 1), own.flatten(), reduction="none").view_as(own)
            for own, logits in self._pieces(codes, history)
        ]
        return torch.cat(chances)

    def distribution(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L, codebook_size) nats: every code's log-probability at each place, given the tokens before that place."""
        return torch.cat([logits.log_softmax(dim=-1) for _, logits in self._pieces(codes, history)])

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

    def _pieces(self, codes: torch.Tensor, history: torch.Tensor | None) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The windows piece by piece: their codes (b, L) and logits (b, L, codebook_size)."""
        before = padded_history(history, codes, self.history)
        size = _BATCH if codes.device.type == "cpu" else max(len(codes), 1)
        for own, past in zip(codes.split(size), before.split(size), strict=True):
            yield own, self._logits(own, past)

    def _logits(self, codes: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """(B, L, codebook_size) for the tokens of the window."""
        begin = codes.new_full((len(codes), 1), self._begin)
        before = torch.where(history == ABSENT, self._absent, history)
        x = self.embedding(torch.cat([begin, before, codes[:, :-1]], dim=1)) + self.position
        for number, block in enumerate(self.blocks, start=1):
            # Nobody asks the last block for the places of the history.
            x = block(x, self.tokens.tokens if number == len(self.blocks) else x.shape[1])
        out: torch.Tensor = self.head(self.norm(x))
        return out
