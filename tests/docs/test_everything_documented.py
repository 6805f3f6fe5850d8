"""Nothing public is undocumented: names of vadbench.api, contracts, hooks, commands, options, variables, errors, exit codes.

Presets and their pages: `test_method_pages`.
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import click
import pytest
from click_tree import commands, unnamed, without_help
from doc_pages import DOCS, PROJECT, pages

import vadbench.api
from vadbench.api import KINDS, errors
from vadbench.api.entry import METHODS_OF_KIND
from vadbench.api.hooks import Hooks
from vadbench.cli.main import cli
from vadbench.testing.checks import check_names

CONTRACTS = DOCS / "contracts"
REFERENCE = DOCS / "reference"
OPTIONAL = {
    "dataset": ("Locatable", "Sourced", "Inspectable"),
    "tokenizer": ("CodeVectors", "Diagnosed", "ReadsReleased", "Stateful"),
    "prior": ("Predictive", "Diagnosed", "ReadsReleased", "Stateful"),
    "flow": ("Localised", "Diagnosed", "ReadsReleased", "Stateful"),
    "scorer": ("TermChecking", "ValidatedScorer", "Diagnosed", "ReadsReleased", "Stateful"),
    "detector": ("TermDetector", "Diagnosed", "ReadsReleased", "Stateful"),
}
"""What a component of a kind may be beyond its contract."""
NO_PART = {"Normaliser", "View", "Progress", "Trainer"}
"""Protocols that a component is given, and does not fulfil."""
ATTRIBUTES = {
    "prior": ("learns",),
    "flow": ("learns_from_labels",),
    "scorer": ("monotone",),
    "detector": ("learns", "learns_from_labels"),
}


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def is_protocol(value: object) -> bool:
    return isinstance(value, type) and bool(getattr(value, "_is_protocol", False))


def members(protocol: type) -> set[str]:
    """Methods and attributes that a protocol asks for, its bases' included."""
    names: set[str] = set()
    for base in protocol.__mro__:
        if is_protocol(base) and base.__module__.startswith("vadbench"):
            names |= {*vars(base), *base.__annotations__}
    return {name for name in names if not name.startswith("_")}


def source_of(name: str) -> ast.Module:
    """The module of vadbench.api that a name comes from."""
    module = vadbench.api._MODULE_OF.get(name)
    path = Path(vadbench.api.__file__)
    return ast.parse((path.parent / f"{module}.py" if module else path).read_text(encoding="utf-8"))


def described(tree: ast.Module, name: str) -> bool:
    """Whether the definition of a name has a docstring, or an assignment a string below it."""
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node) is not None
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str)
    return False


@pytest.mark.parametrize("name", sorted(vadbench.api.__all__))
def test_a_public_name_is_described_and_in_the_reference(name):
    assert described(source_of(name), name), f"vadbench.api.{name} has no docstring"
    assert re.search(rf"^::: vadbench\.api\.{name}$", text(REFERENCE / "api.md"), re.MULTILINE), (
        f"docs/reference/api.md lacks {name}"
    )


def test_the_reference_has_no_name_that_is_not_there():
    named = re.findall(r"^::: vadbench\.api\.(\w+)$", text(REFERENCE / "api.md"), re.MULTILINE)
    assert sorted(named) == sorted(set(named))
    assert set(named) <= set(vadbench.api.__all__)


def test_described_sees_what_is_missing():
    tree = ast.parse('class A:\n    """A."""\nclass B: ...\nC = 1\nD: int = 2\n"""D."""\nE = 3\nF = 4\n')
    assert {name for name in "ABCDEFG" if described(tree, name)} == {"A", "D"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_a_contract_names_all_that_the_contract_has(kind):
    page = text(CONTRACTS / f"{kind}.md")
    names = {*METHODS_OF_KIND[kind], *members(getattr(vadbench.api, kind.capitalize())), *ATTRIBUTES.get(kind, ())}
    for optional in OPTIONAL[kind]:
        if optional != "Stateful":
            names |= {optional, *members(getattr(vadbench.api, optional))}
    missing = sorted(name for name in names if not re.search(rf"\b{name}\b", page))
    assert not missing, f"docs/contracts/{kind}.md does not name {missing}"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dataset"])
def test_signatures_on_the_page_are_those_of_the_contract(kind):
    contract = getattr(vadbench.api, kind.capitalize())
    for method in members(contract) - {"shape"}:
        parameters = [name for name in inspect.signature(getattr(contract, method)).parameters if name != "self"]
        assert f"`{method}({', '.join(parameters)})`" in text(CONTRACTS / f"{kind}.md"), f"docs/contracts/{kind}.md: {method}"


def test_every_protocol_has_a_place():
    protocols = {name for name in vadbench.api.__all__ if is_protocol(getattr(vadbench.api, name))}
    placed = {kind.capitalize() for kind in KINDS} | NO_PART | {name for names in OPTIONAL.values() for name in names}
    assert protocols == placed


def test_members_of_a_protocol():
    assert members(vadbench.api.Tokenizer) == {"shape", "fit", "encode", "decode"}
    assert members(vadbench.api.TermDetector) == {"fit", "score", "score_terms", "fuse"}
    assert not is_protocol(vadbench.api.Windows)


def mistakes(page: str) -> set[str]:
    """The names of checks in the second column of the table of mistakes."""
    rows = page.partition("## Common mistakes")[2].partition("\n## ")[0]
    cells = [line.rstrip("|").rpartition("|")[2] for line in rows.splitlines() if line.startswith("| ")][1:]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell) if not name.startswith("vadbench ")}


@pytest.mark.parametrize("kind", KINDS)
def test_checks_that_find_a_mistake_are_there(kind):
    page = text(CONTRACTS / f"{kind}.md")
    known = {name.partition("[")[0] for name in check_names(kind)} | set(re.findall(r"`([a-z-]+)`", text(DOCS / "doctor.md")))
    named = mistakes(page)
    assert len(named) >= 5
    assert named - known - {"sources"} == set()


def test_classes_say_what_the_overview_says():
    page = text(CONTRACTS / "README.md")
    for attribute in ("learns", "learns_from_labels", "monotone", "expected_failures"):
        assert f"`{attribute} = " in page
    for kind in KINDS:
        assert f"({kind}.md)" in page


def test_hooks_are_documented():
    hooks = [name for name, value in vars(Hooks).items() if inspect.isfunction(value)]
    assert hooks
    for hook in hooks:
        assert inspect.getdoc(getattr(Hooks, hook)), hook
        parameters = [name for name in inspect.signature(getattr(Hooks, hook)).parameters if name != "self"]
        assert f"`{hook}({', '.join(parameters)})`" in text(CONTRACTS / "README.md"), hook


def test_commands_and_options_have_words():
    assert without_help(cli, "vadbench") == []


def test_commands_are_named_on_a_page():
    written = [text(page) for page in pages() if page.parent != REFERENCE]
    assert unnamed(cli, "vadbench", written) == []


def test_what_has_no_words_is_found():
    @click.group()
    def root():
        """A group."""

    @root.command()
    @click.option("--told", help="Told.")
    @click.option("--untold")
    @click.option("--secret", hidden=True)
    def one(**_):
        """A command."""

    @root.group()
    def deep():
        """Another group."""

    @deep.command()
    def two():
        pass

    assert {path for path, _ in commands(root, "p")} == {"p", "p one", "p deep", "p deep two"}
    assert sorted(without_help(root, "p")) == ["p deep two", "p one --untold"]
    assert unnamed(root, "p", ["try `p one --told`", "p deep"]) == ["p deep two"]


def environment_variables(source: str) -> set[str]:
    """The VADBENCH_... variables that a source names in strings; attributes of a plug-in's module are none."""
    names = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {found for name in names for found in re.findall(r"\b_?VADBENCH_[A-Z_]+\b", name)} - {"VADBENCH_API"}


def test_environment_variables_are_documented():
    folders = [PROJECT / "vadbench", *(PROJECT / "plugins").glob("vadbench_*")]
    found = {name for folder in folders for path in folder.rglob("*.py") for name in environment_variables(text(path))}
    page = text(REFERENCE / "environment.md")
    assert {"VADBENCH_DATA", "VADBENCH_CACHE"} <= found
    assert sorted(name for name in found if f"`{name}`" not in page) == []


def test_variables_are_found_in_strings():
    source = 'X = "VADBENCH_NEW"\nVADBENCH_API = 1\ny = f"set $VADBENCH_OTHER to {x}"\n# VADBENCH_COMMENT\n'
    assert environment_variables(source) == {"VADBENCH_NEW", "VADBENCH_OTHER"}


def test_errors_and_exit_codes_are_documented():
    page = text(REFERENCE / "environment.md")
    rows = dict(re.findall(r"^\| (\d+) \| (.*?) \|", page, re.MULTILINE))
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, vadbench.api.VadbenchError)
    ]
    assert len(classes) >= 7
    for error in classes:
        assert f"`{error.__name__}`" in rows[str(error.exit_code)], error.__name__
    listed = set(re.findall(r"^(\d+) ", inspect.getdoc(errors) or "", re.MULTILINE))
    assert listed <= set(rows)
    readme = re.search(r"Exit codes: (.*?)\n- ", text(PROJECT / "README.md"), re.DOTALL)
    assert readme is not None
    assert set(re.findall(r"\b(\d+) [a-z`]", readme[1])) <= set(rows)


def test_every_shipped_preset_has_a_page():
    index = text(DOCS / "methods" / "README.md")
    for preset in (PROJECT / "configs").glob("*.toml"):
        assert re.search(rf"\b{re.escape(preset.stem)}\b", index), preset.stem
