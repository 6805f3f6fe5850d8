"""What a wheel carries: rows and tables, and nothing of what was sent in."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def test_submissions_are_left_out_of_the_wheel_by_its_settings():
    wheel = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "leaderboards" in wheel["packages"]
    assert wheel["sources"]["leaderboards"] == "vadbench/leaderboards"
    assert "/leaderboards/submissions" in wheel["exclude"]
    # What is forced in is not looked at again.
    assert "leaderboards" not in wheel["force-include"]


@pytest.mark.slow
def test_a_wheel_holds_rows_tables_and_published_figures_and_no_scores(tmp_path):
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, PROJECT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name.removeprefix("vadbench/") for name in archive.namelist() if name.startswith("vadbench/leaderboards/")}
    lie_there = {
        path.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "leaderboards").rglob("*")
        if path.is_file() and "submissions" not in path.parts
    }
    assert held == lie_there
    assert not [name for name in held if name.endswith(".npz")]
