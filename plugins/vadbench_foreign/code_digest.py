"""Which version of a foreign method it is: a digest over its files, so that a run of edited code is another run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final

from vadbench.api import ConfigError

MOST_FILES: Final = 10_000
MOST_BYTES: Final = 512 * 2**20
"""So much is read at most: a pattern that takes in data or environments is a mistake."""
MOST_SEEN: Final = 200_000
"""So many files and folders are looked at for one pattern at most, whether it matches them or not."""
_NARROWER: Final = 'name code and settings alone, such as "src/**/*.py"'
_CHUNK: Final = 2**20


def digest_of_files(folder: Path, files: Sequence[Path]) -> str:
    """SHA-256 over names and contents of files, whatever their order; empty for no file.

    Raises:
        ConfigError: if they are too many or too large, or one cannot be read.
    """
    if not files:
        return ""
    root = folder.resolve()
    named = sorted({path.resolve().relative_to(root).as_posix(): path for path in files}.items())
    size = 0
    for _, path in named:
        try:
            size += path.stat().st_size
        except OSError as error:
            raise _unreadable(path, error) from error
    _check_amount(len(named), size, folder)
    digest, size = hashlib.sha256(), 0
    for name, path in named:
        content = hashlib.sha256()
        try:
            with path.open("rb") as file:
                # What is read counts, not what was announced: some files are longer than they say.
                while chunk := file.read(_CHUNK):
                    size += len(chunk)
                    _check_amount(len(named), size, folder)
                    content.update(chunk)
        except OSError as error:
            raise _unreadable(path, error) from error
        digest.update(os.fsencode(name) + b"\0" + content.digest())
    return digest.hexdigest()


def files_of_words(folder: Path, words: Sequence[str]) -> list[Path]:
    """The files below ``folder`` that words of a command name: a script, a file of settings, a program that was built there.

    A link that leads out of the folder is none of them, as the interpreter of a virtual environment is one.
    """
    return [path for word in words if word and _below(folder, path := folder / word)]


def files_of_patterns(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files below ``folder`` that patterns such as ``src/**/*.py`` match.

    Hidden files and folders (``.git``, ``.venv``) and ``__pycache__`` are left out, and not looked into.

    Raises:
        ConfigError: for a pattern that leads elsewhere, that matches nothing, or for which half a disk would be looked at.
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
        matched = list(_matched(folder, pattern, parts))
        if not matched:
            raise ConfigError(
                f"no file is matched by {pattern!r}",
                where=f"detector.version_files, below {folder}",
                remedy="correct the pattern, or detector.folder; hidden files do not count",
            )
        found += matched
    return found


def _matched(folder: Path, pattern: str, parts: Sequence[str]) -> Iterator[Path]:
    """The files that a pattern matches; a walk of its own, as that of pathlib cannot be stopped while it finds nothing."""
    seen = 0
    ahead, done = [(folder, 0)], set()
    while ahead:
        place, at = ahead.pop()
        if (place, at) in done:
            continue
        done.add((place, at))
        part, last = parts[at], at == len(parts) - 1
        if part == "**" and not last:
            ahead.append((place, at + 1))
        for path in _entries(place):
            seen += 1
            if seen > MOST_SEEN:
                raise ConfigError(
                    f"more than {MOST_SEEN:,} files and folders would have to be looked at for {pattern!r}",
                    where=f"detector.version_files, below {folder}",
                    remedy=_NARROWER,
                )
            if path.name.startswith(".") or path.name == "__pycache__":
                continue
            if part == "**":
                if path.is_dir() and not path.is_symlink():
                    ahead.append((path, at))
                elif last and _below(folder, path):
                    yield path
            elif fnmatchcase(path.name, part):
                if last and _below(folder, path):
                    yield path
                elif not last and path.is_dir() and _leads_below(folder, path):
                    ahead.append((path, at + 1))


def _entries(place: Path) -> Iterator[Path]:
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                yield place / entry.name
    except OSError as error:
        raise _unreadable(place, error) from error


def _below(folder: Path, path: Path) -> bool:
    """Whether it is an ordinary file that lies below the folder, links followed."""
    try:
        return path.is_file() and _leads_below(folder, path)
    except (OSError, ValueError):
        return False


def _leads_below(folder: Path, path: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(folder.resolve())


def _check_amount(count: int, size: int, folder: Path) -> None:
    if count > MOST_FILES or size > MOST_BYTES:
        raise ConfigError(
            f"{count:,} files with {size / 2**20:,.0f} MiB or more count as the method's code, at most {MOST_FILES:,} and "
            f"{MOST_BYTES / 2**20:,.0f} MiB may",
            where=f"detector.version_files, below {folder}",
            remedy=_NARROWER,
        )


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"what counts as the method's code cannot be read: {error.strerror}",
        where=ascii(str(path))[1:-1],
        remedy="check its permissions, or leave it out of detector.version_files",
    )
