"""LSTM prior: a recurrent network over the motion primitives of a track (Hochreiter and Schmidhuber 1997).

The same question as the Transformer is asked, of the same examples, with the same corruption of input tokens: the simplest
network that may remember the whole history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import cross_entropy

from vadbench.api import Context, DataError, EarlyStopping, TokenShape, TrainingPlan
from vadbench_msgflow.corruption import corrupted
from vadbench_msgflow.histories import ABSENT, example_tracks, examples, padded_history

if TYPE_CHECKING:
    from collections.abc import Sequence

State = tuple[torch.Tensor, torch.Tensor]


class LSTMConfig(EarlyStopping):
    """Settings of the LSTM prior."""

    width: int = Field(default=64, ge=1, description="numbers of a token's embedding and of the state")
    layers: int = Field(default=1, ge=1, description="LSTM layers on top of one another")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="share of embeddings and outputs that is dropped in training")
    corruption: float = Field(default=0.1, ge=0, lt=1, description="share of input tokens replaced at random in training")
    epochs: int = Field(default=12, ge=1, description="passes over the training windows")
    batch_size: int = Field(default=256, ge=1, description="windows a step")
    learning_rate: float = Field(default=5e-3, gt=0, description="of the first epoch")
    decay: float = Field(default=0.8, gt=0, le=1, description="factor of the learning rate after each epoch")
    weight_decay: float = Field(default=0.01, ge=0, description="of AdamW")


class LSTMPrior(nn.Module):
    """log p(c_k | c_<k, history); fulfils `vadbench.api.Prior` and `Predictive`.

    The input is a begin token, H tokens of history and all but the last token of the window; what came before the track
    began has an embedding of its own.
    """

    def __init__(self, config: LSTMConfig, tokens: TokenShape, history: int) -> None:
        super().__init__()
        self.config, self.tokens, self.history = config, tokens, history
        size = tokens.codebook_size
        self._absent, self._begin = size, size + 1
        self.embedding = nn.Embedding(size + 2, config.width)
        between = config.dropout if config.layers > 1 else 0.0
        self.lstm = nn.LSTM(config.width, config.width, config.layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.width, size)

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        """Maximises the likelihood of every window of every track given its history; raises `DataError` without one."""
        config, tokens = self.config, self.tokens
        codes, history = examples(sequences, tokens.tokens, self.history)
        if len(codes) == 0:
            raise DataError(
                "there is no token sequence to learn from", where=context.name, remedy="train on tracks longer than a window"
            )
        generator = context.generator()

        def loss(index: torch.Tensor) -> torch.Tensor:
            own, before = codes[index].to(context.device), history[index].to(context.device)
            seen_own, seen_before = (corrupted(part, tokens, config.corruption, generator) for part in (own, before))
            return cross_entropy(self._logits(seen_own, seen_before).flatten(0, 1), own.flatten())

        plan = TrainingPlan(
            config.epochs,
            config.batch_size,
            config.learning_rate,
            decay=config.decay,
            weight_decay=config.weight_decay,
            clip_norm=1.0,
            held_out=config.held_out,
            patience=config.patience,
        )
        groups = example_tracks(sequences, tokens.tokens)
        context.train(self, loss, examples=len(codes), plan=plan, generators=(generator,), groups=groups)

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L) nats for codes (B, L) and history (B, H) or None."""
        return self.distribution(codes, history).gather(2, codes[..., None])[..., 0]

    def distribution(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L, codebook_size) nats: log-probabilities of every code at each place."""
        return self._logits(codes, padded_history(history, codes, self.history)).log_softmax(dim=-1)

    @torch.no_grad()
    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        """Continues (B, H) histories by ``tokens`` tokens, window by window: (B, tokens)."""
        sequence, state = history, None
        for step in range(tokens):
            latest = sequence[:, -1:]
            if step % self.tokens.tokens == 0:
                # A window starts with the history that scoring would give it, which is shorter than all that was drawn.
                latest, state = self._opening(padded_history(sequence, sequence, self.history)), None
            out, state = self.lstm(self.embedding(latest), state)
            chances = self.head(out[:, -1]).softmax(dim=-1).cpu()
            drawn = torch.multinomial(chances, 1, generator=generator).to(sequence.device)
            sequence = torch.cat([sequence, drawn], dim=1)
        return sequence[:, history.shape[1] :]

    def _opening(self, history: torch.Tensor) -> torch.Tensor:
        """(B, 1 + H) what stands before a window: a begin token and the history."""
        begin = history.new_full((len(history), 1), self._begin)
        return torch.cat([begin, torch.where(history == ABSENT, self._absent, history)], dim=1)

    def _logits(self, codes: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """(B, L, codebook_size) for the tokens of the window."""
        if len(codes) == 0:
            return self.head.weight.new_zeros((0, codes.shape[1], self.tokens.codebook_size))
        x = self.dropout(self.embedding(torch.cat([self._opening(history), codes[:, :-1]], dim=1)))
        out, _ = self.lstm(x)
        logits: torch.Tensor = self.head(self.dropout(out[:, self.history :]))
        return logits
