"""Paths as a user writes them."""

from __future__ import annotations

from pathlib import Path

from vadbench.api import UsageError


def expanded(path: str | Path) -> Path:
    """The path with ``~`` and ``~user`` spelt out; raises `UsageError` where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError("there is no such user, or no home folder", where=path, remedy="write the path in full") from error
