"""Weights that were trained elsewhere: read from a release, taken out of a run, and put into a method instead of training it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import vadbench
from vadbench.api import ConfigError, Context, DataError, PluginError, PoseShape, ReadsReleased, UsageError, VadbenchError
from vadbench.data.layout_conversion import layout_named
from vadbench.data.normalisation import LEARNED
from vadbench.engine.build import build_detector, count_parameters
from vadbench.engine.config import resolve
from vadbench.engine.plugin_faults import method_step
from vadbench.engine.presets import load_preset
from vadbench.engine.trained import recorded_method
from vadbench.store.arrays import as_tensors, load_weights
from vadbench.store.folders import WEIGHTS
from vadbench.store.model_card import ModelCard, read_card

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import Detector, Registry, Released
    from vadbench.engine.config import Component, ResolvedMethod
    from vadbench.store.folders import StoredRun


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Weights that a run takes instead of training."""

    path: Path
    card: ModelCard

    @classmethod
    def read(cls, path: Path) -> Pretrained:
        """Weights and card; raises what `read_card` raises."""
        return cls(*read_card(path))

    def preset(self, method: str, dataset: str) -> dict[str, Any]:
        """The method with the configuration of the weights, as a preset.

        On a data set that they were not trained on it stands in the zero-shot track. A data set and its human-related subset
        have the same training split.

        Raises:
            UsageError: if they are weights of another method.
        """
        card = self.card
        if method != card.method:
            raise UsageError(
                f"these are weights of {card.method}, not of {method}",
                where=self.path,
                remedy=f"use vadbench run {card.method} --weights {self.path}",
            )
        own = dataset.removeprefix("hr-") == card.trained_on.removeprefix("hr-")
        track = card.track if own else "zero-shot"
        return {**card.config, "name": method, "track": track, "weights": card.weights}

    def check_windows(self, method: ResolvedMethod) -> None:
        """Raises `UsageError` where changes gave the method windows of another shape than the weights were trained on."""
        own, windows = self.card.config["windows"], method.method.windows
        if (windows.length, windows.layout) != (self.card.frames, own["layout"]):
            raise UsageError(
                f"the weights are of windows of {self.card.frames} frames in layout {own['layout']}, "
                f"not of {windows.length} frames in layout {windows.layout}",
                where=self.path,
                remedy="leave out --set windows.length and --set windows.layout",
            )

    def on_poses(self, method: ResolvedMethod, poses: str) -> ResolvedMethod:
        """The method as it is called on training poses of this fingerprint: zero-shot where they are not those of the weights.

        Raises:
            ConfigError: if a normalisation would be fitted to other poses than it was for the weights.
        """
        if poses == self.card.poses:
            return method
        if (name := method.method.windows.normalisation) in LEARNED:
            raise ConfigError(
                f"the normalisation {name} is fitted to the training poses, and these are not those of the weights",
                where=self.path,
                remedy="use the data that they were trained on, or train the method here",
            )
        if self.card.poses is None or method.method.track == "zero-shot":
            return method
        told = method.method.model_copy(update={"track": "zero-shot"})
        return replace(method, method=told, settings={**method.settings, "track": "zero-shot"})

    def put_into(self, detector: Detector, method: ResolvedMethod) -> None:
        """Gives a detector the weights; raises `PluginError` where it does not take them."""
        take(detector, load_weights(self.path), method)


def take(detector: Detector, state: dict[str, Any], method: ResolvedMethod) -> None:
    """Loads a state; raises `PluginError` where the detector does not take it."""
    with method_step("take the weights", method):
        detector.load_state_dict(state)  # type: ignore[attr-defined] # checked by the registry


def import_released(method: str, path: Path, registry: Registry) -> tuple[dict[str, Any], ModelCard]:
    """Weights that a method's authors released, as the state of our detector, and their card.

    Raises:
        UsageError: for an unknown method, or one that reads no releases.
        DataError: for a file that is no release of it.
    """
    preset = load_preset(method, registry)
    plain = resolve(preset, registry, dataset="", swaps={}, changes=())
    kind, released = _read(plain, path)
    changes = [f"{key}={value}" for key, value in released.settings.items()]
    resolved = resolve({**preset, "track": released.track}, registry, dataset="", swaps={}, changes=changes)
    windows = resolved.method.windows
    shape = PoseShape(2, windows.length, layout_named(windows.layout))
    detector = build_detector(resolved, shape, Context(name=resolved.method.name))
    prefix = "" if kind == "detector" else f"{kind}."
    try:
        take(detector, {prefix + name: value for name, value in released.state.items()}, resolved)
    except PluginError as error:
        raise DataError(
            f"the released weights do not fit {method}: {error.what}",
            where=path,
            remedy=f"name the method that the file was released for; it holds the weights of a {kind} alone",
        ) from error
    card = _card(
        resolved,
        shape=shape,
        parameters=count_parameters(detector),
        trained_on=released.trained_on,
        seeds=() if released.seed is None else (released.seed,),
        licence=released.licence,
        source=released.source,
        notes=released.notes,
    )
    return as_tensors(detector.state_dict()), card  # type: ignore[attr-defined]


def _read(method: ResolvedMethod, path: Path) -> tuple[str, Released]:
    """Which kind of component reads releases, and what it read."""
    for kind, component in method.components.items():
        cls = component.entry.load()
        if isinstance(cls, ReadsReleased):
            return kind, _released(cls, path, component)
    raise UsageError(
        f"no component of {method.method.name} reads released weights",
        remedy="a component does whose class has read_released: see vadbench.api.ReadsReleased",
    )


def _released(cls: ReadsReleased, path: Path, component: Component) -> Released:
    try:
        return cls.read_released(path)
    except VadbenchError:
        raise
    except OSError as error:
        raise UsageError(f"{component.entry.name} cannot read the file: {error.strerror}", where=path) from error


def export_run(run: StoredRun, registry: Registry, *, licence: str) -> tuple[dict[str, Any], ModelCard]:
    """The weights of a stored run and their card.

    Args:
        run: With all of its files.
        registry: Of its components.
        licence: Under which they are handed on; that of the data that they were trained on usually binds them.

    Raises:
        UsageError: for a run that took weights and did not train: they are not of its data and seed.
        DataError: if the run has no weights, or what is installed cannot make its method.
        DriftError: if its files have changed since it was recorded.
    """
    record, method = run.record, recorded_method(run, registry)
    if method.method.weights:
        raise UsageError(
            f"the run did not train: it took the weights with SHA-256 {method.method.weights[:12]}",
            where=run.path,
            remedy="hand on the file that it took them from, with its card",
        )
    windows = method.method.windows
    card = _card(
        method,
        shape=PoseShape(2, windows.length, layout_named(windows.layout)),
        parameters=record.cost.parameters,
        trained_on=record.dataset.name,
        dataset_settings={key: value for key, value in record.dataset.settings.items() if key != "root"},
        poses=record.dataset.poses.get("train"),
        seeds=(record.seed,),
        licence=licence,
        source=f"run {record.id} of vadbench {record.environment.packages.get('vadbench', '')}, {record.created}".replace(
            " ,", ","
        ),
        notes=("Figures on this data set are never a result: it is a stand-in.",) if record.dataset.stand_in else (),
    )
    return load_weights(run.path / WEIGHTS), card


def starts_programs(card: ModelCard, registry: Registry) -> bool:
    """Whether a component of a card's configuration starts programs, as far as it is installed here."""
    chosen = {(kind, part.get("name")) for kind, part in card.config.items() if isinstance(part, dict)}
    return any(entry.runs_programs and (entry.kind, entry.name) in chosen for entry in registry.entries())


def _card(method: ResolvedMethod, *, shape: PoseShape, **told: Any) -> ModelCard:
    return ModelCard(
        method=method.method.name,
        track=method.method.track,
        config=dict(method.settings),
        channels=shape.channels,
        frames=shape.frames,
        vadbench=vadbench.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **told,
    )
