"""``python -m vadbench.testing.plugin_probe FILE``: loads one plug-in in a process of its own and writes down what that did.

Nothing is judged here; see `vadbench.testing.plugin_checks`. ``FILE`` says which plug-in and is overwritten with the facts.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from vadbench.api.errors import PluginError
from vadbench.api.process_state import IMPORT_PATH, changed_parts, process_state
from vadbench.api.registry import Registry
from vadbench.engine.loading.hook import registered_components
from vadbench.engine.loading.sources import PluginSource, installed_sources, sources_at
from vadbench.engine.plugins import FOLDERS_VARIABLE

HEAVY: Final = ("torch", "numpy", "pandas", "scipy", "sklearn", "matplotlib")
"""Packages whose import takes longer than a command such as ``vadbench list`` may."""

THREADS: Final = "the running threads"


def main() -> None:
    """Reads which plug-in, loads it, writes the facts."""
    file = Path(sys.argv[1])
    wanted = json.loads(file.read_text(encoding="utf-8"))
    source = find_source(wanted)
    print_to = os.open(wanted["printed"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(print_to, 1)
    os.dup2(print_to, 2)
    before = _state(source)
    heavy = {name for name in HEAVY if name in sys.modules}
    begun = time.process_time()
    error: BaseException | None = None
    try:
        registered_components(source.load(), source.name, Registry())
    except BaseException as raised:  # whatever a plug-in raises, what it did until then is told
        error = raised
    seconds = time.process_time() - begun
    after = _state(source)
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if stream is not None and not stream.closed:
            stream.flush()
    facts = {
        "imported": sorted({name for name in HEAVY if name in sys.modules} - heavy),
        "cpu_seconds": seconds,
        "changed": sorted([*changed_parts(before, after), *([THREADS] if before[THREADS] != after[THREADS] else [])]),
        "error": None if error is None else f"{type(error).__name__}: {error}",
    }
    file.write_text(json.dumps(facts), encoding="utf-8")
    # Without what a plug-in registered for the end of the process, and without waiting for its threads.
    os._exit(0)


def find_source(wanted: dict[str, str | None]) -> PluginSource:
    """The source that was asked for, found again in this process."""
    sought = (wanted["distribution"], wanted["where"], wanted["name"])
    path = wanted["path"]
    found = found_sources() if path is None else sources_at(Path(path))
    return next(source for source in found if (source.distribution, source.where, source.name) == sought)


def found_sources() -> list[PluginSource]:
    """Every source that a command finds: the installed ones, and those of the folders that it is pointed to."""
    found = list(installed_sources())
    for folder in filter(None, os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep)):
        with contextlib.suppress(PluginError):  # which the loading of plug-ins says
            found += sources_at(Path(folder))
    return found


def _state(source: PluginSource) -> dict[str, Any]:
    """What belongs to the whole process, by names for people; the threads too, which nobody could put back."""
    state = process_state()
    roots = set(Path(source.where).parents)
    # The loader itself adds the folder that a plug-in lies in.
    state[IMPORT_PATH] = [path for path in state[IMPORT_PATH] if Path(path) not in roots]
    return {**state, THREADS: threading.active_count()}


if __name__ == "__main__":
    main()
