"""The yardsticks of the tokenizers' report: PCA with as many numbers, and with as many bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tokenizer_reconstruction import PrincipalComponents, place_information

from vadbench_msgflow.reconstruction import variance_lost


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    scales = np.array([8.0, 4.0, 2.0, 1.0, 0.5, 0.25])
    rows = np.random.default_rng(0).normal(size=(4000, 6)) * scales
    return torch.from_numpy(rows.astype(np.float32)).view(4000, 1, 2, 3)


@pytest.fixture(scope="module")
def components(x) -> PrincipalComponents:
    return PrincipalComponents.of(x.numpy())


def test_numbers_keep_the_largest_variances(components, x):
    left = [variance_lost(x, components.by_numbers(x, numbers)) for numbers in range(7)]
    variances = np.array([64, 16, 4, 1, 0.25, 0.0625])
    assert left == pytest.approx([variances[k:].sum() / variances.sum() for k in range(7)], abs=0.01)


def test_bits_go_where_they_gain_most(components, x):
    left = [variance_lost(x, components.by_bits(x, bits)) for bits in range(8)]
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(1)
    # One bit halves a Gaussian at its mean: 1 - 2 / pi of the variance is left (Max 1960).
    assert left[1] == pytest.approx((64 * (1 - 2 / np.pi) + 21.3125) / 85.3125, abs=0.02)
    # No code does better than the rate-distortion bound of one Gaussian variance after another.
    assert left[7] > 64 * 2.0**-14 / 85.3125
    values = components._dealt(7)
    assert len(values[0]) > len(values[2]), "the first component has the larger variance"
    assert np.prod([len(value) for value in values]) == 2**7


def test_what_a_code_tells_of_its_place():
    generator = torch.Generator().manual_seed(0)
    assert place_information(torch.arange(3).expand(500, 3)) == pytest.approx(np.log(3)), "each place has a code of its own"
    assert place_information(torch.full((500, 3), 2)) == pytest.approx(0, abs=1e-12)
    free = torch.randint(8, (4000, 3), generator=generator)
    assert place_information(free) == pytest.approx(7 * 2 / (2 * 12_000), abs=5e-4), "what is estimated of nothing"
    half = torch.cat([torch.arange(3).expand(4000, 3), torch.full((4000, 3), 3)])
    assert place_information(half) == pytest.approx(np.log(3) / 2)
