"""A sound submission, made once from tiny runs, and copies of it that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from submissions import edit, edit_arrays, edit_row, packed, run_tiny

from vadbench.store.bundle import bundle_of_run, save_bundle
from vadbench.store.folders import find_runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    return run_tiny(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def sound(runs, tmp_path_factory):
    """A sound submission; nobody changes it."""
    return packed(runs, tmp_path_factory.mktemp("sent") / "sound")


@pytest.fixture
def sent(sound, tmp_path):
    """A copy of it that a test may change."""
    return Path(shutil.copytree(sound, tmp_path / "sent"))


@pytest.fixture
def bundles(runs, tmp_path):
    """The same scores as two bundles of normality, by somebody whose method nobody knows."""
    folders = []
    for run in find_runs(runs):
        meta, scores = bundle_of_run(run)
        theirs = meta.model_copy(update={"method": "Their Net (v2)", "notes": ""})
        folders.append(tmp_path / f"theirs-{run.record.seed}")
        save_bundle(folders[-1], theirs, scores)
        edit_arrays(folders[-1] / "scores.npz", lambda arrays: arrays.update(score=-arrays["score"]))
        edit(folders[-1] / "meta.json", lambda about: about.update(higher_is_more_anomalous=False))
    return folders


@pytest.fixture
def known_only(sent):
    """The submission as somebody sees it who does not have its data set."""
    edit_row(sent, lambda row: row["dataset"].update(name="their-campus", settings={}))
    return sent
