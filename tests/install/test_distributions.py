"""From the wheel to a published row: vadbench and a third party's distribution of each kind in a clean environment.

One environment is made outside the checkout and used by all tests; each installs a distribution and uninstalls it again. Slow:
`make test-install` runs them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vadbench.api import KINDS, Kind

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
SMALL = (
    *("--dataset", "synthetic-campus", "--set", "dataset.train_clips=2", "--set", "dataset.test_clips=3"),
    *("--set", "dataset.frames_min=96", "--set", "dataset.frames_max=120"),
)
BRIEF = ("--set", "windows.length=8", "--set", "windows.train_stride=4", "--no-plots")
PARTS = {"tokenizer": "kmeans", "prior": "ngram", "flow": "gaussian"}
"""Parts beside the one on trial that take no training worth mentioning."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and how long what was done in it took."""

    folder: Path
    variables: Mapping[str, str]

    def command(self, *words: str | Path, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs a program of the environment; it must end with ``code``."""
        begun = time.perf_counter()
        program = self.folder / "bin" / str(words[0])
        done = subprocess.run(
            [program, *map(str, words[1:])], cwd=cwd, env=dict(self.variables), capture_output=True, text=True, check=False
        )
        told(begun, " ".join(Path(word).name if isinstance(word, Path) else word for word in words))
        assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def vadbench(self, *words: str | Path, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs the command line."""
        return self.command("vadbench", *words, cwd=cwd, code=code)

    def pip(self, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Runs pip."""
        return self.command("python", "-m", "pip", "--quiet", "--disable-pip-version-check", *words, cwd=cwd)


def told(begun: float, what: str) -> None:
    """Says how long something took; seen with ``pytest -s``."""
    print(f"{time.perf_counter() - begun:7.1f} s  {what}", flush=True)  # noqa: T201 - the report of this test


@contextmanager
def timed(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    told(begun, what)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """vadbench as it is published."""
    folder = tmp_path_factory.mktemp("wheel")
    with timed("wheel of vadbench"):
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(PROJECT)]
        subprocess.run(command, check=True, cwd=folder)
    (built,) = folder.glob("vadbench-*.whl")
    return built


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A new environment with that wheel and its requirements, which knows nothing of the checkout."""
    folder = tmp_path_factory.mktemp("clean")
    with timed("virtual environment"):
        subprocess.run([sys.executable, "-m", "venv", folder / "environment"], check=True)
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("VADBENCH_", "PYTHON", "VIRTUAL_ENV"))}
    made = Environment(folder / "environment", {**ours, "VADBENCH_CACHE": str(folder / "cache")})
    made.pip("install", "--constraint", PROJECT / "constraints.txt", wheel, "pytest", cwd=folder)
    return made


def run_arguments(kind: Kind, name: str) -> list[str]:
    """A run with the component in its place, on little data."""
    match kind:
        case "dataset":
            return ["knn", "--dataset", name, "--data-root", "example-data", *BRIEF]
        case "detector":
            return [name, *SMALL, *BRIEF]
        case _:
            others = [word for part, other in PARTS.items() if part != kind for word in (f"--{part}", other)]
            codes = ["--set", "tokenizer.codebook_size=16"]
            return ["msgflow", f"--{kind}", name, *others, *codes, *SMALL, *BRIEF]


def rows_naming(environment: Environment, name: str, cwd: Path) -> list[dict[str, Any]]:
    """The rows of the leaderboard that say in their method or data set that a component took part."""
    table = json.loads(environment.vadbench("leaderboard", "--runs", "runs", "--format", "json", cwd=cwd).stdout)
    rows = [*table["reproduced"], *table["stand_in"]]
    return [row for row in rows if name in row["method"] or name == row["dataset"]]


def test_the_wheel_holds_the_templates(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    for path in (PROJECT / "vadbench" / "cli" / "plugin" / "templates").rglob("*.jinja"):
        assert path.relative_to(PROJECT).as_posix() in inside


def test_the_environment_is_apart_from_the_checkout(environment, tmp_path):
    done = environment.command("python", "-c", "import vadbench; print(vadbench.__file__)", cwd=tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(environment.folder)
    plugins = json.loads(environment.vadbench("plugin", "list", "--json", cwd=tmp_path).stdout)
    assert {status["distribution"] for status in plugins} == {"vadbench"}


@pytest.mark.parametrize("kind", KINDS)
def test_from_generation_to_a_row_and_away_again(environment, tmp_path, kind):
    name = f"third-{kind}"
    own = tmp_path / f"vad-{name}"
    environment.vadbench("plugin", "new", kind, name, "--author", "A Third Party", cwd=tmp_path)
    environment.pip("install", own, cwd=tmp_path)

    statuses = json.loads(environment.vadbench("plugin", "list", "--json", cwd=tmp_path).stdout)
    (status,) = [status for status in statuses if status["name"] == name]
    assert status["status"] == "ok"
    assert (status["distribution"], status["version"]) == (f"vad-{name}", "0.1.0")
    # A detector brings its preset along, as a method of the same name.
    offered = [kind, "method"] if kind == "detector" else [kind]
    assert status["components"] == [f"{what} {name}" for what in offered]
    for what in offered:
        assert name in environment.vadbench("list", what, cwd=tmp_path).stdout

    data: list[str] = []
    if kind == "dataset":
        environment.command("python", own / "tests" / "tiny_data.py", "example-data", cwd=tmp_path)
        data = ["--data-root", "example-data"]
    environment.vadbench("plugin", "check", name, *data, cwd=tmp_path)
    environment.command("python", "-m", "pytest", cwd=own)

    environment.vadbench("run", *run_arguments(kind, name), cwd=tmp_path)
    (row,) = rows_naming(environment, name, tmp_path)
    assert row["auroc_reproduced"] is not None

    environment.pip("uninstall", "--yes", f"vad-{name}", cwd=tmp_path)
    for what in offered:
        assert name not in environment.vadbench("list", what, cwd=tmp_path).stdout
    refused = environment.vadbench("run", *run_arguments(kind, name), cwd=tmp_path, code=2)
    assert name in refused.stderr
    assert "remedy:" in refused.stderr
    # What was run with it stays a row.
    assert rows_naming(environment, name, tmp_path) == [row]


def test_what_is_generated_is_strictly_typed(tmp_path):
    mypy = shutil.which("mypy", path=str(Path(sys.executable).parent))
    assert mypy is not None
    for kind in KINDS:
        command = [sys.executable, "-m", "vadbench", "plugin", "new", kind, "my-own", "--dir", kind]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        with timed(f"mypy of a {kind}"):
            done = subprocess.run(
                [mypy, "--cache-dir", tmp_path / "cache"],
                cwd=tmp_path / kind / "vad-my-own",
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stdout
