"""``vadbench submit``: rows for a leaderboard from those who made them to those who publish them."""

from __future__ import annotations

from typing import Final

import click

from vadbench.cli.lazy import Commands, LazyGroup

_HERE: Final = "vadbench.cli.submit"
COMMANDS: Final[Commands] = {
    "pack": (f"{_HERE}.pack:pack", "A folder to send in, of stored runs or of scores from elsewhere."),
    "check": (f"{_HERE}.check:check", "Whether a submission is sound: every figure computed again from its scores."),
    "accept": (f"{_HERE}.accept:accept", "Check a submission, and write its row and the table of its data set."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def submit() -> None:
    """Submissions to a leaderboard: pack, check, accept. docs/submitting.md leads from runs to a pull request."""
