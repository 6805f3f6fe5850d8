"""Window scores under several protocols: every metric of every entrant, and seeds of one method brought together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vadbench.api import DataError, UsageError, VadbenchError
from vadbench.evaluation.report import evaluate
from vadbench.report.formatting import plain
from vadbench.report.rescoring_entrants import entrant_of_run
from vadbench.store.row_record import Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from vadbench.api import WindowScores
    from vadbench.api.context import Advance
    from vadbench.evaluation.protocol import Pipeline, Protocol
    from vadbench.report.rescoring_entrants import Entrant
    from vadbench.store.folders import StoredRun


@dataclass(frozen=True, slots=True)
class Cell:
    """One entrant under one protocol.

    Args:
        metrics: What `evaluate` gives, plain values, None for what is not defined; None where the protocol cannot take the
            scores.
        auroc: The protocol's headline figure, in [0, 1]; None where it is not defined.
        raised_by: What all window scores were raised by, so that none is below 0; 0 where nothing was done.
        problem: Why there is no figure; empty where the protocol can take the scores.
        notes: All of that and what else was done to the scores, a sentence each.
    """

    metrics: Mapping[str, Any] | None
    auroc: float | None
    raised_by: float
    problem: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """One entrant under every protocol; what is kept of it.

    Args:
        seed: Of the training; None where it was not said.
        path: Where its scores come from.
        windows: How many there are.
        clips_without_window: Clips of the test set without any.
        cells: Protocol name to what it gives.
        notes: What a reader should know of it.
    """

    seed: int | None
    path: Path
    windows: int
    clips_without_window: int
    cells: Mapping[str, Cell]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A method on a data set, over seeds.

    Args:
        method: As a table shows it.
        kind: ``run`` or ``bundle``.
        config: Hash of the configuration and of the data, where there is one.
        settings: Those the data set was read with.
        scored: Its seeds, ascending.
    """

    method: str
    kind: str
    config: str
    settings: str
    scored: tuple[Scored, ...]

    def auroc(self, protocol: str) -> Spread:
        """The headline figure under a protocol, over seeds."""
        return Spread.over([each.cells[protocol].auroc for each in self.scored])


@dataclass(frozen=True, slots=True)
class Board:
    """Methods that were scored on the same labels and belong to the same track.

    Args:
        dataset: Name of the data set, by which protocols choose their steps.
        stand_in: True for data that are never a result.
        track: Of all its methods.
        labels: SHA-256 of the labels.
        clips: Clips of the test set.
        rows: Methods, in the order in which they came.
        notes: What has to be known of the data, a sentence each.
    """

    dataset: str
    stand_in: bool
    track: str
    labels: str
    clips: int
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


_BoardKey = tuple[str, str, bool, str]
_RowKey = tuple[str, str, str, str]


class Rescoring:
    """Scores entrants one after another, and keeps their figures alone."""

    def __init__(self, protocols: Sequence[Protocol]) -> None:
        self.protocols = tuple(protocols)
        self.left_out: list[VadbenchError] = []
        self._heads: dict[_BoardKey, tuple[Entrant, list[str]]] = {}
        self._rows: dict[_BoardKey, dict[_RowKey, list[Scored]]] = {}

    def add(self, entrant: Entrant) -> None:
        """Scores an entrant under every protocol.

        Raises:
            UsageError: if a method of its name and seed has been scored already.
        """
        truth = entrant.truth
        board = (truth.dataset, truth.labels.fingerprint(), truth.stand_in, entrant.track)
        row = (entrant.method, entrant.kind, entrant.config, truth.settings)
        rows = self._rows.setdefault(board, {})
        for other in rows.get(row, ()):
            if other.seed == entrant.seed:
                raise UsageError(
                    f"two sets of scores are called {entrant.method}, seed {entrant.seed}",
                    where=f"{other.path} and {entrant.path}",
                    remedy="give them different names or seeds in their meta.json",
                )
        _, notes = self._heads.setdefault(board, (entrant, []))
        notes += [note for note in truth.notes if note not in notes]
        rows.setdefault(row, []).append(
            Scored(
                seed=entrant.seed,
                path=entrant.path,
                windows=len(entrant.scores),
                clips_without_window=entrant.clips_without_window,
                cells={protocol.name: score_under(entrant, protocol) for protocol in self.protocols},
                notes=entrant.notes,
            )
        )

    def add_runs(self, runs: Iterable[StoredRun], advance: Advance | None = None) -> None:
        """Scores stored runs; of several of one configuration, seed and data the newest that is sound.

        Args:
            runs: As `vadbench.store.folders.find_runs` gives them; damaged ones come to ``left_out``.
            advance: Called with the number of runs that are done.
        """
        for newest_first in _same_runs(runs):
            for run in newest_first:
                try:
                    entrant = entrant_of_run(run)
                except VadbenchError as error:
                    where = error.where or str(run.path)
                    self.left_out.append(type(error)(error.what, where=where, remedy=error.remedy))
                    continue
                self.add(entrant)
                break
            if advance is not None:
                advance(len(newest_first))

    def boards(self) -> list[Board]:
        """What was scored: a board for each data set and track, those of stand-in data last."""
        found = [
            Board(
                dataset=first.truth.dataset,
                stand_in=first.truth.stand_in,
                track=first.track,
                labels=key[1],
                clips=len(first.truth.labels.clips),
                rows=tuple(Row(*row, tuple(sorted(scored, key=_by_seed))) for row, scored in self._rows[key].items()),
                notes=tuple(notes),
            )
            for key, (first, notes) in self._heads.items()
        ]
        return sorted(found, key=lambda board: (board.stand_in, board.dataset, board.track, board.labels))


def score_under(entrant: Entrant, protocol: Protocol) -> Cell:
    """One entrant under one protocol, by its steps for the entrant's data set."""
    truth = entrant.truth
    pipeline = protocol.on(truth.dataset)
    raised_by, notes = _treatment(entrant.scores, pipeline)
    try:
        metrics = plain(evaluate(entrant.scores, truth.labels, truth.scenes, pipeline, truth.frame_rate))
    except DataError as error:
        return Cell(None, None, raised_by, error.what, (*notes, f"No figure: {error.what}."))
    return Cell(metrics, metrics["headline"], raised_by, "", notes)


def _treatment(scores: WindowScores, pipeline: Pipeline) -> tuple[float, tuple[str, ...]]:
    """What the pipeline raises the scores by, and what it does to these scores that it would not do to others."""
    names = [name for name, _ in pipeline.branches]
    absent = [name for name in names if name not in scores.terms]
    used = [scores.score] if absent or not names else [scores.terms[name] for name in names]
    lowest = min(float(part.min(initial=0.0)) for part in used)
    raised_by = -lowest if pipeline.origin == "non-negative" and lowest < 0 else 0.0
    found = []
    if absent:
        found.append(f"Scored as one: the scores have no terms {' and '.join(absent)}.")
    if raised_by:
        found.append(f"All scores were raised by {raised_by:.6g}, so that none is below 0.")
    return raised_by, tuple(found)


def _same_runs(runs: Iterable[StoredRun]) -> list[list[StoredRun]]:
    groups: dict[tuple[object, ...], list[StoredRun]] = {}
    for run in runs:
        record = run.record
        settings = tuple(sorted((key, str(value)) for key, value in record.dataset.settings.items() if key != "root"))
        groups.setdefault(
            (
                *(record.method.label, record.method.track, record.method.config_hash, record.seed),
                *(record.dataset.name, settings, record.dataset.labels, tuple(sorted(record.dataset.poses.items()))),
            ),
            [],
        ).append(run)
    return [
        sorted(same, key=lambda run: (run.record.created, run.record.id, str(run.path)), reverse=True) for same in groups.values()
    ]


def _by_seed(scored: Scored) -> tuple[bool, int]:
    return scored.seed is None, scored.seed or 0
