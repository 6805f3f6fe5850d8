"""What a new component is called, for any name that a component can have."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import sys
import tomllib

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import vadbench.api
from vadbench.api import KINDS, UsageError
from vadbench.cli.plugin.derived_names import _IMPORTED, LONGEST, check_free, derived_names
from vadbench.cli.plugin.distribution import Author, rendered_files

ANONYMOUS = Author(None, None, "Apache-2.0")
NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,39}", fullmatch=True)


def derive(kind, name):
    assume(name != "none" and not (kind == "detector" and name.endswith(".toml")))
    return derived_names(kind, name)


def test_the_documented_example():
    names = derived_names("detector", "my-speed")
    assert (names.distribution, names.package, names.class_name) == ("vad-my-speed", "vad_my_speed", "MySpeed")
    assert (names.config_name, names.plugin) == ("MySpeedConfig", "my-speed")


@pytest.mark.parametrize(
    ("kind", "name", "distribution", "class_name"),
    [
        ("prior", "vad-gram", "vad-gram", "VadGram"),
        ("flow", "a.b_c--d", "vad-a-b-c-d", "ABCDFlow"),
        ("flow", "3d", "vad-3d", "Flow3d"),
        ("scorer", "windows", "vad-windows", "WindowsScorer"),
        ("scorer", "component", "vad-component", "ComponentScorer"),
        ("flow", "true", "vad-true", "TrueFlow"),
        ("flow", "value-error", "vad-value-error", "ValueErrorFlow"),
        ("tokenizer", "test-codes", "vad-test-codes", "TokenizerTestCodes"),
        ("dataset", "vad", "vad-vad", "Vad"),
        ("dataset", "x-", "vad-x", "X"),
    ],
)
def test_examples(kind, name, distribution, class_name):
    names = derived_names(kind, name)
    assert (names.distribution, names.class_name) == (distribution, class_name)


@given(st.sampled_from(KINDS), NAMES)
@example("flow", "0")
@example("scorer", "no")
@example("detector", "term-detector")
def test_every_name_gives_names_that_can_be_used(kind, name):
    names = derive(kind, name)
    assert Requirement(names.distribution).name == canonicalize_name(names.distribution) == names.distribution
    assert names.package.isidentifier()
    assert not keyword.iskeyword(names.package)
    assert names.package not in sys.stdlib_module_names
    for class_name in (names.class_name, names.config_name):
        assert class_name.isidentifier()
        assert not keyword.iskeyword(class_name)
        assert not hasattr(builtins, class_name)
        assert class_name not in vadbench.api.__all__
        assert class_name not in _IMPORTED
        assert not class_name.startswith("Test")


@given(st.sampled_from(KINDS), NAMES)
@settings(max_examples=30)
@example("dataset", "9" + "x" * 39)
def test_every_name_gives_files_that_can_be_read(kind, name):
    names = derive(kind, name)
    files = rendered_files(names, ANONYMOUS)
    project = tomllib.loads(files["pyproject.toml"])
    assert project["project"]["name"] == names.distribution
    assert project["project"]["entry-points"]["vadbench"] == {names.plugin: f"{names.package}.plugin"}
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
        if path.endswith(".toml") and path != "pyproject.toml":
            assert tomllib.loads(text)["detector"]["name"] == name


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_the_templates_import_is_a_name_that_no_class_gets(kind):
    for path, text in rendered_files(derived_names(kind, "my-own"), ANONYMOUS).items():
        if path.endswith(".py"):
            found = {
                name.asname or name.name
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.ImportFrom) and not node.module.startswith("vad_my_own")
                for name in node.names
            }
            classes = {name for name in found if re.match(r"[A-Z][a-z]|PCA", name)}
            assert classes <= {*vadbench.api.__all__, *_IMPORTED, "ValidationError"}


@pytest.mark.parametrize("name", ["", "-x", "My-Speed", "my speed", "my/speed", "none", "..", "ä", "x\n", "--"])
def test_a_name_that_cannot_be_is_refused_with_a_remedy(name):
    with pytest.raises(UsageError) as raised:
        derived_names("flow", name)
    assert raised.value.remedy
    assert raised.value.exit_code == 2


def test_a_name_may_be_so_long_and_no_longer():
    assert derived_names("flow", "x" * LONGEST).component == "x" * LONGEST
    with pytest.raises(UsageError, match=f"{LONGEST + 1} characters"):
        derived_names("flow", "x" * (LONGEST + 1))


def test_a_name_that_nearly_could_be_comes_with_one_that_can():
    with pytest.raises(UsageError, match="My Speed") as raised:
        derived_names("flow", "My Speed")
    assert "did you mean 'my-speed'?" in raised.value.remedy


def test_a_detector_is_not_called_as_a_file():
    with pytest.raises(UsageError, match=r"x\.toml"):
        derived_names("detector", "x.toml")
    assert derived_names("prior", "x.toml").distribution == "vad-x-toml"


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("prior", "taken", "a prior named 'taken'"),
        ("detector", "preset", "a method named 'preset'"),
        ("prior", "plugged", "a plug-in named 'plugged'"),
    ],
)
def test_what_is_installed_is_not_called_so_again(kind, name, message):
    with pytest.raises(UsageError, match=message) as raised:
        check_free(derived_names(kind, name), registered=["taken"], methods=["preset"], plugins=["plugged"])
    assert f"'my-{name}'" in raised.value.remedy


def test_a_part_may_be_called_as_a_method_is():
    check_free(derived_names("prior", "preset"), registered=["taken"], methods=["preset"], plugins=["plugged"])


def test_a_package_that_can_be_imported_is_not_hidden(tmp_path, monkeypatch):
    (tmp_path / "vad_hidden_one.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match="a package named vad_hidden_one"):
        check_free(derived_names("flow", "hidden-one"), registered=[], methods=[], plugins=[])
