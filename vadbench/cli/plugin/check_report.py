"""What ``vadbench plugin check`` says: lines for people, or one JSON object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import click

from vadbench.testing.outcomes import VERDICTS, Outcome
from vadbench.testing.subjects import RESTS_ON

if TYPE_CHECKING:
    from vadbench.testing.plugin_checks import PluginTrial
    from vadbench.testing.subjects import Subject

FORMAT: Final = 1
"""Version of the JSON object; see docs/checking.md."""
_COLOURS: Final = {"failed": "red", "xpass": "red", "xfail": "yellow", "advice": "yellow", "skipped": None, "ok": "green"}
_WORDS: Final = {"ok": "ok", "failed": "FAILED", "xpass": "XPASS", "xfail": "xfail", "advice": "advice", "skipped": "skipped"}
_WIDTH: Final = 118


@dataclass
class CheckedPlugin:
    """A plug-in, or one component of it, with what came of its checks.

    Args:
        trial: The plug-in.
        whole: Whether it was checked as a whole.
        results: What was checked, with the outcomes in order.
    """

    trial: PluginTrial
    whole: bool
    results: list[tuple[Subject, list[Outcome]]] = field(default_factory=list)

    @property
    def outcomes(self) -> list[Outcome]:
        """All of them."""
        return [outcome for _, outcomes in self.results for outcome in outcomes]


def show_plugin(checked: CheckedPlugin, *, verbose: bool) -> None:
    """Prints a plug-in and what was checked of it."""
    source = checked.trial.source
    click.secho(f"plug-in {source.name}  ({source.distribution} {source.version}, {source.origin})", bold=True)
    click.echo(f"  {source.where}")
    for subject, outcomes in checked.results:
        title = "the plug-in as a whole" if subject.entry is None else f"{subject.name}  ({subject.entry.target})"
        click.echo(f"  {title}: {_counted(outcomes)}")
        resting = [outcome for outcome in outcomes if outcome.message.startswith(RESTS_ON)]
        for outcome in outcomes:
            if verbose or (outcome.outcome != "ok" and outcome not in resting):
                _show(outcome)
        if resting and not verbose:
            click.echo(f"    skipped {len(resting)} checks: each {resting[-1].message}")


def show_summary(checked: Iterable[CheckedPlugin], seconds: float) -> None:
    """Prints how many checks ended how, and how long it took."""
    outcomes = [outcome for plugin in checked for outcome in plugin.outcomes]
    fault = any(outcome.fault for outcome in outcomes)
    click.secho(f"{len(outcomes)} checks: {_counted(outcomes)}, in {seconds:.1f} s", bold=True, fg="red" if fault else "green")
    if fault:
        click.echo("what each check asks, and how a failure is declared: docs/checking.md")


def as_document(target: str, checked: Sequence[CheckedPlugin], seconds: float) -> dict[str, Any]:
    """The JSON object."""
    outcomes = [outcome for plugin in checked for outcome in plugin.outcomes]
    return {
        "format": FORMAT,
        "target": target,
        "ok": not any(outcome.fault for outcome in outcomes),
        "counts": {verdict: sum(outcome.outcome == verdict for outcome in outcomes) for verdict in VERDICTS},
        "seconds": round(seconds, 3),
        "plugins": [_plugin(plugin) for plugin in checked],
    }


def _plugin(checked: CheckedPlugin) -> dict[str, Any]:
    source = checked.trial.source
    return {
        "name": source.name,
        "origin": source.origin,
        "distribution": source.distribution,
        "version": source.version,
        "where": source.where,
        "checks": [row for subject, outcomes in checked.results if subject.entry is None for row in map(_row, outcomes)],
        "components": [
            {
                "kind": subject.entry.kind,
                "name": subject.entry.name,
                "target": subject.entry.target,
                "checks": [_row(outcome) for outcome in outcomes],
            }
            for subject, outcomes in checked.results
            if subject.entry is not None
        ],
    }


def _row(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "seconds": round(outcome.seconds, 3)}


def _counted(outcomes: Iterable[Outcome]) -> str:
    counts = Counter(outcome.outcome for outcome in outcomes)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]) or "none"


def _show(outcome: Outcome) -> None:
    word = click.style(f"{_WORDS[outcome.outcome]:<7}", fg=_COLOURS[outcome.outcome], bold=outcome.fault)
    click.echo(f"    {word} {outcome.check}" + (f": {outcome.message}" if outcome.expected is None and outcome.message else ""))
    if outcome.expected is None:
        return
    for name, text in (
        ("declared", outcome.message.removeprefix("declared: ") if outcome.outcome == "xfail" else None),
        ("rule", outcome.contract),
        ("expected", outcome.expected if outcome.expected != outcome.contract else None),
        ("got", outcome.got),
        ("contract", outcome.see),
        ("remedy", outcome.remedy),
        ("at", outcome.at),
    ):
        if text:
            _line(name, text)


def _line(name: str, text: str) -> None:
    indent = " " * 22
    first = f"            {name:<9} "
    for number, line in enumerate(text.splitlines()):
        click.echo(click.wrap_text(line, _WIDTH, first if number == 0 else indent, indent))
