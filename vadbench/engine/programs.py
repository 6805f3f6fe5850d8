"""Whose word it takes to start a program: the user's own, never that of a record, a row or a card that somebody wrote.

A component may start programs that its settings name. In a method's file or on the command line these are the user's own words.
A stored run, a row of a leaderboard and the card of weights carry settings as well, and may come from anywhere: building their
method would start whatever they name. That takes a word of the user, who is shown first what it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vadbench.api import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vadbench.api import Entry


class ProgramsRefusedError(UsageError):
    """Recorded settings would start programs, and nobody said that they may."""


def check_may_run(entry: Entry, settings: Mapping[str, Any]) -> None:
    """Refuses a component that starts programs; nothing of its settings has been looked at yet, least of all run.

    Args:
        entry: Of the component.
        settings: As they were recorded.

    Raises:
        ProgramsRefusedError: if it starts programs; shows every setting that is not empty, the command among them.
    """
    if not entry.runs_programs:
        return
    lines = [f"{key} = {_shown(value)}" for key, value in settings.items() if value not in (None, "", [], {}, ())]
    raise ProgramsRefusedError(
        "\n".join([f"these recorded settings of {entry.kind} {entry.name!r} would start programs on this machine:", *lines]),
        where=f"{entry.kind} {entry.name}, plug-in {entry.plugin}",
        remedy="read them; if you trust whoever wrote them, give the same command with --allow-programs",
    )


def _shown(value: Any) -> str:
    """A value in one line of printable text: what somebody else wrote must not move the cursor of a terminal."""
    return json.dumps(value, ensure_ascii=True, default=str)
