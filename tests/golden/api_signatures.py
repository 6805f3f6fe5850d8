"""What a plug-in can rely on, written down: every public name of vadbench.api, its signature, members, fields and value.

    python tests/golden/api_signatures.py            shows what differs from api_signatures.json
    python tests/golden/api_signatures.py --write    writes it down, unless a plug-in may break and VERSION was not raised

``docs/api-versions.md`` says what may change under one VERSION. Whether a change can break a plug-in depends on who is on the
other side: a class that vadbench makes may gain a method, a protocol that a plug-in implements may not.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

FILE = Path(__file__).with_suffix(".json")
_DUNDERS = ("__call__", "__len__", "__iter__", "__getitem__", "__enter__", "__exit__")
_PLAIN = (bool, int, float, str, type(None))
Described = dict[str, Any]


# --- describing ---------------------------------------------------------------------------------------------------------


def current() -> Described:
    """The public names as they are now."""
    import vadbench.testing
    from vadbench import api
    from vadbench.api.hooks import Hooks

    names: Described = {name: described(getattr(api, name)) for name in api.__all__ if name != "VERSION"}
    names["hooks"] = {"kind": "hooks", "members": _members(Hooks)}
    testing = getattr(vadbench.testing, "__all__", ())
    names |= {f"testing.{name}": described(getattr(vadbench.testing, name)) for name in testing}
    return {"VERSION": api.VERSION, "names": dict(sorted(names.items()))}


def described(value: Any) -> Described:
    """One public value."""
    if inspect.isclass(value):
        return _class(value)
    if inspect.isfunction(value):
        return {"kind": "function", **_signature(value)}
    if typing.get_origin(value) is not None:
        return {"kind": "alias", "value": str(value)}
    if (simple := _simple(value)) is not None:
        return {"kind": "constant", "value": simple}
    if isinstance(value, Mapping):
        return {"kind": "mapping", "keys": sorted(value)}
    cls = type(value)
    told: Described = {"kind": "instance", "class": cls.__name__}
    return {**told, "members": _members(cls)} if cls.__module__.startswith("vadbench.") else told


def _class(cls: type[Any]) -> Described:
    bases = [base.__name__ for base in cls.__bases__ if base not in (object, typing.Protocol, typing.Generic)]
    if getattr(cls, "_is_protocol", False):
        return {"kind": "protocol", "bases": bases, "members": _members(cls)}
    if issubclass(cls, BaseModel):
        return {"kind": "model", "bases": bases, "fields": _fields(cls), "members": _members(cls)}
    kind = "dataclass" if dataclasses.is_dataclass(cls) else "class"
    return {"kind": kind, "bases": bases, "init": _signature(cls), "members": _members(cls)}


def _ours(cls: type[Any]) -> Iterator[type[Any]]:
    """A class and those of vadbench that it derives from, the last first."""
    yield from (each for each in reversed(cls.__mro__) if each.__module__.startswith("vadbench."))


def _members(cls: type[Any]) -> Described:
    found: Described = {}
    for each in _ours(cls):
        fields = {field.name for field in dataclasses.fields(each)} if dataclasses.is_dataclass(each) else set()
        if not issubclass(each, BaseModel):
            annotations = inspect.get_annotations(each)
            found |= {
                name: {"kind": "attribute", "annotation": _text(told)}
                for name, told in annotations.items()
                if not name.startswith("_") and name not in fields
            }
        for name, member in vars(each).items():
            if (name.startswith("_") and name not in _DUNDERS) or name in fields:
                continue
            if told := _member(member):
                found[name] = told
    return dict(sorted(found.items()))


def _member(member: Any) -> Described | None:
    if isinstance(member, property):
        returns = _text(inspect.signature(member.fget).return_annotation) if member.fget else ""
        return {"kind": "attribute", "annotation": returns}
    if isinstance(member, (classmethod, staticmethod)):
        # Without the class, which a caller does not write.
        return {"kind": type(member).__name__, **_signature(member.__func__, skip=isinstance(member, classmethod))}
    if inspect.isfunction(member):
        return {"kind": "method", **_signature(member, skip=True)}
    return None


def _fields(model: type[BaseModel]) -> Described:
    annotations: dict[str, Any] = {}
    for each in _ours(model):
        annotations |= inspect.get_annotations(each)
    found: Described = {}
    for name, field in model.model_fields.items():
        told: Described = {"annotation": _text(annotations.get(name, field.annotation))}
        if field.default_factory is not None:
            told["default"] = "<factory>"
        elif field.default is not PydanticUndefined:
            told["default"] = _text(field.default)
        found[name] = told
    return found


def _signature(function: Callable[..., Any], *, skip: bool = False) -> Described:
    try:
        signature = inspect.signature(function)
    except ValueError:  # of a class that takes what a built-in one takes
        return {"parameters": [], "returns": ""}
    told = []
    for parameter in list(signature.parameters.values())[1 if skip else 0 :]:
        each = {"name": parameter.name, "kind": parameter.kind.name, "annotation": _text(parameter.annotation)}
        if parameter.default is not parameter.empty:
            each["default"] = _text(parameter.default)
        told.append(each)
    return {"parameters": told, "returns": _text(signature.return_annotation)}


def _text(value: Any) -> str:
    """The same in every version of Python: annotations are strings in the source, and stay so."""
    if value is inspect.Signature.empty:
        return ""
    if isinstance(value, str):
        return value
    if inspect.isclass(value):
        return value.__qualname__
    text = repr(value)
    return f"<{type(value).__name__}>" if " at 0x" in text else text


def _simple(value: Any) -> Any:
    """Plain values, tuples and records of such; None for anything else."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (tuple, list)):
        parts = [_simple(each) for each in value]
        return None if None in parts else parts
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = {field.name: _simple(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return told if any(each is not None for each in told.values()) else None
    return None


# --- comparing ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One difference: where, what, and whether a plug-in that was written before may break."""

    where: str
    what: str
    breaking: bool

    def __str__(self) -> str:
        return f"{'may break plug-ins' if self.breaking else 'an addition'}: {self.where}: {self.what}"


def differences(before: Described, after: Described) -> list[Difference]:
    """What differs between two descriptions as `current` gives them, whatever their versions."""
    return list(_of_names(before["names"], after["names"]))


def _of_names(before: Described, after: Described) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        if name not in after:
            yield Difference(name, "was removed", breaking=True)
        elif name not in before:
            yield Difference(name, "is new", breaking=False)
        else:
            yield from _of_value(name, before[name], after[name])


def _of_value(where: str, before: Described, after: Described) -> Iterator[Difference]:
    if before["kind"] != after["kind"]:
        yield Difference(where, f"was a {before['kind']} and is a {after['kind']}", breaking=True)
        return
    for key in ("bases", "value", "class", "annotation"):
        if before.get(key) != after.get(key):
            yield Difference(where, f"its {key}: {before.get(key)} became {after.get(key)}", breaking=True)
    if "keys" in before:
        for key in sorted({*before["keys"], *after["keys"]}):
            if (key in before["keys"]) != (key in after["keys"]):
                yield Difference(f"{where}[{key!r}]", "is new" if key in after["keys"] else "was removed", key in before["keys"])
    # Who implements a protocol would have to take what is new; a hook may leave arguments out.
    implemented = before["kind"] == "protocol"
    if "parameters" in before:
        yield from _of_parameters(where, before, after, implemented=False)
    if "init" in before:
        yield from _of_parameters(where, before["init"], after["init"], implemented=False)
    if "fields" in before:
        yield from _of_fields(where, before["fields"], after["fields"])
    if "members" in before:
        yield from _of_members(where, before["members"], after["members"], implemented=implemented)


def _of_members(where: str, before: Described, after: Described, *, implemented: bool) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        place = f"{where}.{name}"
        if name not in after:
            yield Difference(place, "was removed", breaking=True)
        elif name not in before:
            what = "is new, and implementations lack it" if implemented else "is new"
            yield Difference(place, what, breaking=implemented)
        elif before[name]["kind"] != after[name]["kind"]:
            yield Difference(place, f"was a {before[name]['kind']} and is a {after[name]['kind']}", breaking=True)
        elif before[name]["kind"] == "attribute":
            if before[name] != after[name]:
                what = f"its annotation: {before[name]['annotation']} became {after[name]['annotation']}"
                yield Difference(place, what, breaking=True)
        else:
            yield from _of_parameters(place, before[name], after[name], implemented=implemented)


def _of_parameters(where: str, before: Described, after: Described, *, implemented: bool) -> Iterator[Difference]:
    old = {each["name"]: each for each in before["parameters"]}
    new = {each["name"]: each for each in after["parameters"]}
    for name, each in old.items():
        if name not in new:
            yield Difference(f"{where}({name})", "was removed", breaking=True)
        elif each != new[name]:
            keys = [key for key in ("kind", "annotation", "default") if each.get(key) != new[name].get(key)]
            what = "; ".join(f"its {key}: {each.get(key)} became {new[name].get(key)}" for key in keys)
            yield Difference(f"{where}({name})", what, breaking=True)
    kept = [name for name in old if name in new]
    positional = [name for name, each in new.items() if "POSITIONAL" in each["kind"] and not each["kind"].startswith("VAR")]
    if kept != [name for name in new if name in old]:
        yield Difference(where, "its parameters stand in another order", breaking=True)
    for name, each in new.items():
        if name in old:
            continue
        needed = "default" not in each and not each["kind"].startswith("VAR")
        between = name in positional and any(other in old for other in positional[positional.index(name) + 1 :])
        reason = ", and implementations do not take it" if implemented else ", without a default" if needed else ""
        reason = reason or (", before others that may be given by place" if between else "")
        yield Difference(f"{where}({name})", f"is new{reason}", breaking=bool(reason))
    if before["returns"] != after["returns"]:
        yield Difference(where, f"what it returns: {before['returns']} became {after['returns']}", breaking=True)


def _of_fields(where: str, before: Described, after: Described) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        place = f"{where}.{name}"
        if name not in after:
            yield Difference(place, "was removed", breaking=True)
        elif name not in before:
            needed = "default" not in after[name]
            yield Difference(place, "is new, without a default" if needed else "is new", breaking=needed)
        elif before[name] != after[name]:
            yield Difference(place, f"{before[name]} became {after[name]}", breaking=True)


# --- writing ------------------------------------------------------------------------------------------------------------


def verdict(before: Described, after: Described) -> str | None:
    """What the author of a change has to do; None where nothing differs."""
    found = differences(before, after)
    breaking = [each for each in found if each.breaking]
    raised = after["VERSION"] > before["VERSION"]
    if not found and before["VERSION"] == after["VERSION"]:
        return None
    lines = [str(each) for each in (breaking or found)]
    write = "python tests/golden/api_signatures.py --write"
    if breaking and not raised:
        return "\n".join([*lines, f"raise VERSION in vadbench/api/__init__.py (docs/api-versions.md), then: {write}"])
    return "\n".join([*lines, f"write it down: {write}"])


def write(path: Path, after: Described) -> None:
    """Writes a description down.

    Raises:
        SystemExit: where plug-ins may break and VERSION is still that of the file.
    """
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        breaking = [each for each in differences(before, after) if each.breaking]
        if breaking and after["VERSION"] <= before["VERSION"]:
            raise SystemExit(f"{verdict(before, after)}\nnothing was written")
    path.write_text(json.dumps(after, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Shows what differs, or writes it down."""
    parser = argparse.ArgumentParser(description="Public names of vadbench.api against tests/golden/api_signatures.json")
    parser.add_argument("--write", action="store_true", help="write them down")
    if parser.parse_args(arguments).write:
        write(FILE, current())
        print(f"written: {FILE}")  # noqa: T201
        return
    found = verdict(json.loads(FILE.read_text(encoding="utf-8")), current())
    print(found or "nothing differs")  # noqa: T201
    sys.exit(0 if found is None else 1)


if __name__ == "__main__":
    main()
