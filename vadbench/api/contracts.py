"""The contracts of methods and their parts. A class fulfils one by having its methods; nothing needs to be inherited.

The sixth contract, that of a data set, is in `vadbench.api.dataset`.

Everywhere: an anomaly score is higher for more anomalous; log-likelihoods are in nats, summed over dimensions, never
bits per dimension. Shapes: W windows, B windows of a batch, C = 2 channels (x, y), T frames, J joints, L tokens a
window, D numbers a code vector, H tokens of history.

Everywhere, too: zero windows give empty output, what a window gets depends neither on the windows beside it nor on their
order, asking twice gives the same answer, and a component does not write to the arrays it is given.

How the harness makes one, where ``config`` is an instance of the config model it was registered with:

=========  ====================================================
kind       call
=========  ====================================================
dataset    ``cls(config, data_root)``  (``data_root``: ``Path | None``)
tokenizer  ``cls(config, poses)``  (``poses``: `PoseShape`)
prior      ``cls(config, tokens, history)``  (``tokens``: `TokenShape`, ``history``: H)
flow       ``cls(config, poses, condition)``  (``condition``: `TokenShape | None`)
scorer     ``cls(config)``
detector   ``cls(config, poses)``
=========  ====================================================

Everything but a dataset also keeps what it learned in ``state_dict()`` / ``load_state_dict(state)`` (`Stateful`), as
every ``torch.nn.Module`` does: a mapping of names to tensors, which is what ``weights.safetensors`` can hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from vadbench.api.context import Context
    from vadbench.api.windows import Windows

Terms = Mapping[str, "NDArray[np.float64]"]
"""Parts of an anomaly score by name, each (B,) float64 in nats where it is a likelihood, higher = more anomalous."""


@dataclass(frozen=True, slots=True)
class TokenShape:
    """What a tokenizer puts out: how many codes there are, how many tokens a window has, how wide a vector is."""

    codebook_size: int
    tokens: int
    width: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """A batch of tokenised windows.

    Args:
        codes: (B, L) int64 in [0, codebook_size).
        vectors: (B, L, D) float32, the code vectors that stand for them.
    """

    codes: torch.Tensor
    vectors: torch.Tensor


class TokenSequences(list["torch.Tensor"]):
    """Token sequences with the track that each comes from; a plain list for whoever does not ask.

    Args:
        sequences: Each (n,) int64.
        tracks: (N,) int64, a number of its own for each track; sequences that share frames share it.
    """

    def __init__(self, sequences: Iterable[torch.Tensor], tracks: NDArray[np.int64]) -> None:
        super().__init__(sequences)
        self.tracks = tracks


@runtime_checkable
class Stateful(Protocol):
    """Keeps what it learned as named tensors; ``torch.nn.Module`` fulfils it as it is."""

    def state_dict(self) -> Mapping[str, Any]:
        """Names to tensors."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> object:
        """Takes back what ``state_dict`` gave, on an object made with the same config and shapes."""
        ...


@runtime_checkable
class Diagnosed(Protocol):
    """Optional: tells how its training went, in numbers that every run record carries (e.g. codebook perplexity)."""

    def diagnostics(self) -> Mapping[str, float]:
        """Finite numbers by name."""
        ...


@runtime_checkable
class Tokenizer(Protocol):
    """Turns a window into L discrete motion primitives, and back.

    Attributes:
        shape: What it puts out; known as soon as the object is made.
    """

    shape: TokenShape

    def fit(self, windows: Windows, context: Context) -> None:
        """Learns the codebook from normal windows."""
        ...

    def encode(self, x: torch.Tensor) -> Tokens:
        """Windows (B, C, T, J) to tokens; equal codes in the same place have equal vectors. No gradient is needed."""
        ...

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (B, L) to windows (B, C, T, J)."""
        ...


@runtime_checkable
class Prior(Protocol):
    """A distribution over token sequences: log p(codes | history)."""

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        """Learns from the token sequences of whole tracks, each (n,) int64, n a multiple of L, oldest first.

        In scoring a window is given the H tokens before it at most; training should show it no more. One track gives several
        sequences, as it is cut at several phases and seen in several views: the harness passes `TokenSequences`, which say
        of which track each is.
        """
        ...

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """Log-probability of each token given those before it.

        Args:
            codes: (B, L) int64.
            history: (B, H) int64, the track's tokens before the window, oldest first, padded on the left with -1,
                for the H it was made with; None is the same as a history of nothing but -1.

        Returns:
            (B, L) float32, nats.
        """
        ...

    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        """Continues (B, H) histories by ``tokens`` tokens, which may be more than L: (B, tokens) int64.

        The generator decides what is drawn.
        """
        ...


@runtime_checkable
class Predictive(Protocol):
    """Optional, of a prior: gives the whole distribution of each token, which conditioning on predicted codes needs."""

    def distribution(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """Log-probabilities of every code at each place of the window, given the tokens before that place.

        Args:
            codes: (B, L) int64.
            history: As `Prior.log_prob` takes it.

        Returns:
            (B, L, codebook_size) float32, nats; gathered at ``codes`` it is what ``log_prob`` gives.
        """
        ...


@runtime_checkable
class CodeVectors(Protocol):
    """Optional, of a tokenizer: the vectors that stand for any codes, which conditioning on predicted codes needs."""

    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (..., L) to vectors (..., L, D) float32, those that ``encode`` gives with them."""
        ...


@runtime_checkable
class Flow(Protocol):
    """An invertible map between windows and latents, with an exact density, optionally conditioned on code vectors.

    One that cannot be conditioned raises `ConfigError` when it is made with a condition.
    """

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        """Learns from normal windows and their conditions (W, L, D) float32, or None."""
        ...

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Log-density of windows (B, C, T, J) given (B, L, D): (B,) float32, nats.

        The log-density of the latent plus ``log_det``, with every constant: over all windows the density integrates to one.
        """
        ...

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Window to latent: ``(z, log_det)`` with z shaped as x and log |det dz/dx| (B,), nats."""
        ...

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Latent to window."""
        ...


@runtime_checkable
class Localised(Protocol):
    """Optional, of a flow: says where in a window its surprise lies, which ``vadbench explain`` shows joint by joint."""

    def joint_surprise(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """The share of each joint of each frame in ``-log_prob``: (B, T, J) float32, nats, summing to it over T and J."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Fuses the terms of a composition into one anomaly score.

    Terms go by name, in any order. The score never falls when a term rises, unless the class says ``monotone = False``; a
    term that was constant in training still gives finite scores.
    """

    def fit(self, terms: Terms) -> None:
        """Learns statistics from the terms of normal training windows."""
        ...

    def score(self, terms: Terms) -> NDArray[np.float64]:
        """Terms of B windows to scores (B,)."""
        ...


@runtime_checkable
class TermChecking(Protocol):
    """Optional, of a scorer: says before anything is trained whether it can do with the terms that there will be."""

    def check_terms(self, terms: Iterable[str]) -> None:
        """Raises `ConfigError` if the composition's terms, by name, are not those that its settings need."""
        ...


Quality = Callable[["NDArray[np.float64]"], float]
"""How well scores (W,) of the validation windows find what is abnormal: the headline figure of the run's protocol, in [0, 1]."""


@runtime_checkable
class ValidatedScorer(Scorer, Protocol):
    """A scorer that makes a choice on a labelled validation split; it is told how good a choice is, and no label."""

    def choose(self, terms: Terms, quality: Quality) -> Mapping[str, float]:
        """Called after ``fit``, where the data set has a labelled validation split; elsewhere the run is refused.

        Args:
            terms: Of the validation windows, each (W,).
            quality: Of a score (W,) of those windows.

        Returns:
            What was chosen, by name; it stands in the run's record as chosen by validation.
        """
        ...


@runtime_checkable
class Detector(Protocol):
    """A whole method: windows to anomaly scores.

    Once fitted it gives windows that show no body a higher mean score than normal ones, unless the class says
    ``learns = False``: one whose scores have nothing to do with what a window shows.
    """

    def fit(self, windows: Windows, context: Context) -> None:
        """Learns from normal windows (and other views of them, where the method asks for augmentation).

        In the supervised track, one whose class says ``learns_from_labels = True`` finds labels in ``windows.abnormal``.
        """
        ...

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        """One score a window (W,), or one a frame of each window (W, T).

        Of any floating-point type: the harness computes with float64.

        A window's score depends on nothing but what its own clip shows up to and including it: not on other clips, on the
        number that a clip has among them, or on how long the clip and the window's track go on. Other people of the clip may
        count, up to the window.
        """
        ...


@runtime_checkable
class TermDetector(Detector, Protocol):
    """A detector whose score has parts that are worth keeping and evaluating by themselves."""

    def score_terms(self, windows: Windows, context: Context) -> Terms:
        """The parts, each (W,)."""
        ...

    def fuse(self, terms: Terms) -> NDArray[np.float64]:
        """The parts of W windows to scores (W,); ``score`` is ``fuse(score_terms(...))``."""
        ...
