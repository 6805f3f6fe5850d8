"""The oracles of a leaderboard: what the test labels alone would give. They are no methods and have no rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vadbench.api import DriftError
from vadbench.report.reproduced import dataset_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vadbench.store.row_record import RowRecord

MEANINGS: Final = {
    "clip-level": "knows which clips have an anomaly, and nothing of its frames",
    "clip-share": "knows each clip's share of abnormal frames, and nothing else",
}
"""Oracle to what it knows; see `vadbench.evaluation.oracles`."""
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class OracleRow:
    """One oracle on one set of test labels.

    Args:
        oracle: ``clip-level`` or ``clip-share``; `MEANINGS` says what it knows.
        dataset: Name of the data set.
        dataset_settings: The settings it was read with.
        stand_in: True for data that are never a result.
        protocol: Name of the protocol.
        protocol_digest: 12 hex digits over its rule.
        labels: The first 12 hex digits of the labels' fingerprint.
        auroc: Micro over the frames that count, in [0, 1]; None where only one class is present.
    """

    oracle: str
    dataset: str
    dataset_settings: str
    stand_in: bool
    protocol: str
    protocol_digest: str
    labels: str
    auroc: float | None


def oracle_rows(records: Iterable[RowRecord]) -> list[OracleRow]:
    """Both oracles of every data set, protocol and state of the labels that the rows are on; stand-in data last.

    Raises:
        DriftError: if rows with the same labels tell different figures.
    """
    found: dict[tuple[object, ...], OracleRow] = {}
    for record in records:
        dataset = record.dataset
        for oracle, auroc in (("clip-level", record.oracles.clip_level), ("clip-share", record.oracles.clip_share)):
            row = OracleRow(
                oracle=oracle,
                dataset=dataset.name,
                dataset_settings=dataset_settings(dataset),
                stand_in=dataset.stand_in,
                protocol=record.protocol,
                protocol_digest=record.protocol_digest,
                labels=dataset.labels[:12],
                auroc=auroc,
            )
            key = (row.stand_in, row.dataset, row.dataset_settings, row.protocol, row.protocol_digest, row.labels, oracle)
            first = found.setdefault(key, row).auroc
            if first != auroc and (first is None or auroc is None or abs(first - auroc) > _ROUNDING):
                raise DriftError(
                    f"the oracle {oracle} is {first} in one row and {auroc} in that of {record.method.label}, on the same labels",
                    where=f"data set {dataset.name}",
                    remedy="write these rows again from their runs with vadbench leaderboard --write",
                )
    return [found[key] for key in sorted(found, key=str)]
