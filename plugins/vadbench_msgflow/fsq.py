"""Finite scalar quantisation: a token is a few numbers, each rounded to one of a few levels (Mentzer et al. 2023).

From "Finite Scalar Quantization: VQ-VAE Made Simple" (arXiv 2309.15505): every channel of a feature is squashed by tanh and
rounded, gradients pass straight through the rounding, and the codebook is all combinations of levels, so there is nothing to
learn, to move or to revive in it. Here the levels lie evenly from -1 to 1 for even numbers of levels as well, where the paper
shifts them by half a step. The convolutions around it are those of the VQ-VAE.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, field_validator

from vadbench.api import Context, PoseShape, Tokens, Windows
from vadbench_msgflow.convolutional_tokenizer import ConvolutionalTokenizer
from vadbench_msgflow.convolutions import ConvolutionalConfig, motion_loss
from vadbench_msgflow.product_codes import ProductCode, checked_sizes


class FSQConfig(ConvolutionalConfig):
    """Settings of the finite scalar quantiser; there are as many primitives as combinations of levels."""

    levels: list[Annotated[int, Field(ge=2)]] = Field(
        default=[8, 4, 4], min_length=1, description="levels of each channel; their product is the number of primitives"
    )

    learning_rate: float = Field(default=3e-3, gt=0, description="of the first epoch")

    @field_validator("levels")
    @classmethod
    def _countable(cls, levels: list[int]) -> list[int]:
        return checked_sizes(levels)


class FSQ(ConvolutionalTokenizer):
    """Encoder, rounding, decoder; fulfils `vadbench.api.Tokenizer` and `CodeVectors`.

    Raises:
        ConfigError: if the down-sampling is no power of two or does not divide the window.
    """

    steps: torch.Tensor

    def __init__(self, config: FSQConfig, poses: PoseShape) -> None:
        product = ProductCode(config.levels)
        super().__init__(config, poses, width=len(config.levels), codes=product.size)
        self.config, self.product = config, product
        self.register_buffer("steps", torch.tensor(config.levels, dtype=torch.float32) - 1, persistent=False)

    def fit(self, windows: Windows, context: Context) -> None:
        """Trains encoder and decoder."""
        self.to(context.device)
        self.start_decoder(windows, context)

        def loss(x: torch.Tensor) -> torch.Tensor:
            squashed = self.features(x).tanh()
            rounded = self._values(self._digits(squashed))
            return motion_loss(self.windows(squashed + (rounded - squashed).detach()), x, self.config.velocity)

        self.learn(windows, context, loss)

    def encode(self, x: torch.Tensor) -> Tokens:
        """Windows (B, C, T, J) to codes (B, L) and code vectors (B, L, D)."""
        digits = self._digits(self.features(x).tanh())
        return Tokens(self.product.join(digits), self._values(digits))

    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (..., L) to the levels they stand for, (..., L, D) in [-1, 1]."""
        return self._values(self.product.split(codes))

    def _digits(self, squashed: torch.Tensor) -> torch.Tensor:
        """(..., D) in [-1, 1] to the number of the nearest level of each channel."""
        return ((squashed + 1) / 2 * self.steps).round().long()

    def _values(self, digits: torch.Tensor) -> torch.Tensor:
        return 2 * digits / self.steps - 1
