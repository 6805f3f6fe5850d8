"""VQ-VAE tokenizer: a window becomes a few discrete motion primitives.

Encoder and decoder are 1-D convolutional over time, as in T2M-GPT (arXiv 2301.06052), whose losses and codebook rules
are used: smooth-L1, 0.5 velocity, 0.02 commitment, a codebook that follows exponential moving averages, and codes that
are reset when they fall out of use. MSG-Flow's own sizes are not public; those here are ours.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch.nn.functional import mse_loss

from vadbench.api import Context, PoseShape, Tokens, Windows
from vadbench_msgflow.convolutional_tokenizer import ConvolutionalTokenizer
from vadbench_msgflow.convolutions import ConvolutionalConfig, motion_loss
from vadbench_msgflow.following_codebook import FollowingCodebook


class VQVAEConfig(ConvolutionalConfig):
    """Settings of the VQ-VAE tokenizer."""

    codebook_size: int = Field(default=128, ge=2, description="number of primitives")
    width: int = Field(default=32, ge=1, description="numbers of a code vector")
    commitment: float = Field(default=0.02, ge=0, description="weight of the commitment loss")
    ema: float = Field(default=0.99, gt=0, lt=1, description="decay of the moving averages of the codebook")
    reset_below: float = Field(
        default=0.1, ge=0, lt=1, description="a code used less than this share of its even share of a batch is reset"
    )


class VQVAE(ConvolutionalTokenizer):
    """Encoder, codebook, decoder; fulfils `vadbench.api.Tokenizer` and `vadbench.api.CodeVectors`.

    Raises:
        ConfigError: if the down-sampling is no power of two or does not divide the window.
    """

    def __init__(self, config: VQVAEConfig, poses: PoseShape) -> None:
        super().__init__(config, poses, width=config.width, codes=config.codebook_size)
        self.config = config
        self.codebook = FollowingCodebook(config.codebook_size, config.width, ema=config.ema, reset_below=config.reset_below)

    def fit(self, windows: Windows, context: Context) -> None:
        """Trains encoder, decoder and codebook."""
        config, generator = self.config, context.generator()
        self.to(context.device)
        first = torch.randperm(len(windows), generator=generator)[: max(config.codebook_size, config.batch_size)]
        with torch.no_grad():
            rows = self.features(context.tensor(windows.batch(first.numpy()).x)).flatten(0, 1)
        self.codebook.put(torch.arange(config.codebook_size, device=rows.device), rows, generator)

        def loss(x: torch.Tensor) -> torch.Tensor:
            features = self.features(x)
            codes = self.codebook.nearest(features)
            quantised = self.codebook.vectors[codes]
            if self.training:
                self.codebook.follow(features.detach(), codes, generator)
            decoded = self.windows(features + (quantised - features).detach())
            return motion_loss(decoded, x, config.velocity) + config.commitment * mse_loss(features, quantised)

        self.learn(windows, context, loss, generators=(generator,))

    def encode(self, x: torch.Tensor) -> Tokens:
        """Windows (B, C, T, J) to codes (B, L) and code vectors (B, L, D)."""
        codes = self.codebook.nearest(self.features(x))
        return Tokens(codes, self.vectors(codes))

    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (..., L) to code vectors (..., L, D)."""
        return self.codebook.vectors[codes]
