"""``vadbench compare``: whether test clips tell two methods apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vadbench.report.comparison import Comparison


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--protocol", metavar="NAME|FILE", help="Score both under this protocol; by default under their own.")
@click.option("--label-a", metavar="METHOD", help="Of several methods below A the one of this name, as tables print it.")
@click.option("--label-b", metavar="METHOD", help="Likewise for B.")
@click.option("--resamples", type=click.IntRange(100, 100_000), default=10_000, show_default=True, help="For intervals and test.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compare(
    a: Path, b: Path, protocol: str | None, label_a: str | None, label_b: str | None, resamples: int, as_json: bool
) -> None:
    """The AUROCs of A and B on the same test clips, their difference, its interval, and a permutation test.

    A and B are run folders, or folders above with all seeds of one method on one data set: runs/knn/shanghaitech. Where parts
    were swapped or settings changed, such a folder holds several methods: choose with --label-a and --label-b.
    """
    from vadbench.cli.run_paths import runs_at
    from vadbench.evaluation.protocol_file import named_or_file
    from vadbench.report.comparison import compare as compare_runs
    from vadbench.report.comparison import labelled
    from vadbench.report.comparison_text import comparison_json

    rule = None if protocol is None else named_or_file(protocol)
    sides = labelled(runs_at([a]), label_a), labelled(runs_at([b]), label_b)
    found = compare_runs(*sides, protocol=rule, resamples=resamples)
    if as_json:
        click.echo(comparison_json(found), nl=False)
    else:
        _print(found)


def _print(found: Comparison) -> None:
    from rich.text import Text

    from vadbench.cli.console import output_console
    from vadbench.report.comparison_text import comparison_table, explanations, sentence

    console = output_console()
    console.print(comparison_table(found))
    console.print(Text(sentence(found), style="bold"))
    console.print()
    for line in explanations(found):
        console.print(Text(line))
