"""Seeds as options give them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import UsageError
from vadbench.cli.seeds import parse_seeds


@pytest.mark.parametrize(
    ("texts", "seeds"),
    [
        (["7"], (7,)),
        (["0-4"], (0, 1, 2, 3, 4)),
        (["0,2,5-7"], (0, 2, 5, 6, 7)),
        (["3", "1", "3"], (3, 1)),
        (["2-4", "0-3"], (2, 3, 4, 0, 1)),
        ([" 1 , 3 - 4 "], (1, 3, 4)),
        (["5-5"], (5,)),
        ([str(2**63 - 1)], (2**63 - 1,)),
    ],
)
def test_numbers_ranges_and_lists(texts, seeds):
    assert parse_seeds(texts) == seeds


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("", "'' is no seed", "0-4"),
        ("a", "'a' is no seed", "0-4"),
        ("1,", "'' is no seed", "0-4"),
        ("-1", "'-1' is no seed", "0-4"),
        ("1.5", "'1.5' is no seed", "0-4"),
        ("1-2-3", "'1-2-3' is no seed", "0-4"),
        ("4-0", "the range 4-0 goes down", "write 0-4"),
        (str(2**63), "is too large", str(2**63 - 1)),
        ("0-10000", "10,001 seeds", "shorter"),
    ],
)
def test_what_is_no_seed(text, what, remedy):
    with pytest.raises(UsageError) as caught:
        parse_seeds([text])
    assert what in caught.value.what
    assert caught.value.where == f"--seed {text}"
    assert remedy in caught.value.remedy


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=6))
def test_every_seed_of_every_range_once(ranges):
    found = parse_seeds([",".join(f"{first}-{first + more}" for first, more in ranges)])
    assert len(set(found)) == len(found)
    assert set(found) == {seed for first, more in ranges for seed in range(first, first + more + 1)}
