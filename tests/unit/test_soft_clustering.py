"""Soft assignments, targets, divergence and log-ratios against the formulas as they stand in the papers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy

from vadbench_baselines.soft_clustering import divergence, log_ratios, log_soft_assignment, sharpened_target

GENERATOR = torch.Generator().manual_seed(8)
Z = torch.randn(30, 3, generator=GENERATOR, dtype=torch.float64) * 2
CENTRES = torch.randn(5, 3, generator=GENERATOR, dtype=torch.float64)


def test_assignments_are_student_t():
    z, centres = Z.numpy(), CENTRES.numpy()
    kernel = 1 / (1 + ((z[:, None] - centres) ** 2).sum(axis=2))
    wanted = kernel / kernel.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(log_soft_assignment(Z, CENTRES).exp(), wanted, rtol=1e-12)


@given(z=arrays(np.float32, (4, 3), elements=st.floats(-(2.0**60), 2.0**60, width=32)))
def test_assignments_sum_to_one_and_are_positive(z):
    log_q = log_soft_assignment(torch.from_numpy(z), CENTRES.float())
    assert torch.isfinite(log_q).all()
    torch.testing.assert_close(log_q.exp().sum(dim=1), torch.ones(4, dtype=torch.float64))


def test_the_target_is_that_of_deep_embedded_clustering():
    q = log_soft_assignment(Z, CENTRES).exp()
    wanted = np.zeros(q.shape)
    frequency = q.numpy().sum(axis=0)
    for i, row in enumerate(q.numpy()):
        for k in range(5):
            wanted[i, k] = (row[k] ** 2 / frequency[k]) / sum(row[j] ** 2 / frequency[j] for j in range(5))
    np.testing.assert_allclose(sharpened_target(q, q.mean(dim=0)), wanted, rtol=1e-12)


def test_the_target_is_sharper():
    q = log_soft_assignment(Z, CENTRES).exp()
    p = sharpened_target(q, torch.ones(5, dtype=torch.float64))
    assert (entropy(p, axis=1) < entropy(q, axis=1)).all()
    assert (p.argmax(dim=1) == q.argmax(dim=1)).all()


def test_divergence_is_that_of_scipy():
    q = log_soft_assignment(Z, CENTRES).exp()
    p = sharpened_target(q, q.mean(dim=0))
    assert float(divergence(q.log(), p)) == pytest.approx(entropy(p, q, axis=1).mean())
    assert float(divergence(q.log(), q)) == pytest.approx(0, abs=1e-12)
    sure = torch.nn.functional.one_hot(q.argmax(dim=1), 5).double()
    assert float(divergence(q.log(), sure)) == pytest.approx(-q.amax(dim=1).log().mean())


@given(logits=arrays(np.float64, (2, 6), elements=st.floats(-50, 50)))
def test_log_ratios_keep_aitchison_distances(logits):
    log_q = torch.from_numpy(logits).log_softmax(dim=1)
    coordinates = log_ratios(log_q)
    assert coordinates.shape == (2, 5)
    centred = log_q - log_q.mean(dim=1, keepdim=True)
    wanted = torch.linalg.vector_norm(centred[0] - centred[1])
    torch.testing.assert_close(torch.linalg.vector_norm(coordinates[0] - coordinates[1]), wanted, rtol=1e-9, atol=1e-9)


def test_log_ratios_have_a_regular_covariance():
    log_q = log_soft_assignment(Z, CENTRES)
    assert np.linalg.matrix_rank(np.cov(log_q.exp().numpy().T)) == 4
    assert np.linalg.matrix_rank(np.cov(log_ratios(log_q).numpy().T)) == 4
    even = torch.full((1, 5), 0.2, dtype=torch.float64).log()
    assert log_ratios(even).abs().max() < 1e-15
