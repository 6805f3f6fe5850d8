"""Where plug-ins come from: installed ones, files, package folders, project folders; versions that change as contents do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import PluginError, Registry
from vadbench.engine import code_digests
from vadbench.engine.code_digests import code_digest, distribution_digests, folder_digest, forget_digests
from vadbench.engine.loading.folder_imports import version_of_module
from vadbench.engine.loading.sources import folder_sources, installed_sources, sources_at, sources_in
from vadbench.engine.plugins import load_plugins, load_source
from vadbench.engine.poses import _reading

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


class TestVersionOfFolder:
    COUNT = (
        "pointed_x.py",
        "_part.py",
        "weights.npy",
        "settings.toml",
        "notes.txt",
        "data/deep/table.csv",
        "pack/__init__.py",
        "bare/module.py",
        "test/data.json",
        "lib.so",
    )
    LEFT = (
        ".hidden",
        ".git/config",
        "tests/test_x.py",
        "pack/__pycache__/x.pyc",
        "x.pyc",
        "run.log",
        "book.ipynb",
        "roc.png",
        "x.egg-info/PKG-INFO",
        "x.py~",
        "env/lib/site-packages/y.py",
        "runs/m/d/0/abc/log.txt",
    )

    @pytest.fixture
    def folder(self, tmp_path):
        for name in (*self.COUNT, *self.LEFT, "env/pyvenv.cfg", "runs/m/d/0/abc/run.json", "runs/m/d/0/abc/scores.npz"):
            written(tmp_path / name, "one")
        return tmp_path

    @pytest.mark.parametrize("name", COUNT)
    def test_what_counts(self, folder, name):
        before = folder_digest(folder)
        assert folder_digest(folder) == before
        (folder / name).write_text("two")
        edited = folder_digest(folder)
        (folder / name).unlink()
        assert len({before, edited, folder_digest(folder)}) == 3

    @pytest.mark.parametrize("name", LEFT)
    def test_what_does_not(self, folder, name):
        before = folder_digest(folder)
        (folder / name).write_text("two")
        assert folder_digest(folder) == before
        (folder / name).unlink()
        assert folder_digest(folder) == before

    def test_a_large_file_by_its_size_and_time(self, tmp_path, monkeypatch):
        monkeypatch.setattr(code_digests, "_WHOLE", 4)
        large, code = written(tmp_path / "large.bin", "12345"), written(tmp_path / "code.py", "x = 12345")
        before = folder_digest(tmp_path)
        os.utime(code, ns=(1, 1))
        assert folder_digest(tmp_path) == before
        os.utime(large, ns=(1, 1))
        assert folder_digest(tmp_path) != before

    def test_no_more_is_read_than_is_quick(self, tmp_path, monkeypatch):
        monkeypatch.setattr(code_digests, "_READ", 7)
        files = [written(tmp_path / name, "12345") for name in ("a", "b")]
        before = folder_digest(tmp_path)
        os.utime(files[0], ns=(1, 1))
        assert folder_digest(tmp_path) == before
        os.utime(files[1], ns=(1, 1))
        assert folder_digest(tmp_path) != before

    def test_kept_poses_go_by_it_too(self, tmp_path):
        """What a data set's module imports from its folder decides how its files are read."""
        file = written(
            tmp_path / "pointed_data.py", "import _pointed_reader\nclass Data: ...\n" + textwrap.dedent(HOOK.format("d", "m"))
        )
        written(tmp_path / "_pointed_reader.py", "SCALE = 1")
        readings = []
        for scale in (1, 1, 2):
            written(tmp_path / "_pointed_reader.py", f"SCALE = {scale}")
            load_source(sources_at(file)[0], Registry())
            readings.append(_reading(sys.modules["pointed_data"].Data(), {}))
        assert readings[0] == readings[1] != readings[2]
        assert version_of_module("_pointed_reader") == sources_at(file)[0].version
        assert version_of_module("json") is None

    def test_too_many_files_are_never_the_same(self, tmp_path, monkeypatch):
        file = written(tmp_path / "pointed_many.py", HOOK.format("many", "m"))
        written(tmp_path / "another")
        monkeypatch.setattr(code_digests, "MOST_FILES", 1)
        first, second = sources_at(file)[0].version, sources_at(file)[0].version
        assert first.startswith("unknown:")
        assert first != second

    def test_links(self, tmp_path):
        elsewhere = written(tmp_path / "elsewhere" / "module.py", "one").parent
        folder = tmp_path / "folder"
        folder.mkdir()
        (folder / "linked").symlink_to(elsewhere)
        (folder / "circle").symlink_to(folder)
        (folder / "nowhere").symlink_to(tmp_path / "nothing")
        before = folder_digest(folder)
        (elsewhere / "module.py").write_text("two")
        assert folder_digest(folder) != before

    def test_what_is_no_file_is_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.py")
        assert folder_digest(tmp_path)

    @pytest.mark.parametrize("edited", ["_pointed_beside.py", "pointed_pack/table.toml", "pointed_pack/deep/part.py"])
    def test_of_a_package_with_what_lies_beside_it(self, tmp_path, edited):
        written(tmp_path / "pointed_pack" / "plugin.py", HOOK.format("p", "m"))
        written(tmp_path / edited)
        (before,) = sources_at(tmp_path / "pointed_pack")
        written(tmp_path / edited, "edited = 1")
        assert sources_at(tmp_path / "pointed_pack")[0].version != before.version

    def test_of_a_project_with_all_of_its_packages(self, tmp_path):
        folder = project(tmp_path / "proj")
        (before,) = sources_at(folder)
        written(folder / "README.md", "no code")
        assert sources_at(folder)[0].version == before.version
        written(folder / "src" / "another" / "__init__.py")
        assert sources_at(folder)[0].version != before.version


class TestDigestsOfDistributions:
    @pytest.fixture
    def installed(self, tmp_path, monkeypatch):
        """A distribution with two packages and a module."""
        forget_digests()
        site = tmp_path / "site"
        files = ("pointed_one/__init__.py", "pointed_one/table.toml", "pointed_two/__init__.py", "pointed_three.py")
        record = "".join(f"{written(site / name).relative_to(site)},,\n" for name in files)
        written(site / "pointed_dist-1.0.dist-info" / "METADATA", "Metadata-Version: 2.1\nName: pointed-dist\nVersion: 1.0\n")
        written(site / "pointed_dist-1.0.dist-info" / "RECORD", f"{record}pointed_dist-1.0.dist-info/METADATA,,\n../bin/x.py,,\n")
        monkeypatch.syspath_prepend(str(site))
        yield site
        forget_digests()

    @pytest.mark.parametrize("name", ["pointed_one/table.toml", "pointed_two/__init__.py", "pointed_three.py"])
    def test_all_of_its_packages_count(self, installed, name):
        before = distribution_digests("pointed-dist", "pointed_one")
        assert set(before) == {"pointed_one", "pointed_two", "pointed_three"}
        written(installed / name, "edited = 1")
        assert distribution_digests("pointed-dist", "pointed_one") == before  # as it was imported
        forget_digests()
        assert distribution_digests("pointed-dist", "pointed_one") != before

    def test_installed_in_place(self, installed, tmp_path, monkeypatch):
        folder = project(tmp_path / "proj ect", module="pointed_in_place")
        monkeypatch.syspath_prepend(str(folder / "src"))
        written(folder / "src" / "pointed_aside" / "__init__.py")
        info = installed / "pointed_dist-1.0.dist-info"
        written(info / "direct_url.json", json.dumps({"url": folder.as_uri(), "dir_info": {"editable": True}}))
        written(info / "RECORD", "__editable___pointed_finder.py,,\n_pointed.pth,,\n")
        before = distribution_digests("pointed-dist", "pointed_in_place")
        assert set(before) == {"pointed-dist in place"}
        written(folder / "src" / "pointed_aside" / "__init__.py", "edited = 1")
        forget_digests()
        assert distribution_digests("pointed-dist", "pointed_in_place") != before
        forget_digests()
        monkeypatch.setattr(code_digests, "MOST_FILES", 1)
        assert distribution_digests("pointed-dist", "pointed_in_place") == {"pointed-dist in place": None}

    def test_of_one_that_nobody_knows(self):
        assert distribution_digests("no-such-distribution", "pointed") == {}
