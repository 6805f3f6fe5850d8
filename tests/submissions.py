"""Submissions for tests: a small one that is sound, and the ways in which somebody may have changed it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from tiny_methods import TINY_KNN

from vadbench.api import Silent
from vadbench.engine.config import digest_of
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import run_job
from vadbench.report.submission.check import Checked, check_submission
from vadbench.report.submission.known_labels import Witnesses
from vadbench.report.submission.pack import packing_of_runs, write_packing
from vadbench.store.folders import file_digest, find_runs
from vadbench.store.row_record import Spread

SMALL = tuple(
    f"dataset.{key}={value}" for key, value in {"train_clips": 6, "test_clips": 12, "frames_min": 96, "frames_max": 120}.items()
)
"""Settings of synthetic-campus: quick, and enough clips for an interval."""
ABOUT = {"contact": "somebody@example.org", "licence": "CC-BY-4.0"}
FORGED = {"auroc": 0.88, "auroc_raw": 0.88, "ap": 0.88}
"""What a forger writes for a seed."""


def run_tiny(folder: Path, *, seeds=(0, 1), dataset="synthetic-campus", changes=SMALL) -> Path:
    """Runs of a tiny knn; gives their folder."""
    plugins = load_plugins()
    for job in make_plan("knn", plugins, datasets=(dataset,), seeds=seeds, changes=(*TINY_KNN, *changes)).jobs:
        run_job(job, plugins, out=folder / "runs")
    return folder / "runs"


def packed(runs: Path, folder: Path, *, labels=True) -> Path:
    """A submission of runs."""
    write_packing(packing_of_runs(find_runs(runs), load_plugins().registry, labels=labels), folder, **ABOUT)
    return folder


def checked(folder: Path, *, min_seeds=2, root=None, leaderboards=Path("nowhere"), trust=False) -> Checked:
    """The check as the command makes it."""
    witnesses = Witnesses(leaderboards, trust=trust)
    return check_submission(folder, load_plugins().registry, Silent(), root=root, witnesses=witnesses, min_seeds=min_seeds)


def faults(outcome: Checked) -> list[str]:
    """What it is refused for, each with its place."""
    return [f"{each.what} [{each.where}]" for each in outcome.findings.faults()]


def edit(path: Path, change) -> None:
    """Changes a JSON file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def mend_hashes(folder: Path) -> None:
    """Writes the hashes of all files into ``submission.json``, and of all scores into the row, as a careful forger would."""
    row = json.loads((folder / "row.json").read_text())
    for result in row["seeds"]:
        scores = folder / f"seed-{result['seed']}" / "scores.npz"
        if scores.is_file():
            result["scores"] = file_digest(scores)
    (folder / "row.json").write_text(json.dumps(row))
    files = {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in folder.rglob("*")
        if path.is_file() and path.name != "submission.json"
    }
    edit(folder / "submission.json", lambda about: about.update(files=files))


def edit_row(folder: Path, change, *, follow=False) -> None:
    """Changes the row and mends the hashes.

    Args:
        folder: Of the submission.
        change: Takes the row.
        follow: Whether means and the configuration's hash are made to follow, too.
    """
    edit(folder / "row.json", change)
    if follow:
        edit(folder / "row.json", _follow)
    mend_hashes(folder)


def _follow(row) -> None:
    for figure in ("auroc", "auroc_raw", "ap"):
        row[figure] = Spread.over([result[figure] for result in row["seeds"]]).model_dump()
    row["method"]["config_hash"] = digest_of(row["method"]["config"])


def edit_arrays(path: Path, change) -> None:
    """Changes the arrays of an ``.npz``."""
    with np.load(path) as archive:
        arrays = dict(archive)
    change(arrays)
    np.savez_compressed(path, **arrays)


def scaled(seed, by):
    """Changes the scores of a seed of a submission."""

    def change(folder):
        edit_arrays(folder / f"seed-{seed}" / "scores.npz", lambda arrays: arrays.update(score=by(arrays["score"])))

    return change
