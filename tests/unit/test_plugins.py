"""Finding plug-ins: whatever is wrong with one is reported, and the others go on."""

from __future__ import annotations

import os
import random
import sys
import warnings
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from modules_on_disk import entry_point, write_module

from vadbench.api import VERSION, PluginError, Registry, UsageError
from vadbench.api.faults import Terminated
from vadbench.engine.loading.sources import PluginSource
from vadbench.engine.plugins import load_plugins, load_source, register_plugin

GOOD = """
    from vadbench.api import hookimpl

    @hookimpl
    def vadbench_register(registry):
        registry.flow("{0}", "nowhere:Flow", summary="theirs")
        registry.prior("{0}", "nowhere:Prior")
"""


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch):
    for variable in ("VADBENCH_PLUGINS", "VADBENCH_PLUGINS_DIR", "VADBENCH_STRICT"):
        monkeypatch.delenv(variable, raising=False)


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


HOOK = "from vadbench.api import hookimpl\n@hookimpl\n"
# What is in the file, what is told of the cause, what of the remedy.
BROKEN = {
    "misspelt hook": (
        f"{HOOK}def vadbench_registr(registry): ...",
        "it marks vadbench_registr with @hookimpl",
        "did you mean vadbench_register?",
    ),
    "hook of another name": (
        f"{HOOK}def components(registry): ...",
        "it marks components",
        "the hook is called vadbench_register",
    ),
    "unknown hook argument": (
        f"{HOOK}def vadbench_register(registry, settings): ...",
        "takes registry, settings",
        "write def vadbench_register(registry):",
    ),
    "no hook argument": (f"{HOOK}def vadbench_register(): ...", "takes nothing", "write def vadbench_register(registry):"),
    "coroutine": (
        f"{HOOK}async def vadbench_register(registry): ...",
        "is a coroutine",
        "write def vadbench_register(registry):",
    ),
    "generator": (f"{HOOK}def vadbench_register(registry): yield", "is a generator", "write def vadbench_register(registry):"),
    "unmarked hook": (
        "def vadbench_register(registry): ...",
        "the plug-in has no hook: its vadbench_register is not marked with @hookimpl",
        "write @hookimpl above def vadbench_register(registry):",
    ),
    "unmarked misspelt hook": (
        "def vadbench_regsiter(registry): ...",
        "the plug-in has no hook, but it has vadbench_regsiter",
        "did you mean vadbench_register?",
    ),
    "hookless": ("x = 1", "the plug-in has no hook", "begin the file's name with _ if it is no plug-in"),
    "raising hook": (
        f"{HOOK}def vadbench_register(registry):\n    raise KeyError('boom')",
        "KeyError: 'boom', raised in {file}, line 4",
        "correct {file}, line 4",
    ),
    "raising import": ("\nraise OSError('no disk')", "OSError: no disk, raised in {file}, line 2", "correct {file}, line 2"),
    "no Exception": ("raise GeneratorExit", "GeneratorExit, raised in {file}, line 1", "correct {file}, line 1"),
    "syntax error": ("x = 1\ndef x(:", "SyntaxError: invalid syntax, in line 2 of {file}", "correct line 2 of {file}"),
    "exit at import": (
        "import sys; sys.exit(3)",
        "it ends the process when it is loaded (SystemExit: 3), in {file}, line 1",
        'if __name__ == "__main__":',
    ),
    "missing dependency": (
        "import a_library_that_nobody_has.part",
        "it needs a_library_that_nobody_has, which is not installed (ModuleNotFoundError",
        "pip install a_library_that_nobody_has",
    ),
    "missing dependency of another name": ("import skimage.nonsense as _", "it needs skimage", "pip install scikit-image"),
    "name that vadbench.api does not have": (
        "from vadbench.api import Tokeniser",
        "cannot import name 'Tokeniser'",
        "did you mean Tokenizer?",
    ),
    "module that vadbench does not have": (
        "import vadbench.api.contract",
        "No module named 'vadbench.api.contract'",
        "did you mean 'vadbench.api.contracts'",
    ),
    "name that cannot be": (
        f"{HOOK}def vadbench_register(registry): registry.flow('A B', 'm:C')",
        "flow cannot be named 'A B'",
        "use lower-case letters",
    ),
    "name of vadbench's own method": (
        f"{HOOK}def vadbench_register(registry): registry.detector('stg-nf', 'm:C')",
        "detector 'stg-nf' has the name of a method that comes with vadbench",
        "give it another name",
    ),
    "other argument of the registry": (
        f"{HOOK}def vadbench_register(registry): registry.flow('a', 'm:C', colour='red')",
        "TypeError: Registry.flow() got an unexpected keyword argument 'colour'",
        "correct {file}, line 3",
    ),
    "a newer API": (
        f"VADBENCH_API = {VERSION + 1}\nfrom vadbench.api import SomethingNew",
        f"it was written for version {VERSION + 1} of vadbench.api, and this vadbench has version {VERSION}",
        "install a newer vadbench",
    ),
    "an older API": (
        f"VADBENCH_API: int = {VERSION - 1}",
        f"it was written for version {VERSION - 1} of vadbench.api",
        "install a newer version of the plug-in",
    ),
    "an API that is none": ("VADBENCH_API = 'one'", "VADBENCH_API is 'one', and no version", f"write VADBENCH_API = {VERSION}"),
    "an API that only running tells": (
        f"VADBENCH_API = {VERSION} + int('1')",
        f"it was written for version {VERSION + 1}",
        "install a newer vadbench",
    ),
}


@pytest.mark.parametrize(("source", "cause", "remedy"), BROKEN.values(), ids=list(BROKEN))
def test_broken_is_reported_and_survived(write, tmp_path, source, cause, remedy):
    broken, good = write(source, "aaa_broken"), write(GOOD.format("shiny"))
    plugins, status = status_of(broken, good)
    file = tmp_path / f"{broken}.py"
    found = status[broken]
    assert found.status == "failed"
    assert cause.format(file=file) in found.error
    assert remedy.format(file=file) in found.remedy
    assert found.where == str(file)
    assert found.traceback.startswith("Traceback")
    assert "importlib" not in found.traceback
    assert "load_source" not in found.traceback
    assert found.components == ()
    assert plugins.failed == (found,)
    assert status[good].status == "ok"
    assert plugins.registry.names("flow") == ["shiny"]


ODD = {
    "a text that raises": ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "E, raised in "),
    "a text that is none": ("class E(Exception):\n    __repr__ = __str__ = lambda self: 3\nraise E", "E, raised in "),
    "a text that ends the process": ("class E(Exception):\n    def __str__(self): raise SystemExit\nraise E", "E, raised in "),
    "a long chain": (
        "e = None\nfor i in range(3000):\n    n = ValueError(str(i)); n.__cause__ = e; e = n\nraise e",
        "ValueError: 2999, raised in ",
    ),
    "a circle": (
        "a, b = ValueError('a'), ValueError('b')\na.__cause__, b.__cause__ = b, a\nraise a",
        "ValueError: a, raised in ",
    ),
    "no text of ours": ("from vadbench.api import PluginError\nraise PluginError(3, remedy=4)", "3"),
    "an empty one of ours": ("from vadbench.api import PluginError\nraise PluginError('')", "PluginError"),
    "one of ours that was not made whole": (
        "from vadbench.api import PluginError\nclass E(PluginError):\n    def __init__(self): ...\nraise E",
        "E, raised in ",
    ),
    "a module without a name": ("raise ModuleNotFoundError(name=3)", "ModuleNotFoundError, imported in "),
    "an import without a name": ("raise ImportError(\"cannot import name 'x'\", name=3)", "ImportError: cannot import name"),
    "a syntax error that is none": (
        "e = SyntaxError('x'); e.filename = 3; e.lineno = 'x'; raise e",
        "SyntaxError: x, in line x of 3",
    ),
    "bytes that are no text": ("raise ValueError('\\udc80')", "ValueError: \\udc80, raised in "),
    "a module that is none": ("import sys\nsys.modules[__name__] = None", ""),
    "a module that answers nothing": (
        "import sys\nclass M:\n    def __getattr__(self, name): raise RuntimeError(name)\nsys.modules[__name__] = M()",
        "RuntimeError: ",
    ),
    "too deep to be read": ("VADBENCH_API = " + "(" * 150 + "1" + ")" * 150 + "\nx = " + "-" * 9000 + "1", ""),
    "no text for a summary": (
        f"{HOOK}def vadbench_register(registry): registry.flow('a', 'm:C', summary=3)",
        "flow 'a' has the summary 3",
    ),
    "no text for a target": (f"{HOOK}def vadbench_register(registry): registry.flow('a', 3)", "flow 'a' has the target 3"),
}


@pytest.mark.parametrize(("source", "told"), ODD.values(), ids=ODD)
def test_whatever_is_raised_is_told_and_survived(write, source, told):
    module, good = write(source, "odd"), write(GOOD.format("shiny"))
    _, status = status_of(module, good)
    assert (status[module].status, status[good].status) == ("failed", "ok")
    assert status[module].error.startswith(told)
    assert status[module].error
    for text in (status[module].error, status[module].remedy, status[module].traceback):
        assert text.encode()
    sys.modules.pop(module, None)  # what it is now would be in the way of others


def test_being_told_to_end_is_no_fault_of_the_plugin(write):
    """SIGTERM, which the command line turns into this, may come while a plug-in is loaded."""
    module = write("from vadbench.api.faults import Terminated\nraise Terminated(143)")
    with pytest.raises(Terminated):
        load_plugins([entry_point(module)])


def test_an_interrupt_is_the_users(write):
    with pytest.raises(KeyboardInterrupt):
        status_of(write("raise KeyboardInterrupt"))


def test_a_module_of_another_version_is_not_imported(write):
    module = write(f"VADBENCH_API = {VERSION + 1}")
    _, status = status_of(module)
    assert status[module].api_version == VERSION + 1
    assert module not in sys.modules


def test_a_misspelt_module_of_its_own_is_told_from_a_missing_dependency(write, tmp_path):
    (tmp_path / "gait_energy.py").write_text("x = 1")
    _, status = status_of(module := write("import gait_enrgy"))
    assert "did you mean the plug-in's own module gait_energy?" in status[module].remedy


def test_a_class_is_no_plugin(write):
    module = write("class Plugin:\n    def vadbench_register(self, registry): ...")
    plugins = load_plugins([metadata.EntryPoint("theirs", f"{module}:Plugin", "vadbench")])
    assert plugins.statuses[0].error == "what it offers is a class, Plugin"
    assert "Plugin()" in plugins.statuses[0].remedy


def test_an_entry_point_that_names_nothing(write):
    module = write(GOOD.format("shiny"))
    plugins = load_plugins([metadata.EntryPoint("theirs", f"{module}:plugin", "vadbench")])
    assert "has no attribute 'plugin'" in plugins.statuses[0].error
    assert "correct the entry point" in plugins.statuses[0].remedy


class TestWhatLoadingLeavesBehind:
    def test_all_that_is_printed_is_caught(self, write, capfd):
        module = write(
            "import os, subprocess, sys\n"
            "print('to stdout')\n"
            "print('to stderr', file=sys.stderr)\n"
            "print('past the redirection', file=sys.__stdout__)\n"
            "os.write(1, b'to the descriptor\\n')\n"
            "subprocess.run([sys.executable, '-c', 'print(\"of a program\")'])\n" + GOOD.format("shiny").replace("\n    ", "\n")
        )
        sys.stdout.write("before\n")
        _, status = status_of(module)
        sys.stdout.write("after\n")
        assert capfd.readouterr() == ("before\nafter\n", "")
        assert status[module].status == "ok"
        told = ("to stdout", "to stderr", "past the redirection", "to the descriptor", "of a program")
        assert [text for text in told if text not in status[module].printed] == []

    def test_nothing_is_printed(self, write):
        _, status = status_of(module := write(GOOD.format("shiny")))
        assert status[module].printed == ""

    def test_a_closed_stream_is_survived(self, write, capfd):
        module = write("import sys; sys.stdout.close()")
        _, status = status_of(module)
        sys.stdout.write("after\n")
        assert capfd.readouterr().out == "after\n"
        assert status[module].error == "the plug-in has no hook"

    def test_random_states_filters_folder_limit_and_environment_stay(self, write):
        code = "import os, random, warnings\nrandom.seed(1)\nwarnings.simplefilter('error')\nos.chdir('/')\n"
        code += "import sys\nsys.setrecursionlimit(5000)\nos.environ['LEFT_BEHIND'] = '1'\ndel os.environ['PATH']\n"
        code += "import numpy, torch\nnumpy.random.seed(1)\ntorch.manual_seed(1)\n"

        def states():
            legacy = np.random.get_state()  # noqa: NPY002 - it is what is checked
            numbers = (random.getstate(), legacy[1].tolist(), torch.get_rng_state().tolist())
            return numbers, list(warnings.filters), Path.cwd(), sys.getrecursionlimit(), dict(os.environ)

        before = states()
        status_of(write(code))
        assert states() == before


def test_traceback_names_the_line(write):
    module = write(BROKEN["raising hook"][0])
    _, status = status_of(module)
    assert f"{module}.py" in status[module].traceback
    assert "line 4" in status[module].traceback


def test_collision_leaves_the_second_out_whole(write, tmp_path):
    first, second = write(GOOD.format("shiny"), "aaa"), write(GOOD.format("shiny"), "bbb")
    second_source = "from vadbench.api import hookimpl\n@hookimpl\ndef vadbench_register(registry):\n"
    second_source += "    registry.flow('own', 'm:C')\n    registry.flow('shiny', 'm:C')\n"
    third = write(second_source, "ccc")
    plugins, status = status_of(third, second, first)
    assert [status[name].status for name in (first, second, third)] == ["ok", "failed", "failed"]
    assert f"already registered by plug-in {first!r} (unknown unknown, {tmp_path / first}.py)" in status[third].error
    assert "another name, or uninstall" in status[third].remedy
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
    assert "the entry point names a module that is not there" in status["no_such_module_here"].error
    assert "correct the entry point" in status["no_such_module_here"].remedy


def test_missing_module_of_a_package():
    _, status = status_of("vadbench_baselines.plugn")
    assert "did you mean 'vadbench_baselines.plugin'" in status["vadbench_baselines.plugn"].remedy


def test_an_unknown_component_is_put_down_to_what_failed(write):
    module = write("1 / 0", "theirs")
    plugins, _ = status_of(module)
    with pytest.raises(UsageError) as caught:
        plugins.registry.get("detector", "shiny")
    assert f"plug-in {module!r} failed to load" in caught.value.remedy
    assert "vadbench plugin list" in caught.value.remedy


def test_two_plugins_of_one_name_are_told_apart(write):
    first, second = write(GOOD.format("shiny")), write(GOOD.format("dull"))
    plugins = load_plugins([entry_point(first, "plugin"), entry_point(second, "plugin")])
    assert [status.name for status in plugins.statuses] == ["plugin", "plugin of unknown"]
    assert {entry.plugin for entry in plugins.registry.entries("flow")} == {"plugin", "plugin of unknown"}


class TestLoadSource:
    def test_good(self):
        source = PluginSource("mine", "process", "here", "1", "a test", lambda: SimpleNamespace(vadbench_register=_hook()))
        registry = Registry()
        status = load_source(source, registry)
        assert (status.status, status.components, status.origin, status.where) == ("ok", ("flow own",), "process", "a test")
        assert registry.get("flow", "own").plugin == "mine"

    def test_what_its_components_need_is_told_and_is_no_fault(self):
        source = PluginSource(
            "mine",
            "process",
            "here",
            "1",
            "a test",
            lambda: SimpleNamespace(vadbench_register=_hook(requires=("numpy", "nothing_such"))),
        )
        status = load_source(source, Registry())
        assert (status.status, status.needs) == ("ok", ("nothing_such",))


def _hook(**more):
    from vadbench.api import hookimpl

    @hookimpl
    def vadbench_register(registry):
        registry.flow("own", "m:C", **more)

    return vadbench_register


class TestVariables:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        folder = tmp_path / "plugged"
        folder.mkdir()
        for name in ("variables_one", "variables_two"):
            (folder / f"{name}.py").write_text(HOOK + f"def vadbench_register(registry): registry.flow('{name[-3:]}', 'm:C')\n")
        monkeypatch.setenv("VADBENCH_PLUGINS_DIR", str(folder))
        monkeypatch.setattr(sys, "path", [*sys.path])
        return folder

    def names(self):
        return {status.name for status in load_plugins().statuses if status.origin == "folder"}

    def test_all_are_loaded(self, folder):
        assert self.names() == {"variables_one", "variables_two"}

    @pytest.mark.parametrize("wanted", ["variables_one", "variables_one.py", " variables_one ,"])
    def test_named_ones_alone(self, folder, monkeypatch, wanted):
        monkeypatch.setenv("VADBENCH_PLUGINS", wanted)
        assert self.names() == {"variables_one"}
        assert "msgflow" in {status.name for status in load_plugins().statuses}

    def test_none(self, folder, monkeypatch):
        monkeypatch.setenv("VADBENCH_PLUGINS", "")
        assert self.names() == set()
        assert load_plugins().registry.names("flow")

    def test_one_that_is_not_there(self, folder, monkeypatch):
        monkeypatch.setenv("VADBENCH_PLUGINS", "variables_on,variables_two,msgflow")
        (failed,) = load_plugins().failed
        assert failed.error == "VADBENCH_PLUGINS names a plug-in that is not there: variables_on"
        assert "did you mean 'variables_one'" in failed.remedy
        assert self.names() == {"variables_two"}

    def test_a_folder_that_is_not_there(self, folder, monkeypatch):
        monkeypatch.setenv("VADBENCH_PLUGINS_DIR", f"{folder}x:{folder}")
        (failed,) = load_plugins().failed
        assert failed.error == "there is no such file or folder"
        assert failed.where == f"{folder}x"
        assert "did you mean 'plugged'" in failed.remedy
        assert self.names() == {"plugged" + "x", "variables_one", "variables_two"}

    @pytest.mark.parametrize("value", ["1", "true", "Yes", "on"])
    def test_strict(self, folder, monkeypatch, value):
        (folder / "variables_bad.py").write_text("1 / 0")
        (folder / "variables_worse.py").write_text("x = 1")
        monkeypatch.setenv("VADBENCH_STRICT", value)
        with pytest.raises(PluginError) as caught:
            load_plugins()
        for told in ("variables_bad", "ZeroDivisionError", "variables_worse", "has no hook", "2 of "):
            assert told in str(caught.value)
        assert caught.value.exit_code == 4

    @pytest.mark.parametrize("value", ["", "0", "no", "False", "off"])
    def test_not_strict(self, folder, monkeypatch, value):
        (folder / "variables_bad.py").write_text("1 / 0")
        monkeypatch.setenv("VADBENCH_STRICT", value)
        assert len(load_plugins().failed) == 1

    def test_neither_strict_nor_not(self, folder, monkeypatch):
        monkeypatch.setenv("VADBENCH_STRICT", "perhaps")
        with pytest.raises(UsageError, match="'perhaps' is neither yes nor no"):
            load_plugins()

    def test_strict_without_a_fault(self, folder, monkeypatch):
        monkeypatch.setenv("VADBENCH_STRICT", "1")
        assert load_plugins().failed == ()


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
