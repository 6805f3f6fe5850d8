"""Text of others in terminals and in Markdown: shown, and nothing comes of it."""

from __future__ import annotations

import re

import hypothesis.strategies as st
import pytest
from hypothesis import given

from vadbench.api.plain_text import is_plain, plain_lines, plain_text, shown
from vadbench.report.markdown_text import markdown_code, markdown_line, markdown_text


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\nb", "\x9b2J", "a\u202eb", "\ud800", "a\u2028b", "\x00", "\x7f"])
def test_what_acts_is_refused_and_shown_as_its_escape(text):
    assert not is_plain(text)
    with pytest.raises(ValueError, match="holds a control character"):
        plain_text(text)
    assert is_plain(shown(text))
    assert "\\" in shown(text)
    shown(text).encode()


def test_other_letters_are_plain_and_lines_may_be():
    assert plain_text("Größe 网络 (v2)") == shown("Größe 网络 (v2)") == "Größe 网络 (v2)"
    assert plain_lines("a\n\tb") == "a\n\tb"
    with pytest.raises(ValueError, match="holds a control character"):
        plain_lines("a\rb")


@given(st.text(st.characters(codec=None, categories=None)))
def test_whatever_is_shown_is_plain(text):
    assert is_plain(shown(text))
    assert is_plain(markdown_text(text))
    assert is_plain(markdown_code(text))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<img src=x>", "&lt;img src=x>"),
        ("[k](http://evil)", r"\[k](http&#58;//evil)"),
        ("a|b", r"a\|b"),
        ("&lt;img>", "&amp;lt;img>"),
        ("`x` *y* _z_", r"\`x\` \*y\* \_z\_"),
        ("x86_64", "x86_64"),
        ("a\\", r"a\\"),
        ("WWW.evil", "www&#46;evil"),
    ],
)
def test_markdown(text, escaped):
    assert markdown_text(text) == escaped
    assert markdown_line([text, "1"]) == f"| {escaped} | 1 |"


@given(st.text("<[|`*&\\a", min_size=1))
def test_nothing_begins_in_escaped_markdown(text):
    told = markdown_text(text)
    assert "<" not in told
    assert not re.search(r"(?<!\\)(\\\\)*[\[|`*]", told)


@given(st.text("`a ", min_size=1))
def test_code_ends_where_it_ends(text):
    told = markdown_code(text)
    fence = re.match("`+", told)[0] if text.strip("`") and not text.startswith("`") else None
    runs = [len(run) for run in re.findall("`+", told)]
    assert runs[0] == runs[-1] == max(runs)
    assert runs.count(runs[0]) == 2
    assert fence is None or len(fence) == runs[0]
