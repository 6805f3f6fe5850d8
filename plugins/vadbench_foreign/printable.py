"""What a program said or named, as text that a terminal shows and does not obey."""

from __future__ import annotations

import re
from typing import Final

from vadbench.api.plain_text import shown

_STYLE: Final = re.compile(r"\x1b\[[0-9;:]*[mK]")
"""Colours, and the end of a line made blank: programs write them to be seen, and nothing is lost with them."""


def printable(text: str) -> str:
    """One line: colours are left out, tabs stay, and whatever else would not show is written as its escape."""
    return "\t".join(map(shown, _STYLE.sub("", text).split("\t")))
