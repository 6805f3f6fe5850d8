"""Walking everything that can be reached from an object: what a plug-in could find in what it is given."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import numpy as np

# These belong to the whole process, and lead to everything there is: whoever imports a module has them anyway.
_CUT_OFF: Final = (type, ModuleType, BuiltinFunctionType, CodeType, logging.Manager, logging.RootLogger)


def everything_reachable(*roots: object) -> Iterator[Any]:
    """Every object that attributes, items, closures and bound methods lead to, each once, roots first.

    Modules, classes, builtins and the globals of a function are not entered.
    """
    seen: dict[int, object] = {}
    coming: list[object] = list(roots)
    while coming:
        found = coming.pop()
        if id(found) in seen or isinstance(found, _CUT_OFF):
            continue
        seen[id(found)] = found  # kept, so that no other object takes its id
        yield found
        coming += _next(found)


def _next(found: Any) -> list[Any]:
    if isinstance(found, FunctionType):
        cells = [cell.cell_contents for cell in found.__closure__ or () if cell != type(cell)()]
        return [*cells, *(found.__defaults__ or ()), *(found.__kwdefaults__ or {}).values(), found.__dict__]
    if isinstance(found, MethodType):
        return [found.__self__, found.__func__]
    if isinstance(found, partial):
        return [found.func, found.args, found.keywords]
    if isinstance(found, np.ndarray):
        items = list(found.flat) if found.dtype == object else []
        return [found.base, getattr(found, "__dict__", None), *items]
    return gc.get_referents(found)
