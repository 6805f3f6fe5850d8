"""Batches made ahead: in order, all of them, and nothing made that nobody will use."""

from __future__ import annotations

import threading

import pytest

from vadbench.engine.prefetch import prefetched


def test_in_order():
    assert list(prefetched(lambda n: n * n, range(50))) == [n * n for n in range(50)]
    assert list(prefetched(str, [])) == []


def test_made_ahead_in_another_thread():
    made, used = [], threading.Event()

    def make(n):
        made.append((n, threading.current_thread().name))
        if n == 2:
            used.set()
        return n

    coming = prefetched(make, range(9))
    assert next(coming) == 0
    assert used.wait(5), "two more are made before they are asked for"
    coming.close()
    assert len(made) <= 4
    assert all(name.startswith("prefetch") for _, name in made)


def test_errors_come_where_the_result_would():
    def make(n):
        if n == 3:
            raise ValueError("three")
        return n

    coming = prefetched(make, range(9))
    assert [next(coming) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(coming)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]
