"""The words of a command, and what may stand in for something in them: ``{windows}``, ``{scores}`` and others."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Final

from vadbench.api import ConfigError, did_you_mean

PLACEHOLDERS: Final[Mapping[str, str]] = {
    "windows": "folder in which the windows lie",
    "model": "folder for what the method learns",
    "scores": "folder into which the scores are to be written",
    "seed": "whole number that all chance is to come from",
    "device": "cpu, cuda:0, ...",
    "threads": "CPU threads to compute on",
}
"""What a word may hold between braces, and what it stands for."""
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {"fit": ("windows", "model"), "score": ("windows", "scores")}
"""What a command cannot do without."""


def check_words(key: str, words: Sequence[str]) -> None:
    """Raises `ConfigError` for words that cannot be a command, naming ``key``, the setting that they are of."""
    if not words:
        return
    where = f"detector.{key}"
    if not words[0] or any("\0" in word for word in words):
        raise ConfigError("a command begins with the name of a program", where=where, remedy='such as "python3" or "./score.sh"')
    used = {name for word in words for name in placeholders_of(word, where)}
    if missing := [name for name in NEEDED[key] if name not in used]:
        raise ConfigError(
            f"the command is not told {_listed(missing)}: {' '.join(words)}",
            where=where,
            remedy=f"hand it {_listed(missing)} as a word, the {PLACEHOLDERS[missing[0]]}",
        )


def placeholders_of(word: str, where: str) -> list[str]:
    """The placeholders of a word; raises `ConfigError` for one that is not known, or braces that do not match."""
    try:
        parts = list(string.Formatter().parse(word))
    except ValueError as error:
        raise ConfigError(
            f"the braces of {word!r} do not match: {error}", where=where, remedy="double a brace that is meant as one: {{ and }}"
        ) from None
    found = []
    for _, name, layout, conversion in parts:
        if name is None:
            continue
        if name not in PLACEHOLDERS or layout or conversion:
            known = did_you_mean(name, PLACEHOLDERS)
            raise ConfigError(
                f"unknown placeholder {{{name}}} in {word!r}",
                where=where,
                remedy=f"{known} A brace that is meant as one is doubled: {{{{ and }}}}",
            )
        found.append(name)
    return found


def filled(words: Sequence[str], values: Mapping[str, object]) -> list[str]:
    """The words with their placeholders filled in and doubled braces made single; every placeholder has a value."""
    return [word.format_map(values) for word in words]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"{{{name}}}" for name in names)
