"""Compiling with ``torch.compile``, where torch can: the loss of a training, and what batches are scored with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch

from vadbench.api import UsageError

if TYPE_CHECKING:
    from vadbench.api import Context
    from vadbench.engine.training.state import TrainingState

_COMPILERS: Final = ("g++", "clang++", "c++", "cl")


def check_compiler() -> None:
    """Raises `UsageError` if there is no C++ compiler, which torch needs for the code that it writes."""
    named = os.environ.get("CXX")
    if not any(shutil.which(name) for name in ([named] if named else _COMPILERS)):
        raise UsageError(
            f"nothing can be compiled: there is no C++ compiler ({named or ', '.join(_COMPILERS)})",
            where="--compile",
            remedy="install one (on Debian and Ubuntu: apt install g++), name it in $CXX, or leave out --compile",
        )


def compiled_where_possible(
    loss: Callable[[Any], torch.Tensor], state: TrainingState, batches: Sequence[Any], context: Context
) -> Callable[[Any], torch.Tensor]:
    """The loss, compiled, or as it is where torch fails at it; then the log says so.

    It is tried on batches of every size that will come, forwards and backwards, and all that this changes is undone.

    Each size is compiled by itself: code that fits all sizes would be made at the second size that comes, so that the numbers
    would depend on the order of sizes, which is another one where training is taken up again.

    Args:
        loss: Given a batch.
        state: Of the training.
        batches: One of each size.
        context: Of the component that trains.
    """
    made: Callable[[Any], torch.Tensor] = torch.compile(loss, dynamic=False)
    try:
        with state.undone():
            for batch in batches:
                value = made(batch)
                value.backward()
    # The compiler raises AssertionError and whatever else; an error of the loss itself comes again when it is called.
    except Exception as error:
        _warn(context, "its loss", error)
        return loss
    return made


def compiled_for_scoring(function: Callable[..., torch.Tensor], context: Context) -> Callable[..., torch.Tensor]:
    """What scores a batch, compiled for batches of any size; as it is, with a line in the log, where torch fails at it."""
    return _CompiledForScoring(function, torch.compile(function, dynamic=True), context)


@dataclass(slots=True)
class _CompiledForScoring:
    function: Callable[..., torch.Tensor]
    made: Callable[..., torch.Tensor] | None
    context: Context

    def __call__(self, *given: Any) -> torch.Tensor:
        """A batch's scores."""
        if self.made is not None:
            try:
                return self.made(*given)
            # The compiler raises AssertionError and whatever else; an error of the function itself comes again below.
            except Exception as error:
                _warn(self.context, "what it scores with", error)
                self.made = None
        return self.function(*given)


def _warn(context: Context, what: str, error: Exception) -> None:
    first = next(iter(str(error).strip().splitlines()), "")
    context.logger.warning("%s: %s is not compiled: %s: %s", context.name, what, type(error).__name__, first)
