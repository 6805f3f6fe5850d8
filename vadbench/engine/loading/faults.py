"""What a plug-in raised while it was loaded, as a cause, a remedy, and a traceback of its own files."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import re
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vadbench.api.errors import ConfigError, VadbenchError, did_you_mean
from vadbench.api.faults import ENDS, said
from vadbench.api.requirements import install_command

if TYPE_CHECKING:
    from vadbench.engine.loading.sources import PluginSource

_OURS: Final = Path(__file__).resolve().parents[1]
_CHAIN: Final = 20
"""Exceptions of a chain whose own causes are shown."""
_MACHINERY: Final = re.compile(r"<frozen importlib|[/\\]importlib[/\\]|[/\\]pluggy[/\\]")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a plug-in failed; see `PluginStatus` for the fields."""

    cause: str
    remedy: str
    traceback: str
    api_version: int | None = None


def fault_of(error: BaseException, source: PluginSource, *, api_version: int | None = None) -> Fault:
    """The fault that an exception is; whatever that may be, it is told, if only by its type."""
    try:
        told = _trimmed(error)
        place = next((f"{frame.filename}, line {frame.lineno}" for frame in reversed(_own_frames(told, source))), None)
        cause, remedy = _told(error, source, place)
        text = "".join(told.format()).rstrip("\n")
    except ENDS:
        raise
    except BaseException:  # an exception may have any code in it
        where = source.where
        cause, remedy, text = f"{said(error)}, raised in {where}", f"correct {where}", said(error)
    # Without frames of its own, as of a syntax error, there is no heading in some versions of Python.
    heading = "Traceback (most recent call last):\n"
    shown = text if heading in text else heading + text
    return Fault(printable(cause) if cause.strip() else type(error).__name__, printable(remedy), printable(shown), api_version)


def printable(text: str) -> str:
    """A text that any stream takes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _told(error: BaseException, source: PluginSource, place: str | None) -> tuple[str, str]:
    text = said(error)
    where = place or source.where
    cause, remedy = f"{text}, raised in {where}", f"correct {where}; vadbench plugin list --traceback shows the way there"
    if isinstance(error, VadbenchError):
        # Of a setting it is to be said where it stands: in a preset, which is another file than the hook's.
        at = f", in {error.where}" if isinstance(error, ConfigError) and error.where else ""
        cause, remedy = f"{error.what}{at}", str(error.remedy or f"correct {where}")
    elif isinstance(error, SyntaxError):
        line = f"line {error.lineno} of {error.filename}" if error.filename else source.where
        cause, remedy = f"{type(error).__name__}: {error.msg}, in {line}", f"correct {line}"
    elif isinstance(error, ModuleNotFoundError) and error.name and isinstance(error.name, str):
        cause, remedy = _missing_module(error.name, source, text, where)
    elif isinstance(error, ImportError):
        cause, remedy = f"{text}, imported in {where}", _missing_name(error, where)
    elif isinstance(error, SystemExit):
        cause = f"it ends the process when it is loaded (SystemExit: {error}), in {where}"
        remedy = 'leave out the call, or put what the file does as a program under if __name__ == "__main__":'
    elif isinstance(error, AttributeError) and place is None and source.origin != "process":
        cause, remedy = text, "correct the entry point: it names something that its module does not have"
    return cause, remedy


def _missing_module(name: str, source: PluginSource, text: str, where: str) -> tuple[str, str]:
    """A dependency that is not installed, or a misspelt module of the plug-in's own or of vadbench."""
    top = name.partition(".")[0]
    if source.module is not None and (source.module == name or source.module.startswith(f"{name}.")):
        known = _modules_beside(name)
        hint = f"; {did_you_mean(name, known)}" if known else ""
        remedy = f"correct the entry point, or install {source.distribution} again{hint}"
        return f"{text}: the entry point names a module that is not there", remedy
    own = source.module.partition(".")[0] if source.module else None
    if top in (own, "vadbench"):
        known = _modules_beside(name)
        return f"{text}, imported in {where}", f"{name.rpartition('.')[0]} has no such module: {did_you_mean(name, known)}"
    beside = _files_beside(source)
    if near := difflib.get_close_matches(top, beside, n=1, cutoff=0.75):
        shown = f"{own}.{near[0]}" if source.module and "." in source.module else near[0]
        return f"{text}, imported in {where}", f"did you mean the plug-in's own module {shown}? Else: {install_command([name])}"
    plugin = source.name if source.origin == "installed" else None
    return f"it needs {top}, which is not installed ({text})", install_command([top], plugin=plugin)


def _modules_beside(name: str) -> list[str]:
    """Modules of the package that ``name`` should be in, as they are imported."""
    package = name.rpartition(".")[0]
    if not package:
        return []
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError, AttributeError):
        return []
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec is not None else []
    return sorted(f"{package}.{stem}" for folder in folders for stem in _stems(folder))


def _files_beside(source: PluginSource) -> list[str]:
    """Modules in the folder of the file with the hook."""
    folder = Path(source.where).parent
    return [stem for stem in _stems(folder) if stem != Path(source.where).stem] if Path(source.where).is_file() else []


def _stems(folder: Path) -> list[str]:
    try:
        paths = list(folder.iterdir())
    except OSError:
        return []
    return sorted({path.stem for path in paths if path.suffix == ".py" or (path / "__init__.py").is_file()} - {"__init__"})


def _missing_name(error: ImportError, where: str) -> str:
    """A name that a module does not have: misspelt, or of another version of that module."""
    found = re.search(r"cannot import name '([^']+)'", str(error))
    if found is None or not isinstance(error.name, str):
        return f"install again what {error.name or 'it imports'} belongs to, or correct {where}"
    try:
        known = dir(importlib.import_module(error.name))
    except ENDS:
        raise
    except BaseException:  # it is only asked for a better remedy
        known = []
    near = difflib.get_close_matches(found[1], known, n=1, cutoff=0.6)
    meant = f"did you mean {near[0]}? " if near else ""
    top = error.name.partition(".")[0]
    return f"{meant}If the name is right, another version of {top} has it: pip install --upgrade {top}"


def _trimmed(error: BaseException) -> traceback.TracebackException:
    """What is told of an exception and of the first few that it comes from.

    Frames of vadbench's own and of the import system are left out: they are the same for every plug-in.
    """
    told = traceback.TracebackException.from_exception(error)
    pending = [told]
    for count in range(_CHAIN):
        pending += [each for each in (pending[count].__cause__, pending[count].__context__) if each is not None]
        if count + 1 == len(pending):
            break
    for each in pending:
        frames = [frame for frame in each.stack if not _is_machinery(frame.filename)]
        each.stack = traceback.StackSummary.from_list(frames)
    for each in pending[_CHAIN:]:
        each.__cause__ = each.__context__ = None
    return told


def _is_machinery(filename: str) -> bool:
    if _MACHINERY.search(filename):
        return True
    return not filename.startswith("<") and Path(filename).resolve().is_relative_to(_OURS)


def _own_frames(told: traceback.TracebackException, source: PluginSource) -> list[traceback.FrameSummary]:
    """Frames in the plug-in's own folder; all that are left, where there is none."""
    folder = Path(source.where).resolve().parent
    own = [frame for frame in told.stack if Path(frame.filename).resolve().is_relative_to(folder)]
    return own or list(told.stack)
