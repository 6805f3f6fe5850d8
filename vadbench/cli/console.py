"""Where tables go: the terminal as wide as it is, a file or pipe always at the same width."""

from __future__ import annotations

from typing import Final

from rich.console import Console

_WIDTH_WITHOUT_TERMINAL: Final = 120


def output_console() -> Console:
    """A console on stdout; what is written to a file does not depend on the window it was written from."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)
