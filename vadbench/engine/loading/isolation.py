"""Around the loading of one plug-in: what it prints is caught, and what it changes for everybody is put back."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT: Final = 20_000
"""Characters of what was printed that are kept."""


@dataclass(slots=True)
class Printed:
    """What was printed on stdout and stderr; there when the block has ended."""

    text: str = ""


@contextmanager
def isolated() -> Iterator[Printed]:
    """Catches all output in the block, that of programs and C libraries too, so that what a command prints stays as it should be.

    Warning filters, random states and the working directory are put back. NumPy and torch are not imported for that.
    """
    printed = Printed()
    with _random_states_kept(), _working_directory_kept(), warnings.catch_warnings(), _caught_output(printed):
        yield printed


@contextmanager
def _caught_output(printed: Printed) -> Iterator[None]:
    with tempfile.TemporaryFile() as file:
        stream = io.TextIOWrapper(io.FileIO(os.dup(file.fileno()), "w"), encoding="utf-8", errors="replace", write_through=True)
        try:
            with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream), _descriptors_to(file.fileno()):
                yield
        finally:
            with contextlib.suppress(ValueError, OSError):  # a plug-in may have closed it
                stream.close()
            file.seek(0)
            printed.text = file.read(4 * _KEPT).decode("utf-8", errors="replace")[:_KEPT]


@contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    """Points the process's own stdout and stderr elsewhere, as far as it has them."""
    saved: dict[int, int] = {}
    streams = (sys.__stdout__, sys.__stderr__)
    for stream in streams:
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()  # type: ignore[union-attr] # what was written before is not the plug-in's
    for number in (1, 2):
        with contextlib.suppress(OSError):
            saved[number] = os.dup(number)
            os.dup2(target, number)
    try:
        yield
    finally:
        for stream in streams:
            with contextlib.suppress(AttributeError, ValueError, OSError):
                stream.flush()  # type: ignore[union-attr] # what the plug-in wrote past the redirection
        for number, copy in saved.items():
            os.dup2(copy, number)
            os.close(copy)


@contextmanager
def _random_states_kept() -> Iterator[None]:
    numpy: Any = sys.modules.get("numpy")
    torch: Any = sys.modules.get("torch")
    python = random.getstate()
    # A library that is not imported yet has no state that somebody else relies on.
    of_numpy = numpy.random.get_state() if hasattr(numpy, "random") else None
    of_torch = torch.get_rng_state() if hasattr(torch, "get_rng_state") else None
    try:
        yield
    finally:
        random.setstate(python)
        if of_numpy is not None:
            numpy.random.set_state(of_numpy)
        if of_torch is not None:
            torch.set_rng_state(of_torch)


@contextmanager
def _working_directory_kept() -> Iterator[None]:
    try:
        before = os.getcwd()  # noqa: PTH109 - as it is, for os.chdir
    except OSError:
        before = None
    try:
        yield
    finally:
        if before is not None:
            with contextlib.suppress(OSError):
                os.chdir(before)
