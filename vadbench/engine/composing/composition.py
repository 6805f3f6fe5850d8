"""A composition of tokenizer, prior, flow and scorer, which is itself a detector.

    semantic       - sum_k log p(c_k | c_<k, the track's tokens before the window)    tokenizer + prior
    detail         - log p(x | q)                                                      flow, conditioned on code vectors
    reconstruction mean smooth-L1 distance of x and its decoded tokens                 tokenizer

Any part may be absent; then so are the terms that need it. All terms are higher for more anomalous, likelihoods in nats.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from vadbench.api import (
    ConfigError,
    Context,
    Diagnosed,
    Flow,
    Prior,
    Scorer,
    TermChecking,
    Terms,
    Tokenizer,
    ValidatedScorer,
    Windows,
)
from vadbench.engine.composing.conditions import check_predictable, predicted_condition
from vadbench.engine.composing.term_scores import score_terms
from vadbench.engine.composing.token_chains import token_history, track_sequences
from vadbench.engine.composing.window_batches import window_batches
from vadbench.engine.plugin_faults import component_step
from vadbench.engine.supervision import LEARNERS, learns_from_labels
from vadbench.engine.training.trainer import seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from vadbench.engine.composing.part_store import PartStore
    from vadbench.engine.composing.validation import Validation
    from vadbench.engine.config import CompositionConfig


T = TypeVar("T")


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
    """Fits its parts one after another, each given what those before it learned; fulfils `TermDetector`.

    Args:
        parts: Built, not fitted.
        config: How they work together.
        store: Where parts are found that were trained before, and those put that are trained now.
        recipe: Kind to name and settings of each part, by which the store knows them.

    Raises:
        ConfigError: if the flow is to be conditioned on predicted codes and a part cannot predict, or the scorer cannot do
            with the terms that there will be.
    """

    def __init__(
        self,
        parts: Parts,
        config: CompositionConfig,
        store: PartStore | None = None,
        recipe: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.parts = parts
        self.config = config
        needs = {"semantic": parts.prior, "detail": parts.flow, "reconstruction": parts.tokenizer}
        self.terms = tuple(term for term in config.terms if needs[term] is not None)
        self.condition = config.condition if parts.tokenizer is not None and parts.flow is not None else "none"
        if self.condition == "predicted":
            check_predictable(parts.tokenizer, parts.prior)
        if isinstance(parts.scorer, TermChecking):
            parts.scorer.check_terms(self.terms)
        self.validation: Callable[[], Validation] | None = None
        """Gives the labelled validation split, where the data set has one; the run sets it, for scorers that choose by it."""
        self.validation_identity: dict[str, str] = {}
        """What the choice depends on: poses and labels of that split, and the protocol; the run sets it, too."""
        self._store, self._recipe = store, recipe or {}

    @property
    def learns_from_labels(self) -> bool:
        """Whether its flow does: no other part is given a label."""
        return any(learns_from_labels(part) for kind, part in self.parts.named().items() if kind in LEARNERS)

    def fit(self, windows: Windows, context: Context) -> None:
        """Tokenizer, then prior on the tokens of whole tracks, then flow on the code vectors, then scorer on the terms."""
        parts, keys = self.parts, dict[str, str]()
        normal = windows.normal()
        tokens = _TrainingTokens(parts, normal, context)
        if (tokenizer := parts.tokenizer) is not None:
            keys["tokenizer"] = self._fit("tokenizer", {}, context, lambda: normal, tokenizer.fit)
        if (prior := parts.prior) is not None:
            before = {"tokenizer": keys["tokenizer"], "history": self.config.history}
            keys["prior"] = self._fit("prior", before, context, tokens.sequences, prior.fit)
        if (flow := parts.flow) is not None:
            # A flow that looks at no codes is the same whatever tokenizer stands beside it.
            before = {"condition": self.condition, **(keys if self.condition == "predicted" else {})}
            if self.condition == "own":
                before["tokenizer"] = keys["tokenizer"]
            learned, seen = normal, tokens
            if windows.abnormal is not None and learns_from_labels(flow):
                learned, seen = windows, _TrainingTokens(parts, windows, context)
            keys["flow"] = self._fit(
                "flow", before, context, lambda: self._condition(seen), lambda given, own: flow.fit(learned, given, own)
            )
        scored = {**keys, "composition": self.config.model_dump(mode="json"), "validation": self.validation_identity}
        plain = normal.select(normal.view == 0)
        # The statistics of the terms are those of the training windows as they are, not of augmented ones.
        self._fit("scorer", scored, context, lambda: self.score_terms(plain, context), self._fit_scorer(context))

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        """(W,) fused scores."""
        return self.fuse(self.score_terms(windows, context))

    def fuse(self, terms: Terms) -> NDArray[np.float64]:
        """Terms to scores (W,)."""
        return np.asarray(self.parts.scorer.score(terms), dtype=np.float64)

    def score_terms(self, windows: Windows, context: Context) -> dict[str, NDArray[np.float64]]:
        """The terms of ``config.terms`` whose parts are there, each (W,)."""
        return score_terms(
            self.parts, self.terms, condition=self.condition, history=self.config.history, windows=windows, context=context
        )

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

    def _fit(
        self, kind: str, before: Mapping[str, Any], context: Context, give: Callable[[], T], fit: Callable[[T, Context], None]
    ) -> str:
        """Fits one part on what it is given, or takes it from the store; the key that the store knows it by, if there is one."""
        part, store, own = self.parts.named()[kind], self._store, context.child(kind)
        key = "" if store is None else store.key(kind, self._recipe[kind], before)
        if store is not None and store.taken(key, kind, part, own):
            return key
        with nullcontext() if store is None else store.kept(key, kind, part, own):
            given = give()  # before the part's seed is set: what the parts before it draw does not change what this one draws
            with component_step("fit", kind, part), seeded(own.seed):
                fit(given, own)
        return key

    def _condition(self, tokens: _TrainingTokens) -> torch.Tensor | None:
        """(W, L, D) what the flow is trained with, on the CPU."""
        tokenizer, prior = self.parts.tokenizer, self.parts.prior
        if self.condition == "own":
            return tokens.vectors()
        if self.condition == "predicted" and tokenizer is not None and prior is not None:
            with torch.no_grad():  # not inference_mode: the flow takes gradients through what it computes from these vectors
                codes, history = tokens.with_history(self.config.history)
                return predicted_condition(tokenizer, prior, codes, history).cpu()
        return None

    def _fit_scorer(self, context: Context) -> Callable[[Terms, Context], None]:
        scorer = self.parts.scorer

        def fit(terms: Terms, own: Context) -> None:
            scorer.fit(terms)
            if not isinstance(scorer, ValidatedScorer):
                return
            if self.validation is None:
                raise ConfigError(
                    f"{type(scorer).__name__} chooses by a labelled validation split, and this data set has none",
                    where="scorer",
                    remedy="use it on a data set that has one, such as ubnormal, or choose another scorer with --scorer",
                )
            validation = self.validation()
            for what, value in scorer.choose(self.score_terms(validation.windows, context), validation.quality).items():
                own.chosen(what, value, by="validation")

        return fit


@dataclass(slots=True)
class _TrainingTokens:
    """The tokens of the training windows and of the windows before them, encoded once, and only if a part asks for them."""

    parts: Parts
    windows: Windows
    context: Context
    _linked: Windows | None = field(default=None, init=False)
    _previous: NDArray[np.int64] | None = field(default=None, init=False)
    _codes: torch.Tensor | None = field(default=None, init=False)

    def sequences(self) -> list[torch.Tensor]:
        """Whole tracks, see `track_sequences`."""
        codes, linked, previous = self._encoded()
        bounds = linked.tracks.track_bounds()
        return track_sequences(codes, previous, np.searchsorted(bounds, linked.first, side="right") - 1)

    def with_history(self, history: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Codes (W, L) and history (W, history * L) of the training windows, on the device."""
        codes, _, previous = self._encoded()
        before = token_history(codes, torch.from_numpy(previous), history)[: len(self.windows)]
        return codes[: len(self.windows)].to(self.context.device), before.to(self.context.device)

    @torch.no_grad()
    def vectors(self) -> torch.Tensor:
        """(W, L, D) the training windows' own code vectors, on the CPU."""
        tokenizer = self.parts.tokenizer
        assert tokenizer is not None  # noqa: S101 - a condition needs one, see Composition.condition
        return torch.cat([tokenizer.encode(x).vectors.cpu() for x in window_batches(self.windows, self.context.device)])

    @torch.no_grad()
    def _encoded(self) -> tuple[torch.Tensor, Windows, NDArray[np.int64]]:
        if self._codes is None or self._linked is None or self._previous is None:
            tokenizer = self.parts.tokenizer
            assert tokenizer is not None  # noqa: S101 - the configuration refuses a prior without one
            self._linked, self._previous = self.windows.linked()
            self._codes = torch.cat([tokenizer.encode(x).codes.cpu() for x in window_batches(self._linked, self.context.device)])
        return self._codes, self._linked, self._previous
