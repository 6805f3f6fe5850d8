"""Conformance checks that any registered component can be put through, in the spirit of scikit-learn's check_estimator.

``sample`` makes a few people who walk, in memory. ``trial`` makes, seeds and trains a component on them as the harness
does. ``rules.<kind>_checks`` holds the rules of a contract, one function each; beside them lie those that kinds share, and
those of a class before one is made. ``plugin_checks`` has those of a plug-in as a whole. ``checks`` binds them to a component:
start there.
``outcomes`` says what came of one; ``targets`` finds what a user names, for ``vadbench plugin check`` and for pytest.

Names are imported on first use, as pytest loads a module of this package in every session.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vadbench.testing.checks import Check, check_names, checks_for, checks_for_detector
    from vadbench.testing.conformance import CheckSkipped, ConformanceError
    from vadbench.testing.outcomes import Outcome
    from vadbench.testing.parametrized import parametrize_with_checks
    from vadbench.testing.sample import sample_batch, sample_terms, sample_tokens, sample_tracks, sample_windows

__all__ = [
    "Check",
    "CheckSkipped",
    "ConformanceError",
    "Outcome",
    "check_names",
    "checks_for",
    "checks_for_detector",
    "parametrize_with_checks",
    "sample_batch",
    "sample_terms",
    "sample_tokens",
    "sample_tracks",
    "sample_windows",
]

_HOME: Final = {
    "checks": ("Check", "check_names", "checks_for", "checks_for_detector"),
    "conformance": ("CheckSkipped", "ConformanceError"),
    "outcomes": ("Outcome",),
    "parametrized": ("parametrize_with_checks",),
    "sample": ("sample_batch", "sample_terms", "sample_tokens", "sample_tracks", "sample_windows"),
}
_MODULE_OF: Final = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
