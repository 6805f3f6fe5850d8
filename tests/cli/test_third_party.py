"""A third party's plug-in: the example of the documentation, found and run; a broken one, reported and survived."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_pages import DOCS, blocks

DOCUMENT = DOCS / "plugins.md"


def code_of(name: str) -> str:
    """A file that the document shows."""
    found = {block.title: block.code for block in blocks(DOCUMENT)}
    assert name in found, f"docs/plugins.md shows no {name}"
    return found[name]


def install(site: Path, name: str, entry_point: str) -> None:
    """What an installer writes of a distribution: its metadata and entry points."""
    folder = site / f"{name}-0.1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    (folder / "entry_points.txt").write_text(f"[vadbench]\n{entry_point}\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed distributions with the documented example in it."""
    site = tmp_path / "site"
    package = site / "vad_speed"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in ("detector.py", "plugin.py", "slow.toml"):
        (package / name).write_text(code_of(f"vad_speed/{name}"))
    entry_point = re.search(r"^speed = \"(.*)\"$", code_of("pyproject.toml"), re.MULTILINE)
    assert entry_point is not None
    install(site, "vad_speed", f"speed = {entry_point[1]}")
    return site


def vadbench(site: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vadbench", *arguments],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_documented_example_runs(site, pose_folder, tmp_path):
    done = vadbench(
        site, "run", "my-speed", "--dataset", str(pose_folder), "--set", "detector.quantile=0.9", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert run["components"] == {"detector": "my-speed"}
    assert run["metrics"]["auroc"] > 0.6  # in the fixture's abnormal frames somebody flails


def test_its_method_is_run_by_name_with_its_own_windows(site, pose_folder, tmp_path):
    done = vadbench(site, "run", "my-slow-speed", "--dataset", str(pose_folder), "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["method"], run["components"]) == ("my-slow-speed", {"detector": "my-speed"})
    config = json.loads((tmp_path / run["path"] / "run.json").read_text())["method"]["config"]
    assert (config["windows"]["length"], config["detector"]["quantile"]) == (32, 0.5)


def test_the_record_names_the_distribution_of_a_component(site, pose_folder, tmp_path):
    done = vadbench(site, "run", "my-speed", "--dataset", str(pose_folder), "--json", cwd=tmp_path)
    (run,) = json.loads(done.stdout)["runs"]
    packages = json.loads((tmp_path / run["path"] / "run.json").read_text())["environment"]["packages"]
    assert packages["vad_speed"] == "0.1.0"


def test_a_broken_plugin_is_reported_and_survived(site, tmp_path):
    (site / "vad_broken.py").write_text("import a_library_that_nobody_has\n")
    install(site, "vad_broken", "broken = vad_broken")
    listed = vadbench(site, "list", "detector", cwd=tmp_path)
    assert listed.returncode == 0
    assert "speed" in listed.stdout
    assert "plug-in 'broken' (vad_broken) was left out" in listed.stderr
    shown = json.loads(vadbench(site, "plugin", "list", "--json", cwd=tmp_path).stdout)
    (status,) = [row for row in shown if row["name"] == "broken"]
    assert status["status"] == "failed"
    assert "a_library_that_nobody_has" in status["error"]
    assert "Traceback" in status["traceback"]
