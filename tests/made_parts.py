"""The simplest parts of a composition, for tests of what holds parts together."""

from __future__ import annotations

import torch

from vadbench.api import Tokens, TokenShape

TOKENS = 2


class SignTokenizer:
    """A token is how high a window's halves are, in 4 steps; its vector is (code, 1)."""

    def __init__(self) -> None:
        self.shape = TokenShape(codebook_size=4, tokens=TOKENS, width=2)
        self.fitted: list[int] = []

    def fit(self, windows, context) -> None:
        self.fitted.append(len(windows))

    def encode(self, x: torch.Tensor) -> Tokens:
        halves = torch.stack([half[:, 0, :, 0].mean(dim=1) for half in x.chunk(TOKENS, dim=2)], dim=1)
        codes = ((halves * 100).floor().long() % 4).abs()
        return Tokens(codes, torch.stack([codes.float(), torch.ones(codes.shape)], dim=2))

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(codes), 2, 8, 18) + codes.float().mean(dim=1)[:, None, None, None]

    def state_dict(self):
        return {"fitted": torch.tensor(self.fitted)}

    def load_state_dict(self, state_dict) -> None:
        self.fitted = state_dict["fitted"].tolist()


class WeightedPrior:
    """A log-probability that depends on every token of window and history, and on the place of each."""

    def __init__(self) -> None:
        self.sequences: list[torch.Tensor] = []

    def fit(self, sequences, context) -> None:
        self.sequences = list(sequences)

    def log_prob(self, codes: torch.Tensor, history) -> torch.Tensor:
        weights = torch.arange(1, history.shape[1] + 1)
        return -(codes.float() + 0.1 * (history * weights).sum(dim=1, keepdim=True))

    def sample(self, history, tokens, generator):
        raise NotImplementedError

    def state_dict(self):
        return {}

    def load_state_dict(self, state_dict) -> None: ...


class SumFlow:
    """A log-density that depends on the window and, if there is one, on its condition."""

    def __init__(self) -> None:
        self.condition: torch.Tensor | None = None

    def fit(self, windows, condition, context) -> None:
        self.condition = condition

    def log_prob(self, x: torch.Tensor, condition) -> torch.Tensor:
        moved = 0 if condition is None else condition.sum(dim=(1, 2))
        return -x.square().sum(dim=(1, 2, 3)) - moved

    def forward(self, x, condition):
        return x, x.new_zeros(len(x))

    def inverse(self, z, condition):
        return z

    def state_dict(self):
        return {"own": torch.ones(1)}

    def load_state_dict(self, state_dict) -> None: ...


class SumScorer:
    """The sum of the terms."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def fit(self, terms) -> None:
        self.seen = {name: len(values) for name, values in terms.items()}

    def score(self, terms):
        return sum(terms.values())

    def state_dict(self):
        return {}

    def load_state_dict(self, state_dict) -> None: ...
