"""The settings of the detector ``command``."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from vadbench.api import ComponentConfig, ConfigError
from vadbench_foreign.code_digest import digest_of_files, files_of_patterns, files_of_words
from vadbench_foreign.words import check_words

Array = Literal["x", "pixels", "confidence", "frame"]

_EXAMPLE = 'score = [".venv/bin/python", "score.py", "{windows}", "{model}", "{scores}"]'


class CommandConfig(ComponentConfig):
    """How a program is called, and what of it counts as its version."""

    fit: tuple[str, ...] = Field(default=(), description="command that trains, a list of words; empty: nothing to train")
    score: tuple[str, ...] = Field(default=(), description="command that scores, a list of words; needed")
    folder: str = Field(
        default="", description="where the commands are run; ~ and $NAME are filled in; empty: where vadbench was called"
    )
    environment: dict[str, str] = Field(default={}, description="environment variables to set for the commands")
    timeout_s: Annotated[float, Field(gt=0)] | None = Field(default=None, description="seconds after which a call is ended")
    higher_is_more_anomalous: bool = Field(
        default=True, description="false for scores of normality; a meta.json beside the scores decides where there is one"
    )
    arrays: tuple[Array, ...] = Field(
        default=("x", "pixels", "confidence", "frame"), description="large arrays to write; those left out save disk and time"
    )
    parameters: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="numbers that the method learns, for tables; by default the bytes of the files that fit leaves"
    )
    version: str = Field(default="", description="free text that counts for the identity of a run, such as a commit or an image")
    version_files: tuple[str, ...] | None = Field(
        default=None,
        description="patterns of files below folder that count for the identity of a run; by default those that the words name",
    )
    code: str = Field(
        default="", description="SHA-256 over those files; filled in, and refused where it is given and they have another"
    )

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        """Says how a command is written where it is given as one text."""
        for key in ("fit", "score"):
            if isinstance(given, dict) and isinstance(text := given.get(key), str):
                try:
                    words = shlex.split(text)
                except ValueError:
                    words = text.split()
                told = ", ".join(f'"{word}"' for word in words)
                raise ConfigError(
                    f"a command is a list of words, no text, as no shell takes it apart (given: {text!r})",
                    where=f"detector.{key}",
                    remedy=f"write {key} = [{told}]",
                )
        return given

    @field_validator("fit")
    @classmethod
    def _check_fit(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        check_words("fit", words)
        return words

    @field_validator("score")
    @classmethod
    def _check_score(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        check_words("score", words)
        return words

    @field_validator("environment")
    @classmethod
    def _check_environment(cls, given: dict[str, str]) -> dict[str, str]:
        for name, value in given.items():
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or "\0" in value:
                raise ConfigError(
                    f"{name!r} is no environment variable that could be set",
                    where="detector.environment",
                    remedy="use letters, digits and '_'",
                )
        return given

    @field_validator("code", mode="after")
    @classmethod
    def _checked(cls, code: str, info: ValidationInfo) -> str:
        return _current_code(code, info.data)

    @model_validator(mode="before")
    @classmethod
    def _code_is_always_looked_at(cls, given: Any) -> Any:
        """A default is not validated, and the digest is filled in where it is checked."""
        return {"code": "", **given} if isinstance(given, dict) else given

    def check_scores(self) -> None:
        """Raises `ConfigError` where there is no command that scores, which is no fault of a model that says its defaults."""
        if not self.score:
            raise ConfigError(
                "there is no command that scores",
                where="detector.score",
                remedy=f"write it into the [detector] section of a method's TOML file: {_EXAMPLE}; see docs/foreign-methods.md",
            )

    def place(self) -> Path:
        """The folder in which the commands are run; raises `ConfigError` if it is not there."""
        folder = folder_of(self.folder)
        if not folder.is_dir():
            raise ConfigError(
                "the folder of the commands is not there",
                where=f"detector.folder, {folder}",
                remedy="set it to where the method lies, or call vadbench from there and leave it out",
            )
        return folder


def folder_of(told: str) -> Path:
    """What a setting ``folder`` means here and now; raises `ConfigError` for a variable that is not set."""
    expanded = os.path.expandvars(told)
    if unset := re.search(r"\$(\w+|\{\w+\})", expanded):
        raise ConfigError(
            f"the environment variable {unset[1].strip('{}')} is not set",
            where=f"detector.folder = {told!r}",
            remedy=f"export {unset[1].strip('{}')}=..., the folder in which the method lies",
        )
    return Path(expanded).expanduser().absolute()


def _current_code(code: str, settings: dict[str, Any]) -> str:
    """The digest of the files that count; ``code`` itself where their folder is not here, as nothing can be run then."""
    if "version_files" not in settings or "folder" not in settings:
        return code  # one of them was refused, which is said by itself
    patterns = settings["version_files"]
    try:
        folder = folder_of(settings["folder"])
    except ConfigError:
        if code:
            return code
        raise
    if not folder.is_dir():
        return code
    if patterns is None:
        files = files_of_words(folder, [*settings.get("fit", ()), *settings.get("score", ())])
    else:
        files = files_of_patterns(folder, patterns)
    found = digest_of_files(folder, files)
    if code and code != found:
        raise ConfigError(
            f"the files of the method are not those that are meant: their digest is {found or 'empty'}, not {code}",
            where=f"detector.code, below {folder}",
            remedy="check out the version of the method that is meant, or leave detector.code out to run what is there",
        )
    return found
