"""What all other rules of a contract rest on: a component can be made, it can be fitted, and it leaves what it is given alone.

Where one of the first two fails, the others could only tell the same fault again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vadbench.testing.rules.conduct_checks import check_inputs_unchanged

if TYPE_CHECKING:
    from vadbench.testing.trial import LearningTrial, Trial


def check_can_be_made(trial: Trial) -> None:
    """It can be made as the harness makes it."""
    trial.fresh()


def check_can_be_fitted(trial: LearningTrial[Any]) -> None:
    """It can be fitted on the sample."""
    trial.trained()


CHECKS: Final = (check_can_be_made, check_can_be_fitted, check_inputs_unchanged)
"""Of every kind but the data sets, which learn nothing and are given nothing. A component that writes to its input may break any
rule that is asked after."""
