"""Which version of a foreign method it is: a digest over its files, so that a run of edited code is another run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from vadbench.api import ConfigError

MOST_FILES: Final = 10_000
MOST_BYTES: Final = 512 * 2**20
"""So much is read at most: a pattern that takes in data or environments is a mistake."""


def digest_of_files(folder: Path, files: Sequence[Path]) -> str:
    """SHA-256 over names and contents of files, whatever their order; empty for no file.

    Raises:
        ConfigError: if they are too many or too large, or one cannot be read.
    """
    if not files:
        return ""
    root = folder.resolve()
    named = sorted({path.resolve().relative_to(root).as_posix(): path for path in files}.items())
    size = sum(path.stat().st_size for _, path in named)
    if len(named) > MOST_FILES or size > MOST_BYTES:
        raise ConfigError(
            f"{len(named):,} files with {size / 2**20:,.0f} MiB count as the method's code, at most {MOST_FILES:,} and "
            f"{MOST_BYTES / 2**20:,.0f} MiB may",
            where=f"detector.version_files, below {folder}",
            remedy='name code and settings alone, such as "src/**/*.py"',
        )
    digest = hashlib.sha256()
    for name, path in named:
        try:
            content = hashlib.sha256(path.read_bytes()).digest()
        except OSError as error:
            raise ConfigError(
                f"a file that counts as the method's code cannot be read: {error.strerror}",
                where=path,
                remedy="check its permissions, or leave it out of detector.version_files",
            ) from error
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()


def files_of_words(folder: Path, words: Sequence[str]) -> list[Path]:
    """The files below ``folder`` that words of a command name: a script, a file of settings, a program that was built there.

    A link that leads out of the folder is none of them, as the interpreter of a virtual environment is one.
    """
    return [path for word in words if word and _below(folder, path := folder / word)]


def files_of_patterns(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files below ``folder`` that patterns such as ``src/**/*.py`` match.

    Hidden files and folders (``.git``, ``.venv``) and ``__pycache__`` are left out.

    Raises:
        ConfigError: for a pattern that leads elsewhere, or that matches nothing.
    """
    found: list[Path] = []
    for pattern in patterns:
        parts = PurePosixPath(pattern).parts
        if not parts or parts[0] == "/" or ".." in parts:
            raise ConfigError(
                f"{pattern!r} is no pattern of files below the folder",
                where="detector.version_files",
                remedy='write it relative to detector.folder, such as "src/**/*.py"',
            )
        matched = list(_matched(folder, pattern))
        if not matched:
            raise ConfigError(
                f"no file is matched by {pattern!r}",
                where=f"detector.version_files, below {folder}",
                remedy="correct the pattern, or detector.folder; hidden files do not count",
            )
        found += matched
    return found


def _matched(folder: Path, pattern: str) -> Iterator[Path]:
    for number, path in enumerate(folder.glob(pattern)):
        if number > 100 * MOST_FILES:
            raise ConfigError(
                f"more than {100 * MOST_FILES:,} files and folders are matched by {pattern!r}",
                where=f"detector.version_files, below {folder}",
                remedy='name code and settings alone, such as "src/**/*.py"',
            )
        inside = path.relative_to(folder).parts
        if not any(part.startswith(".") or part == "__pycache__" for part in inside) and _below(folder, path):
            yield path


def _below(folder: Path, path: Path) -> bool:
    """Whether it is an ordinary file that lies below the folder, links followed."""
    try:
        return path.is_file() and Path(os.path.realpath(path)).is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False
