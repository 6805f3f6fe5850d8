"""Labels of training windows: nothing is learned from them by a component that does not say so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from vadbench.engine.supervision import LEARNERS, learns_from_labels
from vadbench.testing.conformance import CheckSkipped, expect_same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vadbench.api import Windows


class _FittedOnWindows(Protocol):
    contract: str
    training: Windows

    def trained(self) -> Any: ...

    def fitted(self) -> Any: ...

    def outputs(self, component: Any) -> Mapping[str, Any]: ...


def check_labels_unused(trial: _FittedOnWindows) -> None:
    """It learns the same whatever training windows are labelled; a flow or detector may say ``learns_from_labels = True``."""
    component = trial.trained()
    if trial.contract.lower() in LEARNERS and learns_from_labels(component):
        raise CheckSkipped("the class declares learns_from_labels = True")
    wanted = trial.outputs(component)
    trial.training = replace(trial.training, abnormal=np.arange(len(trial.training)) % 2 == 0)
    for name, values in trial.outputs(trial.fitted()).items():
        expect_same(values, wanted[name], f"{name} that do not depend on labels of training windows", trial.contract)


CHECKS: Final = (check_labels_unused,)
"""Of every kind that is fitted on windows."""
