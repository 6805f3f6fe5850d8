"""Rules about the class of a component and its settings: what can be seen before one is made.

They come first. Where one of `FOUNDATIONS` fails, no other check of the component could say anything of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

import vadbench.api
from vadbench.api import VadbenchError, did_you_mean
from vadbench.api.entry import METHODS_OF_KIND
from vadbench.testing.conformance import ConformanceError, expect

if TYPE_CHECKING:
    from vadbench.api import Entry, Kind

CONSTRUCTORS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "dataset": ("config", "data_root"),
    "tokenizer": ("config", "poses"),
    "prior": ("config", "tokens", "history"),
    "flow": ("config", "poses", "condition"),
    "scorer": ("config",),
    "detector": ("config", "poses"),
}
"""What the harness makes a component with, as the table in `vadbench.api.contracts` has it; all of it by position."""

_CONFIG: Final = "ComponentConfig in vadbench.api.config"
_DECLARED: Final = "docs/checking.md, expected failures"
_ODD_KEY: Final = "no_component_has_this_setting"


def check_importable(entry: Entry) -> None:
    """The class can be imported from the target it was registered with, and has its contract's methods."""
    entry.load()


def check_settings(entry: Entry) -> None:
    """The config model is a ComponentConfig whose defaults are valid without any setting, and it refuses unknown keys."""
    entry.load()
    model = entry.load_config()
    name = model.__name__
    try:
        made = model()
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or name}: {e['msg']}" for e in error.errors())
        expect(False, f"{name}() to be valid, as a run without settings makes it", faults, _CONFIG)
        return
    # Defaults are not validated when a model is made: written out and read back, they are.
    try:
        model.model_validate(made.model_dump())
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or name}: {e['msg']}" for e in error.errors())
        expect(False, f"defaults of {name} that its own rules allow", faults, _CONFIG)
    try:
        model.model_validate({_ODD_KEY: 1})
    except ValidationError:
        return
    expect(False, f"{name} to refuse a key that it does not have", "one that it takes in silence", _CONFIG)


def check_signatures(entry: Entry) -> None:
    """Constructor and methods take what the harness passes them, by position."""
    cls = entry.load()
    _check_call(cls, cls, CONSTRUCTORS[entry.kind], cls.__name__, "vadbench.api.contracts, how the harness makes one")
    for protocol, method in _methods(entry.kind):
        wanted = tuple(list(inspect.signature(getattr(protocol, method)).parameters)[1:])
        place = f"{protocol.__name__} in {protocol.__module__}"
        _check_call(cls, getattr(cls, method), wanted, method, place)


def check_expected_failures(entry: Entry) -> None:
    """``expected_failures``, where a class has it, names checks of its kind and says why each of them fails."""
    from vadbench.testing.checks import check_names

    cls = entry.load()
    declared = getattr(cls, "expected_failures", {})
    expect(isinstance(declared, Mapping), "expected_failures to map names of checks to reasons", repr(declared), _DECLARED)
    known = {known for name in check_names(entry.kind) for known in (name, name.partition("[")[0])}
    for name, reason in declared.items():
        if name not in known:
            raise ConformanceError(
                f"expected_failures of checks that a {entry.kind} has", repr(name), _DECLARED, did_you_mean(str(name), known)
            )
        expect(isinstance(reason, str) and reason.strip(), f"a reason why {name} fails", repr(reason), _DECLARED)
        expect(name not in FOUNDATIONS, "expected_failures of rules that can be left unkept", repr(name), _DECLARED)


def declared_failures(entry: Entry) -> dict[str, str]:
    """Check name, with or without brackets, to the reason why it fails; empty where the class cannot say."""
    try:
        declared = getattr(entry.load(), "expected_failures", {})
    except VadbenchError:
        return {}
    return {str(name): str(reason) for name, reason in declared.items()} if isinstance(declared, Mapping) else {}


def _methods(kind: Kind) -> list[tuple[type[Any], str]]:
    """The methods of a kind's contract with the protocol that each stands in."""
    own = getattr(vadbench.api, kind.capitalize())
    stateful = vadbench.api.Stateful
    return [(stateful if hasattr(stateful, method) else own, method) for method in METHODS_OF_KIND[kind]]


def _check_call(cls: type[Any], function: Any, wanted: tuple[str, ...], name: str, place: str) -> None:
    """Raises `ConformanceError` unless ``function`` can be called with so many arguments by position."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a class or function of a compiled module tells nothing
        return
    bound = inspect.isclass(function) or _is_bound(cls, name)
    given = wanted if bound else ("self", *wanted)
    try:
        signature.bind(*given)
    except TypeError as error:
        own = tuple(str(p).partition(":")[0].partition("=")[0].strip() for p in signature.parameters.values())
        shown = own if bound else own[1:]
        raise ConformanceError(_call(name, wanted), f"{_call(name, shown)}: {error}", place) from None


def _is_bound(cls: type[Any], name: str) -> bool:
    return isinstance(inspect.getattr_static(cls, name, None), (staticmethod, classmethod))


def _call(name: str, parameters: tuple[str, ...]) -> str:
    return f"{name}({', '.join(parameters)})"


IMPORTABLE: Final = "importable"
"""Name of the check that the others of the class rest on."""
FOUNDATIONS: Final = frozenset({IMPORTABLE, "settings", "signatures", "can_be_made", "can_be_fitted"})
"""Names of the checks that every later one rests on, the last two for each build of a component by itself."""

CHECKS: Final[tuple[Callable[[Entry], None], ...]] = (
    check_importable,
    check_settings,
    check_signatures,
    check_expected_failures,
)
"""Of every kind."""
