"""``vadbench plugin check``: does a plug-in keep its contracts, rule by rule."""

from __future__ import annotations

import io
import json
import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vadbench.api.errors import PluginError
from vadbench.cli.progress import shown_progress

if TYPE_CHECKING:
    from vadbench.api.context import Progress
    from vadbench.testing.outcomes import Outcome
    from vadbench.testing.subjects import Subject
    from vadbench.testing.targets import Target


@click.command("check")
@click.argument("target", metavar="NAME|PATH")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--set", "changes", multiple=True, metavar="KIND.KEY=VALUE", help="A setting, such as detector.epochs=2.")
@click.option("--data-root", type=click.Path(path_type=Path), metavar="DIR", help="Folder below which data sets lie.")
@click.option("--only", multiple=True, metavar="CHECK", help="Run this check alone (repeatable).")
@click.option("--verbose", "-v", is_flag=True, help="Also list the checks that pass.")
def check(
    target: str, as_json: bool, changes: tuple[str, ...], data_root: Path | None, only: tuple[str, ...], verbose: bool
) -> None:
    """Put a plug-in, or one component, through the checks of its contracts.

    NAME is a plug-in, a distribution, KIND/NAME, or a component's name; PATH a .py file, a package folder, or a project folder,
    which need not be installed. Exits with 0 where nothing failed, and with 4 otherwise.

    The component runs in this process: one that hangs or crashes it does so here.
    """
    from vadbench.cli.plugin.check_report import CheckedPlugin, as_document, show_plugin, show_summary
    from vadbench.testing.subjects import check_known
    from vadbench.testing.targets import find_targets

    begun = time.perf_counter()
    targets = find_targets(target, changes=changes, data_root=None if data_root is None else data_root.absolute())
    with shown_progress() as progress:
        subjects = [_subjects(each, progress) for each in targets]
        if only:
            check_known(only, chain.from_iterable(subjects))
        checked = []
        for each, some in zip(targets, subjects, strict=True):
            plugin = CheckedPlugin(each.trial, whole=each.whole)
            plugin.results += _results([subject.only(only) if only else subject for subject in some], each.name, progress)
            checked.append(plugin)
            if not as_json:
                show_plugin(plugin, verbose=verbose)
    seconds = time.perf_counter() - begun
    if as_json:
        click.echo(json.dumps(as_document(target, checked, seconds), indent=2))
    else:
        show_summary(checked, seconds)
    if any(outcome.fault for plugin in checked for outcome in plugin.outcomes):
        raise click.exceptions.Exit(PluginError.exit_code)


def _subjects(target: Target, progress: Progress) -> list[Subject]:
    """Loads a plug-in; what it prints then does not end up in what this command prints."""
    out = io.StringIO()
    with progress.task(f"loading {target.name}", 1), redirect_stdout(out), redirect_stderr(out):
        return target.subjects()


def _results(subjects: list[Subject], name: str, progress: Progress) -> Iterator[tuple[Subject, list[Outcome]]]:
    """Each subject that has a check to run, with what came of its checks."""
    with progress.task(f"checking {name}", sum(len(subject.checks) for subject in subjects)) as advance:
        for subject in subjects:
            outcomes = []
            for bound in subject.checks:
                out = io.StringIO()
                # A component that prints fails a check for it; a reader of JSON need not suffer as well.
                with redirect_stdout(out), redirect_stderr(out), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    outcomes.append(subject.outcome(bound))
                advance(1)
            if outcomes:
                yield subject, outcomes
