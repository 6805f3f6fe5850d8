"""The budget of a component: CPU time and memory are measured, and what was used before does not count."""

from __future__ import annotations

import numpy as np
import pytest
from cpu_time import spend

from vadbench.testing.conformance import ConformanceError
from vadbench.testing.rules import budget_checks
from vadbench.testing.rules.budget_checks import check_budget

MIB = 2**20


class Uses:
    """A trial that takes so much when it is exercised."""

    def __init__(self, *, seconds: float = 0.0, mib: int = 0) -> None:
        self.seconds, self.mib = seconds, mib

    def exercise(self) -> None:
        spend(self.seconds)
        np.ones(self.mib * MIB, dtype=np.uint8)


def test_little_is_fine() -> None:
    check_budget(Uses(seconds=0.01, mib=1))


def test_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_checks, "CPU_SECONDS", 0.1)
    with pytest.raises(ConformanceError, match=r"expected at most 0\.1 s of CPU time \(CPU_SECONDS\), got 0\.[2-9] s"):
        check_budget(Uses(seconds=0.2))


@pytest.mark.skipif(not budget_checks._STATUS.exists(), reason="elsewhere an earlier, higher peak hides what is added")
def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_checks, "MEMORY_GIB", 0.1)
    np.ones(300 * MIB, dtype=np.uint8)  # a peak of before, which must not hide the next one
    check_budget(Uses(mib=20))
    with pytest.raises(ConformanceError, match=r"expected at most 0\.1 GiB of memory more \(MEMORY_GIB\), got 0\.2 GiB"):
        check_budget(Uses(mib=200))
