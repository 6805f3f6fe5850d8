"""``vadbench data list``: every data set, found or not, and a broken one among them."""

from __future__ import annotations

import subprocess
import sys

import described_plugin
import pytest

from vadbench.engine.plugins import load_plugins


@pytest.fixture
def described(monkeypatch):
    """The data sets of `described_plugin`, and no others."""
    described_plugin.install(monkeypatch)


@pytest.fixture
def rows(vadbench):
    """Calls the command with options; gives its rows by name."""
    return lambda *options: {row["name"]: row for row in vadbench("data", "list", "--json", *options).json}


@pytest.fixture
def telling_root(tmp_path):
    """A data root with the files of ``telling``."""
    for folder in ("poses", "masks"):
        (tmp_path / "root" / "Telling" / folder).mkdir(parents=True)
    return tmp_path / "root"


def test_every_registered_data_set_is_listed(vadbench, rows):
    names = load_plugins().registry.names("dataset")
    assert list(rows()) == names
    assert {row["problem"] for row in rows().values()} == {None}
    printed = vadbench("data", "list")
    assert printed.code == 0
    assert [name for name in names if f" {name} " not in printed.out] == []
    assert "There is no data root: name one with --data-root DIR or $VADBENCH_DATA" in " ".join(printed.out.split())


def test_the_stand_in_is_generated(rows):
    row = rows()["synthetic-campus"]
    assert (row["status"], row["where"], row["stand_in"], row["default"]) == ("generated", None, True, True)
    assert row["splits"] == ["train", "validation", "test"]
    assert row["layout"] == "coco-17"
    assert {"name", "type", "choices", "default", "required", "description"} == set(row["settings"][0])


def test_what_opens_folders_needs_one(rows):
    openers = [row for row in rows().values() if row["opens_folders"]]
    assert openers
    assert {row["status"] for row in openers} == {"any folder"}


def test_published_ones_are_not_found_without_a_root(rows):
    published = [row for row in rows().values() if row["status"] not in ("generated", "any folder")]
    assert published
    assert {row["status"] for row in published} == {"not found"}


def test_found(described, rows, telling_root):
    row = rows("--data-root", telling_root)["telling"]
    assert row["status"] == "found"
    assert row["where"] == str(telling_root / "Telling")
    assert row["splits"] == ["train", "validation", "test"]
    assert row["plugin"] == "described_plugin"


def test_found_by_the_variable(described, rows, telling_root, monkeypatch):
    monkeypatch.setenv("VADBENCH_DATA", str(telling_root))
    assert rows()["telling"]["status"] == "found"


def test_not_found(described, rows, tmp_path):
    assert rows()["telling"]["where"] == "<data root>/Telling"
    row = rows("--data-root", tmp_path)["telling"]
    assert row["status"] == "not found"
    assert row["where"] == str(tmp_path / "Telling")


def test_one_that_does_not_tell(described, rows):
    assert rows()["silent"]["status"] == "unknown"


def test_broken_ones_are_named_and_survived(described, vadbench, rows):
    assert rows()["failing"]["status"] == rows()["failing-later"]["status"] == "failed"
    assert "OSError: the disk is gone" in rows()["failing"]["problem"]
    assert "OSError: the disk is gone" in rows()["failing-later"]["problem"]
    printed = vadbench("data", "list")
    assert printed.code == 0
    assert "the disk is gone" in printed.out
    assert " telling " in printed.out


def test_text(described, vadbench, telling_root):
    printed = " ".join(vadbench("data", "list", "--data-root", telling_root).out.split())
    assert "telling found train, validation, test halpe-26 tells [all] there is" in printed
    assert "settings: family (json or csv), size, share, names, strict" in printed
    assert f"Data root: {telling_root}." in printed


def test_a_data_root_that_is_not_there(vadbench, tmp_path):
    called = vadbench("data", "list", "--data-root", tmp_path / "nowhere")
    assert called.code == 3
    assert "the data root is not a folder" in called.err


def test_nothing_heavy_is_imported():
    code = (
        "import sys\nfrom vadbench.cli.main import main\n"
        "try:\n    main(['data', 'list', '--json'])\nexcept SystemExit as ended:\n    assert ended.code == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "sklearn", "matplotlib"} & set(done.stderr.split()) == set()
