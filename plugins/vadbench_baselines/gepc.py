"""GEPC, graph embedded pose clustering (Markovitz et al., CVPR 2020, arXiv 1912.11850).

A graph autoencoder embeds windows, a clustering layer says how much each is like every one of a few base actions, and a
Dirichlet-process mixture says how usual such a blend of base actions is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import torch
from pydantic import Field
from sklearn.cluster import KMeans
from torch import nn

from vadbench.api import Context, DataError, PoseShape, Windows
from vadbench_baselines.dirichlet_process_mixture import DirichletProcessMixture
from vadbench_baselines.graph_autoencoder import GraphAutoencoder
from vadbench_baselines.neural_detector import NeuralConfig, NeuralDetector
from vadbench_baselines.soft_clustering import divergence, log_ratios, log_soft_assignment, sharpened_target

_KEEP: Final = 0.98
"""Share of a cluster's frequency that a training step leaves as it was."""


class GepcConfig(NeuralConfig):
    """Settings of GEPC."""

    clusters: int = Field(default=20, ge=2, description="K, base actions")
    channels: int = Field(default=16, ge=1, description="channels of the autoencoder's graph convolutions")
    latent: int = Field(default=16, ge=1, description="numbers of a latent vector")
    clustering_epochs: int = Field(default=1, ge=1, description="passes over the training windows in the second stage")
    clustering_weight: float = Field(default=0.5, gt=0, description="of the clustering's loss beside the reconstruction's")
    mixtures: int = Field(default=10, ge=1, description="Gaussians of the Dirichlet-process mixture at most")
    mixture_windows: int = Field(default=5000, ge=1, description="training windows it is fitted to, drawn at random")
    ridge: float = Field(default=1e-3, gt=0, description="added to the variances of the mixture, in squared log-ratios")
    epochs: int = Field(default=3, ge=1, description="passes over the training windows in the first stage")
    batch_size: int = Field(default=128, ge=1, description="windows a step")
    learning_rate: float = Field(default=2e-3, gt=0, description="step size of the optimiser")


class Gepc(NeuralDetector):
    """Minus the log-density of a window's soft assignment, in nats; fulfils `vadbench.api.Detector`."""

    spread: torch.Tensor
    frequency: torch.Tensor

    def __init__(self, config: GepcConfig, poses: PoseShape) -> None:
        super().__init__(poses)
        self.config = config
        self.autoencoder = GraphAutoencoder(poses, config.channels, config.latent)
        self.centres = nn.Parameter(torch.zeros(config.clusters, config.latent))
        self.mixture = DirichletProcessMixture(config.mixtures, config.clusters - 1)
        self.register_buffer("spread", torch.ones(()))
        self.register_buffer("frequency", torch.full((config.clusters,), 1 / config.clusters, dtype=torch.float64))

    def fit(self, windows: Windows, context: Context) -> None:
        """Autoencoder, clustering, mixture; raises `DataError` for fewer windows than clusters or Gaussians."""
        config = self.config
        needed = max(config.clusters, config.mixtures)
        if min(len(windows), config.mixture_windows) < needed:
            raise DataError(
                f"{min(len(windows), config.mixture_windows)} training windows are too few for {config.clusters} clusters and "
                f"{config.mixtures} Gaussians",
                where=context.name,
                remedy="lower detector.clusters and detector.mixtures, raise detector.mixture_windows, or train on more data",
            )
        self.to(context.device)
        some = windows.select(np.sort(context.rng().permutation(len(windows))[: config.mixture_windows]))
        self.spread.fill_(float(np.square(some.batch(slice(None)).x).mean()) or 1.0)
        plan = config.plan()
        self.learn(lambda x, _confidence: self._lost(x, self.autoencoder.encode(x)), windows, plan, context.child("autoencoder"))
        self.place_centres(some, context.child("centres"))
        second = replace(plan, epochs=config.clustering_epochs)
        self.learn(lambda x, _confidence: self._clustering_loss(x), windows, second, context.child("clustering"))
        child = context.child("mixture")
        rows = log_ratios(self.log_assignments(some, child)).cpu().numpy()
        weights = self.mixture.fit(rows, config.ridge, child.seed % 2**31, child)
        context.chosen("Gaussians above 1 % of the mixture", int((weights > 0.01).sum()), by="training")

    def surprise(self, x: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - missing joints are filled
        """(B,) nats."""
        return -self.mixture.log_prob(log_ratios(log_soft_assignment(self.autoencoder.encode(x), self.centres)))

    @torch.no_grad()
    def place_centres(self, windows: Windows, context: Context) -> None:
        """k-means of the windows' latent vectors, from which the clustering starts."""
        self.eval()
        z = self._over(windows, context).cpu().numpy()
        found = KMeans(self.config.clusters, n_init=3, random_state=context.seed % 2**31).fit(z)
        self.centres.copy_(torch.from_numpy(found.cluster_centers_))
        self.frequency.copy_(self.log_assignments(windows, context).exp().mean(dim=0))

    @torch.no_grad()
    def log_assignments(self, windows: Windows, context: Context) -> torch.Tensor:
        """(W, K) logarithms of soft assignments."""
        return log_soft_assignment(self._over(windows, context), self.centres)

    def _over(self, windows: Windows, context: Context) -> torch.Tensor:
        """Latent vectors (W, D)."""
        batches = [slice(begin, begin + self.scored_at_once) for begin in range(0, len(windows), self.scored_at_once)]
        return torch.cat([self.autoencoder.encode(context.tensor(windows.batch(batch).x)) for batch in batches])

    def _lost(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Squared error of the reconstruction as a share of the mean square of training windows."""
        return (self.autoencoder.decode(z) - x / self.spread.sqrt()).square().mean()

    def _clustering_loss(self, x: torch.Tensor) -> torch.Tensor:
        z = self.autoencoder.encode(x)
        log_q = log_soft_assignment(z, self.centres)
        q = log_q.detach().exp()
        if self.training:
            # In place of a pass over all windows before each epoch.
            self.frequency.lerp_(q.mean(dim=0), 1 - _KEEP)
        target = sharpened_target(q, self.frequency)
        return self._lost(x, z) + self.config.clustering_weight * divergence(log_q, target).to(x.dtype)
