"""What the flow is conditioned on: nothing, the window's own code vectors, or those that the prior predicts.

With its own codes a window explains itself: a rare code with a broad density may make an odd window likely. The predicted
condition is the mean code vector under the prior's distribution at each place, given the tokens before that place alone, so
that the detail term asks how the motion differs from what was to be expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vadbench.api import CodeVectors, ConfigError, Predictive

if TYPE_CHECKING:
    from vadbench.api import Prior, Tokenizer

_BATCH = 1024


def check_predictable(tokenizer: Tokenizer | None, prior: Prior | None) -> None:
    """Raises `ConfigError` if these parts cannot predict code vectors."""
    for kind, part, contract in (("tokenizer", tokenizer, CodeVectors), ("prior", prior, Predictive)):
        if part is None:
            raise ConfigError(
                f"predicted codes need a {kind}, and there is none",
                where="composition.condition",
                remedy="keep the part, or choose condition own or none",
            )
        if not isinstance(part, contract):
            raise ConfigError(
                f"{type(part).__name__} cannot predict code vectors: it has no method "
                f"{'vectors' if kind == 'tokenizer' else 'distribution'}",
                where=kind,
                remedy=f"see {contract.__name__} in vadbench.api, or choose composition.condition own or none",
            )


def predicted_condition(tokenizer: Tokenizer, prior: Prior, codes: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
    """The code vector to be expected at each place, (B, L, D) float32.

    Args:
        tokenizer: One that gives `CodeVectors`.
        prior: One that is `Predictive`.
        codes: (B, L) the window's own tokens; a place is predicted from those before it.
        history: (B, H) the track's tokens before the window.
    """
    check_predictable(tokenizer, prior)
    assert isinstance(tokenizer, CodeVectors)  # noqa: S101 - checked above, which mypy does not see
    assert isinstance(prior, Predictive)  # noqa: S101
    shape = tokenizer.shape
    every = torch.arange(shape.codebook_size, device=codes.device)[:, None].expand(-1, shape.tokens)
    table = tokenizer.vectors(every).transpose(0, 1)
    pieces = [
        torch.bmm(prior.distribution(own, before).exp().transpose(0, 1), table).transpose(0, 1)
        for own, before in zip(torch.split(codes, _BATCH), torch.split(history, _BATCH), strict=True)
    ]
    return torch.cat(pieces) if pieces else table.new_zeros((0, shape.tokens, shape.width))
