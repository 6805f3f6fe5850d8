"""Three spaces to contract latent vectors in: Euclidean, the unit sphere, and the hyperbolic Poincaré ball.

Each places the numbers (B, D) that a network puts out, has a mean, and a geodesic distance. All is computed in float64:
near the edge of the ball float32 has no digits left.
"""

from __future__ import annotations

import math
from typing import Final, Literal, Protocol

import torch

Space = Literal["euclidean", "spherical", "hyperbolic"]

_OFF_ORIGIN: Final = 0.1
"""Deep SVDD's: no coordinate of a centre is closer to 0, which zero weights reach."""
_EDGE: Final = 1e-10
"""Share of the ball's radius that points keep away from its edge: a distance of 23.7 from the origin at curvature 1."""


class LatentGeometry(Protocol):
    """Where latent vectors live."""

    def place(self, v: torch.Tensor) -> torch.Tensor:
        """Finite numbers (B, D) of a network to points (B, D) float64."""
        ...

    def centre(self, points: torch.Tensor) -> torch.Tensor:
        """The mean (D,) of points (N, D), moved to where a network does not come by giving up its weights."""
        ...

    def distance(self, points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        """Geodesic distance (B,) of points (B, D) from a centre that broadcasts to them."""
        ...

    def contraction(self, points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        """What training minimises for each point: (B,), smooth also at the centre, and of its squared distance when near."""
        ...


class EuclideanSpace:
    """Vectors as they are: Deep SVDD (Ruff et al., ICML 2018)."""

    def place(self, v: torch.Tensor) -> torch.Tensor:
        """The same numbers."""
        return v.double()

    def centre(self, points: torch.Tensor) -> torch.Tensor:
        """The mean, each coordinate at least 0.1 from 0."""
        return _off_origin(points.mean(dim=0))

    def distance(self, points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        """The length of the difference."""
        length: torch.Tensor = torch.linalg.vector_norm(points - centre, dim=-1)
        return length

    def contraction(self, points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        """Squared distance."""
        return _squared_distance(points, centre)


class UnitSphere:
    """Directions: the geodesic distance is the angle between two, in radians, 0 to pi."""

    def place(self, v: torch.Tensor) -> torch.Tensor:
        """The direction v / |v|; the first axis where v is 0 and has no direction."""
        length, direction = _polar(v.double())
        return torch.where(length[..., None] > 0, direction, _first_axis(v.double()))

    def centre(self, points: torch.Tensor) -> torch.Tensor:
        """The mean direction, which is the maximum-likelihood one of a von Mises-Fisher distribution."""
        return self.place(points.mean(dim=0))

    def distance(self, points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        """2 atan2(|p - c|, |p + c|): exact for small and for opposite angles, where the arc cosine is not (Kahan)."""
        across, along = (torch.linalg.vector_norm(of, dim=-1) for of in (points - centre, points + centre))
        return 2 * torch.atan2(across, along)

    def contraction(self, points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        """2 - 2 cos(angle), the squared chord: minus a von Mises-Fisher log-likelihood up to scale and constant."""
        return _squared_distance(points, centre)


class PoincareBall:
    """The ball of radius 1 / sqrt(c) with constant curvature -c (Ganea et al., NeurIPS 2018, arXiv 1805.09112).

    Args:
        curvature: c, positive.
    """

    def __init__(self, curvature: float) -> None:
        self.root = math.sqrt(curvature)

    def place(self, v: torch.Tensor) -> torch.Tensor:
        """The exponential map at the origin, tanh(sqrt(c) |v|) v / (sqrt(c) |v|), kept off the edge of the ball."""
        length, direction = _polar(v.double())
        return (torch.tanh(self.root * length).clamp(max=1 - _EDGE) / self.root)[..., None] * direction

    def tangent(self, points: torch.Tensor) -> torch.Tensor:
        """The logarithm at the origin, artanh(sqrt(c) |p|) p / (sqrt(c) |p|), inverse of `place`."""
        length, direction = _polar(points)
        return (torch.atanh(self.root * length) / self.root)[..., None] * direction

    def centre(self, points: torch.Tensor) -> torch.Tensor:
        """The gyromidpoint (Ungar), each coordinate of its tangent vector at least 0.1 from 0.

        It is the Einstein midpoint seen in the ball: the mean on the hyperboloid, pulled back to it.
        """
        weight = 2 / (1 - (self.root * points).square().sum(dim=-1))
        klein = (weight[:, None] * points).sum(dim=0) / (weight - 1).sum()
        midpoint = klein / (1 + (1 - (self.root * klein).square().sum()).clamp(min=0).sqrt())
        return self.place(_off_origin(self.tangent(midpoint)))

    def distance(self, points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        """The length of a geodesic.

        It is arcosh(1 + 2 s) / sqrt(c) with s = c |p - q|^2 / ((1 - c |p|^2)(1 - c |q|^2)), here as
        2 arsinh(sqrt(s)) / sqrt(c): no digit is cancelled.
        """
        return 2 * torch.asinh(self._ratio(points, centre).sqrt()) / self.root

    def contraction(self, points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        """Squared distance; below 1e-12 it counts as constant, as the root has no slope at 0."""
        return (2 * torch.asinh(self._ratio(points, centre).clamp(min=1e-24).sqrt()) / self.root).square()

    def _ratio(self, points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        inside = [1 - (self.root * of).square().sum(dim=-1) for of in (points, centre)]
        return (self.root * (points - centre)).square().sum(dim=-1) / (inside[0] * inside[1])


def latent_geometry(space: Space, curvature: float) -> LatentGeometry:
    """The geometry of a name; ``curvature`` is c of the hyperbolic one alone."""
    if space == "hyperbolic":
        return PoincareBall(curvature)
    return UnitSphere() if space == "spherical" else EuclideanSpace()


def _squared_distance(points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    square: torch.Tensor = (points - centre).square().sum(dim=-1)
    return square


def _polar(v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Length (...) and direction (..., D) of vectors of any finite size; direction 0 where the length is 0."""
    largest = v.detach().abs().amax(dim=-1, keepdim=True)
    scaled = v / torch.where(largest > 0, largest, 1)
    # The largest coordinate is 1 now. A vector of zeros gets the length 1 for a moment, so that no gradient is divided by 0.
    length = torch.where(largest[..., 0] > 0, scaled.square().sum(dim=-1), 1).sqrt()
    return length * largest[..., 0], scaled / length[..., None]


def _first_axis(v: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.zeros((), dtype=torch.int64, device=v.device), v.shape[-1]).to(v)


def _off_origin(v: torch.Tensor) -> torch.Tensor:
    return torch.where(v < 0, v.clamp(max=-_OFF_ORIGIN), v.clamp(min=_OFF_ORIGIN))
