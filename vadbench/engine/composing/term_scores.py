"""The terms of a composition's windows, computed in a stream: what is held at a time does not grow with their number.

Windows are taken track by track, some thousands at a time. A window's history is the tokens of windows that are scored with
it, so every window is gathered and encoded once; what a selection leaves out of a history is encoded besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import torch
from torch.nn.functional import smooth_l1_loss

from vadbench.engine.composing.conditions import predicted_condition
from vadbench.engine.composing.window_batches import BATCH, window_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from vadbench.api import Context, Tokens, Windows
    from vadbench.engine.composing.composition import Parts

GROUP: Final = 16_384
"""Windows of a group at least, unless it is the last one: many, as a group's last batches are not full."""


@torch.inference_mode()
def score_terms(
    parts: Parts,
    terms: tuple[str, ...],
    *,
    condition: Literal["none", "own", "predicted"],
    history: int,
    windows: Windows,
    context: Context,
) -> dict[str, NDArray[np.float64]]:
    """Each term of each window, (W,), in the order of the windows, whatever that is.

    Args:
        parts: Trained; those that the terms need.
        terms: Some of ``semantic``, ``detail`` and ``reconstruction``.
        condition: What the flow is conditioned on.
        history: Windows before each whose tokens the prior is given.
        windows: Any selection, seen in any views.
        context: Of the composition.
    """
    scores = {term: np.zeros(len(windows)) for term in terms}
    log_prob = context.compiled(parts.flow.log_prob) if parts.flow is not None and "detail" in terms else None
    with context.progress.task(f"score {context.name}", len(windows)) as advance:
        for places in track_groups(windows, GROUP):
            group = _Group(parts, terms, condition, history, windows.select(places), context.device, log_prob)
            for term, at, values in group.scored():
                scores[term][places[at]] = values.cpu().double().numpy()
            advance(len(places))
    return scores


def track_groups(windows: Windows, least: int) -> Iterator[NDArray[np.int64]]:
    """The windows' indices in groups: whole tracks of one view each, ``least`` windows or more in all but the last group.

    Within a group windows are in the order of views and rows.
    """
    order = np.lexsort((windows.first, windows.view))
    track = np.searchsorted(windows.tracks.track_bounds(), windows.first[order], side="right")
    change = (np.diff(track) != 0) | (np.diff(windows.view[order]) != 0)
    ends = np.append(np.flatnonzero(change) + 1, len(order))
    begin = 0
    while begin < len(order):
        end = int(ends[min(int(np.searchsorted(ends, begin + least)), len(ends) - 1)])
        yield order[begin:end]
        begin = end


@dataclass(slots=True)
class _Group:
    """Windows of some whole tracks that are scored together."""

    parts: Parts
    terms: tuple[str, ...]
    condition: Literal["none", "own", "predicted"]
    history: int
    windows: Windows
    device: str
    log_prob: Callable[..., torch.Tensor] | None
    """The flow's, compiled where the user asked for it; None without a detail term."""

    def scored(self) -> Iterator[tuple[str, slice, torch.Tensor]]:
        """Term, which windows of the group, and the term of these, (B,)."""
        detail = "detail" in self.terms
        predicted = detail and self.condition == "predicted"
        chained = predicted or "semantic" in self.terms
        own = "reconstruction" in self.terms or (detail and not predicted)
        every, before = with_histories(self.windows, self.history) if chained else (self.windows, None)
        codes: list[torch.Tensor] = []
        if own or chained:
            done = 0
            for x in window_batches(every, self.device):
                tokens = self._tokens(x)
                if tokens is not None and chained:
                    codes.append(tokens.codes)
                # Behind the group's own windows come those that are but history of others.
                at = slice(done, min(done + len(x), len(self.windows)))
                if own and at.start < at.stop:
                    yield from self._own_terms(x[: at.stop - done], tokens, at)
                done += len(x)
        if before is not None:
            absent = codes[0].new_full((1, codes[0].shape[1]), -1)
            known = torch.cat([*codes, absent])
            yield from self._chained_terms(known, torch.from_numpy(before).to(known.device), predicted=predicted)

    def _tokens(self, x: torch.Tensor) -> Tokens | None:
        needed = self.condition != "none" or self.terms != ("detail",)
        return self.parts.tokenizer.encode(x) if self.parts.tokenizer is not None and needed else None

    def _own_terms(self, x: torch.Tensor, tokens: Tokens | None, at: slice) -> Iterator[tuple[str, slice, torch.Tensor]]:
        """What needs no other window: detail, unless its condition is predicted, and reconstruction."""
        log_prob, tokenizer = self.log_prob, self.parts.tokenizer
        if "detail" in self.terms and self.condition != "predicted" and log_prob is not None:
            given = tokens.vectors[: len(x)] if tokens is not None and self.condition == "own" else None
            yield "detail", at, -log_prob(x, given)
        if "reconstruction" in self.terms and tokenizer is not None and tokens is not None:
            decoded = tokenizer.decode(tokens.codes[: len(x)])
            yield "reconstruction", at, smooth_l1_loss(decoded, x, reduction="none").mean(dim=(1, 2, 3))

    def _chained_terms(
        self, known: torch.Tensor, before: torch.Tensor, *, predicted: bool
    ) -> Iterator[tuple[str, slice, torch.Tensor]]:
        """What needs the tokens of the windows before: semantic, and detail where its condition is predicted.

        Args:
            known: (U + 1, L) tokens of all windows; the last row stands for a window that there is not.
            before: (W, history) which windows lie before each, oldest first, -1 for none.
            predicted: Whether the flow is to be asked.
        """
        tokenizer, prior, log_prob = self.parts.tokenizer, self.parts.prior, self.log_prob
        assert tokenizer is not None  # noqa: S101 - these terms are refused where a part is missing
        assert prior is not None  # noqa: S101
        batches = window_batches(self.windows, self.device) if predicted else None
        for begin in range(0, len(self.windows), BATCH):
            at = slice(begin, min(begin + BATCH, len(self.windows)))
            codes, past = known[at], known[before[at]].flatten(1)
            if "semantic" in self.terms:
                yield "semantic", at, -prior.log_prob(codes, past).sum(dim=1)
            if batches is not None and log_prob is not None:
                yield "detail", at, -log_prob(next(batches), predicted_condition(tokenizer, prior, codes, past))


def with_histories(windows: Windows, history: int) -> tuple[Windows, NDArray[np.int64]]:
    """The windows, then those of their histories that are not among them.

    Returns:
        ``(every, before)``: ``before`` (W, history) says which of ``every`` lie before each window, oldest first, -1 for none.
    """
    count = len(windows)
    linked, previous = windows.linked()
    steps, at = np.append(previous, -1), np.arange(count)
    before = np.empty((count, history), dtype=np.int64)
    for column in reversed(range(history)):
        at = steps[at]
        before[:, column] = at
    # Links go back to the beginning of a track; what lies further back than the history is of no use.
    others = np.unique(before[before >= count])
    place = np.where(before >= count, count + np.searchsorted(others, before), before)
    return linked.select(np.concatenate([np.arange(count), others])), place
