"""Where plug-ins come from: installed ones, files, package folders, project folders."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pointed_plugins import HOOK, import_path_stays, project, written

from vadbench.api import PluginError, Registry
from vadbench.engine.code_digests import code_digest
from vadbench.engine.loading.sources import folder_sources, installed_sources, sources_at, sources_in
from vadbench.engine.plugins import load_plugins, load_source

__all__ = ["import_path_stays"]  # a fixture
pytestmark = pytest.mark.usefixtures("import_path_stays")


class TestInstalled:
    def test_own_come_first_and_lie_where_they_are(self):
        sources = installed_sources()
        assert {source.origin for source in sources} == {"installed"}
        assert {source.name for source in sources} >= {"datasets", "msgflow", "baselines"}
        assert sources[0].distribution == "vadbench"
        for source in sources[:3]:
            assert Path(source.where).is_file()

    def test_nothing_is_imported(self):
        code = (
            "import sys\nfrom vadbench.engine.loading.sources import installed_sources\ninstalled_sources()\n"
            "assert not [name for name in sys.modules if name.startswith('vadbench_')]"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


class TestFile:
    def test_one(self, tmp_path):
        file = written(tmp_path / "pointed_file.py", HOOK.format("of-file", "pointed_file"))
        (source,) = sources_at(file)
        assert (source.name, source.origin, source.distribution, source.where) == (
            "pointed_file",
            "folder",
            "pointed_file.py",
            str(file),
        )
        assert "pointed_file" not in sys.modules
        registry = Registry()
        status = load_source(source, registry)
        assert (status.status, status.components, status.version) == ("ok", ("flow of-file",), source.version)
        assert sys.path[-1] == str(tmp_path)

    @given(first=st.text(max_size=30), second=st.text(max_size=30))
    def test_the_version_is_of_the_contents(self, tmp_path_factory, first, second):
        folder = tmp_path_factory.mktemp("version")
        versions = []
        for text in (first, second, first):
            (folder / "pointed_version.py").write_bytes(f"x = {text!r}".encode("utf-8", "surrogatepass"))
            versions.append(sources_at(folder / "pointed_version.py")[0].version)
        assert versions[0] == versions[2]
        assert (versions[0] == versions[1]) == (first == second)
        assert versions[0].startswith("sha256:")
        assert len(versions[0]) == len("sha256:") + 12

    def test_an_attribute_of_an_attribute_has_the_hook(self, tmp_path):
        folder = project(tmp_path / "proj", module="pointed_dotted")
        text = (folder / "pyproject.toml").read_text().replace("pointed_dotted.plugin", "pointed_dotted.plugin:offers.this")
        (folder / "pyproject.toml").write_text(text)
        written(
            folder / "src" / "pointed_dotted" / "plugin.py",
            "from types import SimpleNamespace\nfrom vadbench.api import hookimpl\n"
            "hook = hookimpl(lambda registry: registry.flow('dotted', 'm:C'))\n"
            "offers = SimpleNamespace(this=SimpleNamespace(vadbench_register=hook))\n",
        )
        (source,) = sources_at(folder)
        assert load_source(source, Registry()).components == ("flow dotted",)

    def test_letters_of_any_script(self, tmp_path):
        (source,) = sources_at(
            written(tmp_path / "pointed_größe.py", HOOK.format("greek", "pointed_größe.ö").replace(":Flow", ":Flüß"))
        )
        assert load_source(source, Registry()).components == ("flow greek",)

    def test_an_edited_file_is_imported_again(self, tmp_path):
        file = written(tmp_path / "pointed_edit.py", HOOK.format("first", "pointed_edit"))
        statuses, digests = [], []
        for name in ("first", "other"):
            written(file, HOOK.format(name, "pointed_edit"))
            statuses.append(load_source(sources_at(file)[0], Registry()))
            digests.append(code_digest("pointed_edit"))
        assert [status.components for status in statuses] == [("flow first",), ("flow other",)]
        assert digests[0] != digests[1]

    @pytest.mark.parametrize("part", ["_pointed_named", "pointed_bare.inside", "pointed_relative"])
    def test_so_is_all_that_it_imports_from_its_folder(self, tmp_path, part):
        """By a computed name, from a folder without ``__init__``, by way of a package."""
        file = written(
            tmp_path / "pointed_whole.py",
            f"import importlib\nVALUE = importlib.import_module({part!r}).VALUE\n" + textwrap.dedent(HOOK.format("w", "m")),
        )
        written(tmp_path / "pointed_relative" / "__init__.py", "from ._deep import VALUE")
        inside = {"pointed_bare.inside": "pointed_bare/inside", "pointed_relative": "pointed_relative/_deep"}.get(part, part)
        values = []
        for value in ("'first'", "'the second'"):
            written(tmp_path / f"{inside}.py", f"VALUE = {value}")
            load_source(sources_at(file)[0], Registry())
            values.append(sys.modules["pointed_whole"].VALUE)
        assert values == ["first", "the second"]

    def test_what_lies_elsewhere_in_the_folder_is_not_forgotten(self, tmp_path, monkeypatch):
        """An environment in the folder has modules in it that everybody uses."""
        monkeypatch.syspath_prepend(str(tmp_path / "venv" / "lib"))
        written(tmp_path / "venv" / "lib" / "pointed_library.py")
        file = written(tmp_path / "pointed_user.py", "import pointed_library\n" + textwrap.dedent(HOOK.format("w", "m")))
        load_source(sources_at(file)[0], Registry())
        library = sys.modules["pointed_library"]
        file.write_text(f"{file.read_text()}# edited\n")
        assert load_source(sources_at(file)[0], Registry()).status == "ok"
        assert sys.modules["pointed_library"] is library

    def test_an_unchanged_file_is_not(self, tmp_path):
        file = written(tmp_path / "pointed_same.py", HOOK.format("same", "pointed_same"))
        load_source(sources_at(file)[0], Registry())
        module = sys.modules["pointed_same"]
        load_source(sources_at(file)[0], Registry())
        assert sys.modules["pointed_same"] is module

    @pytest.mark.parametrize(("name", "other"), [("json", "json"), ("numpy", "numpy"), ("sys", "of Python itself")])
    def test_nothing_is_hidden(self, tmp_path, name, other):
        (source,) = sources_at(written(tmp_path / f"{name}.py", HOOK.format("a", name)))
        status = load_source(source, Registry())
        assert status.error.startswith(f"another module is called {name!r} as well (")
        assert other in status.error
        assert status.remedy == f"rename the file or folder, e.g. my_{name}"

    @pytest.mark.parametrize(("name", "remedy"), [("my-file", "my_file"), ("3d", "plugin_3d")])
    def test_a_name_that_python_does_not_take(self, tmp_path, name, remedy):
        (source,) = sources_at(written(tmp_path / f"{name}.py", HOOK.format("a", "m")))
        assert load_source(source, Registry()).remedy == f"rename it: {remedy}"

    def test_of_two_that_are_pointed_to_the_first_stays(self, tmp_path, monkeypatch):
        for folder in ("one", "two"):
            written(tmp_path / folder / "pointed_twice.py", HOOK.format(folder, "pointed_twice"))
        for first, second in (("one", "two"), ("two", "one")):
            monkeypatch.setenv("VADBENCH_PLUGINS_DIR", f"{tmp_path / first}:{tmp_path / second}")
            plugins = load_plugins()
            (failed,) = plugins.failed
            assert failed.where == str(tmp_path / second / "pointed_twice.py")
            assert str(tmp_path / first) in failed.error
            assert plugins.registry.names("flow").count(first) == 1

    def test_one_that_cannot_be_read(self, tmp_path):
        file = tmp_path / "pointed_gone.py"
        file.symlink_to(tmp_path / "nowhere.py")
        with pytest.raises(PluginError, match="there is no such file"):
            sources_at(file)


class TestFolder:
    def test_what_is_a_plugin_and_what_is_not(self, tmp_path):
        for name in ("a.py", "_a.py", ".b.py", "test_a.py", "a_test.py", "conftest.py", "setup.py", "noxfile.py", "notes.txt"):
            written(tmp_path / name)
        for name in (
            "package/__init__.py",
            "bare/plugin.py",
            "_no/__init__.py",
            "tests/__init__.py",
            "data/x.csv",
            ".git/plugin.py",
        ):
            written(tmp_path / name)
        project(tmp_path / "project")
        written(tmp_path / "unrelated" / "pyproject.toml", '[project]\nname = "x"\n')
        sources = sources_in(tmp_path)
        assert [source.name for source in sources] == ["a", "bare", "package", "speed"]
        assert sources_at(tmp_path) != ()

    def test_empty(self, tmp_path):
        assert sources_in(tmp_path) == ()

    def test_package(self, tmp_path):
        written(tmp_path / "pointed_pack" / "__init__.py")
        written(tmp_path / "pointed_pack" / "plugin.py", HOOK.format("of-package", "pointed_pack.flow"))
        written(tmp_path / "pointed_pack" / "flow.py", "class Flow: ...")
        (source,) = sources_at(tmp_path / "pointed_pack")
        assert source.where == str(tmp_path / "pointed_pack" / "plugin.py")
        registry = Registry()
        assert load_source(source, registry).status == "ok"
        with pytest.raises(PluginError, match="lacks fit"):
            registry.get("flow", "of-package").load()
        written(tmp_path / "pointed_pack" / "flow.py", "class Flow: ... # edited")
        assert sources_at(tmp_path / "pointed_pack")[0].version != source.version

    @pytest.mark.parametrize("layout", ["src", ".", "lib", "python"])
    def test_project(self, tmp_path, layout):
        folder = project(tmp_path / "proj", layout=layout, module=f"pointed_{layout.replace('.', 'flat')}")
        (source,) = sources_at(folder)
        assert (source.name, source.distribution, source.origin) == ("speed", "pointed-project", "folder")
        assert source.version.startswith("0.3.0+sha256.")
        assert load_source(source, Registry()).components == ("flow of-project",)

    def test_project_without_a_static_version(self, tmp_path):
        assert sources_at(project(tmp_path / "proj", version=None))[0].version.startswith("sha256:")

    def test_project_whose_module_is_not_there(self, tmp_path):
        folder = project(tmp_path / "proj")
        (folder / "src" / "pointed_project" / "plugin.py").unlink()
        (source,) = sources_at(folder)
        status = load_source(source, Registry())
        assert status.error == "the entry point 'speed' names pointed_project.plugin, and the project has no such module"
        assert "correct the entry point" in status.remedy

    def test_project_whose_file_is_broken(self, tmp_path):
        written(tmp_path / "proj" / "pyproject.toml", "[project")
        with pytest.raises(PluginError, match=r"pyproject\.toml cannot be read"):
            sources_at(tmp_path / "proj")
        (source,) = sources_in(tmp_path)
        assert "pyproject.toml cannot be read" in load_source(source, Registry()).error

    def test_a_project_that_is_installed_as_well_is_one_plugin(self, monkeypatch):
        own = Path(next(source.where for source in installed_sources() if source.name == "msgflow")).parent
        monkeypatch.setenv("VADBENCH_PLUGINS_DIR", f"{own}:{own.parent}")
        plugins = load_plugins()
        assert plugins.failed == ()
        assert {status.origin for status in plugins.statuses} == {"installed"}

    def test_a_path_that_is_not_there(self, tmp_path):
        written(tmp_path / "pointed_near.py")
        with pytest.raises(PluginError, match="no such file or folder") as caught:
            sources_at(tmp_path / "pointed_naer.py")
        assert "did you mean 'pointed_near.py'" in caught.value.remedy
        with pytest.raises(PluginError, match="neither"):
            sources_at(written(tmp_path / "notes.txt"))

    @pytest.mark.parametrize("told", ["project = 3", "[project]\nentry-points = 3", "[project.entry-points]\nvadbench = 3"])
    def test_a_project_with_something_else_for_a_table(self, tmp_path, told):
        written(tmp_path / "proj" / "pyproject.toml", told)
        with pytest.raises(PluginError, match="is no table"):
            sources_at(tmp_path / "proj")
        (source,) = sources_in(tmp_path)
        assert load_source(source, Registry()).status == "failed"

    @pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "x" * 5000, "a\0b"])
    def test_a_path_that_cannot_be(self, tmp_path, path):
        good = written(tmp_path / "pointed_good.py", HOOK.format("good", "m"))
        bad, fine = folder_sources([Path(path), good])
        assert load_source(bad, Registry()).status == "failed"
        assert load_source(fine, Registry()).status == "ok"

    def test_a_folder_that_may_not_be_read(self, tmp_path, monkeypatch):
        good = written(tmp_path / "pointed_open.py", HOOK.format("good", "m"))
        locked = tmp_path / "locked"
        locked.mkdir()
        is_file = Path.is_file

        def refuse(path: Path) -> bool:
            if path.is_relative_to(locked):
                raise PermissionError(13, "Permission denied")
            return is_file(path)

        monkeypatch.setattr(Path, "is_file", refuse)
        first, second = sources_in(tmp_path)
        assert (first.name, second.where) == ("locked", str(good))
        assert load_source(first, Registry()).error == "it cannot be read: Permission denied"
        assert [load_source(source, Registry()).status for source in folder_sources([locked / "x.py", good])] == ["failed", "ok"]

    def test_without_a_current_folder(self, tmp_path):
        written(tmp_path / "pointed_there.py", HOOK.format("there", "m"))
        code = (
            "import os, tempfile\nfrom vadbench.engine.plugins import load_plugins\n"
            "gone = tempfile.mkdtemp(); os.chdir(gone); os.rmdir(gone)\n"
            "print(*(status.name for status in load_plugins().failed), 'there' in load_plugins().registry.names('flow'))"
        )
        variables = {**os.environ, "VADBENCH_PLUGINS_DIR": os.pathsep.join(["nearby", str(tmp_path)])}
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=variables)
        assert done.stdout.split() == ["nearby", "True"]
