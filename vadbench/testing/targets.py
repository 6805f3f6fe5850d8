"""From what a user names, a plug-in, a component or a path, to what is checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import KINDS, ConfigError, PluginError, UsageError, VadbenchError, did_you_mean
from vadbench.api.hooks import ENTRY_POINT_GROUP
from vadbench.engine.config import parse_change
from vadbench.engine.loading.sources import PluginSource, sources_at
from vadbench.engine.plugins import PluginFaultsError, Plugins, PluginStatus, load_plugins, load_source
from vadbench.testing.plugin_checks import PluginTrial
from vadbench.testing.plugin_probe import found_sources
from vadbench.testing.subjects import Subject, component_subject, plugin_subject

if TYPE_CHECKING:
    from vadbench.api import Entry

_NOWHERE: Final = f"an entry point in the group {ENTRY_POINT_GROUP!r} makes an installed plug-in; a path needs no installation"


@dataclass(frozen=True)
class Target:
    """One plug-in, or one component of it, that is checked.

    Args:
        name: Of the plug-in.
        trial: The plug-in on trial.
        whole: Whether the plug-in as a whole is checked, or only the components in ``entries``.
        chosen: The components that were named; None for all.
        settings: Kind to settings of the components.
        data_root: The folder below which the files of data sets lie.
    """

    trial: PluginTrial
    whole: bool = True
    chosen: tuple[Entry, ...] | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data_root: Path | None = None

    @property
    def name(self) -> str:
        """Of the plug-in."""
        return self.trial.source.name

    def subjects(self) -> list[Subject]:
        """What is checked, in order. Loads the plug-in."""
        entries = self.trial.entries if self.chosen is None else self.chosen
        return ([plugin_subject(self.trial)] if self.whole else []) + [
            component_subject(entry, settings=self.settings.get(f"{entry.kind}/{entry.name}"), data_root=self.data_root)
            for entry in entries
        ]


def find_targets(text: str, *, changes: Sequence[str] = (), data_root: Path | None = None) -> list[Target]:
    """What ``text`` names.

    Args:
        text: A plug-in, a distribution, ``KIND/NAME``, a component's name where it is unique, or the path of a ``.py`` file, a
            package folder, a project folder, or a folder of those. A name goes before a path; ``./`` makes it a path.
        changes: Settings as ``kind.key=value``, for every component of the kind that has them.
        data_root: The folder below which the files of data sets lie.

    Raises:
        UsageError: for a name that nothing has, or several components have, or a setting that no component has.
        PluginError: for a path that leads to no plug-in.
    """
    plugins = _all_plugins()
    found = None if _is_only_a_path(text, plugins) else _named(text, plugins)
    if found is None:
        if not _looks_like_path(text):
            raise _unknown(text, plugins)
        found = _at_path(Path(text), plugins)
    return _with_settings(found, changes, data_root)


def _all_plugins() -> Plugins:
    try:
        return load_plugins()
    except PluginFaultsError as error:  # being strict, the faults are what is asked for
        return error.plugins


def _looks_like_path(text: str) -> bool:
    return text.endswith(".py") or text.startswith((".", "~")) or os.sep in text or Path(text).exists()


def _is_only_a_path(text: str, plugins: Plugins) -> bool:
    """Whether it is written as KIND/NAME, but is a path that exists, of a folder ``prior/``, and no component."""
    kind, slash, name = text.partition("/")
    return bool(slash) and kind in KINDS and name not in plugins.registry.names(kind) and Path(text).exists()


def _named(text: str, plugins: Plugins) -> list[Target] | None:
    """What bears the name; None where nothing does."""
    kind, _, name = text.replace(" ", "/", 1).partition("/")
    if name and kind in KINDS:
        return [_component(plugins.registry.get(kind, name), plugins)]
    statuses = [status for status in plugins.statuses if status.name == text]
    statuses = statuses or [status for status in plugins.statuses if status.distribution == text]
    if statuses:
        return [Target(_trial(status, plugins)) for status in statuses]
    entries = [entry for entry in plugins.registry.entries() if entry.name == text]
    if len(entries) > 1:
        several = " or ".join(f"{entry.kind}/{entry.name}" for entry in entries)
        raise UsageError(f"several components are named {text!r}", remedy=f"say which: {several}")
    return [_component(entries[0], plugins)] if entries else None


def _unknown(text: str, plugins: Plugins) -> UsageError:
    known = {status.name for status in plugins.statuses} | {f"{e.kind}/{e.name}" for e in plugins.registry.entries()}
    known |= {entry.name for entry in plugins.registry.entries()}
    remedy = f"{did_you_mean(text, known)} ({_NOWHERE})"
    return UsageError(f"there is no plug-in, component, file or folder {text!r}", remedy=remedy)


def _component(entry: Entry, plugins: Plugins) -> Target:
    status = next(status for status in plugins.statuses if status.name == entry.plugin)
    return Target(_trial(status, plugins), whole=False, chosen=(entry,))


def _trial(status: PluginStatus, plugins: Plugins) -> PluginTrial:
    """Of a plug-in that was loaded with all others."""
    entries = tuple(entry for entry in plugins.registry.entries() if entry.plugin == status.name)
    return PluginTrial(_source(status), None, lambda: (status, entries), plugins.registry)


def _source(status: PluginStatus) -> PluginSource:
    """The source that a status is of; it is not loaded again in this process."""
    for source in found_sources() if status.origin != "process" else ():
        # A second plug-in of one name is called with its distribution.
        if (source.distribution, source.where) == (status.distribution, status.where) and status.name.startswith(source.name):
            return source
    return PluginSource(status.name, "process", status.distribution, status.version, status.where, lambda: None)


def _at_path(path: Path, plugins: Plugins) -> list[Target]:
    sources = sources_at(path)
    if not sources:
        raise PluginError(
            "the folder holds no plug-in", where=path, remedy="a plug-in is a .py file, a package folder, or a project folder"
        )
    known = {status.where: status for status in plugins.statuses if status.origin != "process"}
    trials = [
        _trial(known[source.where], plugins)
        if source.where in known
        else PluginTrial(source, path, _loading(source, plugins), plugins.registry)
        for source in sources
    ]
    return [Target(trial) for trial in trials]


def _loading(source: PluginSource, plugins: Plugins) -> Callable[[], tuple[PluginStatus, tuple[Entry, ...]]]:
    """Loads a source beside what is there, so that a name that is taken is seen."""

    def load() -> tuple[PluginStatus, tuple[Entry, ...]]:
        status = load_source(source, plugins.registry)
        names = set(status.components)
        return status, tuple(e for e in plugins.registry.entries() if e.plugin == status.name and f"{e.kind} {e.name}" in names)

    return load


def _with_settings(targets: list[Target], changes: Sequence[str], data_root: Path | None) -> list[Target]:
    if not changes:
        return [Target(t.trial, t.whole, t.chosen, data_root=data_root) for t in targets]
    entries = [entry for t in targets for entry in (t.trial.entries if t.chosen is None else t.chosen)]
    settings: dict[str, dict[str, Any]] = {}
    for change in changes:
        path, value = parse_change(change)
        kind, *keys = path.split(".")
        if kind not in KINDS:
            raise ConfigError(f"there is no kind {kind!r}", where=f"--set {change}", remedy=did_you_mean(kind, KINDS))
        takers = [entry for entry in entries if entry.kind == kind and keys[0] in _fields(entry)]
        if not takers:
            known = {name for entry in entries if entry.kind == kind for name in _fields(entry)}
            remedy = did_you_mean(keys[0], known) if known else f"there is no {kind} with settings here"
            raise ConfigError(f"no {kind} that is checked has the setting {keys[0]!r}", where=f"--set {change}", remedy=remedy)
        for entry in takers:
            section = settings.setdefault(f"{entry.kind}/{entry.name}", {})
            for key in keys[:-1]:
                section = section.setdefault(key, {})
            section[keys[-1]] = value
    return [Target(t.trial, t.whole, t.chosen, settings, data_root) for t in targets]


def _fields(entry: Entry) -> frozenset[str]:
    try:
        return frozenset(entry.load_config().model_fields)
    except VadbenchError:
        return frozenset()
