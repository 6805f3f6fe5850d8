"""The settings of a component, in words: what its config model accepts, and what each key does."""

from __future__ import annotations

import inspect
import re
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from vadbench.api import ComponentConfig

_BOUNDS: Final = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a config model.

    Args:
        name: The key; on the command line ``--set KIND.<name>=VALUE``.
        type: What it takes, in words: ``int, >= 1``, ``json or csv``.
        choices: The values it takes, where they are listed; else empty.
        default: As plain values; None also where there is none.
        required: Whether there is no default.
        description: What it does.
    """

    name: str
    type: str
    choices: tuple[str, ...]
    default: Any
    required: bool
    description: str


def settings_of(model: type[ComponentConfig]) -> list[Setting]:
    """Every key of a config model, in its order.

    A key's description is the one its field was given, else the one under ``Args:`` in the docstring of the model or of a
    model that it extends.
    """
    from pydantic_core import to_jsonable_python

    told: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        told |= _described_in(inspect.cleandoc(cls.__doc__ or ""))
    return [
        Setting(
            name=name,
            type=", ".join([_type_name(field.annotation), *_bounds(field)]),
            choices=tuple(_choices(field.annotation)),
            default=None if field.is_required() else to_jsonable_python(field.get_default(call_default_factory=True)),
            required=field.is_required(),
            description=(field.description or told.get(name, "")).replace("``", ""),
        )
        for name, field in model.model_fields.items()
    ]


def _bounds(field: FieldInfo) -> list[str]:
    return [f"{sign} {getattr(mark, name)}" for mark in field.metadata for name, sign in _BOUNDS.items() if hasattr(mark, name)]


def _choices(annotation: Any) -> list[str]:
    """The values of a literal type, alone or beside others."""
    parts = get_args(annotation)
    if get_origin(annotation) is Literal:
        return [str(part) for part in parts]
    united = get_origin(annotation) in (Annotated, Union, types.UnionType)
    return [choice for part in parts for choice in _choices(part)] if united else []


def _type_name(annotation: Any) -> str:
    """``int``, ``text``, ``json or csv``, ``(int, int) or none``, ``list of text``."""
    from pydantic import BaseModel

    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(parts[0])
    if origin in (Literal, Union, types.UnionType):
        return " or ".join(str(part) if origin is Literal else _type_name(part) for part in parts)
    if origin in (tuple, list, set, frozenset):
        fixed = origin is tuple and parts[-1] is not Ellipsis
        return f"({', '.join(map(_type_name, parts))})" if fixed else f"list of {_type_name(parts[0])}"
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel | dict)):
        return "table"
    plain = {str: "text", bool: "true or false", float: "number", type(None): "none"}
    return plain.get(annotation) or getattr(annotation, "__name__", str(annotation)).lower()


def _described_in(docstring: str) -> dict[str, str]:
    """Name to text of what stands under ``Args:`` in a docstring of Google's form."""
    _, _, section = docstring.partition("Args:\n")
    entries: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if not line.startswith("    "):
            break
        begins = re.match(r" {4}(\w+): (.*)", line)
        if begins:
            name, entries[begins[1]] = begins[1], begins[2]
        elif name:
            entries[name] += f" {line.strip()}"
    return entries
