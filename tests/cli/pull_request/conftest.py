"""A checkout with the leaderboards of the project, and one with a submission that is committed."""

from __future__ import annotations

import shutil

import pytest
from pull_requests import PROJECT, commit, git
from submissions import packed, run_tiny

from vadbench.report.row_files import open_row, row_name


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    return run_tiny(tmp_path_factory.mktemp("made"), seeds=(0, 1, 2, 3, 4))


@pytest.fixture
def checkout(tmp_path):
    """A checkout in ``sent`` with the leaderboards of the project, and the commit that it stands on."""
    folder = tmp_path / "sent"
    shutil.copytree(PROJECT / "leaderboards", folder / "leaderboards")
    git(tmp_path, "init", "--quiet", "sent")
    return folder, commit(folder)


@pytest.fixture
def sent(checkout, runs):
    """The same with a submission that is accepted and committed; gives its folder."""
    folder, base = checkout
    place = packed(runs, folder / "elsewhere")
    target = folder / "leaderboards" / "submissions" / row_name(open_row(place / "row.json"))
    shutil.move(place, target)
    commit(folder)
    return target, base
