"""From a preset and the user's changes to a resolved configuration: every default filled in, every key known."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from pydantic import BaseModel, Field, ValidationError

from vadbench.api import ComponentConfig, ConfigError, Entry, Kind, Registry, Track, WindowRule, did_you_mean
from vadbench.api.faults import blamed
from vadbench.api.process_state import process_kept
from vadbench.data.layout_conversion import layout_named
from vadbench.data.normalisation import check_normalisation
from vadbench.data.views import named_view
from vadbench.engine.programs import check_may_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARTS: Final[tuple[Kind, ...]] = ("tokenizer", "prior", "flow", "scorer")
"""The kinds that a composition is made of."""
DETECTOR: Final[Kind] = "detector"


class WindowsConfig(ComponentConfig):
    """How tracks become windows."""

    length: int = Field(default=24, ge=2, description="T, frames of a window")
    train_stride: int = Field(default=6, ge=1, description="rows between the starts of training windows")
    test_stride: int = Field(default=1, ge=1, description="rows between the starts of test windows")
    missing: int = Field(default=2, ge=0, description="rows of a window that may lie beyond its nominal span")
    keep_last: bool = Field(default=False, description="also use the window that ends on a track's last row")
    normalisation: str = Field(default="stg-nf", description="how a window becomes model coordinates")
    augment: tuple[str, ...] = Field(default=("flip",), description="views in which the training windows are seen as well")
    average: tuple[str, ...] = Field(default=(), description="views that test scores are averaged over, beside the plain one")
    layout: str = Field(default="coco-18", description="skeleton layout that the method sees")


class CompositionConfig(ComponentConfig):
    """How the parts of a composition work together."""

    terms: tuple[Literal["semantic", "detail", "reconstruction"], ...] = Field(
        default=("semantic", "detail"), description="terms of the score; those whose part is absent are left out"
    )
    history: int = Field(default=2, ge=0, description="windows before this one whose tokens the prior sees")
    condition: Literal["own", "predicted", "none"] = Field(
        default="own",
        description="codes that the flow is conditioned on: the window's own, or those that the prior expects",
    )


class MethodConfig(ComponentConfig):
    """The keys of a method's TOML."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str = ""
    paper: str = ""
    track: Track = "one-class"
    notes: tuple[str, ...] = ()
    weights: str = Field(default="", description="SHA-256 of weights that are taken instead of training")
    windows: WindowsConfig = WindowsConfig()
    composition: CompositionConfig = CompositionConfig()
    tokenizer: dict[str, Any] | None = None
    prior: dict[str, Any] | None = None
    flow: dict[str, Any] | None = None
    scorer: dict[str, Any] | None = None
    detector: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """A chosen component with its validated settings."""

    entry: Entry
    config: ComponentConfig


@dataclass(frozen=True, slots=True)
class ResolvedMethod:
    """A method ready to be built.

    Args:
        method: Name, track, windows, composition.
        components: Kind to component: either a detector alone, or the parts of a composition.
        changes: What the user changed, as ``key=value``.
        settings: Everything that decides the scores, as plain values; what ``digest`` is taken over.
    """

    method: MethodConfig
    components: Mapping[Kind, Component]
    changes: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """12 hex digits over ``settings``: the config hash."""
        return digest_of(self.settings)


def digest_of(settings: Mapping[str, Any]) -> str:
    """12 hex digits of SHA-256 over plain settings, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def parse_change(text: str) -> tuple[str, Any]:
    """``key=value`` with a dotted key; the value is read as TOML, and as a plain string where it is none.

    Raises:
        ConfigError: without a key or without ``=``.
    """
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+", key.strip()):
        raise ConfigError(f"{text!r} is not a setting", where="--set", remedy="write it as section.key=value")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def resolve(
    preset: Mapping[str, Any],
    registry: Registry,
    *,
    dataset: str,
    swaps: Mapping[Kind, str],
    changes: Sequence[str],
    allow_programs: bool = True,
) -> ResolvedMethod:
    """Preset, then its overrides for the data set, then the user's swaps, then the user's changes.

    Args:
        preset: What `load_preset` gave. Its table ``per-dataset.<name>`` holds overrides by section.
        registry: Of the components.
        dataset: Name of the data set of this run.
        swaps: Kind to component name; ``none`` leaves the part out. The old component's settings go with it.
        changes: ``key=value`` strings.
        allow_programs: Whether a component may be one that starts programs which its settings name; False for settings that
            somebody else recorded.

    Raises:
        ProgramsRefusedError: if there is one, and it may not be.
        ConfigError: for an unknown key (with the nearest known ones), a value out of range, or parts that do not fit.
        UsageError: for an unknown component.
    """
    raw = deepcopy(dict(preset))
    overrides = _table(raw.pop("per-dataset", {}), "per-dataset").get(dataset, {})
    for section, values in _table(overrides, f"per-dataset.{dataset}").items():
        raw[section] = _table(raw.get(section, {}), section) | _table(values, f"per-dataset.{dataset}.{section}")
    told: dict[str, str] = {}
    for kind, name in swaps.items():
        if _swap(raw, kind, name):
            told[kind] = f"{kind}={name}"
    # Which component comes before what is set of it, in whatever order they were given.
    for text in sorted(changes, key=lambda change: not change.partition("=")[0].strip().endswith(".name")):
        key, value = parse_change(text)
        _set(raw, key.split("."), value, text)
        told[key] = text
    method = _validated(MethodConfig, raw, "")
    _check_windows(method.windows)
    _check_parts(method)
    components = {
        kind: _component(kind, section, registry, allow_programs=allow_programs)
        for kind in (*PARTS, DETECTOR)
        if (section := getattr(method, kind)) is not None
    }
    settings: dict[str, Any] = {"windows": method.windows.model_dump(mode="json"), "track": method.track}
    if method.weights:
        # A key only where there are any: the hashes of methods that are trained are as they always were.
        settings["weights"] = method.weights
        told["weights"] = f"weights={method.weights[:12]}"
    if DETECTOR not in components:
        method = method.model_copy(update={"composition": _in_effect(method)})
        settings["composition"] = method.composition.model_dump(mode="json")
    for kind, component in components.items():
        settings[kind] = {"name": component.entry.name, **component.config.model_dump(mode="json")}
    # In the order of their keys: the order in which they were given changes nothing, so it must not tell two runs apart.
    return ResolvedMethod(method, components, tuple(told[key] for key in sorted(told)), settings)


def validated_config(entry: Entry, settings: Mapping[str, Any]) -> ComponentConfig:
    """A component's settings through its config model; raises `ConfigError` with the full path of a bad key."""
    what, where = f"the settings of {entry.kind} {entry.name!r} cannot be read", f"{entry.config}, plug-in {entry.plugin}"
    with process_kept(), blamed(what, where):
        config: ComponentConfig = _validated(entry.load_config(), settings, entry.kind)
    return config


def _swap(raw: dict[str, Any], section: str, name: str) -> bool:
    """Puts another component in a section, without the old one's settings; whether it is another one."""
    present = raw.get(section)
    if isinstance(present, dict) and present.get("name") == name:
        return False
    raw[section] = None if name == "none" else {"name": name}
    return present is not None or name != "none"


def _set(raw: dict[str, Any], path: list[str], value: Any, text: str) -> None:
    section, *inner = path
    if section in PARTS and inner == ["name"]:
        _swap(raw, section, value)
        return
    target = raw.get(section)
    if target is None and section in ("windows", "composition"):
        target = raw[section] = {}
    if not isinstance(target, dict):
        known = {"windows", "composition", *(name for name, part in raw.items() if isinstance(part, dict))}
        raise ConfigError(f"the method has no section {section!r}", where=f"--set {text}", remedy=did_you_mean(section, known))
    for depth, key in enumerate(inner[:-1], start=2):
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            raise ConfigError(
                f"{'.'.join(path[:depth])} is a value, not a section", where=f"--set {text}", remedy="give it a value itself"
            )
    target[inner[-1]] = value


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"a section was expected (given: {value!r})", where=where, remedy=f"write it as [{where}]")
    return value


def _component(kind: Kind, section: Mapping[str, Any], registry: Registry, *, allow_programs: bool) -> Component:
    settings = dict(section)
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError("the section has no name", where=kind, remedy=f"add name = one of {', '.join(registry.names(kind))}")
    entry = registry.get(kind, name)
    if not allow_programs:
        check_may_run(entry, settings)
    return Component(entry, validated_config(entry, settings))


def _check_windows(windows: WindowsConfig) -> None:
    """Finds what the windows cannot be before any data are read."""
    check_normalisation(windows.normalisation)
    layout = layout_named(windows.layout)
    for name in (*windows.augment, *windows.average):
        named_view(name, layout)
    WindowRule(windows.length, windows.train_stride, windows.missing, windows.keep_last)


def _in_effect(method: MethodConfig) -> CompositionConfig:
    """The composition without what an absent part leaves idle, so that equal methods have equal hashes."""
    has = {"semantic": method.prior, "detail": method.flow, "reconstruction": method.tokenizer}
    changes: dict[str, Any] = {"terms": tuple(term for term in method.composition.terms if has[term] is not None)}
    if method.tokenizer is None or method.flow is None:
        changes["condition"] = "none"
    if method.prior is None:
        changes["history"] = 0
    return method.composition.model_copy(update=changes)


def _check_parts(method: MethodConfig) -> None:
    parts = [kind for kind in PARTS if getattr(method, kind) is not None]
    if method.detector is not None and parts:
        raise ConfigError(
            f"a method is either a detector or a composition; this one has a detector and a {', '.join(parts)}",
            where=method.name,
            remedy="swap parts only in a composition such as msgflow",
        )
    if method.detector is not None:
        return
    if method.prior is not None and method.tokenizer is None:
        raise ConfigError("a prior needs a tokenizer", where=method.name, remedy="add --prior none, or keep a tokenizer")
    if (
        method.composition.condition == "predicted"
        and method.flow is not None
        and method.tokenizer is not None
        and method.prior is None
    ):
        raise ConfigError(
            "predicted codes need a prior, and there is none",
            where="composition.condition",
            remedy="keep the prior, or choose condition own or none",
        )
    if method.scorer is None:
        raise ConfigError("a composition needs a scorer", where=method.name, remedy="choose one with --scorer")
    needs = {"semantic": method.prior, "detail": method.flow, "reconstruction": method.tokenizer}
    if not any(needs[term] is not None for term in method.composition.terms):
        raise ConfigError(
            f"nothing is left to score: none of the terms {', '.join(method.composition.terms)} has its part",
            where=f"{method.name}, composition.terms",
            remedy="semantic needs a prior, detail a flow, reconstruction a tokenizer",
        )


def _validated(model: type[Any], values: Mapping[str, Any], prefix: str) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"]]
        where = ".".join([prefix, *path] if prefix else path)
        if first["type"] == "extra_forbidden":
            fields = _fields_at(model, path[:-1])
            remedy = did_you_mean(path[-1], fields) if fields else "remove it: there is nothing to set here"
            raise ConfigError(f"unknown key {path[-1]!r}", where=where, remedy=remedy) from None
        raise ConfigError(
            f"{first['msg']} (given: {first['input']!r})", where=where, remedy="see the key's description"
        ) from None


def _fields_at(model: type[Any], path: Sequence[str]) -> list[str]:
    """The keys known below a path; none where the path does not lead to one model, as within a list."""
    for step in path:
        annotation = model.model_fields[step].annotation if step in model.model_fields else None
        models = [part for part in (annotation, *get_args(annotation)) if isinstance(part, type) and issubclass(part, BaseModel)]
        if len(models) != 1:
            return []
        model = models[0]
    return list(model.model_fields)
