"""What belongs to the whole process, and so to every component in it: read, compared and put back, from one list.

A component that turns torch's gradients off, or changes the directory, would otherwise do so for every method after it.
Libraries that are not imported are not imported for that.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import operator
import os
import random
import signal
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from vadbench.api.library_state import LIBRARY_PARTS, Part, is_there

WORKING_DIRECTORY: Final = "the working directory"
ENVIRONMENT: Final = "os.environ"
IMPORT_PATH: Final = "sys.path"
WARNINGS: Final = "the filters of warnings"
_OURS: Final = "vadbench"
_LEFT: Final = "KMP_"
"""Environment variables that begin so are left: scikit-learn sets them for libraries that are loaded after it."""


@dataclass(slots=True)
class Changes:
    """What a block changed, by names for people; there when it has ended."""

    names: tuple[str, ...] = ()


@contextmanager
def process_kept(*, but: Collection[str] = ()) -> Iterator[Changes]:
    """Puts back, when the block ends, whatever it changed of the process; its result says what that was.

    Threads that it started, modules that it imported and files that it wrote stay.

    Args:
        but: Names of parts that are left as they are.
    """
    before, changes = process_state(but=but), Changes()
    try:
        yield changes
    finally:
        changes.names = _put_back(before)


def process_state(*, but: Collection[str] = ()) -> dict[str, Any]:
    """The state of the process, by names for people; None for a library that is not imported."""
    return {part.name: part.read() if is_there(part) else None for part in _PARTS if part.name not in but}


def changed_parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs between two states; a library that was imported in between differs where it is not as it comes."""
    parts = [part for part in _PARTS if part.name in before and after.get(part.name) is not None]
    return [part.name for part in parts if _differs(part, before[part.name], after[part.name])]


def imported(module: str) -> ModuleType:
    """Imports a module of a component. What that changes of the process is put back.

    Folders that the module puts on the import path, so that it finds more when it is used, stay there, but behind all others.
    """
    if module in sys.modules:
        return importlib.import_module(module)
    with import_path_behind(), process_kept(but=(IMPORT_PATH,)):
        return importlib.import_module(module)


@contextmanager
def import_path_behind() -> Iterator[None]:
    """Folders that the block puts on the import path stand at its end afterwards, so that they hide nothing of others."""
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = [*before, *(folder for folder in dict.fromkeys(sys.path) if folder not in before)]


def _put_back(before: Mapping[str, Any]) -> tuple[str, ...]:
    names = []
    # One after another, as one part may show through another: the default device decides the type of a tensor.
    for part in _PARTS:
        if part.name not in before or not is_there(part):
            continue
        value = before[part.name]
        if _differs(part, value, part.read()):
            names.append(part.name)
            part.write(value if value is not None or part.fresh is None else part.fresh())
    return tuple(names)


def _differs(part: Part, before: Any, after: Any) -> bool:
    if before is None:
        if part.fresh is None:
            return False
        before = part.fresh()
    return not part.same(before, after)


# --- Python's own -------------------------------------------------------------------------------------------------------


def _directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as it is, for os.chdir
    except OSError:  # it is gone
        return ""


def _to_directory(path: str) -> None:
    with contextlib.suppress(OSError):
        os.chdir(path)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_LEFT)}


def _set_environment(before: dict[str, str]) -> None:
    for name in set(_environment()) - set(before):
        del os.environ[name]
    os.environ.update(before)


def _umask() -> int:
    value = os.umask(0o077)  # it cannot be read otherwise
    os.umask(value)
    return value


def _set_filters(filters: list[Any]) -> None:
    warnings.resetwarnings()  # which also makes every module ask again
    warnings.filters[:] = filters  # type: ignore[index] # typeshed has a sequence; it is a list


def _collect_garbage(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()


def _other_handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals() - {signal.SIGINT, signal.SIGTERM}}


def _set_handlers(handlers: Mapping[int, Any]) -> None:
    for number, handler in handlers.items():
        if signal.getsignal(number) != handler and handler is not None:  # None: one that is not Python's
            with contextlib.suppress(ValueError, OSError):  # in another thread than the main one nobody can set any
                signal.signal(number, handler)


def _of_signal(name: str, number: int) -> Part:
    return Part(name, lambda: signal.getsignal(number), lambda handler: _set_handlers({number: handler}))


def _logger_state(logger: logging.Logger) -> tuple[Any, ...]:
    return (logger.level, logger.disabled, logger.propagate, list(logger.handlers), list(logger.filters))


def _set_logger(logger: logging.Logger, state: tuple[Any, ...]) -> None:
    level, logger.disabled, logger.propagate, handlers, filters = state
    logger.setLevel(level)
    logger.handlers[:], logger.filters[:] = handlers, filters


def _root_logger() -> tuple[Any, ...]:
    return (logging.root.manager.disable, *_logger_state(logging.root))


def _set_root_logger(state: tuple[Any, ...]) -> None:
    logging.disable(state[0])
    _set_logger(logging.root, state[1:])


def _own_loggers() -> dict[str, tuple[Any, ...]]:
    """Those of vadbench: a configuration of logging may switch them off."""
    logging.getLogger(_OURS)
    known = {name: logger for name, logger in logging.root.manager.loggerDict.items() if isinstance(logger, logging.Logger)}
    return {name: _logger_state(logger) for name, logger in known.items() if name.partition(".")[0] == _OURS}


def _same_own_loggers(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return all(after.get(name) == state for name, state in before.items())  # more of them are no change


def _set_own_loggers(before: dict[str, Any]) -> None:
    for name, state in before.items():
        _set_logger(logging.getLogger(name), state)


def _stream(name: str) -> Part:
    return Part(f"sys.{name}", lambda: getattr(sys, name), lambda stream: setattr(sys, name, stream), same=operator.is_)


_PARTS: Final[tuple[Part, ...]] = (
    Part(WORKING_DIRECTORY, _directory, _to_directory),
    Part(ENVIRONMENT, _environment, _set_environment),
    Part(IMPORT_PATH, lambda: list(sys.path), lambda folders: operator.setitem(sys.path, slice(None), folders)),
    Part("sys.argv", lambda: list(sys.argv), lambda arguments: setattr(sys, "argv", arguments)),
    _stream("stdin"),
    _stream("stdout"),
    _stream("stderr"),
    _stream("excepthook"),
    Part("the limit of recursion", sys.getrecursionlimit, sys.setrecursionlimit),
    Part("garbage collection", gc.isenabled, _collect_garbage),
    Part("the umask", _umask, os.umask),
    Part("the state of Python's random", random.getstate, random.setstate, generator=True),
    _of_signal("the handler of Ctrl-C", signal.SIGINT),
    _of_signal("the handler of SIGTERM", signal.SIGTERM),
    Part("the handlers of signals", _other_handlers, _set_handlers),
    Part(WARNINGS, lambda: list(warnings.filters), _set_filters),
    Part("warnings.showwarning", lambda: warnings.showwarning, lambda function: setattr(warnings, "showwarning", function)),
    Part("the root logger", _root_logger, _set_root_logger),
    Part("vadbench's loggers", _own_loggers, _set_own_loggers, same=_same_own_loggers),
    *LIBRARY_PARTS,
)
GENERATORS: Final = frozenset(part.name for part in _PARTS if part.generator)
"""Names of the parts that are states of random generators."""
