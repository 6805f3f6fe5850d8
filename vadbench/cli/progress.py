"""Progress bars on a terminal: rate and remaining time, for everything that takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vadbench.api.context import Advance, Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

_PATIENCE_S = 2.0


class TerminalProgress:
    """Shows tasks as bars on stderr once they have lasted two seconds, and clears them when they are done."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bars

        class Rate(TransferSpeedColumn):
            def render(self, task):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202, D102
                from rich.text import Text

                speed = task.finished_speed or task.speed
                return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
        self._bars: Bars = Bars(*columns, console=Console(stderr=True), transient=True)

    def __enter__(self) -> TerminalProgress:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    @contextmanager
    def task(self, description: str, total: int) -> Iterator[Advance]:
        """A task of ``total`` units."""
        bar = self._bars.add_task(description, total=total, visible=False)
        began = time.monotonic()

        def advance(units: int) -> None:
            patient = time.monotonic() - began < _PATIENCE_S
            self._bars.update(bar, advance=units, visible=not patient)

        try:
            yield advance
        finally:
            self._bars.remove_task(bar)


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Bars where stderr is a terminal, silence where it is not."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    with TerminalProgress() as progress:
        yield progress
