"""What a new component's distribution, package and class are called, derived from the name that it is chosen by."""

from __future__ import annotations

import builtins
import importlib.util
import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

import vadbench.api
from vadbench.api.errors import PluginError, UsageError
from vadbench.api.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vadbench.api.entry import Kind

LONGEST: Final = 40
"""Characters of a name: it stands in a folder's name, a class's name and the first column of every table."""
_PREFIX: Final = "vad"
_SEPARATORS: Final = re.compile(r"[._-]+")
_IMPORTED: Final = frozenset(
    {
        *("Annotated", "Any", "BadZipFile", "Callable", "ClassVar", "Field", "Final", "Iterable", "KMeans", "Literal"),
        *("Mapping", "NDArray", "PCA", "Path", "PositiveInt", "Sequence", "Tensor"),
    }
)
"""What the templates import beside `vadbench.api`."""


@dataclass(frozen=True, slots=True)
class DerivedNames:
    """All names of one new component.

    Args:
        kind: Of the component.
        component: By which it is chosen, e.g. ``my-speed``.
        distribution: By which it is installed, e.g. ``vad-my-speed``; also its folder and its plug-in.
        package: By which it is imported, e.g. ``vad_my_speed``.
        class_name: Of the component, e.g. ``MySpeed``.
    """

    kind: Kind
    component: str
    distribution: str
    package: str
    class_name: str

    @property
    def config_name(self) -> str:
        """Of the config model, e.g. ``MySpeedConfig``."""
        return f"{self.class_name}Config"

    @property
    def plugin(self) -> str:
        """Of the entry point: the distribution's name without its prefix."""
        return self.distribution.removeprefix(f"{_PREFIX}-")


def derived_names(kind: Kind, name: str) -> DerivedNames:
    """The names of a new component; needs no plug-in to be loaded.

    Raises:
        UsageError: for a name that no component, folder or command line can have.
    """
    _check_name(kind, name)
    distribution = str(canonicalize_name(name)).strip("-")
    if not distribution.startswith(f"{_PREFIX}-"):
        distribution = f"{_PREFIX}-{distribution}"
    return DerivedNames(kind, name, distribution, distribution.replace("-", "_"), _class_name(kind, name))


def check_free(names: DerivedNames, *, registered: Iterable[str], methods: Iterable[str], plugins: Iterable[str]) -> None:
    """Refuses a name that something installed has.

    Args:
        names: Of the new component.
        registered: Components of its kind that are installed.
        methods: What ``vadbench run`` takes by name; a detector must be none of it.
        plugins: Installed plug-ins.

    Raises:
        UsageError: if the name of the component, of its plug-in or of its package is taken.
    """
    remedy = f"choose another name, such as 'my-{names.component}'"
    if names.component in registered:
        raise UsageError(f"a {names.kind} named {names.component!r} is installed already", where="NAME", remedy=remedy)
    if names.kind == "detector" and names.component in methods:
        raise UsageError(f"a method named {names.component!r} is there already", where="NAME", remedy=remedy)
    if names.plugin in plugins:
        raise UsageError(f"a plug-in named {names.plugin!r} is installed already", where="NAME", remedy=remedy)
    if importlib.util.find_spec(names.package) is not None:
        raise UsageError(f"a package named {names.package} is installed already", where="NAME", remedy=remedy)


def _check_name(kind: Kind, name: str) -> None:
    try:
        # The registry's own rule, so that the two never differ.
        Registry().add(kind, name, "package.module:Class")
    except PluginError as error:
        better = _SEPARATORS.sub("-", re.sub(r"[^a-z0-9]+", "-", name.lower())).strip("-")
        remedy = error.remedy if better in ("", "none") else f"{error.remedy}; did you mean {better!r}?"
        raise UsageError(error.what, where="NAME", remedy=remedy) from error
    if len(name) > LONGEST:
        raise UsageError(f"{name!r} has {len(name)} characters", where="NAME", remedy=f"use {LONGEST} at most")
    if kind == "detector" and name.endswith(".toml"):
        raise UsageError(
            f"a detector cannot be named {name!r}",
            where="NAME",
            remedy=f"leave out '.toml': vadbench run {name} would look for a file of that name",
        )


def _class_name(kind: Kind, name: str) -> str:
    joined = "".join(part.capitalize() for part in _SEPARATORS.split(name))
    if joined[0].isdigit() or joined.startswith("Test"):  # pytest takes a class Test... for tests
        joined = kind.capitalize() + joined
    taken = {*vadbench.api.__all__, *_IMPORTED, *dir(builtins), *keyword.kwlist}
    # Letters alone, as of a.b.c, would be read as a constant, and sorted as one among imports.
    constant = len(joined) > 1 and joined.isupper()
    return joined + kind.capitalize() if constant or {joined, f"{joined}Config"} & taken else joined
