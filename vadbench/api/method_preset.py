"""A whole method that a plug-in brings along: its name, and the TOML file that says what it is made of."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from vadbench.api.errors import PluginError

_TARGET: Final = re.compile(r"[A-Za-z_]\w*:[^\s:\\]+\.toml")


@dataclass(frozen=True, slots=True)
class MethodPreset:
    """One registered method. Nothing is read or imported before its preset is asked for.

    Args:
        name: By which ``vadbench run`` finds it.
        target: ``"package:folder/file.toml"``: a file within a top-level package, or beside a module of one file.
        plugin: The plug-in that brings it.

    Raises:
        PluginError: for a target that leads to no file of a package.
    """

    name: str
    target: str
    plugin: str

    def __post_init__(self) -> None:
        _, _, file = self.target.partition(":")
        path = PurePosixPath(file)
        if not _TARGET.fullmatch(self.target) or path.is_absolute() or ".." in path.parts:
            raise PluginError(
                f"method {self.name!r} has the preset {self.target!r}",
                where=f"plug-in {self.plugin}",
                remedy="write it as 'package:file.toml', a file within a top-level package",
            )

    def path(self) -> Path:
        """Where the preset lies.

        Raises:
            PluginError: if there is no such package, or no such file in it.
        """
        package, _, file = self.target.partition(":")
        spec = importlib.util.find_spec(package)
        folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec is not None else []
        if spec is not None and not folders and spec.origin is not None:
            folders = [Path(spec.origin).parent]
        for folder in folders:
            if (folder / file).is_file():
                return folder / file
        raise PluginError(
            f"the preset of method {self.name!r} is not there",
            where=f"{self.target}, plug-in {self.plugin}",
            remedy=f"put {file} into the package {package}, and see that the distribution brings it"
            if folders
            else f"there is no package {package}: correct the target that it was registered with",
        )
