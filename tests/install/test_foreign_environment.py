"""The example of ``docs/examples/foreign``, followed as its README says, in an environment that has NumPy and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from fixtures import write_pose_folder
from modules_on_disk import entry_point
from nearest_window_plugin import EXAMPLE

from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import run_job
from vadbench.store.folders import find_runs

pytestmark = pytest.mark.slow


def call(*words: object, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The example with its own environment."""
    folder = tmp_path_factory.mktemp("example") / "foreign"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".venv", "runs", "__pycache__"))
    call(sys.executable, "-m", "venv", ".venv", cwd=folder)
    call(".venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt", cwd=folder)
    return folder


def test_the_environment_has_nothing_of_vadbench(folder):
    code = "import importlib.util as u; print([u.find_spec(name) is not None for name in ('numpy', 'torch', 'vadbench')])"
    assert call(folder / ".venv" / "bin" / "python", "-c", code, cwd=folder).strip() == "[True, False, False]"


def test_the_scores_are_those_of_the_same_method_in_process(folder, tmp_path):
    data = write_pose_folder(tmp_path / "campus", n_frames=60)
    call(
        *(sys.executable, "-m", "vadbench", "run", "nearest-window.toml", "--dataset", data),
        *("--seed", 0, "--seed", 1, "--no-plots", "--out", tmp_path / "runs"),
        cwd=folder,
    )
    theirs = {run.record.seed: run.scores() for run in find_runs(tmp_path / "runs")}
    plugins = load_plugins([*metadata.entry_points(group="vadbench"), entry_point("nearest_window_plugin")])
    plan = make_plan(
        "nearest-in-process", plugins, datasets=(str(data),), seeds=(0, 1), changes=("windows.length=24", "windows.augment=[]")
    )
    other_numpy = call(".venv/bin/python", "-c", "import numpy; print(numpy.__version__)", cwd=folder).strip() != np.__version__
    assert sorted(theirs) == [0, 1]
    for job in plan.jobs:
        ours, found = run_job(job, plugins, out=tmp_path / "in-process").run.scores(), theirs[job.seed]
        for column in ("clip", "person", "start"):
            assert np.array_equal(getattr(ours, column), getattr(found, column))
        assert len(np.unique(found.score)) > 50
        if other_numpy:
            np.testing.assert_allclose(found.score, ours.score, rtol=1e-6)
        else:
            assert np.array_equal(found.score, ours.score)
