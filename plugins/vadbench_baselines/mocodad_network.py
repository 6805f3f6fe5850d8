"""The networks of MoCoDAD: space-time separable graph convolutions as an autoencoder of the condition and as a U-Net.

Features are (T, J, C, G, B) throughout: frames, joints, channels, G generations of each of B windows. With the windows innermost
every mixing is a product of a small matrix with a wide one, and what belongs to a window is added to all of its generations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import silu

from vadbench_baselines.separable_graph_convolution import mixed_channels, mixed_places, uniform_weights

Offsets = Sequence[torch.Tensor]
"""What is added to the features of each guided layer: (C, B) each."""


class SeparableMixing(nn.Module):
    """A space-time separable graph convolution without its activation (STS-GCN, Sofianos et al., ICCV 2021, arXiv 2110.04573).

    Frames are mixed by a learned matrix of each joint, joints by a learned matrix of each frame, channels by one matrix. A
    linear path of channels alone goes beside it. There is neither bias nor batch normalisation: all of it is linear.
    """

    def __init__(self, channels: int, out: int, frames: int, joints: int) -> None:
        super().__init__()
        self.time = nn.Parameter(uniform_weights(joints, frames, frames))
        self.space = nn.Parameter(uniform_weights(frames, joints, joints))
        self.channels = nn.Parameter(uniform_weights(out, channels))
        self.beside = nn.Parameter(uniform_weights(out, channels)) if channels != out else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(T, J, C, G, B) to (T, J, C', G, B)."""
        frames, joints, channels, generations, windows = x.shape
        places, columns = frames * joints, generations * windows
        flat = x.reshape(frames, joints, channels * columns)
        mixed = mixed_places(self.time, self.space, flat)
        plain = flat.view(places, channels, columns)
        if self.beside is not None:
            plain = mixed_channels(self.beside, plain)
        out = torch.baddbmm(plain, self.channels.expand(places, -1, -1), mixed.view(places, channels, columns))
        return out.view(frames, joints, len(self.channels), generations, windows)


class GuidedLayer(nn.Module):
    """A `SeparableMixing`, what the guidance adds, and an activation."""

    def __init__(self, channels: int, out: int, frames: int, joints: int) -> None:
        super().__init__()
        self.mixing = SeparableMixing(channels, out, frames, joints)
        self.bias = nn.Parameter(torch.zeros(out, 1))
        self.activation = nn.PReLU()

    def forward(self, x: torch.Tensor, offset: torch.Tensor | None = None) -> torch.Tensor:
        """(T, J, C, G, B) and (C', B) to (T, J, C', G, B).

        x may be the same for all windows, with B = 1: then it is mixed once, and the windows part where the guidance comes in.
        """
        added = self.bias if offset is None else self.bias + offset
        activated: torch.Tensor = self.activation(self.mixing(x) + added[:, None])
        return activated


class JointMap(nn.Module):
    """A learned linear map from J joints to J' nodes, by which the U-Net contracts and expands the skeleton."""

    def __init__(self, joints: int, nodes: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(uniform_weights(nodes, joints))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(T, J, C, G, B) to (T, J', C, G, B)."""
        mapped = mixed_channels(self.weights, x.flatten(2))
        return mapped.view(len(x), len(self.weights), *x.shape[2:])


class Denoiser(nn.Module):
    """The U-Net that predicts the noise in the frames to come: two contractions of the skeleton and back, skips added.

    Args:
        width: Channels of the outer level; the inner ones have twice as many.
        frames: Frames that are generated.
        joints: J; the inner levels have two thirds and half of them.
        embedding: Numbers that guide it: E.
    """

    def __init__(self, width: int, frames: int, joints: int, embedding: int) -> None:
        super().__init__()
        middle, inner = math.ceil(joints * 2 / 3), math.ceil(joints / 2)
        self.layers = nn.ModuleList(
            [
                GuidedLayer(2, width, frames, joints),
                GuidedLayer(width, 2 * width, frames, middle),
                GuidedLayer(2 * width, 2 * width, frames, inner),
                GuidedLayer(2 * width, width, frames, middle),
                GuidedLayer(width, width, frames, joints),
            ]
        )
        self.contractions = nn.ModuleList([JointMap(joints, middle), JointMap(middle, inner)])
        self.expansions = nn.ModuleList([JointMap(inner, middle), JointMap(middle, joints)])
        self.last = SeparableMixing(width, 2, frames, joints)
        # Without a bias, so that the offsets of a sum are the sum of the offsets: those of the time and those of the condition
        # are each taken once, however many generations and steps there are.
        widths = (width, 2 * width, 2 * width, width, width)
        self.guides = nn.ModuleList([nn.Linear(embedding, channels, bias=False) for channels in widths])

    def offsets(self, embedding: torch.Tensor) -> list[torch.Tensor]:
        """What an embedding (B, E) adds in each layer: (C, B) each; linear in the embedding."""
        return [guide(embedding).T for guide in self.guides]

    def forward(self, x: torch.Tensor, offsets: Offsets) -> torch.Tensor:
        """The noise (T, J, 2, G, B) in x (T, J, 2, G, B), or in x (T, J, 2, G, 1) that all windows share."""
        outer = self.layers[0](x, offsets[0])
        middle = self.layers[1](self.contractions[0](outer), offsets[1])
        inner = self.layers[2](self.contractions[1](middle), offsets[2])
        middle = self.layers[3](self.expansions[0](inner) + middle, offsets[3])
        outer = self.layers[4](self.expansions[1](middle) + outer, offsets[4])
        noise: torch.Tensor = self.last(outer)
        return noise


class ConditionAutoencoder(nn.Module):
    """Past motion to the numbers that stand for it, and back.

    Args:
        channels: Of the layers of the encoder; the decoder has them in reverse.
        frames: Frames of the past.
        joints: J.
        latent: Numbers that stand for it: E.
    """

    def __init__(self, channels: Sequence[int], frames: int, joints: int, latent: int) -> None:
        super().__init__()
        self.shape = (frames, joints, channels[-1])
        numbers = math.prod(self.shape)
        ways = list(zip((2, *channels[:-1]), channels, strict=True))
        self.encoder = nn.ModuleList([GuidedLayer(a, b, frames, joints) for a, b in ways])
        self.to_latent = nn.Linear(numbers, latent)
        self.from_latent = nn.Linear(latent, numbers)
        self.decoder = nn.ModuleList([GuidedLayer(b, a, frames, joints) for a, b in reversed(ways[1:])])
        self.last = SeparableMixing(channels[0], 2, frames, joints)

    def encode(self, past: torch.Tensor) -> torch.Tensor:
        """(T, J, 2, 1, B) to (B, E)."""
        for layer in self.encoder:
            past = layer(past)
        latent: torch.Tensor = self.to_latent(past.flatten(0, 3).T)
        return latent

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        """(B, E) to (T, J, 2, 1, B)."""
        x = self.from_latent(latent).T.reshape(*self.shape, 1, len(latent))
        for layer in self.decoder:
            x = layer(x)
        past: torch.Tensor = self.last(x)
        return past


class TimeEmbedding(nn.Module):
    """The steps as sines and cosines (Vaswani et al. 2017) through a small network."""

    waves: torch.Tensor

    def __init__(self, steps: int, width: int) -> None:
        super().__init__()
        rate = 10_000 ** (-torch.arange(0, width, 2) / width)
        angle = torch.arange(steps)[:, None] * rate
        self.register_buffer("waves", torch.cat([angle.sin(), angle.cos()], dim=1)[:, :width], persistent=False)
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self) -> torch.Tensor:
        """(S, E): the embedding of every step."""
        embedded: torch.Tensor = self.second(silu(self.first(self.waves)))
        return embedded
