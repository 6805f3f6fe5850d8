"""``vadbench plugin new``: what it writes for each kind works as it stands, and is written whole or not at all."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from documented_commands import faults

from vadbench import __version__
from vadbench.api import KINDS
from vadbench.cli.main import cli
from vadbench.cli.plugin.new import KindName

SMALL = tuple(f"--set=dataset.{setting}" for setting in ("train_clips=2", "test_clips=3", "frames_min=96", "frames_max=120"))
LIGHT = ("--set=windows.length=8", "--set=windows.train_stride=4", "--no-plots", "--json")
PARTS = {"tokenizer": "kmeans", "prior": "ngram", "flow": "gaussian", "scorer": "standardised"}
"""Parts beside the one on trial that take no training worth mentioning."""
_NUMBERS = itertools.count()


@pytest.fixture
def name():
    """A component's name that no other test has: a package that was imported stays imported."""
    return f"own-{next(_NUMBERS)}.x"


@pytest.fixture
def fresh_modules(monkeypatch):
    """What a test imports of generated packages is forgotten after it."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for module in set(sys.modules) - before:
        if module.startswith(("vad_", "tiny_data")):
            del sys.modules[module]


def folder_of(name: str) -> Path:
    return Path(f"vad-{name.replace('.', '-')}")


def own_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in a generated distribution that is not installed."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def run_arguments(kind: str, name: str, folder: Path) -> list[str]:
    """A run with the component in its place, on little data."""
    if kind == "dataset":
        assert own_python(folder, "tests/tiny_data.py", "data").returncode == 0
        return ["knn", f"--dataset={name}", f"--data-root={folder / 'data'}", *LIGHT]
    if kind == "detector":
        return [name, "--dataset=synthetic-campus", *SMALL, *LIGHT]
    parts = [f"--{part}={name if part == kind else other}" for part, other in PARTS.items()]
    own = [] if kind == "tokenizer" else ["--set=tokenizer.codebook_size=16"]
    return ["msgflow", *parts, *own, "--dataset=synthetic-campus", *SMALL, *LIGHT]


@pytest.mark.parametrize("kind", KINDS)
def test_it_passes_its_own_tests_as_generated(vadbench, name, kind):
    assert vadbench("plugin", "new", kind, name).code == 0
    done = own_python(folder_of(name), "-m", "pytest", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_checked_and_run_where_it_lies(vadbench, name, kind, fresh_modules):
    assert vadbench("plugin", "new", kind, name).code == 0
    folder = folder_of(name)
    arguments = run_arguments(kind, name, folder)
    data = [argument for argument in arguments if argument.startswith("--data-root")]
    checked = vadbench("plugin", "check", folder, "--json", *data)
    assert checked.code == 0, checked.out + checked.err
    counts = checked.json["counts"]
    assert counts.pop("ok") > 20
    assert counts.pop("skipped") <= 3, checked.out
    assert not any(counts.values()), checked.out
    done = vadbench("run", *arguments, "--plugins-dir", folder)
    assert done.code == 0, done.err
    (run,) = done.json["runs"]
    assert name in {**run["components"], "dataset": run["dataset"]}.values()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("called", ["y", "3.d", "an_own--name", "windows", "test-1", "n" * 40, "0.0.0.0.0.0"])
def test_it_is_in_good_style_whatever_it_is_called(vadbench, kind, called):
    assert vadbench("plugin", "new", kind, called, "--author", "A. Ünal", "--email", "a@b.org", "--licence", "mit").code == 0
    (folder,) = Path().iterdir()
    for command in (["check"], ["format", "--check", "--diff"]):
        done = own_python(folder, "-m", "ruff", *command, "--no-cache", ".")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_the_templates_is_left(vadbench, kind):
    assert vadbench("plugin", "new", kind, "my-own").code == 0
    files = [path for path in Path("vad-my-own").rglob("*") if path.is_file()]
    for path in files:
        text = path.read_text(encoding="utf-8")
        for left in ("{{", "}}", "{%", "%}", "{#", "TODO", "FIXME", "XXX", "Undefined"):
            assert left not in text, path
        assert not text.startswith("\n")
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
    assert {path.suffix for path in files} <= {".py", ".toml", ".md", ".typed", ""}


def test_the_metadata_are_the_authors(vadbench):
    vadbench("plugin", "new", "prior", "my-own", "--author", 'A. "Quote" Ünal', "--email", "a@b.org", "--licence", "mit or ISC")
    project = tomllib.loads(Path("vad-my-own/pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["authors"] == [{"name": 'A. "Quote" Ünal', "email": "a@b.org"}]
    assert project["license"] == "MIT OR ISC"
    assert project["dependencies"] == [f"vadbench>={__version__}"]
    assert "MIT OR ISC" in Path("vad-my-own/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "authors"),
    [([], None), (["--author", "A"], [{"name": "A"}]), (["--email", "a@b.org"], [{"email": "a@b.org"}])],
)
def test_nobody_is_named_who_did_not_say_so(vadbench, options, authors):
    vadbench("plugin", "new", "prior", "my-own", *options)
    project = tomllib.loads(Path("vad-my-own/pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project.get("authors") == authors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["priors", "x"], "did you mean 'prior'?"),
        (["prior", "My Prior"], "did you mean 'my-prior'?"),
        (["prior", "none"], "'none' is reserved"),
        (["prior", "ngram"], "such as 'my-ngram'"),
        (["detector", "msgflow"], "such as 'my-msgflow'"),
        (["scorer", "baselines"], "a plug-in named 'baselines'"),
        (["prior", "x", "--licence", "Apache"], "https://spdx.org/licenses"),
        (["prior", "x", "--author", "A, B"], "one person"),
        (["prior", "x", "--author", "A\nB"], "one person"),
        (["prior", "x", "--email", "nobody"], "name@example.org"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(vadbench, tmp_path, arguments, message):
    called = vadbench("plugin", "new", *arguments)
    assert called.code == 2
    assert message in called.err
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_over(vadbench, tmp_path):
    (tmp_path / "vad-mine").mkdir()
    (tmp_path / "vad-mine" / "work.py").write_text("years of it")
    called = vadbench("plugin", "new", "flow", "mine")
    assert called.code == 2
    assert "nothing is written over" in called.err
    assert "--force" not in called.err
    assert [path.name for path in (tmp_path / "vad-mine").iterdir()] == ["work.py"]


def test_a_file_in_the_way_stays(vadbench, tmp_path):
    (tmp_path / "vad-mine").write_text("a file")
    assert vadbench("plugin", "new", "flow", "mine").code == 2
    assert vadbench("plugin", "new", "flow", "other", "--dir", "vad-mine").code == 2
    assert (tmp_path / "vad-mine").read_text() == "a file"


def test_half_a_distribution_is_never_left(vadbench, tmp_path, monkeypatch):
    written = Path.write_text

    def full(path, *arguments, **more):
        if path.name == "README.md":
            raise OSError(28, "No space left on device")
        return written(path, *arguments, **more)

    monkeypatch.setattr(Path, "write_text", full)
    called = vadbench("plugin", "new", "flow", "mine")
    assert called.code == 2
    assert "No space left" in called.err
    assert not list(tmp_path.iterdir())


def test_another_folder_is_made_where_it_is_not_there(vadbench, tmp_path):
    called = vadbench("plugin", "new", "scorer", "mine", "--dir", "some where/else")
    assert called.code == 0
    assert (tmp_path / "some where" / "else" / "vad-mine" / "pyproject.toml").is_file()
    assert "cd 'some where/else/vad-mine'" in called.out


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_it_wrote_and_what_to_type_next(vadbench, kind):
    called = vadbench("plugin", "new", kind, "mine")
    folder = Path("vad-mine")
    said = {line.split()[0] for line in called.out.partition("next:")[0].splitlines() if line.startswith("  ")}
    assert said == {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for line in ("cd vad-mine", "pip install -e '.[dev]'", "pytest", "vadbench plugin check mine", "vadbench run "):
        assert f"  {line}" in called.out


@pytest.mark.parametrize("kind", KINDS)
def test_the_commands_of_the_readme_and_of_the_output_exist(vadbench, kind):
    said = vadbench("plugin", "new", kind, "mine").out.partition("next:")[2]
    readme = (Path("vad-mine") / "README.md").read_text(encoding="utf-8")
    lines = [*said.splitlines(), *readme.splitlines()]
    shown = [line.strip() for line in lines if line.startswith(("  vadbench", "    vadbench"))]
    assert len(shown) >= 5
    for line in shown:
        assert faults(line, cli, {}) == []


def test_the_kinds_are_completed():
    found = KindName().shell_complete(click.Context(cli), click.Argument(["kind"]), "d")
    assert [item.value for item in found] == ["dataset", "detector"]


def test_starting_it_imports_neither_torch_nor_numpy(tmp_path):
    code = (
        "import sys, json\n"
        "from vadbench.cli.main import main\n"
        "try:\n    main(['plugin', 'new', 'prior', 'mine'])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "print(json.dumps(sorted({'torch', 'numpy'} & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
