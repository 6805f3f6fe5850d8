"""n-gram prior: counts of short token sequences, interpolated from long to short contexts (Witten and Bell 1991).

    p_o(c | h) = (count_o(h, c) + kinds_o(h) p_{o-1}(c | h')) / (count_o(h) + kinds_o(h))

where h is the last o tokens, h' the last o - 1, kinds_o(h) the number of different tokens seen after h, and p_{-1} is
uniform. An unseen context leaves the shorter one's estimate as it is. The probabilities of all codes sum to one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from pydantic import Field

from vadbench.api import ComponentConfig, ConfigError, Context, TokenShape
from vadbench_msgflow.histories import ABSENT, examples, padded_history

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class NGramConfig(ComponentConfig):
    """Settings of the n-gram prior."""

    order: int = Field(
        default=3, ge=1, le=6, description="n: a token is predicted from the n - 1 before it; 1 counts single tokens"
    )


class NGramPrior:
    """Interpolated n-gram model; fulfils `vadbench.api.Prior` and `Predictive`.

    Raises:
        ConfigError: if order and codebook are too large for a sequence to have a 64-bit number of its own.
    """

    def __init__(self, config: NGramConfig, tokens: TokenShape, history: int) -> None:
        self.config, self.tokens, self.history = config, tokens, history
        self._base = tokens.codebook_size + 1
        if self._base**config.order >= 2**62:
            raise ConfigError(
                f"{config.order}-grams over {tokens.codebook_size} codes are too many to number",
                where="prior.order",
                remedy="lower prior.order or tokenizer.codebook_size",
            )
        nothing = torch.zeros(0, dtype=torch.int64)
        self._grams = [(nothing, nothing) for _ in range(config.order)]
        self._contexts = [(nothing, nothing, nothing) for _ in range(config.order)]

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        """Counts every n-gram of every window, with the history that scoring would give it."""
        codes, history = examples(sequences, self.tokens.tokens, self.history)
        numbered = self._numbered(codes, history)
        for order in range(self.config.order):
            self._count(order, *self._at(numbered, order).unique(return_counts=True))
        context.logger.info("%s: %s n-grams", context.name, [len(grams) for grams, _ in self._grams])

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L) nats for codes (B, L) and history (B, H) or None."""
        numbered = self._numbered(codes.cpu(), None if history is None else history.cpu())
        shape = codes.shape
        estimate = torch.full(shape, 1 / self.tokens.codebook_size, dtype=torch.float64)
        for order in range(self.config.order):
            grams = self._at(numbered, order)
            count, _ = _look_up(grams, *self._grams[order], self._grams[order][1])
            total, kinds = _look_up(grams // self._base, *self._contexts[order])
            known = total > 0
            mixed = (count + kinds * estimate) / (total + kinds).clamp(min=1)
            estimate = torch.where(known, mixed, estimate)
        return estimate.log().to(codes.device, torch.float32)

    def distribution(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L, codebook_size) nats: log-probabilities of every code at each place.

        Each context that occurs is looked up once, and of the counts after it only those that were seen are added.
        """
        numbered = self._numbered(codes.cpu(), None if history is None else history.cpu())
        contexts, at = (self._at(numbered, self.config.order - 1) // self._base).unique(return_inverse=True)
        return self._after(contexts).log().float()[at].to(codes.device)

    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        """Continues (B, H) histories by ``tokens`` tokens, window by window: (B, tokens)."""
        sequence = history
        for step in range(tokens):
            begin = sequence.shape[1] - step % self.tokens.tokens
            # The last place is the one to be drawn; what stands there is not looked at.
            own = torch.cat([sequence[:, begin:], sequence.new_zeros((len(sequence), 1))], dim=1)
            chances = self.distribution(own, sequence[:, :begin])[:, -1].exp()
            drawn = torch.multinomial(chances.cpu(), 1, generator=generator)
            sequence = torch.cat([sequence, drawn.to(sequence.device)], dim=1)
        return sequence[:, history.shape[1] :]

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The n-grams of every order and how often each was seen."""
        grams = {f"grams.{order}": grams for order, (grams, _) in enumerate(self._grams)}
        return grams | {f"counts.{order}": counts for order, (_, counts) in enumerate(self._grams)}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes back what `state_dict` gave."""
        for order in range(self.config.order):
            self._count(order, state_dict[f"grams.{order}"], state_dict[f"counts.{order}"])

    def _after(self, contexts: torch.Tensor) -> torch.Tensor:
        """(M, K) float64 probabilities of every code after contexts (M,), numbered by their order - 1 tokens."""
        size = self.tokens.codebook_size
        estimate = torch.full((len(contexts), size), 1 / size, dtype=torch.float64)
        for order in range(self.config.order):
            keys, totals, kinds = self._contexts[order]
            wanted = contexts % self._base**order
            total, kind = _look_up(wanted, keys, totals, kinds)
            estimate *= torch.where(total > 0, kind / (total + kind).clamp(min=1), 1.0)[:, None]
            # The n-grams of a context follow one another, as many as it has kinds of tokens after it.
            grams, counts = self._grams[order]
            row = torch.arange(len(contexts)).repeat_interleave(kind)
            first = torch.searchsorted(grams, wanted * self._base)
            gram = torch.arange(len(row)) - (kind.cumsum(0) - kind - first).repeat_interleave(kind)
            code = grams[gram] % self._base + ABSENT
            estimate[row, code] += counts[gram] / (total + kind)[row]
        return estimate

    def _count(self, order: int, grams: torch.Tensor, counts: torch.Tensor) -> None:
        contexts, at = (grams // self._base).unique(return_inverse=True)
        totals = torch.zeros(len(contexts), dtype=torch.int64).index_add_(0, at, counts)
        kinds = torch.bincount(at, minlength=len(contexts))
        self._grams[order] = (grams, counts)
        self._contexts[order] = (contexts, totals, kinds)

    def _numbered(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, order - 1 + L) tokens as digits 1 .. codebook_size, with 0 for what is absent."""
        # No more than the history that scoring gives: a longer context would be one that training never counted.
        reach = min(self.config.order - 1, self.history)
        before = padded_history(padded_history(history, codes, reach), codes, self.config.order - 1)
        return torch.cat([before, codes], dim=1) - ABSENT

    def _at(self, numbered: torch.Tensor, order: int) -> torch.Tensor:
        """(B, L) number of the (order + 1)-gram that ends at each token of the window."""
        rows = numbered.unfold(1, self.config.order, 1)[..., self.config.order - 1 - order :]
        powers = self._base ** torch.arange(order, -1, -1)
        return (rows * powers).sum(dim=-1)


def _look_up(
    wanted: torch.Tensor, keys: torch.Tensor, first: torch.Tensor, second: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of sorted ``keys`` at ``wanted``; 0 where there is no such key."""
    if len(keys) == 0:
        return torch.zeros_like(wanted), torch.zeros_like(wanted)
    at = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    hit = keys[at] == wanted
    return torch.where(hit, first[at], 0), torch.where(hit, second[at], 0)
