"""Versions of plug-ins from folders and distributions: they change as anything does that may decide a score."""

from __future__ import annotations

import json
import os
import sys
import textwrap

import pytest
from pointed_plugins import HOOK, import_path_stays, project, written

from vadbench.api import Registry
from vadbench.engine import code_digests
from vadbench.engine.code_digests import distribution_digests, folder_digest, forget_digests
from vadbench.engine.loading.folder_imports import version_of_module
from vadbench.engine.loading.sources import sources_at
from vadbench.engine.plugins import load_source
from vadbench.engine.poses import _reading

__all__ = ["import_path_stays"]  # a fixture
pytestmark = pytest.mark.usefixtures("import_path_stays")


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
