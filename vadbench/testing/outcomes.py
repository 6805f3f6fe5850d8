"""What came of a check: kept, broken, not asked, broken as declared, or kept although declared broken."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from vadbench.api.faults import ENDS, exit_remedy, said
from vadbench.testing.conformance import Advice, CheckSkipped, ConformanceError

if TYPE_CHECKING:
    from types import TracebackType

    from vadbench.testing.checks import Check

Verdict = Literal["ok", "failed", "skipped", "xfail", "xpass", "advice"]
"""``xfail``: fails as declared in ``expected_failures``; ``xpass``: passes although declared; ``advice``: could be better."""
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
FAULTS: Final[frozenset[Verdict]] = frozenset({"failed", "xpass"})
"""Those that fail a run of checks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check.

    Args:
        check: Its name, with the build in brackets where a kind has several.
        contract: The rule, in a sentence.
        outcome: See `Verdict`.
        message: What was expected and what came; the reason why it was skipped or is declared to fail; empty where it is ok.
        seconds: That it took, on the clock.
        expected: What the rule asks for, where it is broken.
        got: What came instead.
        see: Where the rule stands.
        remedy: What to do, where that is known.
        at: The last line of the plug-in's own files on the way to the error, as ``file:line, in function``.
    """

    check: str
    contract: str
    outcome: Verdict
    message: str
    seconds: float
    expected: str | None = None
    got: str | None = None
    see: str | None = None
    remedy: str | None = None
    at: str | None = None

    @property
    def fault(self) -> bool:
        """Whether the run of checks fails for it."""
        return self.outcome in FAULTS


def outcome_of(check: Check, declared: Mapping[str, str], own: Callable[[str], bool] = lambda _file: False) -> Outcome:
    """Runs a check; never raises what the component raises.

    Args:
        check: To run.
        declared: ``expected_failures`` of the component: check name, with or without brackets, to the reason.
        own: Whether a file is the plug-in's own.
    """
    begun = time.perf_counter()
    reason = declared.get(check.name, declared.get(check.name.partition("[")[0]))

    def done(outcome: Verdict, message: str = "", error: ConformanceError | None = None) -> Outcome:
        seconds = time.perf_counter() - begun
        if error is None:
            return Outcome(check.name, check.contract, outcome, message, seconds)
        told = (error.expected, error.got, error.see or check.see, error.remedy)
        return Outcome(check.name, check.contract, outcome, message, seconds, *told, at=error.at or _place(error, own))

    def failed(error: ConformanceError) -> Outcome:
        return done("failed", str(error), error) if reason is None else done("xfail", f"declared: {reason}", error)

    try:
        check.run()
    except CheckSkipped as skipped:
        return done("skipped", str(skipped))
    except Advice as advice:
        return done("advice", str(advice))
    except ConformanceError as error:
        return failed(error)
    except ENDS:
        raise
    except BaseException as error:  # in a place where none was expected
        told = ConformanceError(check.contract, said(error), check.see, exit_remedy(error))
        told.__cause__ = error
        return failed(told)
    if reason is None:
        return done("ok")
    return done("xpass", f"passes although it is declared to fail ({reason}): remove the declaration from expected_failures")


def _place(error: BaseException, own: Callable[[str], bool]) -> str | None:
    found = None
    cause: BaseException | None = error
    while cause is not None:
        found = _last_own(cause.__traceback__, own) or found
        cause = cause.__cause__ or cause.__context__
    return found


def _last_own(trace: TracebackType | None, own: Callable[[str], bool]) -> str | None:
    frames = [frame for frame in traceback.extract_tb(trace) if own(frame.filename)]
    return f"{frames[-1].filename}:{frames[-1].lineno}, in {frames[-1].name}" if frames else None
