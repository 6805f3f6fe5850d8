"""One registered component: its name, and where its class is, which is imported when it is used and not before."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from vadbench.api.errors import PluginError, did_you_mean
from vadbench.api.faults import ENDS, exit_remedy, said
from vadbench.api.process_state import imported
from vadbench.api.requirements import install_command, missing_modules

Kind = Literal["dataset", "tokenizer", "prior", "flow", "scorer", "detector"]
"""What a component can be."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Every kind, in the order of lists."""
METHODS_OF_KIND: Final[dict[Kind, tuple[str, ...]]] = {
    "dataset": ("tracks", "labels"),
    "tokenizer": ("fit", "encode", "decode", "state_dict", "load_state_dict"),
    "prior": ("fit", "log_prob", "sample", "state_dict", "load_state_dict"),
    "flow": ("fit", "log_prob", "forward", "inverse", "state_dict", "load_state_dict"),
    "scorer": ("fit", "score", "state_dict", "load_state_dict"),
    "detector": ("fit", "score", "state_dict", "load_state_dict"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered component.

    Args:
        kind: Which contract it fulfils.
        name: By which it is chosen.
        target: ``"package.module:Class"``.
        config: ``"package.module:ConfigModel"``, or None for a component without settings.
        summary: One line for ``vadbench list``.
        plugin: The plug-in that offers it.
        opens_folders: For a dataset: its config has a ``root`` key, and ``--dataset PATH`` may open it.
        default: For a dataset: run when the user names none, provided that it is there.
        variant: For a detector: the setting that ``vadbench run NAME:VALUE`` fills in; None where it has no variants.
        requires: Top-level modules that the component needs beyond those that its distribution always brings.
        runs_programs: For a detector: it starts programs that its settings name.
        loaded: The class itself, where it was registered in this process (`register`); then ``target`` only names it.
        loaded_config: Its config model, likewise.
    """

    kind: Kind
    name: str
    target: str
    config: str | None
    summary: str
    plugin: str
    opens_folders: bool = False
    default: bool = False
    variant: str | None = None
    requires: tuple[str, ...] = ()
    runs_programs: bool = False
    loaded: type[Any] | None = None
    loaded_config: type[Any] | None = None

    def missing(self) -> tuple[str, ...]:
        """Those of ``requires`` that are not there; imports nothing."""
        return missing_modules(self.requires)

    def load(self) -> type[Any]:
        """Imports the component's class and checks that it has its contract's methods.

        Raises:
            PluginError: if something that it requires is not installed, it cannot be imported, or it lacks a method.
        """
        self._check_needs()
        cls = self.loaded or self._import(self.target)
        missing = [method for method in METHODS_OF_KIND[self.kind] if not callable(getattr(cls, method, None))]
        if missing:
            raise PluginError(
                f"{self.kind} {self.name!r} lacks {', '.join(missing)}",
                where=f"{self.target}, plug-in {self.plugin}",
                remedy=f"see the contract of {self.kind.capitalize()} in vadbench.api",
            )
        return cls

    def load_config(self) -> type[Any]:
        """Imports the config model; raises `PluginError` if it cannot be imported or is no `ComponentConfig`."""
        from vadbench.api.config import ComponentConfig, NoConfig

        self._check_needs()
        if self.loaded is not None:
            model = self.loaded_config or NoConfig
        else:
            model = NoConfig if self.config is None else self._import(self.config)
        if not issubclass(model, ComponentConfig):
            raise PluginError(
                f"the config model of {self.kind} {self.name!r} is no ComponentConfig",
                where=f"{self.config}, plug-in {self.plugin}",
                remedy="derive it from vadbench.api.ComponentConfig",
            )
        return model

    def _check_needs(self) -> None:
        if missing := self.missing():
            are = "is" if len(missing) == 1 else "are"
            raise PluginError(
                f"{self.kind} {self.name!r} needs {', '.join(missing)}, which {are} not installed",
                where=f"{self.target}, plug-in {self.plugin}",
                remedy=install_command(missing, plugin=self.plugin),
            )

    def _import(self, target: str) -> type[Any]:
        module, _, attribute = target.partition(":")
        where = f"{target}, plug-in {self.plugin}"
        try:
            found = getattr(imported(module), attribute)
        except ENDS:
            raise
        except BaseException as error:  # whatever a third party's module raises
            raise PluginError(
                f"{self.kind} {self.name!r} cannot be imported: {said(error)}",
                where=where,
                remedy=self._remedy(error, module, attribute),
            ) from error
        if not isinstance(found, type):
            raise PluginError(
                f"{target} is not a class",
                where=f"plug-in {self.plugin}",
                remedy=f"register the {self.kind}'s class: 'package.module:Class'",
            )
        return found

    def _remedy(self, error: BaseException, module: str, attribute: str) -> str:
        """What to do about a target that cannot be imported."""
        if isinstance(error, ModuleNotFoundError) and isinstance(error.name, str):
            own = module.partition(".")[0]
            if error.name == module or module.startswith(f"{error.name}."):
                return f"there is no module {error.name}: correct the target that it was registered with"
            if error.name.partition(".")[0] == own:
                return f"{own} has no module {error.name}: correct the import"
            return install_command([error.name], plugin=self.plugin)
        found = sys.modules.get(module)
        if isinstance(error, AttributeError) and found is not None and not hasattr(found, attribute):
            classes = [name for name, value in vars(found).items() if isinstance(value, type) and value.__module__ == module]
            return f"{module} has no {attribute}" + (f"; {did_you_mean(attribute, classes)}" if classes else "")
        return exit_remedy(error) or "correct it; --debug shows where it failed"
