"""Text in Markdown: whatever somebody calls a method or a machine, a page shows it and nothing comes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vadbench.api.plain_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARKS: Final = re.compile(r"[\\`*~|\[]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
"""What emphasis, code, links, images and cells begin or end with; within a word ``_`` is none of them."""
_ENTITIES: Final = (("&", "&amp;"), ("<", "&lt;"), ("://", "&#58;//"), ("www.", "www&#46;"))
"""Of HTML, and of addresses that would become links by themselves."""


def markdown_text(text: str) -> str:
    """A text that stands in Markdown as it is: no HTML, link, image, emphasis or cell of a table comes of it."""
    told = shown(text)
    for sign, entity in _ENTITIES:
        told = re.sub(re.escape(sign), entity, told, flags=re.IGNORECASE)
    return _MARKS.sub(r"\\\g<0>", told)


def markdown_code(text: str) -> str:
    """A text as a code span, whatever stands in it."""
    told = shown(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", told)), default=0))
    space = " " if told.startswith("`") or told.endswith("`") or not told else ""
    return f"{fence}{space}{told}{space}{fence}"


def markdown_line(cells: Iterable[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(map(markdown_text, cells)) + " |"
