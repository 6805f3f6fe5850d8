"""Method presets: the shipped ones, a user's file, a bare detector."""

from __future__ import annotations

import pytest

from vadbench.api import ConfigError, Registry, UsageError
from vadbench.engine.config import resolve
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import load_preset, method_names, preset_names, shipped_folder


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins().registry


def test_names(registry):
    assert {"msgflow", "knn"} <= set(preset_names())
    assert set(preset_names()) <= set(method_names(registry))
    assert len(method_names(registry)) == len(set(method_names(registry)))


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("dataset", ["hr-shanghaitech", "hr-ubnormal", "synthetic-campus"])
def test_shipped_ones_resolve(registry, name, dataset):
    preset = load_preset(name, registry)
    assert preset["name"] == name
    assert preset["title"]
    resolved = resolve(preset, registry, dataset=dataset, swaps={}, changes=())
    assert resolved.method.name == name
    for component in resolved.components.values():
        component.entry.load()


def test_every_override_is_for_a_data_set_that_there_is(registry):
    for name in preset_names():
        assert set(load_preset(name, registry).get("per-dataset", {})) <= set(registry.names("dataset"))


def test_shipped_folders():
    assert (shipped_folder("configs") / "msgflow.toml").is_file()
    assert (shipped_folder("leaderboards") / "published.csv").is_file()


class TestFile:
    def test_by_path(self, registry, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text('[detector]\nname = "knn"\nneighbours = 2\n')
        preset = load_preset(str(path), registry)
        assert preset == {"name": "mine", "detector": {"name": "knn", "neighbours": 2}}

    def test_its_own_name_counts(self, registry, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text('name = "other"\n[detector]\nname = "knn"\n')
        assert load_preset(str(path), registry)["name"] == "other"

    def test_a_name_that_cannot_be_a_folder(self, registry, tmp_path):
        path = tmp_path / "My Method.toml"
        path.write_text('[detector]\nname = "knn"\n')
        with pytest.raises(ConfigError) as caught:
            resolve(load_preset(str(path), registry), registry, dataset="x", swaps={}, changes=())
        assert caught.value.where == "name"

    def test_broken_toml_names_file_and_line(self, registry, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text('title = "x"\n[windows\nlength = 3\n')
        with pytest.raises(ConfigError) as caught:
            load_preset(str(path), registry)
        assert caught.value.where == str(path)
        assert "line 2" in caught.value.what

    @pytest.mark.parametrize("raw", [b"\xff\xfe", b"a = 1\na = 2\n"])
    def test_not_toml(self, registry, tmp_path, raw):
        path = tmp_path / "mine.toml"
        path.write_bytes(raw)
        with pytest.raises(ConfigError, match="not valid TOML"):
            load_preset(str(path), registry)

    def test_absent(self, registry, tmp_path):
        with pytest.raises(ConfigError) as caught:
            load_preset(str(tmp_path / "mine.toml"), registry)
        assert "No such file" in caught.value.what
        assert caught.value.where == str(tmp_path / "mine.toml")


class TestDetector:
    def test_without_a_preset(self, registry):
        own = Registry()
        own.detector("their-own", "m:C")
        assert load_preset("their-own", own) == {
            "name": "their-own",
            "title": "their-own",
            "detector": {"name": "their-own"},
        }
        assert "their-own" in method_names(own)


@pytest.mark.parametrize(("name", "near"), [("msg-flow", "'msgflow'"), ("kn", "'knn'"), ("zzzzzz", "known names: ")])
def test_unknown_method(registry, name, near):
    with pytest.raises(UsageError) as caught:
        load_preset(name, registry)
    assert caught.value.what == f"no method is named {name!r}"
    assert near in caught.value.remedy
