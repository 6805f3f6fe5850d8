"""VQ-VAE tokenizer: a window becomes a few discrete motion primitives.

Encoder and decoder are 1-D convolutional over time, as in T2M-GPT (arXiv 2301.06052), whose losses and codebook rules
are used: smooth-L1, 0.5 velocity, 0.02 commitment, a codebook that follows exponential moving averages, and codes that
are reset when they fall out of use. MSG-Flow's own sizes are not public; those here are ours.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import mse_loss, one_hot, smooth_l1_loss

from vadbench.api import ComponentConfig, ConfigError, Context, PoseShape, Tokens, TokenShape, TrainingPlan, Windows
from vadbench_msgflow.codebook_usage import codebook_usage


class VQVAEConfig(ComponentConfig):
    """Settings of the VQ-VAE tokenizer."""

    codebook_size: int = Field(default=128, ge=2, description="number of primitives")
    width: int = Field(default=32, ge=1, description="numbers of a code vector")
    hidden: int = Field(default=64, ge=1, description="channels of the convolutions")
    downsampling: int = Field(default=4, ge=1, description="frames of a token; a power of two that divides the window")
    commitment: float = Field(default=0.02, ge=0, description="weight of the commitment loss")
    velocity: float = Field(default=0.5, ge=0, description="weight of the loss on frame-to-frame differences")
    ema: float = Field(default=0.99, gt=0, lt=1, description="decay of the moving averages of the codebook")
    reset_below: float = Field(default=1.0, ge=0, description="a code whose moving count a batch falls below this is reset")
    epochs: int = Field(default=15, ge=1)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    decay: float = Field(default=0.9, gt=0, le=1, description="factor of the learning rate after each epoch")


class VQVAE(nn.Module):
    """Encoder, codebook, decoder; fulfils `vadbench.api.Tokenizer`.

    Raises:
        ConfigError: if the down-sampling is no power of two or does not divide the window.
    """

    codebook: torch.Tensor
    count: torch.Tensor
    total: torch.Tensor
    usage: torch.Tensor

    def __init__(self, config: VQVAEConfig, poses: PoseShape) -> None:
        super().__init__()
        ratio = config.downsampling
        if ratio & (ratio - 1) or poses.frames % ratio:
            raise ConfigError(
                f"a down-sampling of {ratio} does not fit windows of {poses.frames} frames",
                where="tokenizer.downsampling",
                remedy="choose a power of two that divides windows.length",
            )
        self.config, self.poses = config, poses
        self.shape = TokenShape(config.codebook_size, poses.frames // ratio, config.width)
        stages, inputs = ratio.bit_length() - 1, poses.channels * poses.joints
        hidden = config.hidden
        down = [layer for _ in range(stages) for layer in (nn.Conv1d(hidden, hidden, 4, stride=2, padding=1), _Residual(hidden))]
        up = [
            layer
            for _ in range(stages)
            for layer in (_Residual(hidden), nn.Upsample(scale_factor=2), nn.Conv1d(hidden, hidden, 3, padding=1))
        ]
        self.encoder = nn.Sequential(
            nn.Conv1d(inputs, hidden, 3, padding=1), nn.ReLU(), *down, nn.Conv1d(hidden, config.width, 3, padding=1)
        )
        self.decoder = nn.Sequential(
            nn.Conv1d(config.width, hidden, 3, padding=1), nn.ReLU(), *up, nn.ReLU(), nn.Conv1d(hidden, inputs, 3, padding=1)
        )
        # The codebook is learned, but by moving averages and not by gradients; a parameter so that it counts as learned.
        self.codebook = nn.Parameter(torch.randn(config.codebook_size, config.width), requires_grad=False)
        self.register_buffer("count", torch.ones(config.codebook_size))
        self.register_buffer("total", self.codebook.detach().clone())
        self.register_buffer("usage", torch.zeros(config.codebook_size))

    def fit(self, windows: Windows, context: Context) -> None:
        """Trains encoder, decoder and codebook, then counts how often each code is used on the training windows."""
        config = self.config
        generator = context.generator()
        first = torch.randperm(len(windows), generator=generator)[: max(config.codebook_size, config.batch_size)]
        with torch.no_grad():
            self._start_codebook(self._features(self._batch(windows, first, context)), generator)

        def batch(index: torch.Tensor) -> torch.Tensor:
            return self._batch(windows, index, context)

        def loss(x: torch.Tensor) -> torch.Tensor:
            features = self._features(x)
            codes = self._nearest(features)
            quantised = self.codebook[codes]
            self._follow(features.detach(), codes, generator)
            decoded = self._decode(features + (quantised - features).detach())
            moved = smooth_l1_loss(decoded.diff(dim=2), x.diff(dim=2))
            return smooth_l1_loss(decoded, x) + config.velocity * moved + config.commitment * mse_loss(features, quantised)

        plan = TrainingPlan(config.epochs, config.batch_size, config.learning_rate, decay=config.decay, clip_norm=1.0)
        context.train(self, loss, examples=len(windows), plan=plan, prepare=batch)
        with torch.no_grad():
            for index in torch.split(torch.arange(len(windows)), 2048):
                codes = self.encode(self._batch(windows, index, context)).codes
                self.usage += torch.bincount(codes.flatten(), minlength=config.codebook_size)

    def encode(self, x: torch.Tensor) -> Tokens:
        """Windows (B, C, T, J) to codes (B, L) and code vectors (B, L, D)."""
        codes = self._nearest(self._features(x))
        return Tokens(codes, self.codebook[codes])

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (B, L) to windows (B, C, T, J)."""
        return self._decode(self.codebook[codes])

    def diagnostics(self) -> dict[str, float]:
        """Perplexity of the codes on the training windows, and how many codes they never use."""
        return codebook_usage(self.usage)

    def _batch(self, windows: Windows, index: torch.Tensor, context: Context) -> torch.Tensor:
        return torch.from_numpy(windows.batch(index.numpy()).x).to(context.device)

    def _features(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, T, J) to (B, L, D)."""
        features: torch.Tensor = self.encoder(x.transpose(2, 3).flatten(1, 2))
        return features.transpose(1, 2)

    def _decode(self, vectors: torch.Tensor) -> torch.Tensor:
        x: torch.Tensor = self.decoder(vectors.transpose(1, 2))
        x = x.unflatten(1, (self.poses.channels, self.poses.joints))
        return x.transpose(2, 3)

    def _nearest(self, features: torch.Tensor) -> torch.Tensor:
        return torch.cdist(features.flatten(0, 1), self.codebook).argmin(dim=1).view(features.shape[:2])

    def _start_codebook(self, features: torch.Tensor, generator: torch.Generator) -> None:
        rows = features.flatten(0, 1)
        self._put(torch.arange(self.config.codebook_size, device=rows.device), rows, generator)

    @torch.no_grad()
    def _follow(self, features: torch.Tensor, codes: torch.Tensor, generator: torch.Generator) -> None:
        """Moves the codebook towards the features assigned to it, and resets the codes that fell out of use."""
        rows, keep = features.flatten(0, 1), self.config.ema
        member = one_hot(codes.flatten(), self.config.codebook_size).to(rows.dtype)
        self.count.mul_(keep).add_(member.sum(dim=0), alpha=1 - keep)
        self.total.mul_(keep).add_(member.T @ rows, alpha=1 - keep)
        unused = (self.count < self.config.reset_below).nonzero().flatten()
        self.codebook.copy_(self.total / self.count.clamp(min=1e-5)[:, None])
        if len(unused):
            self._put(unused, rows, generator)

    def _put(self, slots: torch.Tensor, rows: torch.Tensor, generator: torch.Generator) -> None:
        """Puts random features into slots of the codebook, with the count a code may have before it is reset."""
        picked = torch.randint(len(rows), (len(slots),), generator=generator).to(rows.device)
        start = max(self.config.reset_below, 1.0)
        self.codebook[slots] = rows[picked]
        self.count[slots] = start
        self.total[slots] = rows[picked] * start


class _Residual(nn.Module):
    """Two dilated residual units."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.units = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(), nn.Conv1d(channels, channels, 3, padding=d, dilation=d), nn.ReLU(), nn.Conv1d(channels, channels, 1)
            )
            for d in (3, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for unit in self.units:
            x = x + unit(x)
        return x
