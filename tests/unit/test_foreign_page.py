"""The page on foreign methods says what the code does: settings, placeholders, files and keys."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from vadbench.api import Context
from vadbench.testing.sample import sample_windows
from vadbench_foreign.settings import CommandConfig
from vadbench_foreign.window_files import write_windows
from vadbench_foreign.words import NEEDED, PLACEHOLDERS

PAGE = (Path(__file__).parents[2] / "docs" / "foreign-methods.md").read_text(encoding="utf-8")


def table(first: str) -> dict[str, list[str]]:
    """The rows of the table whose head begins with a cell: first cell, without code marks, to the others."""
    lines = PAGE.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith(f"| {first} |")]
    rows = {}
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        name, *rest = (cell.strip() for cell in line.strip("|").split(" | "))
        rows[name] = rest
    return rows


def test_settings():
    shown = {key.strip("`"): (default, what) for key, (default, what) in table("key | default").items()}
    wanted = {}
    for name, field in CommandConfig.model_fields.items():
        default = field.default if not isinstance(field.default, tuple) else list(field.default)
        wanted[name] = ("none" if default is None else f"`{json.dumps(default)}`", field.description)
    assert shown == wanted
    assert list(shown) == list(CommandConfig.model_fields)


def test_placeholders():
    assert [name.strip("`{}") for name in table("placeholder")] == list(PLACEHOLDERS)
    for name, (what,) in table("placeholder").items():
        of = [step for step, needed in NEEDED.items() if name.strip("`{}") in needed]
        assert all(f"`{step}`" in what for step in of if len(of) == 1)
        assert ("both commands need it" in what) == (len(of) == 2)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "windows"
    arrays = CommandConfig.model_fields["arrays"].default
    told = dict.fromkeys(("step", "method", "seed", "device", "threads"), "")
    write_windows(folder, sample_windows(8, stride=24), arrays=arrays, told=told, context=Context())
    return folder


def test_files(written):
    assert {name.strip("`") for name in table("file")} == {path.name for path in written.iterdir()}


def test_keys_of_the_description(written):
    documented = [name for key in table("key | holds") for name in re.findall(r"`(\w+)`", key)]
    assert documented == list(json.loads((written / "windows.json").read_text()))


def test_the_example_of_the_readme_is_there():
    folder = Path(__file__).parents[2] / "docs" / "examples" / "foreign"
    assert {path.name for path in folder.iterdir() if path.is_file()} >= {
        *("README.md", "nearest_window.py", "nearest-window.toml", "requirements.txt")
    }
