"""Modules written by a test, importable while it runs: what a third party's plug-in looks like to vadbench."""

from __future__ import annotations

import itertools
import sys
import textwrap
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_NUMBERS = itertools.count()


def write_module(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, name: str = "written") -> str:
    """Writes a module that can be imported until the test ends; returns its name, which no other test has."""
    name = f"{name}_{next(_NUMBERS)}"
    (folder / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def entry_point(module: str, name: str | None = None) -> metadata.EntryPoint:
    """An entry point of vadbench's group that points to a module."""
    return metadata.EntryPoint(name=name or module, value=module, group="vadbench")
