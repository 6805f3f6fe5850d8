"""Around the loading of one plug-in: what it prints is caught, and what it changes for everybody is put back."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vadbench.api.process_state import IMPORT_PATH, process_kept

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

    The state of the process is put back; see `process_kept`. The import path is the loader's own affair.
    """
    printed = Printed()
    with process_kept(but=(IMPORT_PATH,)), _caught_output(printed):
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
