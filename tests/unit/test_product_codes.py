"""Codes made of digits: every combination has a number of its own."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vadbench_msgflow.product_codes import ProductCode, checked_sizes


@given(st.lists(st.integers(2, 6), min_size=1, max_size=4))
def test_codes_are_the_combinations(sizes):
    product = ProductCode(sizes)
    every = torch.tensor(list(itertools.product(*map(range, sizes))))
    codes = product.join(every)
    assert codes.tolist() == list(range(product.size))
    assert torch.equal(product.split(codes), every)


def test_shape_is_kept():
    product = ProductCode([3, 4])
    digits = torch.tensor([[[2, 1], [0, 3]]])
    assert product.join(digits).tolist() == [[9, 3]]
    assert product.split(torch.zeros((5, 0, 2), dtype=torch.int64)).shape == (5, 0, 2, 2)


def test_too_many():
    assert checked_sizes([256, 256]) == [256, 256]
    with pytest.raises(ValueError, match="131072 codes"):
        checked_sizes([512, 256])
