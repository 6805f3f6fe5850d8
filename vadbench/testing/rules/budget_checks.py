"""What a component may cost on the sample, so that a fault of scale is seen before a night's run shows it."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vadbench.testing.conformance import expect

if TYPE_CHECKING:
    from vadbench.testing.trial import LearningTrial

CPU_SECONDS: Final = 120.0
"""CPU time, over all threads, for making, fitting and using a component on the sample of 216 windows."""
MEMORY_GIB: Final = 2.0
"""What that may add to the peak memory of the process."""

_HERE: Final = "vadbench.testing.rules.budget_checks"
_PEAK_RESET: Final = Path("/proc/self/clear_refs")
_STATUS: Final = Path("/proc/self/status")
_GIB: Final = 2**30


def check_budget(trial: LearningTrial[Any]) -> None:
    """Making, fitting and using it on the sample takes at most 120 s of CPU time and 2 GiB of memory.

    CPU time, not time on the clock: a busy computer does not fail a component. A component whose defaults take longer is
    checked with other settings.
    """
    before = _peak(anew=True)
    begun = time.process_time()
    trial.exercise()
    seconds, memory = time.process_time() - begun, (_peak() - before) / _GIB
    expect(seconds <= CPU_SECONDS, f"at most {CPU_SECONDS:g} s of CPU time (CPU_SECONDS)", f"{seconds:.1f} s", _HERE)
    expect(memory <= MEMORY_GIB, f"at most {MEMORY_GIB:g} GiB of memory more (MEMORY_GIB)", f"{memory:.1f} GiB", _HERE)


def _peak(*, anew: bool = False) -> int:
    """Bytes of memory that the process held at most; ``anew``: forgets the peaks of before, where the system can do that."""
    if _STATUS.exists():
        if anew:
            with contextlib.suppress(OSError):  # then an earlier, higher peak hides what is added
                _PEAK_RESET.write_text("5", encoding="ascii")
        fields = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="utf-8").splitlines() if ":" in line)
        return int(fields["VmHWM"].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
