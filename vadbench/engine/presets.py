"""Method presets: one TOML a method, shipped in ``configs/`` or given as a file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vadbench
from vadbench.api.errors import ConfigError, UsageError, did_you_mean

if TYPE_CHECKING:
    from vadbench.api.registry import Registry


def shipped_folder(name: str) -> Path:
    """A folder that travels with vadbench (``configs`` or ``leaderboards``): in the wheel, or in the checkout."""
    package = Path(vadbench.__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def preset_names() -> list[str]:
    """Names of the shipped presets."""
    return sorted(path.stem for path in shipped_folder("configs").glob("*.toml"))


def method_names(registry: Registry) -> list[str]:
    """Everything that ``vadbench run`` takes by name: presets, and detectors without one."""
    return sorted({*preset_names(), *registry.names("detector")})


def load_preset(method: str, registry: Registry) -> dict[str, Any]:
    """The settings of a method: a TOML file's path, a shipped preset's name, or a registered detector's name.

    Raises:
        UsageError: for an unknown method.
        ConfigError: for a file that cannot be read.
    """
    if method.endswith(".toml"):
        path = Path(method)
        return {"name": path.stem, **_read(path)}
    if method in preset_names():
        return {"name": method, **_read(shipped_folder("configs") / f"{method}.toml")}
    if method in registry.names("detector"):
        return {"name": method, "title": method, "detector": {"name": method}}
    raise UsageError(f"no method is named {method!r}", remedy=did_you_mean(method, method_names(registry)))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the method's file cannot be read: {error.strerror}", where=path, remedy="check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the method's file is not valid TOML: {error}", where=path, remedy="correct the file") from error
