"""``vadbench submit check``: whether submissions are sound; one folder, several, or those that a branch has changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vadbench.api.errors import DataError, DriftError, UsageError
from vadbench.api.plain_text import shown
from vadbench.cli.installed import installed_plugins
from vadbench.cli.progress import shown_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.cli.submit.changed import Changed
    from vadbench.report.submission.check import Checked


_TOLD: Final = {"tampered": "refused", "damaged": "refused", "undecided": "not decided", "warning": "warning", "note": "note"}
trust_labels = click.option(
    "--trust-labels",
    is_flag=True,
    help="You have compared the labels that were sent in with the data set, which is not here.",
)


@click.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--min-seeds", type=click.IntRange(min=1), default=5, show_default=True, help="Refuse rows of fewer seeds.")
@click.option(
    "--leaderboards",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Rows whose labels are known; by default those that travel with vadbench.",
)
@click.option(
    "--changed-since",
    metavar="REV",
    help="DIR is a folder of leaderboards in a git checkout: check the submissions that differ from this revision.",
)
@trust_labels
@click.option(
    "--allow-unsubmitted",
    is_flag=True,
    help="With --changed-since: rows without a submission may change, as a maintainer's own do, and so may pages.",
)
@click.option("--allow-replaced", is_flag=True, help="With --changed-since: what is there may be replaced or taken away.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def check(
    folders: tuple[Path, ...],
    data_root: Path | None,
    min_seeds: int,
    leaderboards: Path | None,
    changed_since: str | None,
    trust_labels: bool,
    allow_unsubmitted: bool,
    allow_replaced: bool,
    as_json: bool,
) -> None:
    """Check the submissions DIR: files, hashes, row, and every figure computed again from the raw scores.

    Labels are those of the data set where it is here, else those of the submission, if somebody knows them. Exits with 6 where
    something does not agree with itself, with 3 where something is missing, damaged or cannot be decided. Nothing that was sent
    in is executed or unpickled.
    """
    from vadbench.cli.submit.changed import changed_since as changed_in
    from vadbench.report.submission.check import checked_json

    changed = None
    if changed_since is not None:
        if len(folders) != 1:
            raise UsageError("--changed-since looks at one folder of leaderboards", remedy="give leaderboards alone")
        changed = changed_in(changed_since, folders[0], allow_unsubmitted=allow_unsubmitted, allow_replaced=allow_replaced)
        leaderboards = folders[0] if leaderboards is None else leaderboards
    elif allow_unsubmitted or allow_replaced:
        raise UsageError("--allow-unsubmitted and --allow-replaced go with --changed-since", remedy="leave them out")
    found = check_all(
        folders if changed is None else changed.submissions,
        data_root,
        leaderboards=leaderboards,
        min_seeds=min_seeds,
        trust=trust_labels,
        # A row that comes with a submission knows nothing of its labels that the submission does not say.
        without=frozenset() if changed is None else changed.files,
    )
    if as_json:
        content = {
            "submissions": [checked_json(each) for each in found],
            **({} if changed is None else {"faults": changed.faults, "warnings": changed.warnings}),
        }
        click.echo(json.dumps(content, indent=2))
    else:
        for each in found:
            show(each)
        _show_changed(changed)
    refuse_unsound(found, changed)


def check_all(
    folders: Sequence[Path],
    data_root: Path | None,
    *,
    leaderboards: Path | None,
    min_seeds: int,
    trust: bool,
    without: frozenset[Path] = frozenset(),
) -> list[Checked]:
    """Checks folders one after another; raises `UsageError` for one that is not there."""
    from vadbench.engine.datasets import data_root as data_root_or_variable
    from vadbench.engine.presets import shipped_folder
    from vadbench.report.submission.check import check_submission
    from vadbench.report.submission.known_labels import Witnesses

    registry, root = installed_plugins().registry, data_root_or_variable(data_root)
    known = Witnesses(shipped_folder("leaderboards") if leaderboards is None else leaderboards, without, trust)
    with shown_progress() as progress:
        return [
            check_submission(folder, registry, progress, root=root, witnesses=known, min_seeds=min_seeds) for folder in folders
        ]


def refuse_unsound(found: Sequence[Checked], changed: Changed | None = None) -> None:
    """Raises `DriftError` or `DataError` if something of a submission has a fault."""
    faults = sum(len(list(each.findings.faults())) for each in found) + (0 if changed is None else len(changed.faults))
    if not faults:
        return
    codes = {each.findings.exit_code for each in found} | ({DriftError.exit_code} if changed and changed.faults else set())
    kind = DriftError if DriftError.exit_code in codes else DataError
    bad = [str(each.folder) for each in found if not each.sound]
    remedy = "each is named above; vadbench submit pack makes the folder anew from its runs, and figures are never typed"
    if all(each.severity == "undecided" for one in found for each in one.findings.faults()) and not (changed and changed.faults):
        remedy = "nothing speaks against it: what is named above has to be decided by somebody who has what it takes"
    raise kind(
        f"{faults} {'fault' if faults == 1 else 'faults'} in {len(bad)} of {len(found)} submissions",
        where=shown(", ".join(bad)) or None,
        remedy=remedy,
    )


def show(checked: Checked) -> None:
    """Prints what was found of a submission."""
    from vadbench.cli.console import output_console
    from vadbench.report.row_files import row_name
    from vadbench.report.submission.text import figures_table

    row, console = checked.row, output_console()
    click.echo(click.style(shown(str(checked.folder)), bold=True))
    if row is not None:
        seeds = ", ".join(str(result.seed) for result in row.seeds)
        kind = ", scores only" if row.scores_only else ""
        click.echo(shown(f"{row_name(row)}: {row.method.label}{kind}; {row.method.track}, {row.protocol}, seeds {seeds}"))
    if checked.submission is not None:
        click.echo(shown(f"contact {checked.submission.contact}; licence {checked.submission.licence}"))
    if checked.seeds:
        console.print(figures_table(checked.seeds))
    for each in checked.findings.found:
        click.echo(f"{_TOLD[each.severity]}: {each.what}  [{each.where}]")
    if checked.sound:
        total = len(checked.seeds)
        click.echo(f"Sound: {total} of {total} seeds computed again. Not checked: {', '.join(checked.unchecked)}.")


def _show_changed(changed: Changed | None) -> None:
    if changed is None:
        return
    for warning in changed.warnings:
        click.echo(f"warning: {shown(warning)}")
    for fault in changed.faults:
        click.echo(f"refused: {shown(fault)}")
    if not changed.submissions:
        click.echo("No submission was changed.")
