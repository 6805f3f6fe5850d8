"""The version of a class of a notebook, a script or a console: a digest over the source that decides what it does."""

from __future__ import annotations

import ast
import hashlib
import inspect
import linecache
import sys
import textwrap
import uuid
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from vadbench.engine.code_digests import digest_of_files, local_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OF_INSTALLED: Final = ("builtins", "numpy", "types", "typing", "vadbench.api.registered")
"""Modules of types whose values, where they are no data, are of installed code: builtin functions, type variables, ufuncs."""
_PLAIN: Final = (bool, int, float, complex, str, bytes, type(None), Path)


class _UnknownError(Exception):
    """Something of which it cannot be told whether it is still the same."""


def digest_of_classes(classes: Iterable[type[Any]]) -> str:
    """``sha256:`` and 12 hex digits over the source of classes and of all that they use of their own module.

    That is functions, classes, plain values and files beside a script, directly and by way of others. ``unknown:`` and a number
    that never comes again where the source cannot be got, or something that is used cannot be compared: then no run is reused.
    """
    seen: dict[str, str] = {}
    try:
        for cls in classes:
            _add(cls, seen)
    except (_UnknownError, OSError, TypeError, SyntaxError, RecursionError):
        return f"unknown:{uuid.uuid4().hex[:12]}"
    text = "\0".join(f"{name}\0{source}" for name, source in sorted(seen.items()))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _add(value: type[Any] | FunctionType, seen: dict[str, str]) -> None:
    name = f"{value.__module__}.{value.__qualname__}"
    if name in seen:
        return
    source = _source_of(value)
    seen[name] = source
    space = vars(sys.modules[value.__module__]) if value.__module__ in sys.modules else {}
    closed = _closed_over(value)
    for used in sorted(_names_in(source)):
        if used in closed or used in space:
            _add_value(f"{value.__module__}.{used}", closed.get(used, space.get(used)), value.__module__, seen)
    for base in value.__bases__ if isinstance(value, type) else ():
        if base.__module__ == value.__module__:
            _add(base, seen)


def _add_value(name: str, value: Any, module: str, seen: dict[str, str]) -> None:
    if isinstance(value, ModuleType):
        _add_files(value, seen)
    elif isinstance(value, (type, FunctionType)):
        if value.__module__ == module:
            _add(value, seen)
        elif value.__module__ in sys.modules:
            _add_files(sys.modules[value.__module__], seen)
    elif (plain := _plain(value)) is not None:
        seen[name] = plain
    elif type(value).__module__ not in _OF_INSTALLED:
        raise _UnknownError(name)


def _plain(value: Any) -> str | None:
    """Text of a plain value or a container of such; None for another."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, (tuple, list)):
        parts = [_plain(each) for each in value]
    elif isinstance(value, (set, frozenset)):
        parts = sorted([_plain(each) for each in value], key=str)
    elif isinstance(value, dict):
        parts = [_plain(each) for pair in value.items() for each in pair]
    elif hasattr(value, "tobytes") and hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    else:
        return None
    return None if None in parts else f"{type(value).__name__}({', '.join(map(str, parts))})"


def _add_files(module: ModuleType, seen: dict[str, str]) -> None:
    """A module that lies beside the script or notebook counts by its contents; an installed one has its version elsewhere."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return
    path = Path(file).resolve()
    standard = Path(inspect.__file__).resolve().parent
    if {"site-packages", "dist-packages"} & set(path.parts) or path.is_relative_to(standard):
        return
    if module.__name__.partition(".")[0] == "vadbench":  # it counts in every run
        return
    seen[f"file {module.__name__}"] = digest_of_files(path.parent, local_files(path))


def _source_of(value: type[Any] | FunctionType) -> str:
    """Source of a function or class; a class of a notebook is looked up in the cell that its methods were defined in.

    Raises:
        OSError, TypeError: where it cannot be got.
    """
    if isinstance(value, FunctionType):
        return textwrap.dedent(inspect.getsource(value))
    try:
        return textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        for code in _codes_of(value):
            if source := _class_in(linecache.getlines(code.co_filename), value.__qualname__):
                return source
        if fields := _fields_of(value):
            return fields
        raise


def _codes_of(cls: type[Any]) -> Iterator[CodeType]:
    for member in vars(cls).values():
        function = getattr(member, "__func__", None) or getattr(member, "fget", None) or member
        if isinstance(function, FunctionType) and function.__module__ == cls.__module__:
            yield function.__code__


def _class_in(lines: list[str], qualname: str) -> str | None:
    """The last definition of a class in a cell."""
    text = "".join(lines)
    wanted = qualname.rpartition(".")[2]
    found = None
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and node.name == wanted:
            found = ast.unparse(node)
    return found


def _fields_of(cls: type[Any]) -> str | None:
    """The fields of a pydantic model without methods of its own, whose cell nothing tells; None of another class."""
    fields = getattr(cls, "model_fields", None)
    if not isinstance(fields, dict) or any(True for _ in _codes_of(cls)):
        return None
    told = repr(sorted(fields.items()))
    return None if " at 0x" in told else told


def _closed_over(value: type[Any] | FunctionType) -> dict[str, Any]:
    """Values of the enclosing function that a function or a class's methods use."""
    functions = [value] if isinstance(value, FunctionType) else [m for m in vars(value).values() if isinstance(m, FunctionType)]
    found: dict[str, Any] = {}
    for function in functions:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if name != "__class__":
                try:
                    found[name] = cell.cell_contents
                except ValueError:
                    continue
    return found


def _names_in(source: str) -> set[str]:
    """Names that a piece of source reads."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
