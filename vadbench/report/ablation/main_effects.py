"""Main effects of a factorial: what each level of a factor is worth, on average over all levels of the other factors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from vadbench.evaluation.clip_pairs import over_seeds
from vadbench.evaluation.intervals import RESAMPLES, auroc_interval
from vadbench.evaluation.paired import difference_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vadbench.engine.ablation.grid import Slot
    from vadbench.evaluation.clip_pairs import ClipPairs
    from vadbench.evaluation.intervals import Interval
    from vadbench.report.ablation.rows import VariantFrames


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a factor. AUROCs in [0, 1].

    Args:
        name: Of the component.
        mean: AUROC, the mean over all runs with this level.
        interval: Of the mean, over clips.
        effect: ``mean`` minus the mean over all levels of the factor.
        effect_interval: Of the effect; each resample draws the same clips for all runs.
        single: The AUROC of each run with this level.
    """

    name: str
    mean: float
    interval: Interval
    effect: float
    effect_interval: Interval
    single: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MainEffects:
    """The main effects on one data set.

    Args:
        dataset: Its name.
        stand_in: True for data that are never a result.
        protocol: Under which all were scored.
        factors: Slot to its levels.
        mean: AUROC, over all runs.
        runs: How many.
        seeds: Of which every combination is there; where there is no such seed, all.
        balanced: Whether every combination of these levels is there with each of these seeds. Where not, means of levels are
            over unlike runs.
        absent: Levels without any run, ``slot=level``.
    """

    dataset: str
    stand_in: bool
    protocol: str
    factors: Mapping[Slot, tuple[Level, ...]]
    mean: float
    runs: int
    seeds: tuple[int, ...]
    balanced: bool
    absent: tuple[str, ...]


def main_effects(
    read: Sequence[VariantFrames], factors: Mapping[Slot, Sequence[str]], *, resamples: int = RESAMPLES
) -> MainEffects | None:
    """The main effects on one data set; None where there is no run with both classes.

    Args:
        read: The combinations, as `read_variants` gives them, and the base, which takes part as a combination if it is one.
        factors: Slot to the levels that were combined.
        resamples: For intervals.
    """
    cells: dict[tuple[tuple[str, ...], int], ClipPairs] = {}
    first = None
    for each in read:
        levels = tuple(each.variant.swaps.get(slot, "") for slot in factors)
        for seed, one in each.seeds.items():
            if all(levels) and 0 <= one.pairs.auroc <= 1:  # NaN where a class is absent
                cells[levels, seed] = one.pairs
                first = first or one.run.record
    if first is None:
        return None
    present = {
        slot: tuple(level for level in named if any(c[i] == level for c, _ in cells))
        for i, (slot, named) in enumerate(factors.items())
    }
    combinations = set(product(*present.values()))
    seeds = sorted({seed for _, seed in cells})
    whole = [seed for seed in seeds if all((levels, seed) in cells for levels in combinations)]
    used = {key: pairs for key, pairs in cells.items() if key[1] in (whole or seeds)}
    together = over_seeds(list(used.values()))
    found: dict[Slot, tuple[Level, ...]] = {}
    for i, (slot, names) in enumerate(present.items()):
        found[slot] = tuple(
            _level(name, [pairs for (levels, _), pairs in used.items() if levels[i] == name], together, resamples)
            for name in names
        )
    return MainEffects(
        dataset=first.dataset.name,
        stand_in=first.dataset.stand_in,
        protocol=first.protocol,
        factors=found,
        mean=together.auroc,
        runs=len(used),
        seeds=tuple(whole or seeds),
        balanced=bool(whole),
        absent=tuple(f"{slot}={level}" for slot, named in factors.items() for level in named if level not in present[slot]),
    )


def _level(name: str, pairs: Sequence[ClipPairs], everything: ClipPairs, resamples: int) -> Level:
    mine = over_seeds(pairs)
    return Level(
        name=name,
        mean=mine.auroc,
        interval=auroc_interval(mine, resamples=resamples),
        effect=mine.auroc - everything.auroc,
        effect_interval=difference_interval(mine, everything, resamples=resamples),
        single=tuple(each.auroc for each in pairs),
    )
