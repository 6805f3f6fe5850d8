"""Whether a row comes out again: what has to be the same before it is trained, and what each seed gave, then and now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from rich import box
from rich.table import Table

from vadbench.api import DriftError, Split, UsageError
from vadbench.data.cache.track_cache import default_cache
from vadbench.engine.inputs import read_test_labels
from vadbench.engine.poses import read_tracks
from vadbench.report.formatting import NOT_AVAILABLE
from vadbench.report.recompute import TOLERANCE as ROUNDING
from vadbench.report.recompute import recompute
from vadbench.store.folders import SCORES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vadbench.engine.plan import Job
    from vadbench.store.folders import StoredRun
    from vadbench.store.record import Environment
    from vadbench.store.row_record import RowRecord, SeedResult

TOLERANCE: Final = 0.5
"""Points of AUROC that rounding on another machine is allowed at least; ``docs/leaderboards.md`` says why so many."""
_SPREADS: Final = 3.0
"""So many standard deviations over seeds it is allowed: two seeds lie 2.8 apart at most, 95 times of 100."""

_LONGEST_TOLD: Final = 80
_SHOWN: Final = 5
"""So many keys of a configuration are named at most."""
Finding = Literal["identical", "agrees", "differs"]


@dataclass(frozen=True, slots=True)
class SeedComparison:
    """A seed of a row, then and now.

    Args:
        seed: Which.
        finding: ``identical``: the same scores, bit for bit, and the same figures. ``agrees``: other scores, and an AUROC within
            the tolerance. ``differs``: neither.
        then: The AUROC of the row, in [0, 1]; None where a class is absent.
        now: The AUROC of the run made now.
        same_scores: Whether the scores are the same, bit for bit.
        run: Its folder.
    """

    seed: int
    finding: Finding
    then: float | None
    now: float | None
    same_scores: bool
    run: Path

    @property
    def difference(self) -> float | None:
        """Now less then, in points."""
        return None if self.then is None or self.now is None else 100 * (self.now - self.then)

    @property
    def told(self) -> str:
        """The difference in points, with its sign."""
        return NOT_AVAILABLE if self.difference is None else f"{self.difference:+.3f}"


def default_tolerance(row: RowRecord) -> float:
    """Points of AUROC by which a seed with other scores may differ: 0.5, or three standard deviations of the row's seeds.

    Rounding in another order is to a training what another seed is, so a seed may move as far as the seeds lie apart.
    """
    return TOLERANCE if row.auroc.sd is None else max(TOLERANCE, 100 * _SPREADS * row.auroc.sd)


def check_method(row: RowRecord, job: Job, where: Path) -> None:
    """Raises `DriftError` unless what would be run is the row's configuration, under the row's protocol; reads no data.

    A method of another name is a `UsageError`.
    """
    if job.resolved.method.name != row.method.name:
        raise UsageError(
            f"the method is called {job.resolved.method.name!r}, in the row {row.method.name!r}",
            where=where,
            remedy="name the file that the row was made from with --method",
        )
    if job.resolved.digest != row.method.config_hash:
        raise DriftError(
            f"the configuration of {row.method.label} is not the row's: {changed_keys(row, job.resolved.settings)}",
            where=where,
            remedy=_since(row, "if the change is meant, run its seeds and write it again with vadbench leaderboard --write"),
        )
    protocol = job.protocol
    if (protocol.name, protocol.digest()) != (row.protocol, row.protocol_digest):
        raise DriftError(
            f"the protocol is not the row's: {protocol.name}, digest {protocol.digest()} "
            f"(row: {row.protocol}, {row.protocol_digest})",
            where=where,
            remedy=_since(row, "figures under another protocol are other figures"),
        )


def check_data(row: RowRecord, job: Job, where: Path) -> None:
    """Compares the fingerprints of poses and labels with the row's; give it the job of a plan that nothing else is run from.

    Raises:
        UsageError: if the data set goes by another name, which steps of the protocol may depend on.
        DriftError: if poses or labels are others.
        DataError: if they cannot be read.
    """
    dataset, then = job.dataset, row.dataset
    if dataset.info.name != then.name:
        raise UsageError(
            f"the data set is called {dataset.info.name!r}, in the row {then.name!r}",
            where=where,
            remedy=f"give the folder the name {then.name}, or name the data set of the row with --dataset and --data-root",
        )
    other = []
    for split in get_args(Split):
        if split not in then.poses and split != "test":
            continue
        tracks, now = read_tracks(dataset, split, job.dataset_settings, default_cache())
        if now != then.poses.get(split):
            other.append(f"poses of the {split} split")
        if split == "test" and read_test_labels(dataset, tracks.clips).fingerprint() != then.labels:
            other.append("test labels")
    if other:
        raise DriftError(
            f"the data are not the row's: other {' and other '.join(other)}",
            where=where,
            remedy=_since(row, "use the release of the data that it was made on; --dataset and --data-root say where it lies"),
        )


def compare_seed(row: RowRecord, run: StoredRun, tolerance: float) -> SeedComparison:
    """A run made now beside the row's seed.

    Args:
        row: Which.
        run: Of one of its seeds.
        tolerance: Points of AUROC.

    Raises:
        DriftError: if the run does not agree with itself.
    """
    (then,) = (result for result in row.seeds if result.seed == run.record.seed)
    metrics = recompute(run)
    same = run.record.files[SCORES] == then.scores
    if same:
        # The same scores have the same figures, whatever the tolerance: other ones were not computed from them.
        equal = all(_within(getattr(then, name), getattr(metrics, name), ROUNDING) for name in ("auroc", "auroc_raw", "ap"))
    else:
        equal = _within(then.auroc, metrics.auroc, tolerance / 100)
    finding: Finding = "differs" if not equal else "identical" if same else "agrees"
    return SeedComparison(run.record.seed, finding, then.auroc, metrics.auroc, same, run.path)


def changed_environment(then: Environment, now: Environment) -> list[str]:
    """What of the environment is not as it was, ``torch 2.9.0 (row: 2.8.0)``: why scores may differ in their last bits."""
    pairs = {"platform": (then.platform, now.platform), "python": (then.python, now.python), "device": (then.device, now.device)}
    pairs |= {"threads": (str(then.threads), str(now.threads))}
    pairs |= {name: (version, now.packages.get(name, "absent")) for name, version in then.packages.items()}
    return [f"{name} {new} (row: {old})" for name, (old, new) in pairs.items() if old != new]


def expected_table(results: Sequence[SeedResult]) -> Table:
    """What the row says of seeds, for a run that is not made."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("seed", "AUROC of the row", "not smoothed", "AP", "SHA-256 of the scores"):
        table.add_column(name, justify="left" if "SHA" in name else "right", overflow="fold")
    for result in results:
        table.add_row(str(result.seed), *map(_points, (result.auroc, result.auroc_raw, result.ap)), result.scores)
    return table


def comparison_table(found: Sequence[SeedComparison]) -> Table:
    """Seed by seed, then and now."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("seed", "finding", "AUROC now", "AUROC of the row", "difference"):
        table.add_column(name, justify="left" if name == "finding" else "right")
    for each in found:
        table.add_row(str(each.seed), each.finding, _points(each.now), _points(each.then), each.told)
    return table


def _within(then: float | None, now: float | None, tolerance: float) -> bool:
    return then == now if then is None or now is None else abs(then - now) <= tolerance


def _points(share: float | None) -> str:
    return NOT_AVAILABLE if share is None else f"{100 * share:.3f}"


def _since(row: RowRecord, remedy: str) -> str:
    version = row.ran_in.packages.get("vadbench")
    made = "" if version is None else f"the row was made with vadbench {version}: use that version; "
    return made + remedy


def changed_keys(row: RowRecord, now: Mapping[str, Any]) -> str:
    """The keys of a configuration that are not as in the row, with both values."""
    old, new = dict(_flat(row.method.config or {})), dict(_flat(now))
    # As the hash is taken: 1, 1.0 and true are equal in Python, and are other configurations.
    keys = [key for key in sorted(old.keys() | new.keys()) if _written(old, key) != _written(new, key)]
    told = [f"{key} is {_told(new, key)} (row: {_told(old, key)})" for key in keys[:_SHOWN]]
    return ", ".join(told) + (f", and {len(keys) - _SHOWN} more keys" if len(keys) > _SHOWN else "")


def _flat(config: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in config.items():
        # An empty section is a value, too.
        found += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [(f"{prefix}{key}", value)]
    return found


def _written(values: Mapping[str, Any], key: str) -> str | None:
    return json.dumps(values[key], sort_keys=True) if key in values else None


def _told(values: Mapping[str, Any], key: str) -> str:
    told = repr(values[key]) if key in values else "absent"
    return told if len(told) <= _LONGEST_TOLD else f"{told[:_LONGEST_TOLD]}..."
