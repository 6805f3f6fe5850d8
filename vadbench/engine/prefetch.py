"""The next batch is made while the last one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

_AHEAD = 2
"""Batches made beforehand; with one, a slow batch after a quick step is waited for."""


def prefetched(make: Callable[[Item], Made], items: Iterable[Item]) -> Generator[Made, None, None]:
    """``make(item)`` for each item, in order, made in one thread that stays ahead of whoever uses them.

    What ``make`` raises is raised where its result would have come. Gathering and normalising release the interpreter for
    most of their time; several threads or processes gain nothing on data that lies in memory.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as pool:
        coming: deque[Future[Made]] = deque()
        try:
            for item in items:
                coming.append(pool.submit(make, item))
                if len(coming) > _AHEAD:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()
