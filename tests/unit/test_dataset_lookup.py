"""Finding data sets: by name, by path, by default; their settings; a plan that is checked before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from modules_on_disk import entry_point, write_module

from vadbench.api import ConfigError, DataError, PluginError, Registry, UsageError
from vadbench.data.user_paths import expanded
from vadbench.engine.datasets import data_root, default_datasets, open_dataset, split_changes
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins

SOURCE = """
    from pathlib import Path
    from vadbench.api import ComponentConfig, DatasetInfo, hookimpl

    class Config(ComponentConfig):
        root: str | None = None
        size: int = 3

    class Base:
        NAME, STAND_IN = "theirs", False
        def __init__(self, config, data_root):
            self.config, self.root = config, data_root
        @property
        def info(self):
            return DatasetInfo(self.NAME, self.NAME, "coco-17", 24.0, "", "", "", stand_in=self.STAND_IN)
        def tracks(self, split): raise AssertionError("read")
        def labels(self, split): raise AssertionError("read")

    class Located(Base):
        def available(self):
            return self.root is not None and (Path(self.root) / self.NAME).is_dir()

    class First(Located): NAME = "first"
    class Second(Located): NAME = "second"
    class Folder(Base): NAME = "opened"
    class StandIn(Base): NAME, STAND_IN = "stand-in", True
    class Always(Base): NAME = "always"

    class Broken(Base):
        def __init__(self, config, data_root): raise OSError("disk on fire")

    class Nameless(Base):
        info = None
"""


@pytest.fixture
def registry(tmp_path, monkeypatch) -> Registry:
    module = write_module(tmp_path, monkeypatch, SOURCE)
    registry = Registry().for_plugin("theirs")
    for name, cls, flags in (
        ("first", "First", {"default": True}),
        ("second", "Second", {"default": True}),
        ("opened", "Folder", {"opens_folders": True}),
        ("stand-in", "StandIn", {"default": True}),
        ("broken", "Broken", {}),
        ("nameless", "Nameless", {}),
    ):
        registry.dataset(name, f"{module}:{cls}", config=f"{module}:Config", **flags)
    return registry


class TestDataRoot:
    def test_given_before_variable_before_none(self, monkeypatch, tmp_path):
        given, variable = tmp_path / "given", tmp_path / "variable"
        given.mkdir()
        variable.mkdir()
        monkeypatch.delenv("VADBENCH_DATA", raising=False)
        assert data_root(None) is None
        monkeypatch.setenv("VADBENCH_DATA", str(variable))
        assert data_root(None) == variable
        assert data_root(given) == given
        monkeypatch.setenv("VADBENCH_DATA", "")
        assert data_root(None) is None

    def test_a_root_that_is_not_there_is_never_passed_over(self, monkeypatch, tmp_path):
        with pytest.raises(DataError, match="not a folder") as caught:
            data_root(tmp_path / "typing-error")
        assert "typing-error" in caught.value.where
        monkeypatch.setenv("VADBENCH_DATA", str(tmp_path / "gone"))
        with pytest.raises(DataError, match="not a folder") as caught:
            data_root(None)
        assert "$VADBENCH_DATA" in caught.value.where


class TestOpen:
    def test_by_name(self, registry, tmp_path):
        data = open_dataset("first", registry, root=tmp_path, settings={"size": 5})
        assert data.info.name == "first"
        assert data.root == tmp_path
        assert data.config.size == 5

    @pytest.mark.parametrize("write", [str, lambda p: f"./{p.name}", lambda p: p.name, lambda p: f"{p}/"])
    def test_by_path(self, registry, tmp_path, monkeypatch, write):
        folder = tmp_path / "poses"
        folder.mkdir()
        monkeypatch.chdir(tmp_path)
        data = open_dataset(write(folder), registry, root=None, settings={"size": 2})
        assert data.info.name == "opened"
        assert (tmp_path / data.config.root).samefile(folder)
        assert data.config.size == 2

    def test_home(self, registry, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "poses").mkdir()
        assert open_dataset("~/poses", registry, root=None, settings={}).config.root == str(tmp_path / "poses")

    def test_path_that_is_not_there_is_left_to_the_data_set(self, registry):
        assert open_dataset("no/where", registry, root=None, settings={}).config.root == "no/where"

    def test_a_name_goes_before_a_folder_of_that_name(self, registry, tmp_path, monkeypatch):
        (tmp_path / "first").mkdir()
        monkeypatch.chdir(tmp_path)
        assert open_dataset("first", registry, root=None, settings={}).info.name == "first"
        assert open_dataset("./first", registry, root=None, settings={}).info.name == "opened"

    def test_unknown_name(self, registry):
        with pytest.raises(UsageError) as caught:
            open_dataset("frist", registry, root=None, settings={})
        assert "'frist'" in caught.value.what
        assert "'first'" in caught.value.remedy

    def test_nobody_opens_folders(self, tmp_path):
        with pytest.raises(UsageError, match="opens folders"):
            open_dataset(str(tmp_path), Registry(), root=None, settings={})

    def test_unknown_setting(self, registry):
        with pytest.raises(ConfigError) as caught:
            open_dataset("first", registry, root=None, settings={"sise": 3})
        assert caught.value.where == "dataset.sise"
        assert "'size'" in caught.value.remedy

    def test_broken(self, registry):
        with pytest.raises(PluginError) as caught:
            open_dataset("broken", registry, root=None, settings={})
        assert "disk on fire" in caught.value.what
        assert caught.value.where == "plug-in theirs"


class TestDefaults:
    def test_those_that_are_there(self, registry, tmp_path):
        (tmp_path / "second").mkdir()
        assert default_datasets(registry, root=tmp_path) == ["second"]
        (tmp_path / "first").mkdir()
        assert default_datasets(registry, root=tmp_path) == ["first", "second"]

    @pytest.mark.parametrize("root", [None, Path("/no/where")])
    def test_else_the_stand_in(self, registry, root):
        assert default_datasets(registry, root=root) == ["stand-in"]

    def test_one_that_cannot_tell_counts_as_there(self, tmp_path, monkeypatch):
        registry = Registry()
        registry.dataset("always", f"{write_module(tmp_path, monkeypatch, SOURCE)}:Always", default=True)
        assert default_datasets(registry, root=None) == ["always"]

    def test_installed_ones_without_data(self, monkeypatch):
        assert default_datasets(load_plugins().registry, root=None) == ["synthetic-campus"]


def test_split_changes():
    method, dataset = split_changes(["windows.length=8", "dataset.size=3", 'dataset.title="x"'])
    assert method == ["windows.length=8"]
    assert dataset == {"size": 3, "title": "x"}
    with pytest.raises(ConfigError):
        split_changes(["dataset.size"])


class TestPlan:
    @pytest.fixture
    def plugins(self, tmp_path, monkeypatch):
        hook = (
            "\n    @hookimpl\n    def vadbench_register(registry):\n"
            "        for name, cls in (('first', 'First'), ('stand-in', 'StandIn')):\n"
            "            registry.dataset(name, f'{__name__}:{cls}', config=f'{__name__}:Config', default=True)\n"
        )
        module = write_module(tmp_path, monkeypatch, SOURCE + hook)
        msgflow = entry_point("vadbench_msgflow.plugin", "msgflow")
        return load_plugins([entry_point(module), msgflow, entry_point("vadbench_baselines.plugin", "baselines")])

    def test_nothing_is_read(self, plugins):
        plan = make_plan("msgflow", plugins, datasets=["first", "stand-in"], seeds=[0, 1], changes=["dataset.size=4"])
        assert [(job.dataset.info.name, job.seed) for job in plan.jobs] == [
            ("first", 0),
            ("first", 1),
            ("stand-in", 0),
            ("stand-in", 1),
        ]
        assert all(job.dataset.config.size == 4 for job in plan.jobs)
        assert all(job.resolved.changes == () for job in plan.jobs)
        assert not plan.defaulted

    def test_what_is_said_twice_is_run_once(self, plugins):
        assert len(make_plan("knn", plugins, datasets=["first", "first"], seeds=[1, 1]).jobs) == 1

    def test_defaults(self, plugins, monkeypatch):
        monkeypatch.delenv("VADBENCH_DATA", raising=False)
        plan = make_plan("knn", plugins)
        assert plan.defaulted
        assert [job.dataset.info.name for job in plan.jobs] == ["stand-in"]

    def test_override_for_each_data_set(self, plugins, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text('[detector]\nname = "knn"\n[per-dataset.first.windows]\nlength = 16\n')
        lengths = [
            job.resolved.method.windows.length for job in make_plan(str(path), plugins, datasets=["first", "stand-in"]).jobs
        ]
        assert lengths == [16, 24]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"datasets": ["frist"]},
            {"changes": ["windows.lenght=3"]},
            {"changes": ["dataset.sise=3"]},
            {"swaps": {"prior": "x"}},
        ],
    )
    def test_everything_wrong_is_told_at_once(self, plugins, wrong):
        with pytest.raises(UsageError):
            make_plan("msgflow", plugins, **{"datasets": ["first"], **wrong})


def test_a_default_data_set_that_cannot_be_made_does_not_stop_the_others(registry, tmp_path, caplog):
    (target,) = {entry.target for entry in registry.entries("dataset") if entry.name == "broken"}
    registry.dataset("broken-default", target, default=True)
    (tmp_path / "first").mkdir()
    assert default_datasets(registry, root=tmp_path) == ["first"]
    assert "broken-default" in caplog.text


def test_a_data_set_without_info_is_refused(registry):
    with pytest.raises(PluginError, match="'nameless' has no info"):
        open_dataset("nameless", registry, root=None, settings={})


@pytest.mark.parametrize("ask", [lambda path: data_root(Path(path)), expanded])
def test_home_of_nobody(ask):
    with pytest.raises(UsageError, match="no such user") as caught:
        ask("~no-such-user-here/data")
    assert caught.value.exit_code == 2
