"""Modules that a component needs: whether they are there, without importing them, and the command that installs them."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_DISTRIBUTIONS: Final = {
    "PIL": "Pillow",
    "attr": "attrs",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "PyYAML",
}
"""Modules of this field whose distribution is called otherwise."""


def is_there(module: str) -> bool:
    """Whether a top-level module can be found; nothing is imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):  # a finder that fails, a module without a spec
        return False


def missing_modules(modules: Iterable[str]) -> tuple[str, ...]:
    """Those of top-level modules that are not there."""
    return tuple(module for module in modules if not is_there(module))


def install_command(modules: Iterable[str], *, plugin: str | None = None) -> str:
    """What to type to get modules: ``pip install NAME``, or the extra of the plug-in's distribution that brings them."""
    wanted = [distribution_of(module) for module in modules]
    extra = None if plugin is None else _extra_with(wanted, plugin)
    return f"pip install {' '.join(wanted)}" if extra is None else f"pip install '{extra}'"


def distribution_of(module: str) -> str:
    """What a module's distribution is most likely called."""
    top = module.partition(".")[0]
    return _DISTRIBUTIONS.get(top, top)


def _extra_with(wanted: list[str], plugin: str) -> str | None:
    """``distribution[extra]`` of a plug-in, if one extra of its distribution requires all that is wanted."""
    for entry_point in metadata.entry_points(group="vadbench", name=plugin):
        distribution = entry_point.dist
        extras: dict[str, set[str]] = {}
        for requirement in (distribution.requires if distribution is not None else None) or ():
            name = re.match(r"[A-Za-z0-9._-]+", requirement)
            extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", requirement)
            if name and extra:
                extras.setdefault(extra[1], set()).add(_normalised(name[0]))
        fitting = [extra for extra, names in extras.items() if names >= {_normalised(name) for name in wanted}]
        if fitting and distribution is not None:
            # The smallest: one that is called "dev" or "all" brings more than is needed.
            return f"{distribution.name}[{min(fitting, key=lambda extra: len(extras[extra]))}]"
    return None


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
