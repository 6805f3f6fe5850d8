"""Every shipped method has a page that says what the others say, with the measured rows that stand in the row files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from vadbench.engine.presets import preset_names

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "methods").glob("*.md"))
METHOD_PAGES = [path for path in PAGES if path.stem != "README"]


@pytest.fixture(scope="module")
def measured():
    spec = importlib.util.spec_from_file_location("measured_rows", DOCS / "measured_rows.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_preset_has_a_page():
    stems = [path.stem for path in METHOD_PAGES]
    assert [name for name in preset_names() if not any(name == stem or name.startswith(f"{stem}-") for stem in stems)] == []


@pytest.mark.parametrize("path", METHOD_PAGES, ids=lambda path: path.stem)
def test_a_page_says_how_to_run_it_and_what_differs(path):
    text = path.read_text(encoding="utf-8")
    assert f"vadbench run {path.stem}" in text
    for heading in ("## Settings", "## Measured"):
        assert heading in text
    listed = (DOCS / "methods" / "README.md").read_text(encoding="utf-8")
    assert f"({path.name})" in listed


@pytest.mark.parametrize("path", METHOD_PAGES, ids=lambda path: path.stem)
def test_the_measured_rows_are_those_of_the_row_files(path, measured):
    text = path.read_text(encoding="utf-8")
    assert text == measured.filled(text, path.stem), "run python docs/measured_rows.py"


def test_every_method_was_measured_on_both_data_sets(measured):
    found = {(record.method.name, record.dataset.name) for _, record in measured.rows()}
    names = [name for name in preset_names() if name not in ("stg-nf-supervised", "pyod")]
    wanted = {(name, data) for name in names for data in ("synthetic-campus", "mocap-street")}
    assert wanted - found == set()
    assert all(len(record.seeds) == 5 for _, record in measured.rows())


def test_the_table_of_mocap_street_is_that_of_its_rows(measured):
    text = (DOCS / "mocap-street.md").read_text(encoding="utf-8")
    assert text == measured.with_table(text), "run python docs/measured_rows.py"
