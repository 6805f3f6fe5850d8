"""Denoising score matching: how strongly a network that knows normal windows would pull a window elsewhere, at ten noise scales.

After STEP (arXiv 2608.19987: whitened short windows, ten scales, residual MLP, averaged weights, confidence weighting) and
MULDE (Micorek et al., CVPR 2024, arXiv 2403.14497: scales combined by a Gaussian mixture). What of them is not known to us in
detail is our choice, see docs/methods/dsm.md.
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from sklearn.mixture import GaussianMixture
from torch import nn

from vadbench.api import Context, DataError, PoseShape, Windows
from vadbench_baselines.neural_detector import NeuralConfig, NeuralDetector
from vadbench_baselines.pca_whitening import PCAWhitening
from vadbench_baselines.score_network import AveragedNetwork, ScoreNetwork, noise_scales

_STATISTICS = 4096
"""Training windows, drawn at random, that the statistics of the norms are taken of."""


class DSMConfig(NeuralConfig):
    """Settings of the score-matching detector."""

    components: int = Field(default=128, ge=1, description="principal components that are whitened and modelled")
    scales: int = Field(default=10, ge=1, description="noise scales, in equal ratios")
    smallest: float = Field(default=0.1, gt=0, description="noise scale, in standard deviations of a whitened component")
    largest: float = Field(default=1.0, gt=0, description="as smallest")
    width: int = Field(default=256, ge=1, description="of the network's hidden layers")
    blocks: int = Field(default=2, ge=1, description="residual blocks of two layers")
    average: float = Field(default=0.999, ge=0, lt=1, description="decay of the moving average of the weights; 0 for none")
    combination: Literal["standardised", "mixture"] = Field(
        default="standardised", description="of the scales: mean of the standardised norms, or a Gaussian mixture of them"
    )
    mixture: int = Field(default=5, ge=1, description="Gaussians of the mixture")
    epochs: int = Field(default=40, ge=1, description="passes over the training windows")

    @model_validator(mode="after")
    def _scales_rise(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError(f"the smallest noise scale, {self.smallest:g}, is above the largest, {self.largest:g}")
        return self


class DSM(NeuralDetector):
    """Norms of the score of a window, one a noise scale, combined; fulfils `vadbench.api.Detector`.

    Training adds noise sigma e to a whitened window z and has the network tell e: denoising score matching (Vincent, Neural
    Computation 2011) with weight sigma^2, scale by scale as Song and Ermon (NeurIPS 2019, arXiv 1907.05600). Scoring adds none.
    For windows that are Gaussian the norm is the Mahalanobis distance but for a factor.
    """

    sigmas: torch.Tensor
    centre: torch.Tensor
    spread: torch.Tensor

    def __init__(self, config: DSMConfig, poses: PoseShape) -> None:
        super().__init__(poses)
        self.config = config
        self.whitening = PCAWhitening(poses, config.components)
        self.network = AveragedNetwork(ScoreNetwork(self.whitening.width, config.width, config.blocks), config.average)
        self.mixture = NormMixture(config.mixture, config.scales) if config.combination == "mixture" else None
        self.register_buffer("sigmas", noise_scales(config.smallest, config.largest, config.scales))
        self.register_buffer("centre", torch.zeros(config.scales))
        self.register_buffer("spread", torch.ones(config.scales))

    def fit(self, windows: Windows, context: Context) -> None:
        """Whitening, network, and statistics of the norms; raises `DataError` for too few windows."""
        if self.mixture is not None and len(windows) < 2 * self.config.mixture:
            raise DataError(
                f"{len(windows)} training windows are too few for a mixture of {self.config.mixture} Gaussians",
                where=context.name,
                remedy="lower detector.mixture, or train on more data",
            )
        self.to(context.device)
        kept = self.whitening.learn(windows, context)
        context.logger.info("%s: %d components keep %.2f %% of variance", context.name, self.whitening.width, 100 * kept)
        generator = context.generator()
        self.learn(
            lambda x, confidence: self.loss(x, confidence, generator),
            windows,
            self.config.plan(schedule="cosine", clip_norm=1.0, amp=False),
            context,
            generators=(generator,),
        )
        self._take_statistics(windows, context)

    def loss(self, x: torch.Tensor, confidence: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Mean square of what is told wrongly of the noise, in units of its scale; each joint by its confidence."""
        if self.training:
            self.network.follow()
        z = self.whitening(x, confidence)
        sigma = self.sigmas[torch.randint(len(self.sigmas), (len(z),), generator=generator).to(z.device)]
        noise = torch.randn(z.shape, generator=generator).to(z.device)
        wrong = self.network(z + sigma[:, None] * noise, sigma) - noise
        return self.whitening.weighted_square(wrong, confidence).mean()

    def norms(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """(B, S): sigma times the score's root mean square at each scale, each joint by its confidence; without any noise."""
        z = self.whitening(x, confidence)
        squares = [self.whitening.weighted_square(self.network(z, sigma.expand(len(z))), confidence) for sigma in self.sigmas]
        return torch.stack(squares, dim=1).sqrt()

    def surprise(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
        """(B,): mean of the standardised norms, or their negative log-density in nats. As the average if no joint is there."""
        standard = (self.norms(x, confidence) - self.centre) / self.spread
        standard = torch.where((confidence > 0).any(dim=(1, 2), keepdim=True)[..., 0], standard, 0.0)
        return standard.mean(dim=1) if self.mixture is None else -self.mixture(standard)

    @torch.no_grad()
    def _take_statistics(self, windows: Windows, context: Context) -> None:
        rng = context.child("statistics").rng()
        picked = np.sort(rng.permutation(len(windows))[:_STATISTICS])
        batches = [windows.batch(part) for part in np.array_split(picked, -(-len(picked) // self.scored_at_once))]
        norms = torch.cat([self.norms(context.tensor(batch.x), context.tensor(batch.confidence)) for batch in batches])
        self.centre.copy_(norms.mean(dim=0))
        self.spread.copy_(norms.std(dim=0, correction=0).clamp(min=1e-6))
        if self.mixture is not None:
            self.mixture.learn((norms - self.centre) / self.spread, int(rng.integers(2**31)))


class NormMixture(nn.Module):
    """A Gaussian mixture with full covariances, fitted by scikit-learn and kept as tensors.

    Args:
        number: G, Gaussians.
        numbers: S, of each vector.
    """

    weight: torch.Tensor
    mean: torch.Tensor
    whitening: torch.Tensor

    def __init__(self, number: int, numbers: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.full((number,), 1 / number, dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(number, numbers, dtype=torch.float64))
        self.register_buffer("whitening", torch.eye(numbers, dtype=torch.float64).repeat(number, 1, 1))

    def learn(self, rows: torch.Tensor, seed: int) -> None:
        """Fits it to rows (N, S), N at least G."""
        # Norms at neighbouring scales are nearly the same number: the ridge bounds how much their difference may count.
        found = GaussianMixture(len(self.weight), reg_covar=1e-3, random_state=seed).fit(rows.double().cpu().numpy())
        for name, values in (("weight", found.weights_), ("mean", found.means_), ("whitening", found.precisions_cholesky_)):
            getattr(self, name).copy_(torch.from_numpy(np.asarray(values)))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Log-densities (B,) float64 of rows (B, S), nats."""
        left = torch.einsum("bgs,gsr->bgr", rows.double()[:, None] - self.mean, self.whitening)
        volume = self.whitening.diagonal(dim1=1, dim2=2).log().sum(dim=1) - 0.5 * rows.shape[1] * np.log(2 * np.pi)
        return torch.logsumexp(self.weight.log() + volume - 0.5 * left.square().sum(dim=2), dim=1)
