"""Where plug-ins come from: installed ones, files, package folders, project folders; versions that change as contents do."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import PluginError, Registry
from vadbench.engine.code_digests import code_digest, local_files
from vadbench.engine.loading.sources import installed_sources, sources_at, sources_in
from vadbench.engine.plugins import load_plugins, load_source

HOOK = """
    from vadbench.api import hookimpl

    @hookimpl
    def vadbench_register(registry):
        registry.flow("{0}", "{1}:Flow")
"""


@pytest.fixture(autouse=True)
def _import_path_stays(monkeypatch):
    """Each test leaves the import path, and the names of its modules, as they were."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for variable in ("VADBENCH_PLUGINS", "VADBENCH_PLUGINS_DIR", "VADBENCH_STRICT"):
        monkeypatch.delenv(variable, raising=False)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("pointed"):
            del sys.modules[name]


def written(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def project(folder: Path, *, layout: str = "src", version: str | None = "0.3.0", module: str = "pointed_project") -> Path:
    """A project folder with one plug-in."""
    said = f'version = "{version}"' if version else 'dynamic = ["version"]'
    told = f'[project]\nname = "pointed-project"\n{said}\n'
    written(folder / "pyproject.toml", f'{told}\n[project.entry-points.vadbench]\nspeed = "{module}.plugin"\n')
    written(folder / layout / module / "__init__.py")
    written(folder / layout / module / "plugin.py", HOOK.format("of-project", f"{module}.flow"))
    return folder


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

    def test_what_it_imports_from_its_folder_counts(self, tmp_path):
        file = written(tmp_path / "pointed_parts.py", "import _pointed_part\nfrom pointed_package import thing\nimport json")
        part = written(tmp_path / "_pointed_part.py", "import _pointed_deep")
        deep = written(tmp_path / "_pointed_deep.py", "import pointed_parts")
        package = written(tmp_path / "pointed_package" / "__init__.py")
        inside = written(tmp_path / "pointed_package" / "thing.py")
        written(tmp_path / "_pointed_other.py")
        assert local_files(file) == sorted([file, part, deep, package, inside])
        versions = [sources_at(file)[0].version]
        for each in (part, deep, inside, tmp_path / "_pointed_other.py"):
            each.write_text(f"{each.read_text()}\n# edited")
            versions.append(sources_at(file)[0].version)
        assert len(set(versions)) == 4
        assert versions[-1] == versions[-2]

    def test_an_edited_file_is_imported_again(self, tmp_path):
        file = written(tmp_path / "pointed_edit.py", HOOK.format("first", "pointed_edit"))
        statuses, digests = [], []
        for name in ("first", "other"):
            written(file, HOOK.format(name, "pointed_edit"))
            statuses.append(load_source(sources_at(file)[0], Registry()))
            digests.append(code_digest("pointed_edit"))
        assert [status.components for status in statuses] == [("flow first",), ("flow other",)]
        assert digests[0] != digests[1]

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
