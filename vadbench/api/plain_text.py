"""Text that somebody else wrote: whether it is plain, and how a terminal may be shown it if it is not."""

from __future__ import annotations

import unicodedata
from typing import Final

_NO_TEXT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters (surrogates), and breaks of lines and paragraphs."""
_TURNS: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Signs that make text be shown in another order than it is read."""
_OF_LINES: Final = frozenset("\n\t")


def plain_text(text: str) -> str:
    """The text, if it is one line of plain text; raises `ValueError` for one with a control character, or half a character."""
    if not is_plain(text):
        raise ValueError(f"{text!a} holds a control character")
    return text


def plain_lines(text: str) -> str:
    """As `plain_text`, of several lines, which may have tabs."""
    if not is_plain(text, lines=True):
        raise ValueError(f"{text!a} holds a control character")
    return text


def is_plain(text: str, *, lines: bool = False) -> bool:
    """Whether a text does nothing but be read.

    Args:
        text: Anybody's.
        lines: Whether it may have several, and tabs.
    """
    return not any(_acts(sign) for sign in text if not (lines and sign in _OF_LINES))


def shown(text: str) -> str:
    """A text as one line for a terminal: what it would obey, or could not write, stands there as its escape."""
    return "".join(ascii(sign)[1:-1] if _acts(sign) else sign for sign in text)


def _acts(sign: str) -> bool:
    return unicodedata.category(sign) in _NO_TEXT or unicodedata.bidirectional(sign) in _TURNS
