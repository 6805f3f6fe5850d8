"""Whether a row agrees with itself: means with seeds, the configuration with its hash."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from vadbench.engine.config import digest_of
from vadbench.store.row_record import Spread, mean_cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.store.row_record import RowRecord

_ROUNDING: Final = 1e-9
_COST_ROUNDING: Final = 1e-3


def disagreements(record: RowRecord) -> Iterator[str]:
    """Where a row does not agree with itself, a sentence each: what does not follow from its seeds, or has another hash."""
    seeds = [result.seed for result in record.seeds]
    if seeds != sorted(set(seeds)):
        yield f"the seeds are {', '.join(map(str, seeds))}, which do not ascend"
    for figure in ("auroc", "auroc_raw", "ap"):
        told: Spread = getattr(record, figure)
        follows = Spread.over([getattr(result, figure) for result in record.seeds])
        for part in ("mean", "sd"):
            yield from _differs(getattr(told, part), getattr(follows, part), f"{figure}.{part}", _ROUNDING)
    costs = [result.cost for result in record.seeds if result.cost is not None]
    if record.cost is not None and costs:
        for part, value in mean_cost(costs).model_dump().items():
            yield from _differs(getattr(record.cost, part), value, f"cost.{part}", _COST_ROUNDING)
    if record.interval is not None and record.interval[0] > record.interval[1]:
        yield f"the interval ends before it begins: {record.interval}"
    config = record.method.config
    if config is not None and digest_of(config) != record.method.config_hash:
        yield (f"the configuration is not the one that config_hash names: {digest_of(config)}, not {record.method.config_hash}")


def _differs(told: float | None, follows: float | None, key: str, rounding: float) -> Iterator[str]:
    if told == follows:
        return
    if told is None or follows is None or not math.isclose(told, follows, rel_tol=0, abs_tol=rounding):
        yield f"{key} is {told}, but the seeds of the row give {follows}"
