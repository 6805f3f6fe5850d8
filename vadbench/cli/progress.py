"""Progress bars on a terminal, with rate and remaining time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from vadbench.api.context import Silent

if TYPE_CHECKING:
    from vadbench.api.context import Advance, Progress


class RateColumn(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        """Such as ``12,345/s``; empty until it is known."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")


class TerminalProgress:
    """Shows tasks as bars on stderr, and clears each when it is done."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
        self.bars = Bars(*columns, console=console, transient=True)

    @contextmanager
    def task(self, description: str, total: int) -> Iterator[Advance]:
        """A task of ``total`` units."""
        bar = self.bars.add_task(description, total=total)
        try:
            yield partial(self.bars.advance, bar)
        finally:
            self.bars.remove_task(bar)


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Bars where stderr is a terminal, silence where it is not."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    progress = TerminalProgress(Console(stderr=True))
    with progress.bars:
        yield progress
