"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

# The tests compute on little; several threads would wait for one another, the longer the busier the machine is. It must be said
# before NumPy or torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest
from fixtures import write_pose_folder

# How long an example takes says nothing on a machine that others use as well.
hypothesis.settings.register_profile("vadbench", deadline=None)
hypothesis.settings.load_profile("vadbench")

_PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def poses_cached_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is read from the user's own cache, or written to it; commands that the tests start inherit this."""
    os.environ["VADBENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def pose_folder(tmp_path: Path) -> Path:
    """A small valid pose folder; see `fixtures.write_pose_folder`."""
    return write_pose_folder(tmp_path / "campus")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that is not part of the project; a test that needs it is skipped where it is absent."""
    folder = _PROJECT / Path(os.environ.get("VADBENCH_SHARED", "../shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"needs real data, which is not part of the project: {folder} (set VADBENCH_SHARED)")
    return folder.resolve()
