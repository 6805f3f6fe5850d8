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

from vadbench.engine.config import validated_config
from vadbench.testing import dataset_checks, detector_checks, flow_checks, prior_checks, scorer_checks, tokenizer_checks
from vadbench.testing.conformance import CheckSkipped, ConformanceError
from vadbench.testing.dataset_checks import DatasetTrial
from vadbench.testing.detector_checks import DetectorTrial
from vadbench.testing.flow_checks import FlowTrial
from vadbench.testing.prior_checks import PriorTrial
from vadbench.testing.scorer_checks import ScorerTrial
from vadbench.testing.tokenizer_checks import TokenizerTrial

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import Detector, Entry, Kind, PoseShape

BRIEF: Final[Mapping[str, int]] = {"epochs": 4, "batch_size": 16}
"""Training settings that suffice for the sample; a config with such a whole number, if larger, has it lowered to this."""

_FUNCTIONS: Final[Mapping[Kind, tuple[Callable[[Any], None], ...]]] = {
    "dataset": dataset_checks.CHECKS,
    "tokenizer": tokenizer_checks.CHECKS,
    "prior": prior_checks.CHECKS,
    "flow": flow_checks.CHECKS,
    "scorer": scorer_checks.CHECKS,
    "detector": detector_checks.CHECKS,
}
_TRIALS: Final[Mapping[Kind, Mapping[str, Callable[..., Any]]]] = {
    "tokenizer": {"": TokenizerTrial},
    "prior": {"": PriorTrial},
    "flow": {"[unconditioned]": FlowTrial, "[conditioned]": partial(FlowTrial, conditioned=True)},
    "scorer": {"": ScorerTrial},
    "detector": {"": DetectorTrial},
}


@dataclass(frozen=True, slots=True)
class Check:
    """One rule, asked of one component.

    Args:
        name: Of the rule, e.g. ``later_tokens_do_not_matter``; the same for every component of a kind.
        contract: The rule, in a sentence.
        run: Returns where the rule is kept; raises `ConformanceError` where it is broken, and `CheckSkipped` where it
            does not apply.
    """

    name: str
    contract: str
    run: Callable[[], None]


def check_names(kind: Kind) -> list[str]:
    """The names of a kind's checks."""
    variants = _TRIALS.get(kind, {"": None})
    return [_name(function) + variant for variant in variants for function in _FUNCTIONS[kind]]


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

    if entry.kind == "dataset":
        return [_bound(function, "", lambda: DatasetTrial(make, data_root)) for function in _FUNCTIONS["dataset"]]
    return _of_kind(entry.kind, make)


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
    for variant, trial in _TRIALS[kind].items():
        # Trained once for all of these checks; each gets a copy, and inputs of its own.
        start = partial(trial, make, {})
        checks += [_bound(function, variant, start) for function in _FUNCTIONS[kind]]
    return checks


def _bound(function: Callable[[Any], None], variant: str, start: Callable[[], Any]) -> Check:
    sentence = " ".join((function.__doc__ or "").split())

    def run() -> None:
        try:
            function(start())
        except (ConformanceError, CheckSkipped):
            raise
        except Exception as error:
            raise ConformanceError(f"expected: {sentence} Got {type(error).__name__}: {error}") from error

    return Check(_name(function) + variant, sentence, run)


def _name(function: Callable[[Any], None]) -> str:
    return function.__name__.removeprefix("check_")
