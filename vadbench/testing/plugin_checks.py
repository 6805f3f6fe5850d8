"""Rules of a plug-in as a whole: it loads, stays light, says what it offers, and leaves the process as it was."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import VERSION, VadbenchError
from vadbench.api.process_state import WARNINGS
from vadbench.engine.config import resolve
from vadbench.engine.config_words import settings_of
from vadbench.engine.presets import load_preset
from vadbench.testing.checks import Check, sentence_of
from vadbench.testing.conformance import Advice, CheckSkipped, ConformanceError, expect

if TYPE_CHECKING:
    from vadbench.api import Entry, Registry
    from vadbench.engine.loading.sources import PluginSource
    from vadbench.engine.plugins import PluginStatus

LOAD_SECONDS: Final = 1.0
"""CPU time that importing a plug-in and asking it for its components may take: every command of vadbench waits for it."""
_PROBE_SECONDS: Final = 60
_PAGE: Final = "docs/plugins.md"
_FRAME: Final = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
LOADS: Final = "loads"
"""Name of the check that the others rest on."""


@dataclass(frozen=True)
class PluginTrial:
    """A plug-in on trial.

    Args:
        source: Where it comes from.
        path: That it was found at; None where it was found as every command finds it.
        load: Loads it in this process, once, and gives what became of it and what it offers.
        registry: Into which it is loaded, beside all others.
    """

    source: PluginSource
    path: Path | None
    load: Callable[[], tuple[PluginStatus, tuple[Entry, ...]]]
    registry: Registry

    @cached_property
    def loaded(self) -> tuple[PluginStatus, tuple[Entry, ...]]:
        """What became of it, and what it offers. One that ends the process is not loaded in this one."""
        return self.load()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What it offers."""
        return () if self.ended is not None else self.loaded[1]

    @property
    def ended(self) -> str | None:
        """How it ended a process of its own, if it did."""
        return self.facts["ended"] if self.facts is not None else None

    @cached_property
    def facts(self) -> dict[str, Any] | None:
        """What loading it did in a process of its own; None of a class that only this process has."""
        if self.source.origin == "process":
            return None
        with tempfile.TemporaryDirectory() as folder:
            file, printed = Path(folder) / "facts.json", Path(folder) / "printed.txt"
            wanted = {key: getattr(self.source, key) for key in ("name", "origin", "distribution", "where")}
            told = json.dumps({**wanted, "path": None if self.path is None else str(self.path), "printed": str(printed)})
            file.write_text(told, encoding="utf-8")
            ended = _run_probe(file)
            if ended is None and file.read_text(encoding="utf-8") == told:
                ended = "the process ended while the plug-in was loaded"
            facts: dict[str, Any] = {} if ended is not None else json.loads(file.read_text(encoding="utf-8"))
            text = printed.read_text(encoding="utf-8", errors="replace") if printed.exists() else ""
        return {**facts, "ended": ended, "printed": text}


def check_loads(trial: PluginTrial) -> None:
    """It is imported, has the hook vadbench_register(registry), and offers components by names that nobody else has."""
    rule = " ".join((check_loads.__doc__ or "").split())
    if trial.ended is not None:
        raise ConformanceError(rule, trial.ended, _PAGE, f"correct {trial.source.where}: nothing may end the process at import")
    status, _ = trial.loaded
    if status.status != "ok":
        frames = _FRAME.findall(status.traceback or "")
        at = "{}:{}, in {}".format(*frames[-1]) if frames else None
        raise ConformanceError(rule, status.error, _PAGE, status.remedy, at=at)


def check_offers(trial: PluginTrial) -> None:
    """It offers at least one component."""
    expect(trial.entries, "at least one component from vadbench_register", "none", _PAGE)


def check_api_version_declared(trial: PluginTrial) -> None:
    """Its module says for which version of the contracts it was written: VADBENCH_API = 1. Advice."""
    if trial.source.origin != "process" and trial.loaded[0].api_version is None:
        raise Advice(
            f"write VADBENCH_API = {VERSION} into the module with the hook, so that a vadbench with other contracts "
            "leaves it out with the reason (docs/api-versions.md)"
        )


def check_light(trial: PluginTrial) -> None:
    """Importing it and asking it for its components imports neither torch nor numpy, pandas, scipy, sklearn or matplotlib.

    A plug-in of one file, whose classes stand beside its hook, is advised against numpy alone.
    """
    found = _facts(trial)["imported"]
    if found == ["numpy"] and _is_one_file(trial.source):
        raise Advice("import numpy where it is used, or move the classes to another file: every command imports this one")
    wanted = "no heavy package to be imported by the module with the hook, as every command of vadbench imports that"
    expect(not found, wanted, ", ".join(found), f"{_PAGE}: name the component's class in a string")


def check_quick(trial: PluginTrial) -> None:
    """Importing it and asking it for its components takes less than a second of CPU time."""
    seconds = _facts(trial)["cpu_seconds"]
    expect(seconds < LOAD_SECONDS, f"less than {LOAD_SECONDS:g} s of CPU time to load", f"{seconds:.1f} s", _PAGE)


def check_silent(trial: PluginTrial) -> None:
    """Importing it and asking it for its components prints nothing."""
    printed = _facts(trial)["printed"]
    expect(not printed, "nothing printed while it is loaded", repr(printed[:80]), _PAGE)


def check_leaves_no_trace(trial: PluginTrial) -> None:
    """Loading it leaves the process as it was: working directory, environment, import path, random state, handlers, threads."""
    facts = _facts(trial)
    # NumPy and its like set filters of their own; that they are imported is another check's matter.
    changed = [what for what in facts["changed"] if what != WARNINGS or not facts["imported"]]
    expect(not changed, "the process to be left as it was", f"a change of {', '.join(changed)}", _PAGE)


def check_summaries(trial: PluginTrial) -> None:
    """Every component has a summary of one line, which is what vadbench list shows of it."""
    odd = [f"{e.kind}/{e.name}" for e in trial.entries if not e.summary.strip() or "\n" in e.summary.strip()]
    expect(not odd, "a summary of one line for every component", f"none, or several lines, of {', '.join(odd)}", _PAGE)


def check_settings_described(trial: PluginTrial) -> None:
    """Every setting of every component has a description. Advice."""
    bare = []
    for entry in trial.entries:
        try:
            settings = settings_of(entry.load_config())
        except VadbenchError:  # which the component's own checks say
            continue
        bare += [f"{entry.kind}/{entry.name} {setting.name}" for setting in settings if not setting.description]
    if bare:
        how = "with Field(description=...), or under Args: in the docstring of the config model"
        raise Advice(f"say what these settings mean, {how}: {', '.join(bare)}")


def check_requirements(trial: PluginTrial) -> None:
    """What its components say that they need is installed; those that lack something are not checked."""
    missing = {f"{entry.kind}/{entry.name}": entry.missing() for entry in trial.entries if entry.missing()}
    if missing:
        told = "; ".join(f"{name} needs {', '.join(modules)}" for name, modules in missing.items())
        raise CheckSkipped(f"{told}: pip install {' '.join(sorted({m for modules in missing.values() for m in modules}))}")


def check_methods(trial: PluginTrial) -> None:
    """Every method that it brings can be made, on every data set that its preset names: its parts and settings are known."""
    brought = [method for method in trial.registry.methods() if method.plugin == trial.loaded[0].name]
    if not brought:
        raise CheckSkipped("it brings no method of its own")
    for method in brought:
        preset = load_preset(method.name, trial.registry)
        for dataset in ("", *preset.get("per-dataset", {})):
            try:
                resolve(preset, trial.registry, dataset=dataset, swaps={}, changes=())
            except VadbenchError as error:
                at = f" on {dataset}" if dataset else ""
                got = f"{error.what} ({error.where})" if error.where else error.what
                raise ConformanceError(f"method {method.name!r} to be made{at}", got, _PAGE, error.remedy) from error


CHECKS: Final[tuple[Callable[[PluginTrial], None], ...]] = (
    check_loads,
    check_offers,
    check_api_version_declared,
    check_light,
    check_quick,
    check_silent,
    check_leaves_no_trace,
    check_summaries,
    check_settings_described,
    check_requirements,
    check_methods,
)
"""Every check of a plug-in as a whole."""


def plugin_checks(trial: PluginTrial) -> list[Check]:
    """The checks of a plug-in as a whole, bound to it."""
    names = {function: function.__name__.removeprefix("check_") for function in CHECKS}
    return [Check(name, sentence_of(function), partial(function, trial), _PAGE) for function, name in names.items()]


def _is_one_file(source: PluginSource) -> bool:
    return source.origin == "folder" and Path(source.where).name == f"{source.module}.py"


def _facts(trial: PluginTrial) -> dict[str, Any]:
    if trial.facts is None:
        raise CheckSkipped("it is registered in this process alone")
    if trial.facts["ended"] is not None:
        raise CheckSkipped(f"rests on {LOADS}, which failed")
    return trial.facts


def _run_probe(file: Path) -> str | None:
    """Runs the probe; how it ended other than well."""
    command = [sys.executable, "-m", "vadbench.testing.plugin_probe", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return f"it was not loaded within {_PROBE_SECONDS} s"
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines()
    return f"the process ended with code {done.returncode} while the plug-in was loaded" + (f": {said[-1]}" if said else "")
