"""Methods that plug-ins bring: found by name, one holder a name, and a bad preset is the plug-in's fault and nobody else's."""

from __future__ import annotations

import pytest
from modules_on_disk import entry_point, write_module

from vadbench.api import MethodPreset, PluginError, Registry
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import load_preset, method_names

PLUGIN = """
    from vadbench.api import hookimpl

    @hookimpl
    def vadbench_register(registry):
        registry.detector("brought", "vadbench_baselines.motion:Speed", config="vadbench_baselines.motion:MotionConfig")
        registry.method("{name}", __name__ + ":{file}")
"""
PRESET = 'title = "Long windows"\n[windows]\nlength = 32\n[detector]\nname = "knn"\n'


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Loads plug-ins beside vadbench's own: each a name of a method and what its preset holds (None: there is no file)."""

    def load(*methods: tuple[str, str | None], name: str = "brings"):
        from importlib import metadata

        points = [point for point in metadata.entry_points(group="vadbench") if point.dist.name == "vadbench"]
        for number, (method, preset) in enumerate(methods):
            if preset is not None:
                (tmp_path / f"m{number}.toml").write_text(preset)
            module = write_module(tmp_path, monkeypatch, PLUGIN.format(name=method, file=f"m{number}.toml"), name)
            points.append(entry_point(module))
        plugins = load_plugins(points)
        return plugins, [status for status in plugins.statuses if status.name.startswith(name)]

    return load


def test_it_is_found_by_its_name(loaded):
    plugins, (status,) = loaded(("long-knn", PRESET))
    assert status.status == "ok", status.error
    assert status.components == ("detector brought", "method long-knn")
    assert "long-knn" in method_names(plugins.registry)
    preset = load_preset("long-knn", plugins.registry)
    assert (preset["name"], preset["windows"], preset["detector"]) == ("long-knn", {"length": 32}, {"name": "knn"})


def test_a_detector_may_have_a_preset_of_its_own_name(loaded):
    plugins, (status,) = loaded(("brought", PRESET.replace('"knn"', '"brought"')))
    assert status.status == "ok", status.error
    assert load_preset("brought", plugins.registry)["windows"] == {"length": 32}


BAD = {
    "not there": (None, "the preset of method 'long-knn' is not there", "put m0.toml into the package"),
    "no TOML": ("title = [", "is not valid TOML", "correct the file"),
    "another name": ('name = "short-knn"\n' + PRESET, "its preset calls it 'short-knn'", "leave the name out"),
    "weights": ('weights = "x"\n' + PRESET, "cannot name weights", "--weights FILE"),
}


@pytest.mark.parametrize(("preset", "cause", "remedy"), BAD.values(), ids=list(BAD))
def test_a_bad_preset_leaves_its_plugin_out_and_no_other(loaded, preset, cause, remedy):
    plugins, (status,) = loaded(("long-knn", preset))
    assert status.status == "failed"
    assert cause in status.error
    assert remedy in status.remedy
    assert "brought" not in plugins.registry.names("detector")
    assert "long-knn" not in method_names(plugins.registry)
    assert load_preset("knn", plugins.registry)["name"] == "knn"


@pytest.mark.parametrize("taken", ["msgflow", "knn"])
def test_a_name_of_vadbench_cannot_be_taken(loaded, taken):
    _, (status,) = loaded((taken, PRESET))
    assert status.status == "failed"
    assert f"method {taken!r} has the name of a method that comes with vadbench" in status.error


def test_a_name_of_another_plugin_cannot_be_taken():
    registry = Registry()
    first = registry.for_plugin("first")
    first.method("mine", "pack:a.toml")
    registry.merge(first)
    for register in (lambda other: other.method("mine", "pack:b.toml"), lambda other: other.detector("mine", "pack.x:Y")):
        second = registry.for_plugin("second")
        register(second)
        with pytest.raises(PluginError, match="method 'mine' is already registered by plug-in 'first'"):
            registry.merge(second)
    third = Registry()
    detector = third.for_plugin("first")
    detector.detector("mine", "pack.x:Y")
    third.merge(detector)
    with pytest.raises(PluginError, match="method 'mine' is already registered by plug-in 'first'"):
        third.merge(first_of("second"))


def first_of(plugin: str) -> Registry:
    registry = Registry().for_plugin(plugin)
    registry.method("mine", "pack:a.toml")
    return registry


@pytest.mark.parametrize(
    "target", ["a.toml", "pack:", "pack:a.json", "pack:../a.toml", "pack:/etc/a.toml", "a.b:c.toml", "p:a b.toml"]
)
def test_a_target_that_leads_to_no_file_of_a_package(target):
    with pytest.raises(PluginError, match="has the preset"):
        MethodPreset("mine", target, "theirs")


def test_a_package_that_is_not_there():
    with pytest.raises(PluginError, match="is not there") as caught:
        MethodPreset("mine", "no_such_package_here:a.toml", "theirs").path()
    assert "no package no_such_package_here" in caught.value.remedy
