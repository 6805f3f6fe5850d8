"""Residual vector quantisation: each stage quantises what the stages before it left over.

As in SoundStream (Zeghidour et al. 2021, arXiv 2107.03312) and, for motion, MoMask (arXiv 2312.00063), but with stages small
enough that the code of a token is one number: that of the combination of its stages' codes. Every stage has a codebook that
follows moving averages and resets codes out of use, as the VQ-VAE's does; the convolutions around it are the VQ-VAE's.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, field_validator
from torch import nn
from torch.nn.functional import mse_loss

from vadbench.api import Context, PoseShape, Tokens, Windows
from vadbench_msgflow.convolutional_tokenizer import ConvolutionalTokenizer
from vadbench_msgflow.convolutions import ConvolutionalConfig, motion_loss
from vadbench_msgflow.following_codebook import FollowingCodebook
from vadbench_msgflow.product_codes import ProductCode, checked_sizes


class ResidualVQConfig(ConvolutionalConfig):
    """Settings of the residual quantiser; there are as many primitives as combinations of the stages' codes."""

    codebook_sizes: list[Annotated[int, Field(ge=2)]] = Field(
        default=[16, 8], min_length=1, description="codes of each stage; their product is the number of primitives"
    )
    width: int = Field(default=32, ge=1, description="numbers of a code vector")
    commitment: float = Field(default=0.02, ge=0, description="weight of the commitment loss, summed over stages")
    ema: float = Field(default=0.99, gt=0, lt=1, description="decay of the moving averages of the codebooks")
    reset_below: float = Field(
        default=0.1, ge=0, lt=1, description="a code used less than this share of its even share of a batch is reset"
    )
    learning_rate: float = Field(default=3e-3, gt=0, description="of the first epoch")

    @field_validator("codebook_sizes")
    @classmethod
    def _countable(cls, sizes: list[int]) -> list[int]:
        return checked_sizes(sizes)


class ResidualVQ(ConvolutionalTokenizer):
    """Encoder, codebooks in a row, decoder; fulfils `vadbench.api.Tokenizer` and `CodeVectors`.

    Raises:
        ConfigError: if the down-sampling is no power of two or does not divide the window.
    """

    def __init__(self, config: ResidualVQConfig, poses: PoseShape) -> None:
        product = ProductCode(config.codebook_sizes)
        super().__init__(config, poses, width=config.width, codes=product.size)
        self.config, self.product = config, product
        self.stages = nn.ModuleList(
            FollowingCodebook(size, config.width, ema=config.ema, reset_below=config.reset_below)
            for size in config.codebook_sizes
        )

    def fit(self, windows: Windows, context: Context) -> None:
        """Trains encoder, decoder and codebooks."""
        config, generator = self.config, context.generator()
        self.to(context.device)
        first = torch.randperm(len(windows), generator=generator)[: max(2 * sum(config.codebook_sizes), config.batch_size)]
        self._start(context.tensor(windows.batch(first.numpy()).x), generator)
        self.start_decoder(windows, context)

        def loss(x: torch.Tensor) -> torch.Tensor:
            features = self.features(x)
            quantised, kept = torch.zeros_like(features), features.new_zeros(())
            for stage in self._each():
                left = features - quantised
                codes = stage.nearest(left)
                vectors = stage.vectors[codes]
                if self.training:
                    stage.follow(left.detach(), codes, generator)
                kept = kept + mse_loss(left, vectors)
                quantised = quantised + vectors
            decoded = self.windows(features + (quantised - features).detach())
            return motion_loss(decoded, x, config.velocity) + config.commitment * kept

        self.learn(windows, context, loss, generators=(generator,))

    def encode(self, x: torch.Tensor) -> Tokens:
        """Windows (B, C, T, J) to codes (B, L) and code vectors (B, L, D)."""
        left, digits = self.features(x), []
        for stage in self._each():
            digits.append(stage.nearest(left))
            left = left - stage.vectors[digits[-1]]
        codes = self.product.join(torch.stack(digits, dim=-1))
        return Tokens(codes, self.vectors(codes))

    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (..., L) to the sums of their stages' vectors, (..., L, D)."""
        digits = self.product.split(codes).unbind(dim=-1)
        parts = [stage.vectors[digit] for stage, digit in zip(self._each(), digits, strict=True)]
        return torch.stack(parts).sum(dim=0)

    def _each(self) -> list[FollowingCodebook]:
        return [stage for stage in self.stages if isinstance(stage, FollowingCodebook)]

    @torch.no_grad()
    def _start(self, x: torch.Tensor, generator: torch.Generator) -> None:
        """Starts every codebook from what the stages before it leave over of these windows."""
        left = self.features(x)
        for stage in self._each():
            stage.put(torch.arange(len(stage.vectors), device=left.device), left.flatten(0, 1), generator)
            left = left - stage.vectors[stage.nearest(left)]
