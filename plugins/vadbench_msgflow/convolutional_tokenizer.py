"""What the tokenizers between convolutions have in common: how they are trained, decode, and are measured afterwards.

They differ in how a feature becomes a code: see `vadbench_msgflow.tokenizer`, `fsq` and `residual_vq`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

import torch

from vadbench.api import TokenShape
from vadbench_msgflow.codebook_usage import codebook_usage
from vadbench_msgflow.convolutions import Convolutions
from vadbench_msgflow.reconstruction import code_counts, sampled_variance_lost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vadbench.api import Context, PoseShape, Tokens, Windows
    from vadbench_msgflow.convolutions import ConvolutionalConfig

_STARTED_FROM: Final = 4096
"""Training windows at most, evenly spaced, whose mean pose a decoder starts from."""


class ConvolutionalTokenizer(Convolutions, ABC):
    """Convolutions around codes.

    Args:
        config: Of the convolutions and of their training.
        poses: Shape of a window.
        width: D, numbers of a code vector.
        codes: K, how many there are.

    Raises:
        ConfigError: if the down-sampling is no power of two or does not divide the window.
    """

    usage: torch.Tensor
    lost: torch.Tensor

    def __init__(self, config: ConvolutionalConfig, poses: PoseShape, *, width: int, codes: int) -> None:
        super().__init__(poses, width=width, hidden=config.hidden, downsampling=config.downsampling)
        self.shape = TokenShape(codes, self.tokens, width)
        self.plan = config.plan()
        self.register_buffer("usage", torch.zeros(codes))
        self.register_buffer("lost", torch.zeros(()))

    def learn(
        self,
        windows: Windows,
        context: Context,
        loss: Callable[[torch.Tensor], torch.Tensor],
        generators: Sequence[torch.Generator] = (),
    ) -> None:
        """Trains by a loss on windows x (B, C, T, J), then measures how the codes are used and what is lost.

        Args:
            windows: To train on.
            context: Of the tokenizer.
            loss: Scalar mean loss of a batch.
            generators: That it draws from.
        """

        def batch(index: torch.Tensor) -> torch.Tensor:
            return context.tensor(windows.batch(index.numpy()).x)

        tracks = windows.track
        context.train(self, loss, examples=len(windows), plan=self.plan, prepare=batch, groups=tracks, generators=generators)
        self.usage.copy_(code_counts(self, windows, context))
        self.lost.fill_(sampled_variance_lost(self, windows, context))

    def start_decoder(self, windows: Windows, context: Context) -> None:
        """`start_at_mean_pose` of the training windows."""
        evenly = torch.arange(len(windows))[:: len(windows) // _STARTED_FROM + 1]
        self.start_at_mean_pose(context.tensor(windows.batch(evenly.numpy()).x))

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (B, L) to windows (B, C, T, J)."""
        return self.windows(self.vectors(codes))

    @abstractmethod
    def fit(self, windows: Windows, context: Context) -> None:
        """See `vadbench.api.Tokenizer`; ends in `learn`."""

    @abstractmethod
    def encode(self, x: torch.Tensor) -> Tokens:
        """Windows (B, C, T, J) to codes (B, L) and code vectors (B, L, D)."""

    @abstractmethod
    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (..., L) to code vectors (..., L, D)."""

    def diagnostics(self) -> dict[str, float]:
        """Perplexity and unused codes on the training windows, and the share of their variance that is lost."""
        return {**codebook_usage(self.usage), "reconstruction": self.lost.item()}
