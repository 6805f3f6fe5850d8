"""``vadbench submit accept``: a sound submission becomes a row."""

from __future__ import annotations

from pathlib import Path

import click

from vadbench.api.errors import UsageError
from vadbench.cli.submit.check import check_all, refuse_unsound, show, trust_labels


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder of the leaderboards.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--min-seeds", type=click.IntRange(min=1), default=5, show_default=True, help="Refuse rows of fewer seeds.")
@click.option(
    "--leaderboards",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Rows whose labels are known; by default those of --into. In the checkout of a pull request name those that it goes to.",
)
@trust_labels
@click.option("--replace", is_flag=True, help="Replace a row of this name that is there.")
def accept(
    folder: Path,
    into: Path,
    data_root: Path | None,
    min_seeds: int,
    leaderboards: Path | None,
    trust_labels: bool,
    replace: bool,
) -> None:
    """Check the submission DIR and, if it is sound, write its row and the table of its data set; all of it or nothing."""
    from vadbench.report.row_files import open_row, row_name, write_records

    known = into if leaderboards is None else leaderboards
    (checked,) = check_all([folder], data_root, leaderboards=known, min_seeds=min_seeds, trust=trust_labels)
    show(checked)
    refuse_unsound([checked])
    row = checked.row
    if row is None:  # never of a sound one
        return
    name = row_name(row)
    path = into / f"{name}.json"
    if path.exists() and not replace and open_row(path) != row:
        raise UsageError(
            f"another row {name} is there already",
            where=path,
            remedy="look at both, and replace it with --replace; nothing was written",
        )
    for written in write_records({name: row}, into):
        click.echo(f"written: {written}")
