"""A new plug-in's distribution: its files, rendered from the templates beside this module, and what to type next."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import jinja2

from vadbench import __version__
from vadbench.api import VERSION
from vadbench.data.whole_folder import whole_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vadbench.api.entry import Kind
    from vadbench.cli.plugin.derived_names import DerivedNames

LINE_LENGTH: Final = 120
"""Of the generated files, which their own ruff holds them to."""
SUMMARIES: Final[Mapping[Kind, str]] = {
    "dataset": "poses and frame labels, one .npz file a clip",
    "tokenizer": "nearest of K cluster centres of short stretches, after PCA",
    "prior": "smoothed counts of pairs of tokens",
    "flow": "diagonal Gaussian, its mean linear in the code vectors",
    "scorer": "weighted sum of standardised terms",
    "detector": "distance to the median training window, in robust units",
}
"""What the minimal component of each kind is, in a line."""
_SWAPPED: Final = "msgflow"
"""The method that a part is tried in."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes the component, as the distribution's metadata say.

    Args:
        name: Of the author; None where nobody was named.
        email: Of the author.
        licence: SPDX expression.
    """

    name: str | None
    email: str | None
    licence: str


@dataclass(frozen=True, slots=True)
class Commands:
    """What to type once a distribution is there, each within its folder."""

    prepare: str | None
    check: str
    run: str

    @classmethod
    def of(cls, names: DerivedNames) -> Commands:
        """Those of a component."""
        kind, name = names.kind, names.component
        if kind == "dataset":
            data = "--data-root example-data"
            return cls(
                "python tests/tiny_data.py example-data",
                f"vadbench plugin check {name} {data}",
                f"vadbench run knn --dataset {name} {data}",
            )
        run = f"vadbench run {name}" if kind == "detector" else f"vadbench run {_SWAPPED} --{kind} {name}"
        return cls(None, f"vadbench plugin check {name}", run)


def rendered_files(names: DerivedNames, author: Author) -> dict[str, str]:
    """Every file of the distribution: path below its folder, with ``/``, to text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vadbench.cli.plugin", "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - what is written is Python, TOML and Markdown, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["toml"] = toml_string
    environment.globals["wrapped"] = wrapped
    told = {
        "names": names,
        "summary": SUMMARIES[names.kind],
        "author": author.name,
        "email": author.email,
        "licence": author.licence,
        "version": __version__,
        "api_version": VERSION,
        "line_length": LINE_LENGTH,
        "commands": Commands.of(names),
    }
    return {path: environment.get_template(template).render(told) for path, template in _templates(names).items()}


def write_distribution(names: DerivedNames, author: Author, folder: Path) -> list[str]:
    """Writes a distribution's folder below ``folder``, all of it or nothing; the paths of its files, below its own folder.

    Raises:
        UsageError: if something of its name is there, or nothing can be written.
    """
    files = rendered_files(names, author)
    with whole_folder(folder, [names.distribution]) as made:
        for path, text in files.items():
            file = made / names.distribution / PurePosixPath(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
    return list(files)


def toml_string(text: str) -> str:
    """A text without control characters as a string of TOML, in which JSON's are valid."""
    return json.dumps(text, ensure_ascii=False)


def wrapped(head: str, items: Sequence[str], tail: str, indent: int = 0, *, import_: bool = False) -> str:
    """``head``, items, ``tail`` as ruff's formatter breaks them: on one line, or one within another, or each on its own.

    Args:
        head: What stands before the items, with the opening bracket where there always is one.
        items: Parameters or imported names.
        tail: What stands after them, with the closing bracket.
        indent: Spaces before the head, which the template has written.
        import_: Whether it is an import, which has brackets only where it is broken.
    """
    line = f"{head}{', '.join(items)}{tail}"
    if indent + len(line) <= LINE_LENGTH:
        return line
    if import_:
        head, tail = f"{head}(", f"){tail}"
    margin, inner = " " * indent, " " * (indent + 4)
    together = ", ".join(items)
    if not import_ and len(inner) + len(together) <= LINE_LENGTH:
        return f"{head}\n{inner}{together}\n{margin}{tail}"
    each = "".join(f"{inner}{item},\n" for item in items)
    return f"{head}\n{each}{margin}{tail}"


def _templates(names: DerivedNames) -> dict[str, str]:
    """Path of each file to its template, in the order in which they are worth reading."""
    kind, source = names.kind, f"src/{names.package}"
    files = {
        f"{source}/{kind}.py": f"{kind}/{kind}.py.jinja",
        f"{source}/plugin.py": "every_kind/plugin.py.jinja",
        f"{source}/__init__.py": "every_kind/__init__.py.jinja",
        f"{source}/py.typed": "every_kind/py.typed.jinja",
        "tests/test_contract.py": "every_kind/test_contract.py.jinja",
        f"tests/test_{kind}.py": f"{kind}/test_{kind}.py.jinja",
        "pyproject.toml": "every_kind/pyproject.toml.jinja",
        "README.md": "every_kind/README.md.jinja",
        ".gitignore": "every_kind/gitignore.jinja",
    }
    if kind == "detector":
        files[f"{source}/{names.component}.toml"] = "detector/preset.toml.jinja"
    if kind == "dataset":
        files["tests/tiny_data.py"] = "dataset/tiny_data.py.jinja"
        files["tests/test_contract.py"] = "dataset/test_contract.py.jinja"
    return files
