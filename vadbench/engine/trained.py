"""A trained method as its record holds it, configuration and weights: built again as often as one likes, always the same."""

from __future__ import annotations

import logging
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vadbench.api import Context, DataError, Detector, DriftError, UsageError
from vadbench.api.process_state import process_kept
from vadbench.engine.build import build_detector
from vadbench.engine.composing.validation import tell_of_validation
from vadbench.engine.config import MethodConfig, ResolvedMethod, digest_of, resolve
from vadbench.engine.datasets import data_root, open_dataset
from vadbench.engine.inputs import Inputs, read_inputs
from vadbench.engine.plugin_faults import method_step
from vadbench.engine.programs import ProgramsRefusedError
from vadbench.engine.scoring import score_windows
from vadbench.engine.training.trainer import seeded, train
from vadbench.store.arrays import as_tensors, load_weights
from vadbench.store.folders import RECORD, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vadbench.api import Clip, Dataset, PoseShape, Progress, Registry, Windows, WindowScores
    from vadbench.data.cache.track_cache import TrackCache
    from vadbench.evaluation.protocol import Protocol
    from vadbench.store.folders import StoredRun
    from vadbench.store.record import MethodRecord, RunRecord


@dataclass(frozen=True, slots=True)
class Trained:
    """What a method learned.

    Args:
        method: Its configuration.
        shape: Of the windows it was made for.
        weights: What its detector's ``state_dict`` gave after it was fitted, before it scored.
        context: That it was fitted with, or one of the same seed, name and device.
    """

    method: ResolvedMethod
    shape: PoseShape
    weights: Mapping[str, Any]
    context: Context

    def detector(self) -> Detector:
        """A new detector with these weights, that has not scored anything yet.

        Raises:
            PluginError: if it cannot be made, or does not take the weights.
        """
        detector = build_detector(self.method, self.shape, self.context)
        with method_step("take back its weights", self.method):
            detector.load_state_dict(as_tensors(self.weights))  # type: ignore[attr-defined] # checked by the registry
        return detector

    def scores(self, detector: Detector, windows: Windows, clips: Sequence[Clip], *, seed: int | None = None) -> WindowScores:
        """Scores as a run makes them.

        Args:
            detector: One of these.
            windows: To score; see `score_windows`.
            clips: Of the windows, by the names that the scores shall carry.
            seed: Of the random numbers drawn while scoring; by default those of the run.
        """
        context = self.context if seed is None else replace(self.context, seed=seed)
        with method_step("score", self.method), seeded(context.child("score").seed):
            return score_windows(detector, windows, clips, context)


def train_method(
    method: ResolvedMethod, inputs: Inputs, context: Context, dataset: Dataset, protocol: Protocol
) -> tuple[Trained, Detector]:
    """Fits a method as a run does: what it learned, and the detector that learned it."""
    detector = build_detector(method, inputs.train.shape, context)
    tell_of_validation(detector, inputs, dataset, protocol)
    with method_step("fit", method), seeded(context.child("fit").seed):
        detector.fit(inputs.train, context)
    with method_step("tell what it learned", method):
        weights = as_tensors(detector.state_dict())  # type: ignore[attr-defined] # checked by the registry
    return Trained(method, inputs.train.shape, weights, context), detector


@contextmanager
def checking_context(method: ResolvedMethod, seed: int, device: str, progress: Progress) -> Iterator[Context]:
    """The context that a run would have had, with a work folder for as long as the block lasts, and no log of its own.

    What the method changes of the process is put back after the block.
    """
    with process_kept(), tempfile.TemporaryDirectory() as work:
        yield Context(device, seed, method.method.name, progress, logging.getLogger(__name__), Path(work), train)


def trained_of_run(run: StoredRun, method: ResolvedMethod, inputs: Inputs, context: Context) -> Trained:
    """What a stored run learned; ``method`` and ``inputs`` are the run's."""
    return Trained(method, inputs.test.shape, load_weights(run.path / WEIGHTS), context)


def method_of_run(run: StoredRun, registry: Registry, *, allow_programs: bool = False) -> ResolvedMethod:
    """The method of a stored run, from its record alone.

    Args:
        run: Which.
        registry: Of the installed components.
        allow_programs: Whether its components may start programs that the record names.

    Raises:
        ProgramsRefusedError: if one would, and may not.
        DataError: if the run has no weights, or what is installed cannot make its method.
        DriftError: if its files or its configuration have changed since it was recorded.
    """
    recorded = _checked(run)
    try:
        return resolve(
            {"name": recorded.name, **recorded.config},
            registry,
            dataset=run.record.dataset.name,
            swaps={},
            changes=(),
            allow_programs=allow_programs,
        )
    except ProgramsRefusedError as error:
        raise ProgramsRefusedError(error.what, where=run.path / RECORD, remedy=error.remedy) from None
    except UsageError as error:
        raise DataError(
            f"what is installed cannot make the method of the run: {error.what}",
            where=run.path / RECORD,
            remedy="install the version of the method that the run was made with, or run again with --force",
        ) from error


def recorded_method(run: StoredRun, registry: Registry) -> ResolvedMethod:
    """The method of a stored run for what builds nothing of it, such as a card of its weights.

    As `method_of_run` gives it; but where a component starts programs, its record is taken at its word, without components: such
    a component may look at the disk to check its settings, and what it would look at may be anybody's word.

    Raises:
        DataError, DriftError: as `method_of_run` does.
    """
    try:
        return method_of_run(run, registry)
    except ProgramsRefusedError:
        recorded = run.record.method
        kept = {key: value for key, value in recorded.config.items() if key in ("windows", "weights")}
        told = {"name": recorded.name, "title": recorded.title, "track": recorded.track, **kept}
        method = MethodConfig.model_validate(told)
        settings = {**recorded.config, "windows": method.windows.model_dump(mode="json")}
        return ResolvedMethod(method, {}, recorded.changes, settings)


def _checked(run: StoredRun) -> MethodRecord:
    """The method that a run recorded, if its files and its configuration are still those of the record."""
    if WEIGHTS not in run.record.files:
        raise DataError(
            f"the run has no {WEIGHTS}: its detector cannot be built again", where=run.path, remedy="run again with --force"
        )
    run.verify()
    recorded = run.record.method
    if digest_of(recorded.config) != recorded.config_hash:
        raise DriftError(
            "the configuration has changed since the run was recorded",
            where=run.path / RECORD,
            remedy="run again with --force; a result whose record was edited cannot be trusted",
        )
    return recorded


def dataset_of_run(record: RunRecord, registry: Registry, *, name: str | None, root: Path | None) -> Dataset:
    """The data set of a run, opened with the settings that it had then.

    Args:
        record: Of the run.
        registry: Of the data sets.
        name: Another name or folder to open it by: a record does not hold where a folder lies.
        root: Data root; by default ``$VADBENCH_DATA``.

    Raises:
        UsageError: if there is no such data set.
    """
    told = record.dataset.name if name is None else name
    if name is None and told not in registry.names("dataset"):
        raise UsageError(
            f"the run was made on {told!r}, which is no installed data set: its record does not hold where it lies",
            remedy="name its folder with --dataset",
        )
    return open_dataset(told, registry, root=data_root(root), settings=record.dataset.settings)


def inputs_of_run(
    record: RunRecord, method: ResolvedMethod, dataset: Dataset, context: Context, *, cache: TrackCache | None
) -> Inputs:
    """The windows that a run was made on.

    Args:
        record: Of the run.
        method: Of the run.
        dataset: As `dataset_of_run` gives it.
        context: Whose progress shows the reading.
        cache: Where parsed poses are kept; None to parse them.

    Raises:
        DataError: if the poses are not those of the run.
    """
    inputs = read_inputs(dataset, method.method.windows, context.progress, settings=record.dataset.settings, cache=cache)
    other = [split for split, fingerprint in inputs.poses.items() if record.dataset.poses.get(split) != fingerprint]
    if other:
        raise DataError(
            f"the poses are not those that the run was made on: {' and '.join(other)} split",
            where=f"data set {dataset.info.name}",
            remedy="use the same data as then; --dataset and --data-root say where they lie",
        )
    return inputs
