"""The command line as a fixture, called from an empty folder and without a data root."""

from __future__ import annotations

from functools import partial

import pytest
from command_line import call


@pytest.fixture
def vadbench(capsys, monkeypatch, tmp_path):
    """Calls ``vadbench`` with arguments; see `command_line.call`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    return partial(call, capsys)
