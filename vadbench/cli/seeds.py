"""Seeds as options give them: numbers, ranges with both ends, and lists of these."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vadbench.api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST: Final = 2**63 - 1
_MOST: Final = 10_000
"""Seeds that a range may have: a slip of the keyboard must not plan for years."""


def parse_seeds(texts: Iterable[str]) -> tuple[int, ...]:
    """``0-4``, ``7`` and ``0,2,5-7``, each seed once, in the order given.

    Raises:
        UsageError: for what is no seed, a range that goes down, and one of more than 10,000 seeds.
    """
    seeds: dict[int, None] = {}
    for text in texts:
        for part in text.split(","):
            found = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
            if found is None:
                raise UsageError(f"{part.strip()!r} is no seed", where=f"--seed {text}", remedy="write 7, 0-4 or 0,2,5-7")
            first, last = int(found[1]), int(found[2] or found[1])
            if last < first:
                raise UsageError(f"the range {part.strip()} goes down", where=f"--seed {text}", remedy=f"write {last}-{first}")
            if last > LARGEST:
                raise UsageError(f"the seed {last} is too large", where=f"--seed {text}", remedy=f"give one up to {LARGEST}")
            if last - first >= _MOST:
                raise UsageError(
                    f"the range {part.strip()} has {last - first + 1:,} seeds",
                    where=f"--seed {text}",
                    remedy="give a shorter one",
                )
            seeds |= dict.fromkeys(range(first, last + 1))
    return tuple(seeds)
