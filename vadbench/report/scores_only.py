"""A row of scores only: figures from score bundles, and null for everything that nobody measured here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vadbench.api import UsageError
from vadbench.report.rescoring_entrants import entrant_of_bundle
from vadbench.report.row_figures import row_figures, scored_seed
from vadbench.store.folders import file_digest
from vadbench.store.record import DatasetRecord
from vadbench.store.row_record import RowMethod, RowRecord, SeedResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from vadbench.api import DatasetInfo
    from vadbench.evaluation.protocol import Protocol
    from vadbench.report.rescoring_entrants import GroundTruth
    from vadbench.store.bundle import ScoreBundle


def scores_only_row(
    bundles: Sequence[ScoreBundle],
    truth: GroundTruth,
    info: DatasetInfo,
    settings: Mapping[str, Any],
    protocol: Protocol,
) -> RowRecord:
    """The row of bundles that differ in their seed.

    Args:
        bundles: Of one method.
        truth: The labels.
        info: Of the data set.
        settings: Those that it was read with.
        protocol: Under which the figures are computed.

    Raises:
        UsageError: if the bundles are not of one method, track and data set, or their seeds are not told or not different.
        DataError: if scores are of other clips or frames than the data set has, or the protocol cannot take them.
    """
    ordered = _by_seed(bundles, info.name)
    pipeline = protocol.on(info.name)
    results, pairs = [], []
    for seed, bundle in ordered.items():
        entrant = entrant_of_bundle(bundle, truth)
        scored = scored_seed(entrant.scores, truth.labels, truth.scenes, pipeline, truth.frame_rate)
        metrics = scored.metrics
        results.append(
            SeedResult(
                seed=seed,
                auroc=metrics.auroc,
                auroc_raw=metrics.auroc_raw,
                ap=metrics.ap,
                scores=file_digest(bundle.path),
                cost=None,
            )
        )
        pairs.append(scored.pairs)
    figures = row_figures(results, pairs, truth.labels)
    meta = next(iter(ordered.values())).meta
    frames = sum(len(part) for part in truth.labels.abnormal)
    return RowRecord(
        kind="scores-only",
        method=RowMethod(name=meta.method, track=meta.track, components={}, changes=(), config=None, config_hash=None),
        dataset=DatasetRecord(
            name=info.name,
            title=info.title,
            stand_in=info.stand_in,
            settings={key: value for key, value in settings.items() if key != "root"},
            frame_rate=info.frame_rate,
            poses={},
            labels=truth.labels.fingerprint(),
            counts={"test": {"clips": len(truth.labels.clips), "frames": frames}},
        ),
        protocol=protocol.name,
        protocol_digest=protocol.digest(),
        seeds=tuple(results),
        auroc=figures.auroc,
        auroc_raw=figures.auroc_raw,
        ap=figures.ap,
        cost=None,
        interval=figures.interval,
        transductive=None,
        oracles=figures.oracles,
        environment=None,
    )


def _by_seed(bundles: Sequence[ScoreBundle], dataset: str) -> dict[int, ScoreBundle]:
    found: dict[int, ScoreBundle] = {}
    first = bundles[0]
    for bundle in bundles:
        meta = bundle.meta
        for key, told, other in (
            ("method", meta.method, first.meta.method),
            ("track", meta.track, first.meta.track),
            ("dataset", meta.dataset, dataset),
        ):
            if told != other:
                raise UsageError(
                    f"{key} is {told!r} in this bundle, and {other!r} in the row",
                    where=bundle.path,
                    remedy="a row has one method, one track and one data set: correct the meta.json, or pack it by itself",
                )
        if meta.seed is None:
            raise UsageError(
                "the bundle does not say its seed",
                where=bundle.path,
                remedy='write "seed" into its meta.json; a method without chance has "seed": 0',
            )
        if meta.seed in found:
            raise UsageError(
                f"two bundles have the seed {meta.seed}",
                where=f"{found[meta.seed].path} and {bundle.path}",
                remedy="give each its own seed in its meta.json",
            )
        found[meta.seed] = bundle
    return dict(sorted(found.items()))
