"""Method presets: one TOML a method, shipped in ``configs/``, brought by a plug-in, or given as a file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vadbench
from vadbench.api.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from vadbench.api.method_preset import MethodPreset
    from vadbench.api.registry import Registry


def shipped_folder(name: str) -> Path:
    """A folder that travels with vadbench (``configs`` or ``leaderboards``): in the wheel, or in the checkout."""
    package = Path(vadbench.__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def preset_names() -> list[str]:
    """Names of the shipped presets."""
    return sorted(path.stem for path in shipped_folder("configs").glob("*.toml"))


def hidden_by_preset(detector: str) -> bool:
    """Whether a shipped preset has the name of a detector and runs something else, so that nobody could run the detector."""
    if detector not in preset_names():
        return False
    preset = _read(shipped_folder("configs") / f"{detector}.toml")
    return bool(preset.get("detector", {}).get("name") != detector)


def method_names(registry: Registry) -> list[str]:
    """Everything that ``vadbench run`` takes by name: presets, and detectors without one."""
    return sorted({*preset_names(), *(method.name for method in registry.methods()), *registry.names("detector")})


def load_preset(method: str, registry: Registry) -> dict[str, Any]:
    """The settings of a method: a TOML file's path, the name of a shipped preset or registered detector, or ``NAME:VARIANT``.

    Raises:
        UsageError: for an unknown method, or a variant of one that has none.
        ConfigError: for a file that cannot be read.
    """
    if method.endswith(".toml"):
        path = Path(method)
        return {"name": path.stem, **_read(path)}
    name, colon, variant = method.partition(":")
    if colon:
        return _variant(name, variant, registry)
    if method in preset_names():
        return {"name": method, **_read(shipped_folder("configs") / f"{method}.toml")}
    if brought := next((each for each in registry.methods() if each.name == method), None):
        return read_brought(brought)
    if method in registry.names("detector"):
        return {"name": method, "title": method, "detector": {"name": method}}
    raise UsageError(f"no method is named {method!r}", remedy=registry.remedy_for(method, method_names(registry)))


def read_brought(method: MethodPreset) -> dict[str, Any]:
    """The settings of a method that a plug-in brings.

    Raises:
        PluginError: if its file is not there.
        ConfigError: if it cannot be read, or calls the method otherwise.
    """
    path = method.path()
    told = {"name": method.name, **_read(path)}
    if told["name"] != method.name:
        raise ConfigError(
            f"the method is registered as {method.name!r}, and its preset calls it {told['name']!r}",
            where=path,
            remedy="leave the name out of the file, or write the same",
        )
    return told


def _variant(name: str, variant: str, registry: Registry) -> dict[str, Any]:
    """A member of a family of detectors: its name says which, and so do the tables."""
    preset = load_preset(name, registry)
    chosen = preset.get("detector", {}).get("name")
    key = registry.get("detector", chosen).variant if chosen is not None else None
    if key is None:
        families = [entry.name for entry in registry.entries("detector") if entry.variant is not None]
        remedy = f"these have: {', '.join(families)}" if families else "leave out what follows the colon"
        raise UsageError(f"{name} has no variants, so {name}:{variant} is no method", remedy=remedy)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", variant):
        raise UsageError(f"{variant!r} is no variant of {name}", remedy=f"write {name}:VALUE with a value of detector.{key}")
    called = {"name": f"{preset['name']}-{variant.lower()}", "title": f"{variant} ({preset.get('title') or name})"}
    return {**preset, **called, "detector": {**preset["detector"], key: variant}}


def _read(path: Path) -> dict[str, Any]:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the method's file cannot be read: {error.strerror}", where=path, remedy="check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the method's file is not valid TOML: {error}", where=path, remedy="correct the file") from error
    if "weights" in told:
        # What is recorded as taken must have been taken.
        raise ConfigError("a method's file cannot name weights", where=path, remedy="leave the key out, and use --weights FILE")
    return told
