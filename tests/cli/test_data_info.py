"""``vadbench data info``: all there is to know of one data set."""

from __future__ import annotations

import described_plugin
import pytest

from vadbench.api import LAYOUTS
from vadbench.engine.plugins import load_plugins


@pytest.fixture
def described(monkeypatch):
    """The data sets of `described_plugin`, and no others."""
    described_plugin.install(monkeypatch)


def squeezed(called):
    assert called.code == 0, called.err
    return " ".join(called.out.split())


def test_text_tells_everything(described, vadbench):
    text = squeezed(vadbench("data", "info", "telling"))
    for part in (
        "Telling [json] (telling) tells [all] there is",
        "licence CC BY 4.0",
        "cite A. Author: A Title. 2020.",
        "get it https://example.org/telling",
        "files not found; looked in <data root>/Telling",
        "put them poses/<clip>.json masks/<clip>.npy",
        "splits train, validation, test",
        "layout halpe-26, 26 joints; a method can have it as coco-17, coco-18, openpose-18, openpose-25; not as ntu-25",
        "resolution 1280 x 720 pixels",
        "frame rate 29.97 frames a second",
        "notes One thing. Another [thing].",
        "test 2 80 70 20 not known",
        "train not known not known not known not known 12,345",
        "family json or csv json which poses to read",
        "size (int, int) or none none Width and height of what is seen.",
        "share number, >= 0, <= 1 0.5 a share [in brackets]",
        'names list of text ["a", "b"]',
        "strict true or false false",
    ):
        assert part in text
    assert "beware" not in text


def test_json(described, vadbench, tmp_path):
    (tmp_path / "Telling" / "poses").mkdir(parents=True)
    found = vadbench("data", "info", "telling", "--json", "--data-root", tmp_path).json
    assert found["name"] == "telling"
    assert found["status"] == "found"
    assert found["where"] == str(tmp_path / "Telling")
    assert found["expected"]["test"] == {"clips": 2, "frames": 80, "counted": 70, "abnormal": 20, "poses": None}
    assert found["resolution"] == [1280, 720]
    assert found["tree"] == "poses/<clip>.json\nmasks/<clip>.npy"
    assert set(found["conversions"]) == set(LAYOUTS)
    assert found["conversions"]["openpose-25"]["dropped"] == ["head_top"]
    assert found["settings"][0] == {
        "name": "family",
        "type": "json or csv",
        "choices": ["json", "csv"],
        "default": "json",
        "required": False,
        "description": "which poses to read",
    }


def test_a_setting_changes_what_is_told(described, vadbench):
    assert vadbench("data", "info", "telling", "--json", "--set", "dataset.family=csv").json["title"] == "Telling [csv]"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["teling"], "did you mean 'telling'"),
        (["telling", "--set", "dataset.famly=csv"], "did you mean 'family'"),
        (["telling", "--set", "dataset.family=xml"], "dataset.family"),
        (["telling", "--set", "windows.length=8"], "is not a setting of the data set"),
    ],
)
def test_errors_of_use(described, vadbench, options, said):
    called = vadbench("data", "info", *options)
    assert called.code == 2
    assert said in called.err


def test_a_layout_of_its_own_and_no_settings(described, vadbench):
    text = squeezed(vadbench("data", "info", "silent"))
    assert "layout own-layout resolution differs, or is not known" in text
    assert "files the data set does not say" in text
    assert "It has no settings." in text
    assert vadbench("data", "info", "silent", "--json").json["conversions"] == {}


def test_one_that_fails(described, vadbench):
    called = vadbench("data", "info", "failing")
    assert called.code == 4
    assert "OSError: the disk is gone" in called.err


def test_the_stand_in_says_so(vadbench):
    text = squeezed(vadbench("data", "info", "synthetic-campus"))
    assert "files none: it is generated" in text
    assert "beware stand-in data: a figure on it is never a result" in text
    assert "abnormal_share number, >= 0.0, <= 1.0 0.85 share of the validation and test clips with an anomaly" in text


def test_a_folder(vadbench, pose_folder):
    found = vadbench("data", "info", pose_folder, "--json").json
    assert found["status"] == "found"
    assert {"root", "resolution"} <= {setting["name"] for setting in found["settings"]}


@pytest.mark.parametrize("name", load_plugins().registry.names("dataset"))
def test_every_data_set_can_be_told_of(vadbench, name):
    text = squeezed(vadbench("data", "info", name))
    assert "licence" in text
    settings = vadbench("data", "info", name, "--json").json["settings"]
    assert [setting["name"] for setting in settings if not setting["description"]] == []
