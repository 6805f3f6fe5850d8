"""Every check that a registered component can be put through, bound to it and ready to run.

    for check in checks_for(entry):
        check.run()

A run returns, raises `ConformanceError`, or raises `CheckSkipped` with the reason why it does not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import VadbenchError
from vadbench.api.faults import ENDS, exit_remedy, said
from vadbench.api.process_state import process_kept
from vadbench.engine.config import validated_config
from vadbench.testing.conformance import CheckSkipped, ConformanceError, place_of
from vadbench.testing.rules import (
    class_checks,
    dataset_checks,
    detector_checks,
    flow_checks,
    prior_checks,
    scorer_checks,
    tokenizer_checks,
)
from vadbench.testing.rules.dataset_checks import DatasetTrial
from vadbench.testing.rules.detector_checks import DetectorTrial
from vadbench.testing.rules.flow_checks import FlowTrial
from vadbench.testing.rules.prior_checks import PriorTrial
from vadbench.testing.rules.scorer_checks import ScorerTrial
from vadbench.testing.rules.tokenizer_checks import TokenizerTrial

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import Detector, Entry, Kind, PoseShape

BRIEF: Final[Mapping[str, int]] = {"epochs": 4, "batch_size": 16}
"""Training settings that suffice for the sample; a config with such a whole number, if larger, has it lowered to this."""

_FUNCTIONS: Final[Mapping[Kind, Mapping[str, tuple[Callable[[Any], None], ...]]]] = {
    "dataset": {"": dataset_checks.CHECKS},
    "tokenizer": {"": tokenizer_checks.CHECKS},
    "prior": {"": prior_checks.CHECKS},
    "flow": {"[unconditioned]": flow_checks.CHECKS, "[conditioned]": flow_checks.CONDITIONED},
    "scorer": {"": scorer_checks.CHECKS},
    "detector": {"": detector_checks.CHECKS},
}
"""By the builds of a component that are checked each for itself."""
_TRIALS: Final[Mapping[tuple[Kind, str], Callable[..., Any]]] = {
    ("tokenizer", ""): TokenizerTrial,
    ("prior", ""): PriorTrial,
    ("flow", "[unconditioned]"): FlowTrial,
    ("flow", "[conditioned]"): partial(FlowTrial, conditioned=True),
    ("scorer", ""): ScorerTrial,
    ("detector", ""): DetectorTrial,
}


@dataclass(frozen=True, slots=True)
class Check:
    """One rule, asked of one component.

    Args:
        name: Of the rule, e.g. ``later_tokens_do_not_matter``; the same for every component of a kind.
        contract: The rule, in a sentence.
        run: Returns where the rule is kept; raises `ConformanceError` where it is broken, and `CheckSkipped` where it
            does not apply.
        see: Where the rule stands.
    """

    name: str
    contract: str
    run: Callable[[], None]
    see: str = ""


def check_names(kind: Kind) -> list[str]:
    """The names of a kind's checks, in the order they are run."""
    of_class = [_name(function) for function in class_checks.CHECKS]
    return of_class + [_name(function) + variant for variant, some in _FUNCTIONS[kind].items() for function in some]


def rules(kind: Kind) -> dict[str, str]:
    """The names of a kind's checks, without brackets, with the rule that each asks for."""
    functions = (*class_checks.CHECKS, *(function for some in _FUNCTIONS[kind].values() for function in some))
    return {_name(function): sentence_of(function) for function in functions}


def checks_for(entry: Entry, *, settings: Mapping[str, Any] | None = None, data_root: Path | None = None) -> list[Check]:
    """The checks of a component, made as the harness would make it, with short training.

    Nothing is imported or made before the first check is run, so a component that cannot be made fails its checks.

    Args:
        entry: As registered.
        settings: Of the component; they go before the short training's. For a component that the defaults do not suit.
        data_root: For a data set: the folder below which its files lie.
    """

    def make(*shapes: Any) -> Any:
        return entry.load()(validated_config(entry, {**brief_settings(entry), **(settings or {})}), *shapes)

    of_class = [_bound(function, "", lambda: entry, place_of(entry.kind.capitalize())) for function in class_checks.CHECKS]
    if entry.kind == "dataset":
        place = place_of(DatasetTrial.contract)
        functions = _FUNCTIONS["dataset"][""]
        return of_class + [_bound(function, "", lambda: DatasetTrial(make, data_root), place) for function in functions]
    return of_class + _of_kind(entry.kind, make)


def checks_for_detector(make: Callable[[PoseShape], Detector]) -> list[Check]:
    """The checks of a detector that is not registered, such as a composition; ``make(poses)`` gives an untrained one."""
    return _of_kind("detector", make)


def brief_settings(entry: Entry) -> dict[str, int]:
    """Of the settings in `BRIEF`, those that a component has and whose default is larger."""
    fields = entry.load_config().model_fields
    defaults = {name: fields[name].default for name in BRIEF if name in fields}
    return {name: BRIEF[name] for name, default in defaults.items() if isinstance(default, int) and default > BRIEF[name]}


def _of_kind(kind: Kind, make: Callable[..., Any]) -> list[Check]:
    checks = []
    for variant, functions in _FUNCTIONS[kind].items():
        # Trained once for all of these checks; each gets a copy, and inputs of its own.
        start = partial(_TRIALS[kind, variant], make, {})
        checks += [_bound(function, variant, start, place_of(kind.capitalize())) for function in functions]
    return checks


def _bound(function: Callable[[Any], None], variant: str, start: Callable[[], Any], place: str) -> Check:
    sentence = sentence_of(function)

    def run() -> None:
        try:
            with process_kept():
                function(start())
        except (ConformanceError, CheckSkipped, *ENDS):
            raise
        except VadbenchError as error:
            raise ConformanceError(sentence, _said(error), place, error.remedy) from error
        except BaseException as error:  # also one that would end the process
            raise ConformanceError(sentence, said(error), place, exit_remedy(error)) from error

    return Check(_name(function) + variant, sentence, run, place)


def _said(error: VadbenchError) -> str:
    return error.what if error.where is None else f"{error.what} (where: {error.where})"


def sentence_of(function: Callable[[Any], None]) -> str:
    """The first paragraph of its docstring, in one line."""
    return " ".join((function.__doc__ or "").strip().split("\n\n")[0].split())


def _name(function: Callable[[Any], None]) -> str:
    return function.__name__.removeprefix("check_")
