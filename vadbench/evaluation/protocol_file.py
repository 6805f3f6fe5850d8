"""A user's own protocol, from a TOML file: every step by name, on its own or as changes to a protocol that is there."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from pydantic import TypeAdapter, ValidationError

from vadbench.api import ConfigError, UsageError, did_you_mean
from vadbench.data.user_paths import expanded
from vadbench.evaluation.protocol import HUMAN_RELATED, Pipeline, Protocol
from vadbench.evaluation.published_protocols import PROTOCOLS, protocol_named

if TYPE_CHECKING:
    from pathlib import Path

_KEYS: Final = ("name", "version", "source", "notes", "base", "pipeline", "per-dataset")
_STEPS: Final = tuple(each.name for each in fields(Pipeline))


def named_or_file(text: str) -> Protocol:
    """The protocol of a name, or of the path of a TOML file.

    Raises:
        UsageError: for an unknown name.
        ConfigError: as `load_protocol` does.
    """
    if text.endswith(".toml") and text not in PROTOCOLS:
        return load_protocol(expanded(text))
    try:
        return protocol_named(text)
    except UsageError as error:
        raise UsageError(error.what, remedy=f"{error.remedy} (a file of your own ends in .toml)") from None


def load_protocol(path: Path) -> Protocol:
    """Reads a protocol.

    The keys are ``name``, ``version`` (1 by default), ``source``, ``notes``, the section ``pipeline`` with the steps of
    `Pipeline`, and sections ``per-dataset.NAME`` with what is different there. With ``base``, the name of a protocol, steps
    that are not given are those of the base, per data set as well.

    Raises:
        ConfigError: for a file that cannot be read, an unknown key, a value that a step cannot take, or the name of a
            protocol that comes with vadbench.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the protocol cannot be read: {error.strerror}", where=path, remedy="check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the protocol is not TOML: {error}", where=path, remedy="see docs/evaluation.md") from error
    _check_keys(raw, _KEYS, path, "")
    name = _text(raw, "name", path)
    if name in PROTOCOLS:
        raise ConfigError(
            f"{name!r} is a protocol that comes with vadbench", where=f"{path}, name", remedy="give yours another name"
        )
    base = _base(raw, path)
    changes = _section(raw.get("pipeline", {}), path, "pipeline")
    pipeline = _pipeline(base.pipeline.settings() | changes, path, "pipeline")
    own = _table(raw.get("per-dataset", {}), path, "per-dataset")
    per_dataset = {data: _pipeline(steps.settings() | changes, path, "pipeline") for data, steps in base.per_dataset}
    for data, values in own.items():
        where = f"per-dataset.{data}"
        if data.startswith(HUMAN_RELATED):
            whole = data.removeprefix(HUMAN_RELATED)
            remedy = f"write [per-dataset.{whole}]; it holds for both"
            raise ConfigError(f"{data} has the steps of {whole}", where=f"{path}, {where}", remedy=remedy)
        start = per_dataset.get(data, pipeline).settings()
        per_dataset[data] = _pipeline(start | _section(values, path, where), path, where)
    version, notes = raw.get("version", 1), raw.get("notes", [])
    if type(version) is not int or version < 1:
        raise ConfigError(f"a version is a whole number from 1 (given: {version!r})", where=f"{path}, version")
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise ConfigError(f"notes are a list of sentences (given: {notes!r})", where=f"{path}, notes")
    source = raw.get("source", f"{path.name}, a user's protocol")
    if not isinstance(source, str):
        raise ConfigError(f"a source is a sentence (given: {source!r})", where=f"{path}, source")
    return Protocol(
        name=name,
        version=version,
        pipeline=pipeline,
        source=source,
        per_dataset=tuple(sorted(per_dataset.items())),
        notes=tuple(notes),
    )


def _base(raw: dict[str, Any], path: Path) -> Protocol:
    if "base" not in raw:
        return Protocol("", 1, Pipeline(), "")
    try:
        return protocol_named(_text(raw, "base", path))
    except UsageError as error:
        raise ConfigError(error.what, where=f"{path}, base", remedy=error.remedy) from None


def _text(raw: dict[str, Any], key: str, path: Path) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"the protocol has no {key}", where=path, remedy=f'add {key} = "..."')
    return value


def _table(value: Any, path: Path, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"a section was expected (given: {value!r})", where=f"{path}, {where}", remedy=f"write it as [{where}]")
    return value


def _section(value: Any, path: Path, where: str) -> dict[str, Any]:
    steps = _table(value, path, where)
    _check_keys(steps, _STEPS, path, where)
    return steps


def _check_keys(given: dict[str, Any], known: tuple[str, ...], path: Path, where: str) -> None:
    for key in given:
        if key not in known:
            place = f"{path}, {where}.{key}" if where else f"{path}, {key}"
            raise ConfigError(f"unknown key {key!r}", where=place, remedy=did_you_mean(key, known))


def _pipeline(steps: dict[str, Any], path: Path, where: str) -> Pipeline:
    kinds = get_type_hints(Pipeline)
    checked = {}
    for name, value in steps.items():
        try:
            # Strict, so that true is no number and "3" neither; TOML has lists where a pipeline has tuples.
            checked[name] = TypeAdapter(kinds[name]).validate_python(_frozen(value), strict=True)
        except ValidationError as error:
            # A step that takes several kinds of values has an error for each.
            said = " or ".join(dict.fromkeys(each["msg"] for each in error.errors()))
            raise ConfigError(
                f"{said} (given: {value!r})", where=f"{path}, {where}.{name}", remedy="see docs/evaluation.md for its values"
            ) from None
    try:
        return Pipeline(**checked)
    except ConfigError as error:
        step = (error.where or "").removeprefix("protocol, ")
        raise ConfigError(error.what, where=f"{path}, {where}.{step}", remedy=error.remedy) from None


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value
