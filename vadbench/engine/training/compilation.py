"""Compiling a loss with ``torch.compile``, where torch can."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
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
            f"no loss can be compiled: there is no C++ compiler ({named or ', '.join(_COMPILERS)})",
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
        first = next(iter(str(error).strip().splitlines()), "")
        context.logger.warning("%s: its loss is not compiled: %s: %s", context.name, type(error).__name__, first)
        return loss
    return made
