"""Every command that a page shows could be typed: it exists, with its options, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from doc_pages import page_id, pages, place
from documented_commands import commands_of, faults

from vadbench.api import KINDS
from vadbench.cli.main import cli
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import method_names

OURS = re.compile(r"(my|vad|acme)[-_].*")
"""What a page calls the reader's own component, or one that it writes itself."""


@pytest.fixture(scope="module")
def known():
    registry = load_plugins().registry

    def named(names):
        return lambda value: value in names or OURS.fullmatch(value) is not None

    def data(value):
        return "/" in value or value in registry.names("dataset") or OURS.fullmatch(value) is not None

    def method(value):
        name = value.partition(":")[0]
        return value.endswith(".toml") or "/" in value or name in method_names(registry) or OURS.fullmatch(name) is not None

    kinds = {kind: named({*registry.names(kind), "none"}) for kind in KINDS if kind not in ("dataset", "detector")}
    return {**kinds, "dataset": data, "datasets": data, "methods": method, "method": method}


@pytest.mark.parametrize("page", pages(), ids=page_id)
def test_commands_of_a_page_exist(page, known):
    wrong = [
        f"{place(command.page, command.line)}: {command.text}\n    {fault}"
        for command in commands_of(page)
        for fault in faults(command.text, cli, known)
    ]
    assert not wrong, "\n".join(wrong)


def test_commands_are_found():
    assert sum(len(commands_of(page)) for page in pages()) > 150


@click.group()
@click.option("--spices", help="A folder.")
def program(spices):
    """A made-up program."""


@program.group()
def pot():
    """Pots."""


@pot.command()
@click.argument("methods", nargs=-1)
@click.option("--lid/--no-lid", help="With a lid.")
@click.option("-o", "--out", help="Where to.")
@click.option("--colour", type=click.Choice(["red", "blue"]), help="Its colour.")
@click.option("--prior", help="A name.")
def cook(methods, lid, out, colour, prior):
    """Cooks."""


@pot.command()
@click.argument("one")
def wash(one):
    """Washes."""


NAMES = {"methods": lambda v: v in ("stew", "soup"), "prior": lambda v: v == "ngram"}


@pytest.mark.parametrize(
    "text",
    [
        "vadbench pot",
        "vadbench pot cook",
        "vadbench pot cook stew soup --lid -o x.png # and a comment --nonsense",
        "vadbench pot cook METHOD --colour=red",
        "vadbench pot cook stew [--no-lid] [--colour red|blue] [--prior NAME]",
        "vadbench pot cook|wash",
        "vadbench --spices . pot cook stew",
        "vadbench pot cook stew --spices=.",
        "vadbench pot wash <what>",
        "vadbench pot cook ... --prior ngram",
        "vadbench pot cook NAME:VALUE 'stew' --out",
    ],
)
def test_a_command_that_could_be_typed(text):
    assert faults(text, program, NAMES) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("vadbench pan", "vadbench has no command 'pan'"),
        ("vadbench --spice . pot", "vadbench has no command '.'"),
        ("vadbench pot fry", "vadbench pot has no command 'fry'"),
        ("vadbench pot cook|fry", "vadbench pot has no command 'cook|fry'"),
        ("vadbench pot cook stew --lidd", "vadbench pot cook has no option --lidd"),
        ("vadbench pot cook [--lids]", "vadbench pot cook has no option --lids"),
        ("vadbench pot cook stew --colour green", "--colour cannot be 'green': red, blue"),
        ("vadbench pot cook stew --colour red|green", "--colour cannot be 'green': red, blue"),
        ("vadbench pot cook stow", "no methods is named 'stow'"),
        ("vadbench pot cook stew --prior ngrams", "no prior is named 'ngrams'"),
        ("vadbench pot wash this that", "vadbench pot wash takes 1 arguments, not 'this that'"),
    ],
)
def test_a_command_that_could_not(text, fault):
    assert faults(text, program, NAMES) == [fault]


def test_where_commands_are_found(tmp_path):
    page: Path = tmp_path / "page.md"
    page.write_text(
        "Text vadbench not this, but `vadbench one`.\n\n| a |\n|---|\n| `vadbench two` |\n\n    vadbench three | jq .\n"
        "    VADBENCH_DATA=x vadbench four \\\n        --more\n\n"
        "```console\n$ vadbench five\nAll of it: vadbench six; x\nvadbench wrong  # exit 2\n```\n\n```python\nvadbench = 7\n```\n"
    )
    found = [(command.line, command.text) for command in commands_of(page)]
    assert found == [
        (7, "vadbench three"),
        (8, "vadbench four --more"),
        (12, "vadbench five"),
        (13, "vadbench six"),
        (1, "vadbench one"),
        (5, "vadbench two"),
    ]
