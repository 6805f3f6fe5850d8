"""Plug-ins pointed to, as files and projects on disk; each test that imports the fixture leaves the process as it was."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

HOOK = """
    from vadbench.api import hookimpl

    @hookimpl
    def vadbench_register(registry):
        registry.flow("{0}", "{1}:Flow")
"""


@pytest.fixture
def import_path_stays(monkeypatch):
    """Each test leaves the import path, and the names of its modules, as they were."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for variable in ("VADBENCH_PLUGINS", "VADBENCH_PLUGINS_DIR", "VADBENCH_STRICT"):
        monkeypatch.delenv(variable, raising=False)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("pointed"):
            del sys.modules[name]


def written(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def project(folder: Path, *, layout: str = "src", version: str | None = "0.3.0", module: str = "pointed_project") -> Path:
    """A project folder with one plug-in."""
    said = f'version = "{version}"' if version else 'dynamic = ["version"]'
    told = f'[project]\nname = "pointed-project"\n{said}\n'
    written(folder / "pyproject.toml", f'{told}\n[project.entry-points.vadbench]\nspeed = "{module}.plugin"\n')
    written(folder / layout / module / "__init__.py")
    written(folder / layout / module / "plugin.py", HOOK.format("of-project", f"{module}.flow"))
    return folder
