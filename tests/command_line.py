"""Calling the command line within a test, as a user would from a shell."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from vadbench.cli.main import main


@dataclass(frozen=True)
class Called:
    """What a call printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be JSON and nothing else."""
        return json.loads(self.out)


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> Called:
    """Runs ``vadbench`` with arguments."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return Called(ended.value.code, out, err)
