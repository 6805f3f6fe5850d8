"""A composition of tokenizer, prior, flow and scorer, which is itself a detector.

    semantic       - sum_k log p(c_k | c_<k, the track's tokens before the window)    tokenizer + prior
    detail         - log p(x | q)                                                      flow, conditioned on the code vectors
    reconstruction mean smooth-L1 distance of x and its decoded tokens                 tokenizer

Any part may be absent; then so are the terms that need it. All terms are higher for more anomalous, likelihoods in nats.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import smooth_l1_loss

from vadbench.api import Context, DataError, Diagnosed, Flow, Prior, Scorer, Terms, Tokenizer, Tokens, Windows
from vadbench.engine.plugin_faults import component_step
from vadbench.engine.prefetch import prefetched
from vadbench.engine.trainer import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from vadbench.engine.config import CompositionConfig

_BATCH = 1024
"""Windows scored at once; no score depends on it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a composition; ``None`` where there is none."""

    scorer: Scorer
    tokenizer: Tokenizer | None = None
    prior: Prior | None = None
    flow: Flow | None = None

    def named(self) -> dict[str, Any]:
        """The parts that are there, by kind."""
        found = {"tokenizer": self.tokenizer, "prior": self.prior, "flow": self.flow, "scorer": self.scorer}
        return {kind: part for kind, part in found.items() if part is not None}


class Composition:
    """Fits its parts one after another, each given what those before it learned; fulfils `TermDetector`."""

    def __init__(self, parts: Parts, config: CompositionConfig) -> None:
        self.parts = parts
        self.config = config
        needs = {"semantic": parts.prior, "detail": parts.flow, "reconstruction": parts.tokenizer}
        self.terms = tuple(term for term in config.terms if needs[term] is not None)
        self.conditioned = config.condition == "own" and parts.tokenizer is not None and parts.flow is not None

    def fit(self, windows: Windows, context: Context) -> None:
        """Tokenizer, then prior on the tokens of whole tracks, then flow on the code vectors, then scorer on the terms."""
        parts = self.parts
        condition = None
        if parts.tokenizer is not None:
            with _part(context, "tokenizer", parts.tokenizer) as own:
                parts.tokenizer.fit(windows, own)
            linked, previous = windows.linked()
            codes, vectors = self._tokenise(linked, context, vectors_of=len(windows) if self.conditioned else 0)
            condition = vectors if self.conditioned else None
            if parts.prior is not None:
                with _part(context, "prior", parts.prior) as own:
                    parts.prior.fit(track_sequences(codes, previous), own)
        if parts.flow is not None:
            with _part(context, "flow", parts.flow) as own:
                parts.flow.fit(windows, condition, own)
        # The statistics of the terms are those of the training windows as they are, not of augmented ones.
        parts.scorer.fit(self.score_terms(windows.select(windows.view == 0), context))

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        """(W,) fused scores."""
        return self.fuse(self.score_terms(windows, context))

    def fuse(self, terms: Terms) -> NDArray[np.float64]:
        """Terms to scores (W,)."""
        return np.asarray(self.parts.scorer.score(terms), dtype=np.float64)

    @torch.inference_mode()
    def score_terms(self, windows: Windows, context: Context) -> dict[str, NDArray[np.float64]]:
        """The terms of ``config.terms`` whose parts are there, each (W,)."""
        tokenizer, prior, flow = self.parts.tokenizer, self.parts.prior, self.parts.flow
        columns: dict[str, list[torch.Tensor]] = {term: [] for term in self.terms if term != "semantic"}
        linked, previous = windows.linked() if tokenizer is not None and prior is not None else (windows, None)
        codes: list[torch.Tensor] = []
        with context.progress.task(f"score {context.name}", len(linked)) as advance:
            for x in _batches(linked, context.device):
                done = sum(len(part) for part in codes)
                tokens = tokenizer.encode(x) if tokenizer is not None else None
                if tokens is not None:
                    codes.append(tokens.codes)
                # Earlier windows that were only linked in for their tokens are not scored themselves.
                own = x[: max(len(windows) - done, 0)]
                if len(own) and "detail" in columns and flow is not None:
                    condition = tokens.vectors[: len(own)] if tokens is not None and self.conditioned else None
                    columns["detail"].append(-flow.log_prob(own, condition))
                if len(own) and "reconstruction" in columns and tokenizer is not None and tokens is not None:
                    columns["reconstruction"].append(_distance(own, tokenizer.decode(tokens.codes[: len(own)])))
                advance(len(x))
            terms = {name: _joined(parts) for name, parts in columns.items()}
            if "semantic" in self.terms and prior is not None and previous is not None:
                terms["semantic"] = self._surprise(prior, torch.cat(codes) if codes else None, previous, len(windows))
        return {name: terms[name] for name in self.terms}

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The state of every part, its names prefixed by the part's kind."""
        return {
            f"{kind}.{name}": torch.as_tensor(value)
            for kind, part in self.parts.named().items()
            for name, value in part.state_dict().items()
        }

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes back what `state_dict` gave."""
        for kind, part in self.parts.named().items():
            prefix = f"{kind}."
            own = {name.removeprefix(prefix): value for name, value in state_dict.items() if name.startswith(prefix)}
            part.load_state_dict(own)

    def diagnostics(self) -> dict[str, float]:
        """What the parts say of their training, prefixed by kind."""
        parts = self.parts.named().items()
        found = [(kind, part.diagnostics()) for kind, part in parts if isinstance(part, Diagnosed)]
        return {f"{kind}.{name}": float(value) for kind, told in found for name, value in told.items()}

    @torch.no_grad()  # not inference_mode: the flow takes gradients through what it computes from these vectors
    def _tokenise(self, windows: Windows, context: Context, vectors_of: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Codes (U, L) of all windows, and code vectors (n, L, D) of the first ``vectors_of``, on the CPU."""
        tokenizer = self.parts.tokenizer
        if tokenizer is None:
            raise DataError("there is no tokenizer to encode with")
        codes, vectors, kept = [], [], 0
        for x in _batches(windows, context.device):
            tokens: Tokens = tokenizer.encode(x)
            codes.append(tokens.codes.cpu())
            own = tokens.vectors[: max(vectors_of - kept, 0)].cpu()
            vectors.append(own)
            kept += len(own)
        return torch.cat(codes), torch.cat(vectors) if vectors_of else None

    def _surprise(self, prior: Prior, codes: torch.Tensor | None, previous: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        if codes is None or count == 0:
            return np.zeros(0)
        history = token_history(codes, torch.from_numpy(previous).to(codes.device), self.config.history)
        pieces = zip(torch.split(codes[:count], _BATCH), torch.split(history[:count], _BATCH), strict=True)
        return _joined([-prior.log_prob(own, before).sum(dim=1) for own, before in pieces])


def token_history(codes: torch.Tensor, previous: torch.Tensor, windows: int) -> torch.Tensor:
    """The tokens of the ``windows`` windows before each, oldest first, -1 where there is none.

    Args:
        codes: (U, L) tokens of every window.
        previous: (U,) index of each window's predecessor, -1 for none.
        windows: How many to walk back.

    Returns:
        (U, windows * L) int64.
    """
    padded = torch.cat([codes, torch.full_like(codes[:1], -1)])
    steps = torch.cat([previous, previous.new_full((1,), -1)])
    at = torch.arange(len(codes), device=codes.device)
    blocks = []
    for _ in range(windows):
        at = steps[at]
        blocks.append(padded[at])
    return torch.cat(blocks[::-1], dim=1) if blocks else codes.new_zeros((len(codes), 0))


def track_sequences(codes: torch.Tensor, previous: NDArray[np.int64]) -> list[torch.Tensor]:
    """Whole tracks as token sequences: every maximal chain of windows that follow one another, oldest first.

    Each window belongs to one chain, as no two windows have the same predecessor.

    Args:
        codes: (U, L) tokens of every window.
        previous: (U,) index of each window's predecessor, -1 for none.
    """
    has_next = np.zeros(len(previous), dtype=bool)
    has_next[previous[previous >= 0]] = True
    links = previous.tolist()
    sequences = []
    for end in np.flatnonzero(~has_next).tolist():
        chain = []
        at = end
        while at >= 0:
            chain.append(at)
            at = links[at]
        sequences.append(codes[chain[::-1]].reshape(-1))
    return sequences


@contextmanager
def _part(context: Context, kind: str, part: object) -> Iterator[Context]:
    """The context of one part, with torch's global generators seeded for it; an error of the part's names it."""
    own = context.child(kind)
    with component_step("fit", kind, part), seeded(own.seed):
        yield own


def _batches(windows: Windows, device: str) -> Iterator[torch.Tensor]:
    def batch(begin: int) -> torch.Tensor:
        return torch.from_numpy(windows.batch(slice(begin, begin + _BATCH)).x).to(device)

    return prefetched(batch, range(0, len(windows), _BATCH))


def _distance(x: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
    return smooth_l1_loss(decoded, x, reduction="none").mean(dim=(1, 2, 3))


def _joined(parts: list[torch.Tensor]) -> NDArray[np.float64]:
    return torch.cat(parts).double().cpu().numpy() if parts else np.zeros(0)
