"""The pages of the documentation as their reader sees them: blocks of code with what their info string says, and inline code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.token import Token

PROJECT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = PROJECT / "docs"

# One attribute of an info string: ``title="vad_speed/detector.py"``.
_ATTRIBUTE: Final = re.compile(r'(\w+)="([^"]*)"')
_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code on a page.

    Args:
        page: The file it stands in.
        line: Of its first line of code, counted from 1.
        language: First word of the info string; ``indented`` for an indented block.
        title: The file that it is, or None.
        code: What it holds.
    """

    page: Path
    line: int
    language: str
    title: str | None
    code: str

    @property
    def place(self) -> str:
        """``docs/evaluation.md:64``."""
        return place(self.page, self.line)


@dataclass(frozen=True, slots=True)
class Inline:
    """Code within a line of text; ``line`` is that of the paragraph or table row."""

    page: Path
    line: int
    code: str


def pages() -> list[Path]:
    """README.md and every page of docs/."""
    return [PROJECT / "README.md", *sorted(DOCS.rglob("*.md"))]


def page_id(page: Path) -> str:
    """``docs/contracts/prior.md``: where a page lies in the project."""
    return page.relative_to(PROJECT).as_posix() if page.is_relative_to(PROJECT) else page.as_posix()


def place(page: Path, line: int) -> str:
    """Page and line, as an editor opens them."""
    return f"{page_id(page)}:{line}"


def blocks(page: Path) -> list[Block]:
    """Every block of code of a page, in order."""
    return [_block(page, token) for token in _tokens(page) if token.type in ("fence", "code_block")]


def inline_code(page: Path) -> list[Inline]:
    """Every piece of inline code of a page, in order."""
    found = []
    line = 0
    for token in _tokens(page):
        line = token.map[0] + 1 if token.map else line
        for child in token.children or ():
            if child.type == "code_inline":
                found.append(Inline(page, line, child.content))
    return found


def _tokens(page: Path) -> list[Token]:
    return _MARKDOWN.parse(page.read_text(encoding="utf-8"))


def _block(page: Path, token: Token) -> Block:
    if token.map is None:
        raise ValueError(f"a block without a place in {page}")
    begin = token.map[0] + 1
    if token.type == "code_block":
        return Block(page, begin, "indented", None, token.content)
    language, _, rest = token.info.strip().partition(" ")
    attributes = dict(_ATTRIBUTE.findall(rest))
    return Block(page, begin + 1, language, attributes.get("title"), token.content)


def logical_lines(code: str) -> Iterator[tuple[int, str]]:
    """The lines of a shell block with the offset of each; a line that ends in a backslash goes on in the next."""
    held, start = "", 0
    for offset, line in enumerate(code.splitlines()):
        start = start if held else offset
        if line.endswith("\\"):
            held += line[:-1].rstrip() + " "
            continue
        yield start, held + (line.strip() if held else line)
        held = ""
    if held:
        yield start, held.rstrip()
