"""k-means tokenizer: each stretch of a few frames becomes the nearest of k cluster centres, after PCA (scikit-learn).

The simplest discrete motion primitives; what a learned tokenizer has to beat.
"""

from __future__ import annotations

import numpy as np
import torch
from pydantic import Field
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA
from torch import nn

from vadbench.api import ComponentConfig, ConfigError, Context, PoseShape, Tokens, TokenShape, Windows
from vadbench_msgflow.codebook_usage import codebook_usage
from vadbench_msgflow.reconstruction import sampled_variance_lost


class KMeansConfig(ComponentConfig):
    """Settings of the k-means tokenizer."""

    codebook_size: int = Field(default=128, ge=2, description="number of primitives")
    frames: int = Field(default=4, ge=1, description="frames of a token; divides the window")
    width: int = Field(default=32, ge=1, description="principal components, the numbers of a code vector")
    windows: int = Field(default=20_000, ge=1, description="training windows to learn from, drawn at random")


class KMeansTokenizer(nn.Module):
    """Nearest cluster centre of PCA coordinates; fulfils `vadbench.api.Tokenizer` and `CodeVectors`.

    Raises:
        ConfigError: if a token's frames do not divide the window, or there are more components than numbers.
    """

    mean: torch.Tensor
    components: torch.Tensor
    codebook: torch.Tensor
    usage: torch.Tensor
    lost: torch.Tensor

    def __init__(self, config: KMeansConfig, poses: PoseShape) -> None:
        super().__init__()
        numbers = poses.channels * config.frames * poses.joints
        if poses.frames % config.frames or config.width > numbers:
            raise ConfigError(
                f"tokens of {config.frames} frames and width {config.width} do not fit windows of {poses.frames} frames",
                where="tokenizer",
                remedy=f"frames must divide windows.length, and width be at most {numbers}",
            )
        self.config, self.poses = config, poses
        self.shape = TokenShape(config.codebook_size, poses.frames // config.frames, config.width)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("components", torch.zeros(config.width, numbers))
        self.register_buffer("codebook", torch.zeros(config.codebook_size, config.width))
        self.register_buffer("usage", torch.zeros(config.codebook_size))
        self.register_buffer("lost", torch.zeros(()))

    def fit(self, windows: Windows, context: Context) -> None:
        """Fits PCA and k-means on random training windows; raises `ConfigError` if there are fewer tokens than clusters."""
        rng = context.rng()
        picked = np.sort(rng.permutation(len(windows))[: self.config.windows])
        pieces = self._pieces(torch.from_numpy(windows.batch(picked).x)).flatten(0, 1).numpy()
        if len(pieces) < max(self.config.codebook_size, self.config.width):
            raise ConfigError(
                f"{len(pieces)} training tokens are too few for {self.config.codebook_size} codes of width {self.config.width}",
                where="tokenizer",
                remedy="lower tokenizer.codebook_size and tokenizer.width, or train on more data",
            )
        seed = int(rng.integers(2**31))
        pca = PCA(self.config.width, random_state=seed).fit(pieces)
        clusters = MiniBatchKMeans(self.config.codebook_size, random_state=seed, batch_size=4096, n_init=3)
        codes = clusters.fit_predict(pca.transform(pieces))
        for name, value in (("mean", pca.mean_), ("components", pca.components_), ("codebook", clusters.cluster_centers_)):
            getattr(self, name).copy_(torch.as_tensor(value))
        self.usage.copy_(torch.bincount(torch.as_tensor(codes, dtype=torch.int64), minlength=self.config.codebook_size))
        self.to(context.device)
        self.lost.fill_(sampled_variance_lost(self, windows, context))

    def encode(self, x: torch.Tensor) -> Tokens:
        """Windows (B, C, T, J) to codes (B, L) and cluster centres (B, L, D)."""
        features = (self._pieces(x) - self.mean) @ self.components.T
        codes = torch.cdist(features.flatten(0, 1), self.codebook).argmin(dim=1).view(features.shape[:2])
        return Tokens(codes, self.codebook[codes])

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (B, L) to windows (B, C, T, J)."""
        pieces = self.vectors(codes) @ self.components + self.mean
        poses: torch.Tensor = pieces.unflatten(2, (self.poses.channels, self.config.frames, self.poses.joints))
        return poses.transpose(1, 2).flatten(2, 3)

    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (..., L) to cluster centres (..., L, D)."""
        return self.codebook[codes]

    def diagnostics(self) -> dict[str, float]:
        """Perplexity and unused codes on the training windows, and the share of their variance that is lost."""
        return {**codebook_usage(self.usage), "reconstruction": self.lost.item()}

    def _pieces(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, T, J) to (B, L, C * frames * J)."""
        pieces: torch.Tensor = x.unflatten(2, (self.shape.tokens, self.config.frames))
        return pieces.transpose(1, 2).flatten(2)
