"""``vadbench plugin new``: a component of one's own as an installable, tested distribution."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from vadbench.api.entry import KINDS
from vadbench.api.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from vadbench.api.entry import Kind
    from vadbench.cli.plugin.derived_names import DerivedNames
    from vadbench.cli.plugin.distribution import Author

_LICENCE: Final = "Apache-2.0"
_EMAIL: Final = re.compile(r"[^\s@<>,;:\"\\()\[\]]+@[^\s@<>,;:\"\\()\[\]]+\.[^\s@<>,;:\"\\()\[\]]+")


class KindName(click.ParamType):  # type: ignore[type-arg] # generic in some versions of click only
    """A kind of component."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The kind; raises `UsageError` with the nearest ones for an unknown one."""
        if value not in KINDS:
            raise UsageError(f"there is no kind {value!r}", where="KIND", remedy=did_you_mean(str(value), KINDS))
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The kinds that begin with what is typed."""
        return [CompletionItem(kind) for kind in KINDS if kind.startswith(incomplete)]


@click.command()
@click.argument("kind", type=KindName())
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder in which to make the distribution's own folder; by default this one.",
)
@click.option("--author", metavar="TEXT", help="Author, for pyproject.toml.")
@click.option("--email", metavar="TEXT", help="The author's address, for pyproject.toml.")
@click.option("--licence", metavar="SPDX", default=_LICENCE, show_default=True, help="Licence of the code, e.g. MIT.")
def new(kind: Kind, name: str, folder: Path, author: str | None, email: str | None, licence: str) -> None:
    """Write a distribution with a component of KIND that is called NAME: vadbench plugin new detector my-speed.

    KIND is dataset, tokenizer, prior, flow, scorer or detector. What is written works, is tested and passes every check as it
    stands: change it to what you have in mind. Nothing that is there is touched.
    """
    from vadbench.cli.installed import installed_plugins
    from vadbench.cli.plugin.derived_names import check_free, derived_names
    from vadbench.cli.plugin.distribution import write_distribution
    from vadbench.data.user_paths import expanded
    from vadbench.engine.presets import method_names

    names = derived_names(kind, name)
    told = _author(author, email, licence)
    target = expanded(folder)
    if (target / names.distribution).exists():
        raise UsageError(
            "there is something of this name already, and nothing is written over",
            where=target / names.distribution,
            remedy="move it away, name another folder with --dir, or choose another NAME",
        )
    plugins = installed_plugins()
    check_free(
        names,
        registered=plugins.registry.names(kind),
        methods=method_names(plugins.registry),
        plugins=[status.name for status in plugins.statuses],
    )
    _tell(names, target / names.distribution, write_distribution(names, told, target))


def _tell(names: DerivedNames, folder: Path, files: list[str]) -> None:
    from vadbench.cli.plugin.distribution import SUMMARIES, Commands

    commands = Commands.of(names)
    click.echo(f"{names.kind} {names.component}: {SUMMARIES[names.kind]}")
    click.echo(f"written: {folder}")
    notes = {
        files[0]: f"the {names.kind} {names.class_name} and its settings: begin here",
        "pyproject.toml": "distribution, entry point, and what it needs",
    }
    width = max(map(len, files))
    for file in files:
        click.echo(f"  {file:{width}}  {notes.get(file, '')}".rstrip())
    click.echo("next:")
    lines = [f"cd {_quoted(folder)}", "pip install -e '.[dev]'", "pytest", commands.prepare, commands.check, commands.run]
    for line in lines:
        if line is not None:
            click.echo(f"  {line}")


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))


def _author(name: str | None, email: str | None, licence: str) -> Author:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    from vadbench.cli.plugin.distribution import Author

    # What pyproject.toml may hold: a name without commas and an address that a mail program takes.
    if name is not None and (not name.strip() or not name.isprintable() or set(name) & set(",<>")):
        raise UsageError(f"{name!r} is no author's name", where="--author", remedy="name one person, without ',', '<' and '>'")
    if email is not None and not _EMAIL.fullmatch(email):
        raise UsageError(f"{email!r} is no address", where="--email", remedy="write it as name@example.org")
    try:
        expression = str(canonicalize_license_expression(licence))
    except InvalidLicenseExpression as error:
        raise UsageError(
            f"{licence!r} is no SPDX licence expression",
            where="--licence",
            remedy="write an identifier from https://spdx.org/licenses, such as Apache-2.0 or MIT; "
            "LicenseRef-Proprietary where there is none",
        ) from error
    return Author(None if name is None else name.strip(), email, expression)
