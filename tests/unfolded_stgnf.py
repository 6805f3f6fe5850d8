"""STG-NF as its paper draws it, layer by layer, with nothing folded: what the fast arithmetic is compared with.

Hirschorn and Avidan, ICCV 2023, arXiv 2211.10946. Windows (B, 2, T, J) go through K steps of ActNorm over both channels, a swap
of the channels, and a coupling whose network is an ST-GCN block (Yan et al. 2018, arXiv 1801.07455): 1x1 convolution, product
with the adjacency over joints, batch norm, ReLU, convolution over time, batch norm, residual path, ReLU. The adjacency is there
in full. Parameters take the names of `vadbench_msgflow.flow`, so that one state dict serves both.
"""

from __future__ import annotations

import math

import torch
from torch import nn


class UnfoldedBlock(nn.Module):
    def __init__(self, kernel: int, joints: int, *, residual: bool) -> None:
        super().__init__()
        # 'uniform' within 8 hops of an 18-joint graph, columns normalised: every joint reaches every other.
        self.register_buffer("adjacency", torch.full((joints, joints), 1 / joints), persistent=False)
        self.spatial = nn.Conv2d(1, 2, 1)
        self.spatial_norm = nn.BatchNorm2d(2)
        self.temporal = nn.Conv2d(2, 2, (kernel, 1), padding=(kernel // 2, 0))
        self.temporal_norm = nn.BatchNorm2d(2)
        self.residual = nn.Conv2d(1, 2, 1) if residual else None
        self.residual_norm = nn.BatchNorm2d(2) if residual else None

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        out = torch.einsum("nctv,vw->nctw", self.spatial(a), self.adjacency).contiguous()
        out = self.temporal_norm(self.temporal(self.spatial_norm(out).relu()))
        if self.residual is not None:
            out = out + self.residual_norm(self.residual(a))
        return out.relu()


class UnfoldedStep(nn.Module):
    def __init__(self, kernel: int, joints: int, *, residual: bool) -> None:
        super().__init__()
        self.actnorm = nn.ParameterDict({name: torch.zeros(1, 2, 1, 1) for name in ("bias", "log_scale")})
        self.conditioner = UnfoldedBlock(kernel, joints, residual=residual)

    def forward(self, z: torch.Tensor, log_det: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        z = (z + self.actnorm["bias"]) * self.actnorm["log_scale"].exp()
        log_det = log_det + self.actnorm["log_scale"].sum() * z.shape[2] * z.shape[3]
        a, b = z[:, [1, 0]].chunk(2, dim=1)
        shift, raw = self.conditioner(a).chunk(2, dim=1)
        scale = torch.sigmoid(raw + 2) + 1e-6
        return torch.cat([a, (b + shift) * scale], dim=1), log_det + scale.log().sum(dim=(1, 2, 3))


class UnfoldedSTGNF(nn.Module):
    """``log_prob`` (B,) in nats and ``bits`` (B,), bits a dimension."""

    def __init__(self, frames: int, joints: int = 18, steps: int = 8, base_mean: float = 3.0, floor: float = 1e-6) -> None:
        super().__init__()
        kernel = frames // 2 + 1
        kernel += 1 - kernel % 2
        self.base_mean, self.floor = base_mean, floor
        self.steps = nn.ModuleList(UnfoldedStep(kernel, joints, residual=k > 0) for k in range(steps))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        log_det = x.new_zeros(len(x))
        for step in self.steps:
            x, log_det = step(x, log_det)
        return x, log_det

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        z, log_det = self(x)
        each = -0.5 * (math.log(2 * math.pi) + (z - self.base_mean) ** 2 / (1 + self.floor))
        return each.sum(dim=(1, 2, 3)) + log_det

    def bits(self, x: torch.Tensor) -> torch.Tensor:
        return -self.log_prob(x) / (math.log(2) * x[0].numel())

    def take(self, state: dict[str, torch.Tensor]) -> None:
        """Takes the weights of `STGCNCouplingFlow`, whose 1x1 convolutions are linear maps."""
        own = self.state_dict()
        self.load_state_dict({name: state[name].reshape(value.shape) for name, value in own.items()})

    @torch.no_grad()
    def start(self, x: torch.Tensor) -> None:
        """ActNorm to zero mean and unit variance on a batch, step by step."""
        log_det = x.new_zeros(len(x))
        for step in self.steps:
            bias = -x.mean(dim=(0, 2, 3), keepdim=True)
            step.actnorm["bias"].copy_(bias)
            step.actnorm["log_scale"].copy_(-0.5 * ((x + bias).square().mean(dim=(0, 2, 3), keepdim=True) + 1e-6).log())
            x, log_det = step(x, log_det)
