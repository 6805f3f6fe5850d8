"""How a component of any kind behaves towards the program it runs in."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vadbench.api.process_state import ENVIRONMENT, GENERATORS, WARNINGS, process_kept
from vadbench.testing.conformance import ConformanceError, as_array, expect, expect_same, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from vadbench.testing.trial import Trial

_CONTEXT: Final = "vadbench.api.context"
_SCOPES: Final = (
    "change it for a block and no longer: with torch.no_grad(), np.errstate(), warnings.catch_warnings(), contextlib.chdir()"
)
_BY_IMPORTS: Final = frozenset({ENVIRONMENT, WARNINGS})
"""What libraries change when they are imported."""


def check_prints_nothing(trial: Trial) -> None:
    """Nothing is written to stdout or stderr: reports go to the context's progress and logger."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trial.exercise()
    for stream, text in (("stdout", out.getvalue()), ("stderr", err.getvalue())):
        expect(not text, f"nothing on {stream}", repr(text[:60]), _CONTEXT)


def check_global_generators_untouched(trial: Trial) -> None:
    """The global generators of NumPy, Python and torch stand where they stood: randomness comes from the context."""
    found = {name: (state(), restore) for name, (state, restore, _) in _generators().items()}
    try:
        # From a state of our own: one that a component left behind at an earlier call would hide that it seeds again.
        before = {}
        for name, (state, _, seed) in _generators().items():
            seed(760_911)
            before[name] = state()
        trial.exercise()
        for name, (state, _, _) in _generators().items():
            same = state() == before[name]
            expect(same, f"the global generator of {name} to be left alone", "one that was seeded or drawn from", _CONTEXT)
    finally:
        for state, restore in found.values():
            restore(state)


def check_leaves_the_process_as_it_was(trial: Trial) -> None:
    """It leaves modes of torch and NumPy, environment, folder, streams, logging, warnings and signals as they were."""
    modules = len(sys.modules)
    changed = _changes_of_process(trial)
    if changed and changed <= _BY_IMPORTS and len(sys.modules) > modules:
        changed = _changes_of_process(trial)  # without the imports, of which a library may have made it
    got = f"a change of {', '.join(sorted(changed))}"
    if changed:
        wanted = "a process that is as it was when the component has been made, fitted and used"
        raise ConformanceError(wanted, got, place_of(_CONTEXT), _SCOPES)


def check_inputs_unchanged(trial: Trial) -> None:
    """The arrays and tensors that a component is given are the caller's: it does not write to them."""
    before = {name: as_array(values).copy() for name, values in trial.inputs().items()}
    trial.exercise()
    for name, values in trial.inputs().items():
        expect_same(values, before[name], f"{name} to be left as it was given", trial.contract, exactly=True)


def _changes_of_process(trial: Trial) -> set[str]:
    """What a component changes that others use, by name, and what it leaves in the working directory."""
    folder = os.getcwd()  # noqa: PTH109 - wherever it is
    before = _names_in(folder)
    with process_kept(but=GENERATORS) as changes:
        trial.exercise()
    written = sorted(_names_in(folder) - before)
    return {*changes.names, *(f"the working directory's files (it wrote {name})" for name in written[:1])}


def _names_in(folder: str) -> set[str]:
    """Files and folders, without those that programs keep for themselves."""
    with contextlib.suppress(OSError):
        return {name for name in os.listdir(folder) if not name.startswith((".", "__pycache__"))}  # noqa: PTH208
    return set()


def _generators() -> dict[str, tuple[Callable[[], Any], Callable[[Any], None], Callable[[int], object]]]:
    """How to read each global generator's state, how to put it back, and how to seed it."""
    return {
        "NumPy": (_numpy_state, np.random.set_state, np.random.seed),
        "Python's random": (random.getstate, random.setstate, random.seed),
        # The harness scopes torch's generators in fit, so what is seen here is what is drawn in use.
        "torch": (lambda: torch.get_rng_state().tolist(), _set_torch_state, torch.manual_seed),
    }


def _numpy_state() -> Any:
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - it is what is checked
    return (name, np.asarray(keys).tolist(), *rest)


def _set_torch_state(state: list[int]) -> None:
    torch.set_rng_state(torch.tensor(state, dtype=torch.uint8))


CHECKS: Final = (check_prints_nothing, check_global_generators_untouched, check_leaves_the_process_as_it_was)
"""Of every kind; that inputs are unchanged is asked earlier, see `foundation_checks`."""
