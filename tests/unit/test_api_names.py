"""The names of vadbench.api: all resolve, the lists agree, and importing the package costs nothing."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import vadbench
from vadbench import api

_HEAVY = {"numpy", "torch", "pydantic", "scipy", "sklearn", "pandas", "matplotlib"}


def imported_by(code: str) -> set[str]:
    """The heavy packages that are imported after ``code`` ran in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return _HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("name", api.__all__)
def test_every_name_resolves(name):
    value = getattr(api, name)
    assert value is not None
    if name in api._MODULE_OF:
        assert getattr(importlib.import_module(f"vadbench.api.{api._MODULE_OF[name]}"), name) is value


def test_the_lists_agree():
    assert set(api.__all__) == {"VERSION", *api._MODULE_OF}
    assert len(api.__all__) == len(set(api.__all__))
    assert dir(api) == sorted(api.__all__)
    checked: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(Path(api.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("vadbench.api."):
            checked.setdefault(node.module.removeprefix("vadbench.api."), set()).update(alias.name for alias in node.names)
    assert checked == {module: set(names) for module, names in api._HOME.items()}


def test_unknown_name():
    with pytest.raises(AttributeError, match="has no attribute 'Tokeniser'"):
        _ = api.Tokeniser
    with pytest.raises(ImportError):
        exec("from vadbench.api import Tokeniser")  # noqa: S102


def test_star_import_gives_every_name():
    space: dict[str, object] = {}
    exec("from vadbench.api import *", space)  # noqa: S102
    assert set(api.__all__) <= set(space)


@pytest.mark.parametrize(
    "code",
    [
        "import vadbench",
        "import vadbench.api",
        "from vadbench.api import Registry, hookimpl, VadbenchError, did_you_mean, register",
        "from vadbench.engine.loading.sources import installed_sources; assert installed_sources()",
        "import vadbench_datasets.plugin, vadbench_msgflow.plugin, vadbench_baselines.plugin",
        "from vadbench.engine.plugins import load_plugins; assert load_plugins().registry.entries()",
    ],
)
def test_light(code):
    assert imported_by(code) == set()


def test_the_check_of_light_imports_can_fail():
    assert "numpy" in imported_by("from vadbench.api import Tracks")


class TestTopLevel:
    def test_names(self):
        assert set(vadbench.__all__) == {"__version__", *vadbench._HOME}
        for name in vadbench.__all__:
            assert getattr(vadbench, name)

    def test_unknown_name(self):
        with pytest.raises(AttributeError, match="module 'vadbench' has no attribute 'rum'"):
            _ = vadbench.rum


class TestErrors:
    def test_text(self):
        error = api.DataError("it broke", where=Path("a/b"), remedy="mend it")
        assert str(error) == "it broke\n  where:  a/b\n  remedy: mend it"
        assert str(api.UsageError("it broke")) == "it broke"

    def test_exit_codes(self):
        codes = {
            api.UsageError: 2,
            api.ConfigError: 2,
            api.DataError: 3,
            api.PluginError: 4,
            api.RunFailedError: 5,
            api.DriftError: 6,
        }
        assert {cls: cls("x").exit_code for cls in codes} == codes

    def test_did_you_mean(self):
        known = ["transformer", "ngram"]
        assert api.did_you_mean("transfomer", known) == "did you mean 'transformer'?"
        assert api.did_you_mean("zzz", known) == "known names: ngram, transformer"
        assert "nothing is registered" in api.did_you_mean("zzz", [])
