"""Finding plug-ins: whatever is wrong with one is reported, and the others go on."""

from __future__ import annotations

from importlib import metadata
from types import SimpleNamespace

import pytest
from modules_on_disk import entry_point, write_module

from vadbench.api import PluginError, Registry
from vadbench.engine.plugins import load_plugins, register_plugin

GOOD = """
    from vadbench.api import hookimpl

    @hookimpl
    def vadbench_register(registry):
        registry.flow("{0}", "nowhere:Flow", summary="theirs")
        registry.prior("{0}", "nowhere:Prior")
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    return lambda source, name="theirs": write_module(tmp_path, monkeypatch, source, name)


def status_of(*modules: str):
    plugins = load_plugins([entry_point(module) for module in modules])
    return plugins, {status.name: status for status in plugins.statuses}


def test_installed():
    plugins = load_plugins()
    assert {status.name for status in plugins.statuses} >= {"datasets", "msgflow", "baselines"}
    assert plugins.failed == ()
    assert all(status.distribution == "vadbench" for status in plugins.statuses if status.name == "msgflow")
    assert plugins.version_of("msgflow") == f"vadbench {metadata.version('vadbench')}"
    assert plugins.version_of("nobody") == "unknown"


def test_good(write):
    module = write(GOOD.format("shiny"))
    plugins, status = status_of(module)
    assert status[module].status == "ok"
    assert status[module].components == ("prior shiny", "flow shiny")
    assert plugins.registry.get("flow", "shiny").plugin == module
    with pytest.raises(PluginError):
        plugins.registry.get("flow", "shiny").load()


BROKEN = {
    "misspelt hook": (
        "from vadbench.api import hookimpl\n@hookimpl\ndef vadbench_registr(registry): ...",
        "vadbench_registr",
    ),
    "unknown hook argument": (
        "from vadbench.api import hookimpl\n@hookimpl\ndef vadbench_register(registry, settings): ...",
        "settings",
    ),
    "unmarked hook": ("def vadbench_register(registry): ...", "the plug-in has no hook"),
    "hookless": ("x = 1", "the plug-in has no hook"),
    "raising hook": (
        "from vadbench.api import hookimpl\n@hookimpl\ndef vadbench_register(registry):\n    raise KeyError('boom')",
        "KeyError: 'boom'",
    ),
    "raising import": ("raise OSError('no disk')", "OSError: no disk"),
    "syntax error": ("def x(:", "SyntaxError"),
    "exit at import": ("import sys; sys.exit(3)", "SystemExit"),
    "name that cannot be": (
        "from vadbench.api import hookimpl\n@hookimpl\ndef vadbench_register(registry): registry.flow('A B', 'm:C')",
        "flow cannot be named 'A B'",
    ),
}


@pytest.mark.parametrize(("source", "told"), BROKEN.values(), ids=list(BROKEN))
def test_broken_is_reported_and_survived(write, source, told):
    broken, good = write(source, "aaa_broken"), write(GOOD.format("shiny"))
    plugins, status = status_of(broken, good)
    assert status[broken].status == "failed"
    assert told in status[broken].error
    assert "Traceback" in status[broken].traceback
    assert told.split(":")[0] in status[broken].traceback
    assert plugins.failed == (status[broken],)
    assert status[good].status == "ok"
    assert plugins.registry.names("flow") == ["shiny"]


def test_traceback_names_the_line(write):
    module = write(BROKEN["raising hook"][0])
    _, status = status_of(module)
    assert f"{module}.py" in status[module].traceback
    assert "line 4" in status[module].traceback


def test_collision_leaves_the_second_out_whole(write):
    first, second = write(GOOD.format("shiny"), "aaa"), write(GOOD.format("shiny"), "bbb")
    second_source = "from vadbench.api import hookimpl\n@hookimpl\ndef vadbench_register(registry):\n"
    second_source += "    registry.flow('own', 'm:C')\n    registry.flow('shiny', 'm:C')\n"
    third = write(second_source, "ccc")
    plugins, status = status_of(third, second, first)
    assert [status[name].status for name in (first, second, third)] == ["ok", "failed", "failed"]
    assert f"already registered by plug-in {first!r}" in status[third].error
    assert plugins.registry.names("flow") == ["shiny"]


def test_built_ins_come_first(write):
    module = write(GOOD.format("stgcn-coupling"), "aaa")
    found = [entry_point(module), *metadata.entry_points(group="vadbench")]
    plugins = load_plugins(found)
    assert [status.name for status in plugins.failed] == [module]
    assert plugins.statuses[-1].name == module
    assert plugins.registry.get("flow", "stgcn-coupling").plugin == "msgflow"


def test_missing_module():
    _, status = status_of("no_such_module_here")
    assert "ModuleNotFoundError" in status["no_such_module_here"].error


def test_the_same_entry_point_twice_is_one(write):
    module = write(GOOD.format("shiny"))
    plugins, _ = status_of(module, module)
    assert len(plugins.statuses) == 1
    assert plugins.failed == ()


class TestRegisterPlugin:
    def test_object(self):
        from vadbench.api import hookimpl

        class Plugin:
            @hookimpl
            def vadbench_register(self, registry):
                registry.scorer("own", "m:C")

        registry = Registry()
        assert register_plugin(Plugin(), "theirs", registry) == ("scorer own",)
        assert registry.get("scorer", "own").plugin == "theirs"

    def test_nothing_offered_is_fine(self):
        from vadbench.api import hookimpl

        hook = hookimpl(lambda registry: None)
        assert register_plugin(SimpleNamespace(vadbench_register=hook), "theirs", Registry()) == ()

    def test_remedy(self):
        with pytest.raises(PluginError) as caught:
            register_plugin(SimpleNamespace(), "theirs", Registry())
        assert "vadbench_register(registry)" in caught.value.remedy
        assert caught.value.where == "plug-in theirs"
