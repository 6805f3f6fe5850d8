"""The command line as a fixture, called from an empty folder and without a data root."""

from __future__ import annotations

from functools import partial

import pytest
from command_line import call


@pytest.fixture
def vadbench(capsys, monkeypatch, tmp_path):
    """Calls ``vadbench`` with arguments; see `command_line.call`."""
    monkeypatch.chdir(tmp_path)
    for variable in ("VADBENCH_DATA", "VADBENCH_PLUGINS", "VADBENCH_PLUGINS_DIR", "VADBENCH_STRICT"):
        monkeypatch.delenv(variable, raising=False)
    return partial(call, capsys)
