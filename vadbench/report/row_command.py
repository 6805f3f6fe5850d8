"""From a row to the command that makes it again: ``vadbench run`` with the method, changes, data set and seeds of the row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, cast

from vadbench.api import UsageError
from vadbench.engine.config import parse_change
from vadbench.engine.datasets import DATASET_SECTION
from vadbench.engine.plan import make_plan
from vadbench.engine.presets import load_preset, method_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vadbench.api import Kind, Registry
    from vadbench.engine.plan import Plan
    from vadbench.engine.plugins import Plugins
    from vadbench.store.record import MethodRecord
    from vadbench.store.row_record import RowMethod, RowRecord


@dataclass(frozen=True, slots=True)
class RowCommand:
    """What ``vadbench run`` is told to make a row.

    Args:
        method: A preset's name, a detector's name, ``NAME:VARIANT``, or a TOML file.
        dataset: Name of a data set, or a folder.
        root: Folder below which data sets lie; None for ``$VADBENCH_DATA``.
        seeds: One run each.
        swaps: Kind to component name.
        changes: ``key=value``, those of the data set among them.
        device: As the row has it, or the user.
        threads: CPU threads, likewise.
        out: Folder of the runs.
    """

    method: str
    dataset: str
    root: Path | None
    seeds: tuple[int, ...]
    swaps: dict[Kind, str]
    changes: tuple[str, ...]
    device: str
    threads: int
    out: Path

    def words(self) -> list[str]:
        """The command, a word an element."""
        found = ["vadbench", "run", self.method, "--dataset", self.dataset]
        found += [] if self.root is None else ["--data-root", str(self.root)]
        for kind, name in self.swaps.items():
            found += [f"--{kind}", name]
        for change in self.changes:
            found += ["--set", change]
        for seed in self.seeds:
            found += ["--seed", str(seed)]
        return [*found, "--device", self.device, "--threads", str(self.threads), "--out", str(self.out)]

    def plan(self, plugins: Plugins, *, allow_programs: bool = False) -> Plan:
        """What the command would run; raises what `make_plan` raises. Each plan has a data set object of its own.

        A component that starts programs is refused unless they are allowed: what they are comes from the row, which changes
        even a method that the user names.
        """
        return make_plan(
            self.method,
            plugins,
            datasets=(self.dataset,),
            root=self.root,
            seeds=self.seeds,
            swaps=self.swaps,
            changes=self.changes,
            allow_programs=allow_programs,
        )


def command_of_row(
    row: RowRecord,
    registry: Registry,
    *,
    out: Path,
    seeds: Sequence[int] = (),
    method: Path | None = None,
    dataset: str | None = None,
    root: Path | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> RowCommand:
    """The command that makes a row, or some seeds of it.

    Args:
        row: Of a leaderboard.
        registry: Of the installed components.
        out: Folder of the runs.
        seeds: Some of the row's; none for all of them.
        method: TOML file of the row's method, where it has one of its own.
        dataset: Where the data set lies, if its name alone does not say.
        root: Data root.
        device: Another device than the row's.
        threads: Another number than the row's.

    Raises:
        UsageError: for a row of scores only, a seed that the row does not have, a method that is not installed and whose file
            nobody names, a component that is not installed, or if the data set is a folder and nobody says where it lies.
    """
    ran_in = row.ran_in
    has = [result.seed for result in row.seeds]
    if missing := [seed for seed in seeds if seed not in has]:
        raise UsageError(
            f"the row has no seed {' and no seed '.join(map(str, missing))}",
            where="--seed",
            remedy=f"its seeds are {', '.join(map(str, has))}",
        )
    if dataset is None and row.dataset.name not in registry.names("dataset"):
        raise UsageError(
            f"the row is of {row.dataset.name!r}, which is no installed data set: a row does not hold where a folder lies",
            remedy="name its folder with --dataset",
        )
    changed = [change for change in row.method.changes if "." not in change.partition("=")[0]]
    swaps = {cast("Kind", kind): name for kind, _, name in (change.partition("=") for change in changed)}
    _check_swapped_in(row, swaps, registry)
    settings = [f"{DATASET_SECTION}{key}={_written(value)}" for key, value in sorted(row.dataset.settings.items())]
    return RowCommand(
        method=_installed(row, registry) if method is None else _file(method),
        dataset=row.dataset.name if dataset is None else dataset,
        root=root,
        seeds=tuple(dict.fromkeys(seeds or has)),
        swaps=swaps,
        changes=(*(change for change in row.method.changes if change not in changed), *settings),
        # Which of several GPUs it was says nothing elsewhere, and neither does its name.
        device=ran_in.device.partition(" ")[0].partition(":")[0] if device is None else device,
        threads=ran_in.threads if threads is None else threads,
        out=out,
    )


def _installed(row: RowRecord, registry: Registry) -> str:
    """What `method_argument` gives, if it is there; a name that a row has of a file is never taken for a file."""
    told = method_argument(row.method, registry)
    if told.partition(":")[0] not in method_names(registry):
        raise UsageError(
            f"no installed method is named {row.method.name!r}: the row is of a method with a TOML file of its own, "
            "or of a plug-in that is not here",
            remedy=f"name the file with --method FILE, or install {_plugin_of(row)}; the row has the configuration under "
            "method.config",
        )
    return told


def _check_swapped_in(row: RowRecord, swaps: Mapping[Kind, str], registry: Registry) -> None:
    for kind, name in swaps.items():
        if name != "none" and name not in registry.names(kind):
            raise UsageError(f"no {kind} is named {name!r}, which the row has", remedy=f"install {_plugin_of(row)}")


def _plugin_of(row: RowRecord) -> str:
    """What the row names of the plug-ins that it was made with and that are not installed."""
    absent = [f"{name} {version}" for name, version in row.ran_in.packages.items() if not _is_installed(name)]
    return " and ".join(absent) or "the plug-in"


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except (metadata.PackageNotFoundError, ValueError):
        return False
    return True


def _file(method: Path) -> str:
    if method.suffix != ".toml":
        raise UsageError("this is no TOML file", where=f"--method {method}", remedy="name the file that vadbench run was given")
    return str(method)


def method_argument(method: MethodRecord | RowMethod, registry: Registry) -> str:
    """What ``vadbench run`` takes for a method: its name, or ``NAME:VARIANT`` for a member of a family of detectors."""
    if method.name in method_names(registry):
        return method.name
    chosen = (method.config or {}).get("detector", {})
    for entry in registry.entries("detector"):
        if entry.name == chosen.get("name") and entry.variant is not None and entry.variant in chosen:
            return f"{entry.name}:{chosen[entry.variant]}"
    return method.name


def title_of(method: MethodRecord | RowMethod, registry: Registry) -> str:
    """What a method is called in words: as an installed one, else as its file was when it was run; empty where neither says."""
    try:
        preset = load_preset(method_argument(method, registry), registry)
    except UsageError:
        return method.title
    return str(preset.get("title", ""))


def _written(value: Any) -> str:
    """A value as ``--set`` reads it back: plain where it can be, else as TOML writes it."""
    if isinstance(value, str) and parse_change(f"{DATASET_SECTION}key={value}")[1] == value:
        return value
    return _toml(value)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
