"""What the data-set plug-in registers, and that registering costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vadbench.api import Registry

NAMES = ["hr-shanghaitech", "hr-ubnormal", "pose-folder", "shanghaitech", "synthetic-campus", "ubnormal"]


@pytest.fixture
def registry():
    from vadbench_datasets.plugin import vadbench_register

    registry = Registry()
    vadbench_register(registry)
    return registry


def test_names(registry):
    assert registry.names("dataset") == NAMES
    assert [entry.name for entry in registry.entries() if entry.opens_folders] == ["pose-folder"]
    assert all(entry.summary and len(entry.summary) < 80 for entry in registry.entries())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "synthetic-campus"])
def test_info_needs_no_data(registry, name):
    entry = registry.get("dataset", name)
    data = entry.load()(entry.load_config()(), None)
    assert data.info.name == name
    assert data.info.layout == "coco-17"
    assert not data.info.stand_in
    assert not data.available()


def test_registering_imports_nothing_heavy():
    code = (
        "import sys; from vadbench_datasets.plugin import vadbench_register; from vadbench.api import Registry; "
        "vadbench_register(Registry()); print({'numpy', 'torch', 'pydantic', 'orjson'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
