"""The public names of vadbench.api are those that were written down, and a change says what has to be done about it."""

from __future__ import annotations

import copy
import json
import sys
import types
from typing import Protocol

import pytest
from api_signatures import FILE, current, described, differences, main, verdict, write
from hypothesis import given
from hypothesis import strategies as st

from vadbench import api

WRITTEN = json.loads(FILE.read_text(encoding="utf-8"))


def test_nothing_changed_unnoticed():
    found = verdict(WRITTEN, current())
    assert found is None, found


def test_every_public_name_is_written_down():
    assert set(WRITTEN["names"]) >= {*api.__all__} - {"VERSION"}
    assert WRITTEN["VERSION"] == api.VERSION
    assert set(WRITTEN["names"]["hooks"]["members"]) == {"vadbench_register"}


def test_nothing_of_one_process_alone_is_written_down():
    text = FILE.read_text(encoding="utf-8")
    assert " at 0x" not in text
    assert "ForwardRef" not in text


# --- the classifier -----------------------------------------------------------------------------------------------------


def of(source: str, name: str = "subject"):
    """The description of what a source calls ``name``, as if it stood in vadbench.api."""
    made = sys.modules["vadbench.api.made"] = types.ModuleType("vadbench.api.made")
    space = vars(made)
    space["Protocol"] = Protocol
    head = (
        "from __future__ import annotations\nfrom dataclasses import dataclass, field\nfrom typing import Literal\n"
        "from vadbench.api import ComponentConfig\n"
    )
    try:
        exec(head + source, space)  # noqa: S102 - written here
    finally:
        del sys.modules["vadbench.api.made"]
    return {"VERSION": 1, "names": {"subject": described(space[name])}}


F, P, C, D, M = "def subject", "class subject(Protocol):\n ", "class subject:\n ", "@dataclass\nclass subject:\n ", ""
M = "class subject(ComponentConfig):\n "
CASES = [
    # what was, what is, what is said of it, whether plug-ins may break
    (f"{F}(a): ...", f"{F}(a): ...", None, False),
    (f"{F}(a): ...", f"{F}(a, *, b=1): ...", "subject(b): is new", False),
    (f"{F}(a): ...", f"{F}(a, b=1): ...", "subject(b): is new", False),
    (f"{F}(a): ...", f"{F}(a, *rest, **more): ...", "subject(rest): is new", False),
    (f"{F}(a): ...", f"{F}(a, b): ...", "is new, without a default", True),
    (f"{F}(a, b=1): ...", f"{F}(a, c=1, b=1): ...", "before others that may be given by place", True),
    (f"{F}(a, b): ...", f"{F}(b, a): ...", "its parameters stand in another order", True),
    (f"{F}(a, b): ...", f"{F}(a): ...", "subject(b): was removed", True),
    (f"{F}(a, b=1): ...", f"{F}(a, b=2): ...", "its default: 1 became 2", True),
    (f"{F}(a, b=1): ...", f"{F}(a, *, b=1): ...", "its kind: POSITIONAL_OR_KEYWORD became KEYWORD_ONLY", True),
    (f"{F}(a: int): ...", f"{F}(a: int | None): ...", "its annotation: int became int | None", True),
    (f"{F}(a) -> int: ...", f"{F}(a) -> float: ...", "what it returns: int became float", True),
    (f"{F}(a): ...", "class subject: ...", "was a function and is a class", True),
    (f"{C}def m(self): ...", f"{C}def m(self): ...\n def n(self): ...", "subject.n: is new", False),
    (f"{C}def m(self): ...", f"{C}def _n(self): ...", "subject.m: was removed", True),
    (f"{C}def m(self): ...", f"{C}def m(self, a=1): ...", "subject.m(a): is new", False),
    (f"{C}def m(self): ...", f"{C}@property\n def m(self): ...", "was a method and is a attribute", True),
    (f"{C}def _m(self): ...", f"{C}def _n(self): ...", None, False),
    (f"{C}def __init__(self, a): ...", f"{C}def __init__(self, a, b): ...", "is new, without a default", True),
    (f"{C}def __len__(self): ...", f"{C}x = 1", "subject.__len__: was removed", True),
    (f"{C}@property\n def m(self) -> int: ...", f"{C}@property\n def m(self) -> str: ...", "int became str", True),
    (f"{P}def m(self, a): ...", f"{P}def m(self, a): ...\n def n(self): ...", "implementations lack it", True),
    (f"{P}def m(self, a): ...", f"{P}def m(self, a, *, b=1): ...", "implementations do not take it", True),
    (f"{P}x: int", f"{P}x: int\n y: int", "implementations lack it", True),
    (f"{P}x: int", f"{P}x: str", "its annotation: int became str", True),
    (f"{D}x: int", f"{D}x: int\n y: int = 1", "subject(y): is new", False),
    (f"{D}x: int", f"{D}x: int\n y: list = field(default_factory=list)", "subject(y): is new", False),
    (f"{D}x: int", f"{D}x: int\n y: int", "is new, without a default", True),
    (f"{D}x: int\n y: int", f"{D}y: int\n x: int", "another order", True),
    (f"{D}x: int = 1", f"{D}x: int = 2", "its default: 1 became 2", True),
    (f"{D}x: int = 1", f"{D}y: int = 1", "subject(x): was removed", True),
    (f"{M}x: int = 1", f"{M}x: int = 1\n y: int = 2", "subject.y: is new", False),
    (f"{M}x: int = 1", f"{M}x: int = 1\n y: int", "subject.y: is new, without a default", True),
    (f"{M}x: int = 1", f"{M}x: int = 2", "subject.x", True),
    (f"{M}x: int = 1", f"{M}x: str = 1", "subject.x", True),
    ("class subject(ValueError): ...", "class subject(TypeError): ...", "its bases", True),
    ("subject = (1, 2)", "subject = (1, 2, 3)", "its value: [1, 2] became [1, 2, 3]", True),
    ("subject = Literal['a']", "subject = Literal['a', 'b']", "its value", True),
    ("subject = {'a': object()}", "subject = {'a': object(), 'b': 1}", "subject['b']: is new", False),
    ("subject = {'a': object()}", "subject = {}", "subject['a']: was removed", True),
]


@pytest.mark.parametrize(("before", "after", "told", "breaking"), CASES)
def test_differences(before, after, told, breaking):
    found = differences(of(before), of(after))
    if told is None:
        assert found == []
        return
    assert any(told in str(each) for each in found), [str(each) for each in found]
    assert any(each.breaking for each in found) is breaking


@pytest.mark.parametrize(("before", "after", "told", "breaking"), CASES)
def test_what_may_break_says_to_raise_the_version(before, after, told, breaking, tmp_path):
    old, new = of(before), of(after)
    path = tmp_path / "written.json"
    write(path, old)
    if told is None:
        assert verdict(old, new) is None
        return
    assert ("raise VERSION" in verdict(old, new)) is breaking
    assert "--write" in verdict(old, new)
    if breaking:
        with pytest.raises(SystemExit, match="raise VERSION"):
            write(path, new)
        assert json.loads(path.read_text()) == old
        assert "raise VERSION" not in verdict(old, new | {"VERSION": 2})
        write(path, new | {"VERSION": 2})
        assert json.loads(path.read_text())["VERSION"] == 2
    else:
        write(path, new)
        assert json.loads(path.read_text()) == new


@given(st.sampled_from(sorted(WRITTEN["names"])))
def test_of_the_real_names_any_that_goes_breaks_and_any_that_comes_does_not(name):
    less = copy.deepcopy(WRITTEN)
    del less["names"][name]
    assert [each.breaking for each in differences(WRITTEN, less)] == [True]
    assert [each.breaking for each in differences(less, WRITTEN)] == [False]


def test_raising_the_version_alone_is_noticed():
    assert "write it down" in verdict(WRITTEN, WRITTEN | {"VERSION": WRITTEN["VERSION"] + 1})


def test_the_script(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "nothing differs\n"
