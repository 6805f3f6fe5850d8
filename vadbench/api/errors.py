"""The errors of vadbench: each says what was wrong, where, and what to do, and carries an exit code.

The command line prints ``str(error)`` without a traceback and exits with ``error.exit_code``:

======  ==========================================================
code    meaning
======  ==========================================================
1       an internal error (a bug: please report it)
2       usage: an unknown name, option or configuration key
3       data: missing, damaged or inconsistent
4       a plug-in failed to load, or broke its contract
5       at least one run failed
6       a stored result no longer agrees with itself
7       check-leak: scores depend on other test clips (a finding, not a fault)
130     interrupted
======  ==========================================================
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class VadbenchError(Exception):
    """Base of every error that vadbench raises on purpose.

    Args:
        what: What was wrong.
        where: The file, key or component it concerns.
        remedy: What the user can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | Path | None = None, remedy: str | None = None) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        parts = [self.what]
        if self.where is not None:
            parts.append(f"where:  {self.where}")
        if self.remedy is not None:
            parts.append(f"remedy: {self.remedy}")
        # Where a part has several lines, those after the first stand under its text.
        return "\n  ".join(part.replace("\n", "\n" + " " * 10) for part in parts)


class UsageError(VadbenchError):
    """A name, option or value that vadbench does not know."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration that cannot be used: an unknown key, a wrong type, a value out of range."""


class DataError(VadbenchError):
    """Data that is missing, damaged or inconsistent."""

    exit_code = 3


class PluginError(VadbenchError):
    """A plug-in that cannot be loaded, collides with another, or breaks its contract."""

    exit_code = 4


class RunFailedError(VadbenchError):
    """One or more runs of a batch failed; the others are stored."""

    exit_code = 5


class DriftError(VadbenchError):
    """A stored result that no longer agrees with itself."""

    exit_code = 6


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for an unknown ``name``: the nearest known names, else all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(repr(n) for n in near)}?"
    return f"known names: {', '.join(known)}" if known else "nothing is registered under this kind"
