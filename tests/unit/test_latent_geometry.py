"""Distances in three spaces: against independent formulas, and the laws of a metric."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad

from vadbench_baselines.latent_geometry import EuclideanSpace, PoincareBall, UnitSphere, latent_geometry

SPACES = {
    "euclidean": EuclideanSpace(),
    "spherical": UnitSphere(),
    "hyperbolic": PoincareBall(1.0),
    "hyperbolic, c = 0.3": PoincareBall(0.3),
}
every_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
numbers = st.floats(-3, 3, allow_subnormal=False).map(lambda value: round(value, 6))
triples = arrays(np.float64, (3, 4), elements=numbers).map(torch.from_numpy)
some = torch.randn(40, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


@every_space
@given(v=triples)
def test_a_distance_is_a_metric(space, v):
    a, b, c = space.place(v)
    ab, bc, ac = (float(space.distance(*pair)) for pair in ((a, b), (b, c), (a, c)))
    assert space.distance(a, a) == 0
    assert ab == float(space.distance(b, a))
    assert ac <= ab + bc + 1e-7
    assert min(ab, bc, ac) >= 0


@given(v=arrays(np.float64, (1, 3), elements=st.floats(allow_nan=False, allow_infinity=False)), curvature=st.floats(1e-3, 100))
def test_the_exponential_map_stays_inside_the_ball(v, curvature):
    ball = PoincareBall(curvature)
    point = ball.place(torch.from_numpy(v))
    assert torch.linalg.vector_norm(point) < 1 / math.sqrt(curvature)
    assert torch.isfinite(ball.distance(point, -point)).all()
    assert ball.distance(point, torch.zeros(3, dtype=torch.float64)) < 25 / math.sqrt(curvature)


@given(v=arrays(np.float64, (1, 3), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_a_direction_has_length_one(v):
    point = UnitSphere().place(torch.from_numpy(v))
    assert float(torch.linalg.vector_norm(point)) == pytest.approx(1, abs=1e-12)


@given(v=triples)
def test_angles_are_between_0_and_pi(v):
    sphere = UnitSphere()
    a, b, _ = sphere.place(v)
    angle = float(sphere.distance(a, b))
    assert 0 <= angle <= math.pi
    assert angle == pytest.approx(math.acos(max(-1.0, min(1.0, float(a @ b)))), abs=1e-6)


def test_small_and_opposite_angles_keep_their_digits():
    sphere = UnitSphere()
    pole = torch.tensor([1.0, 0, 0], dtype=torch.float64)
    for angle in (1e-9, 1e-4, 1.0, math.pi - 1e-9, math.pi):
        point = torch.tensor([math.cos(angle), math.sin(angle), 0], dtype=torch.float64)
        assert float(sphere.distance(point, pole)) == pytest.approx(angle, rel=1e-12)


def test_hyperbolic_distance_is_the_length_of_a_path():
    """Along a radius the metric is 2 |dx| / (1 - c x^2)."""
    ball, c = PoincareBall(0.7), 0.7
    for low, high in ((0.0, 0.5), (-0.4, 0.9), (0.9, 1.1)):
        wanted, _ = quad(lambda x: 2 / (1 - c * x * x), low, high)
        ends = (torch.tensor([end, 0.0], dtype=torch.float64) for end in (low, high))
        assert float(ball.distance(*ends)) == pytest.approx(wanted, rel=1e-9)


def test_hyperbolic_distance_is_that_of_the_hyperboloid():
    ball, c = PoincareBall(1.6), 1.6
    points = ball.place(some).numpy()
    square = c * (points**2).sum(axis=1, keepdims=True)
    space, time = 2 * math.sqrt(c) * points / (1 - square), (1 + square) / (1 - square)
    wanted = np.arccosh(np.maximum(time[1:] * time[:1] - space[1:] @ space[:1].T, 1))[:, 0] / math.sqrt(c)
    np.testing.assert_allclose(ball.distance(*map(torch.from_numpy, (points[1:], points[0]))), wanted, rtol=1e-9)


def test_distance_from_the_origin_is_twice_the_tangent():
    ball = PoincareBall(0.5)
    origin = torch.zeros(4, dtype=torch.float64)
    found = ball.distance(ball.place(some), origin)
    torch.testing.assert_close(found, 2 * torch.linalg.vector_norm(some, dim=1))
    torch.testing.assert_close(ball.tangent(ball.place(some)), some)


def test_without_curvature_it_is_twice_the_euclidean():
    ball = PoincareBall(1e-8)
    a, b = some[:20], some[20:]
    wanted = 2 * EuclideanSpace().distance(a, b)
    torch.testing.assert_close(ball.distance(ball.place(a), ball.place(b)), wanted, rtol=1e-6, atol=0)
    curved = PoincareBall(1.0)
    assert (curved.distance(curved.place(a), curved.place(b)) / wanted - 1).abs().max() > 0.1


def test_the_hyperbolic_centre_has_the_least_hyperboloid_cost():
    """The gyromidpoint minimises the sum of cosh(distance) - 1; checked where no coordinate is pushed off the origin."""
    ball = PoincareBall(1.0)
    points = ball.place(some * 0.3 + 0.6)
    centre = ball.centre(points)

    def cost(at: torch.Tensor) -> float:
        return float((torch.cosh(ball.distance(points, at)) - 1).sum())

    steps = 1e-3 * torch.eye(4, dtype=torch.float64)
    assert all(cost(centre) < cost(centre + sign * step) for step in steps for sign in (-1, 1))


@pytest.mark.parametrize("space", [EuclideanSpace(), PoincareBall(1.0), PoincareBall(9.0)])
def test_a_centre_keeps_off_the_origin(space):
    centre = space.centre(space.place(torch.cat([some, -some]) * 0.1))
    v = space.tangent(centre) if isinstance(space, PoincareBall) else centre
    assert v.abs().min() >= 0.1 - 1e-12


def test_the_spherical_centre_is_the_mean_direction():
    sphere = UnitSphere()
    points = sphere.place(some + 1)
    mean = points.numpy().mean(axis=0)
    np.testing.assert_allclose(sphere.centre(points), mean / np.linalg.norm(mean))
    # Directions that cancel have no mean; any will do.
    assert torch.linalg.vector_norm(sphere.centre(torch.cat([points, -points]))) == pytest.approx(1)


@every_space
def test_contraction_has_a_finite_slope_everywhere_and_none_at_the_centre(space):
    v = torch.cat([some, torch.zeros(1, 4, dtype=torch.float64), 1e6 * some[:3]]).requires_grad_()
    centre = space.place(some[5].detach())
    (gradient,) = torch.autograd.grad(space.contraction(space.place(v), centre).sum(), v)
    assert torch.isfinite(gradient).all()
    assert gradient[5].abs().max() < 1e-9
    assert gradient[6].abs().max() > 1e-3


@every_space
def test_contraction_rises_with_distance(space):
    points = space.place(some)
    centre = space.place(some[0])
    order = space.distance(points, centre).argsort()
    assert (space.contraction(points, centre)[order].diff() >= 0).all()


def test_a_name_gives_its_space():
    assert isinstance(latent_geometry("euclidean", 1.0), EuclideanSpace)
    assert isinstance(latent_geometry("spherical", 1.0), UnitSphere)
    assert latent_geometry("hyperbolic", 4.0).root == 2
