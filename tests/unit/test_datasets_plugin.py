"""What the data-set plug-in registers, and that registering costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures import write_csv_folder, write_pose_folder
from pydantic import ValidationError

from vadbench.api import ConfigError, Registry
from vadbench.testing.checks import checks_for

NAMES = [
    *("avenue", "chad", "hr-avenue", "hr-shanghaitech", "hr-ubnormal", "msad", "nwpu-campus"),
    *("pose-folder", "poselift", "shanghaitech", "synthetic-campus", "ubnormal"),
]
PUBLISHED = [name for name in NAMES if name not in ("pose-folder", "synthetic-campus")]
JSON_ALONE = ("chad", "msad", "nwpu-campus", "poselift")
BOTH = [name for name in PUBLISHED if name not in JSON_ALONE]
IN_A_FAMILY = [*((name, "json") for name in PUBLISHED), *((name, "csv") for name in BOTH)]
UNCOUNTED = ("chad", "msad", "poselift")
"""Of these, how many clips the splits have is not published."""
DOCUMENT = Path(__file__).parents[2] / "docs" / "datasets.md"


@pytest.fixture
def registry():
    from vadbench_datasets.plugin import vadbench_register

    registry = Registry()
    vadbench_register(registry)
    return registry


def test_names(registry):
    assert registry.names("dataset") == NAMES
    assert [entry.name for entry in registry.entries() if entry.opens_folders] == ["pose-folder"]
    assert all(entry.summary and len(entry.summary) < 80 for entry in registry.entries())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "synthetic-campus"])
def test_info_needs_no_data(registry, name):
    entry = registry.get("dataset", name)
    data = entry.load()(entry.load_config()(), None)
    assert data.info.name == name
    assert data.info.layout == "coco-17"
    assert not data.info.stand_in
    assert not data.available()


@pytest.mark.parametrize(("name", "family"), IN_A_FAMILY)
def test_published_sets_say_what_there_is_to_know(registry, name, family):
    entry = registry.get("dataset", name)
    info = entry.load()(entry.load_config()(family=family), None).info
    assert info.name == name
    assert all((info.title, info.licence, info.citation, info.source, info.notes))
    assert (info.resolution is None) == (name == "chad")
    if name not in UNCOUNTED:
        assert info.expected["test"].clips
        assert info.expected["train"].clips
    poses = "<clip>/<person>.csv" if family == "csv" else "<clip>_alphapose_tracked_person.json"
    assert f"{poses}" in info.tree
    assert ("CSV poses" in info.title) == (family == "csv")
    assert info.splits == ("train", "test")


@pytest.mark.parametrize("name", PUBLISHED)
def test_settings_of_published_sets_are_checked(registry, name, tmp_path):
    entry = registry.get("dataset", name)
    for wrong in ({"family": "xml"}, {"missing": "nan"}, {"first_frame": 2}, {"partiel": True}):
        with pytest.raises(ValidationError):
            entry.load_config()(**wrong)
    if name in JSON_ALONE:
        with pytest.raises(ValidationError, match="'json'"):
            entry.load_config()(family="csv")
        return
    with pytest.raises(ConfigError, match="always a missing one"):
        entry.load()(entry.load_config()(family="csv", missing="keep"), tmp_path)


@pytest.mark.parametrize("family", ["json", "csv"])
@pytest.mark.parametrize("name", BOTH)
def test_published_sets_keep_the_contract_in_both_families(registry, name, family, tmp_path):
    ubnormal, avenue = name.endswith("ubnormal"), name.endswith("avenue")
    train = ("103_0300", "106_0700") if ubnormal and family == "csv" else ("01", "02") if avenue else ("01_001", "02_001")
    test = ("002_0200", "104_0100") if ubnormal and family == "csv" else ("04", "17") if avenue else ("01_0010", "02_0010")
    root = tmp_path / ("UBnormal" if ubnormal else "Avenue" if avenue else "ShanghaiTech")
    (write_csv_folder if family == "csv" else write_pose_folder)(root, train=train, test=test)
    if ubnormal and family == "json":
        for clip in test:
            mask = np.load(root / "gt" / "test_frame_mask" / f"{clip}.npy")
            with (root / "gt" / f"{clip}_tracks.txt").open("wb") as file:
                np.save(file, 1 - mask)
    settings = {"family": family, "partial": True}
    for check in checks_for(registry.get("dataset", name), settings=settings, data_root=tmp_path):
        check.run()


def test_every_set_is_in_the_table_of_the_document_and_nothing_else():
    table = DOCUMENT.read_text(encoding="utf-8").partition("| name | found below")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| `([^`]+)` \|", table, flags=re.MULTILINE)) == NAMES


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_document_says_where_it_lies_and_how_large_its_test_set_is(registry, name):
    entry = registry.get("dataset", name)
    data = entry.load()(entry.load_config()(), None)
    (row,) = re.findall(rf"^\| `{name}` \|.*", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert f"`{data.folders['json'][0]}`" in row or "the same" in row
    expected = data.info.expected.get("test")
    if name in UNCOUNTED:
        assert expected is None
    else:
        assert f"{expected.clips} clips" in row
        assert f"{expected.counted:,}" in row


def test_registering_imports_nothing_heavy():
    code = (
        "import sys; from vadbench_datasets.plugin import vadbench_register; from vadbench.api import Registry; "
        "vadbench_register(Registry()); print({'numpy', 'torch', 'pydantic', 'orjson', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
