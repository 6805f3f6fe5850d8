"""Classes registered by decorator, and vadbench.run: as in a notebook."""

from __future__ import annotations

import linecache
import sys
import types

import numpy as np
import pytest

import vadbench
from vadbench.api import ComponentConfig, ConfigError, PluginError, RunFailedError, UsageError, register
from vadbench.api.registered import IN_PROCESS
from vadbench.engine.config import parse_change
from vadbench.engine.in_process import change_of
from vadbench.engine.loading.in_process import is_registered, process_sources
from vadbench.engine.plugins import load_plugins
from vadbench.engine.poses import _reading

SMALL = {"dataset.train_clips": 2, "dataset.test_clips": 3, "dataset.frames_min": 96, "dataset.frames_max": 120}
CELL = """
import numpy as np
from vadbench.api import ComponentConfig, register

class SpeedConfig(ComponentConfig):
    quantile: float = 0.95

FACTOR = 1.0

def factor():
    return FACTOR

@register.detector("cell-speed", config=SpeedConfig, summary="speed of the fastest joints")
class CellSpeed:
    def __init__(self, config, poses):
        self.config = config
        assert config.quantile < 1.5

    def fit(self, windows, context): ...

    def score(self, windows, context):
        scores = np.zeros(len(windows))
        for begin in range(0, len(windows), 4096):
            batch = windows.batch(slice(begin, begin + 4096))
            steps = np.linalg.norm(np.diff(batch.x, axis=2), axis=1)
            scores[batch.index] = factor() * np.quantile(steps, self.config.quantile, axis=(1, 2))
        return scores

    def state_dict(self):
        return {}

    def load_state_dict(self, state_dict): ...
"""


class Notebook:
    """What Jupyter does with cells: each is compiled under a file name that linecache alone knows, in one module without file."""

    def __init__(self, monkeypatch) -> None:
        self.module = types.ModuleType("notebook_of_a_test")
        monkeypatch.setitem(sys.modules, self.module.__name__, self.module)
        self.cells = 0

    def run(self, source: str) -> None:
        self.cells += 1
        name = f"<cell {id(self)} {self.cells}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec", dont_inherit=True), vars(self.module))  # noqa: S102 - that is what a notebook does


@pytest.fixture
def notebook(monkeypatch, tmp_path):
    for variable in ("VADBENCH_DATA", "VADBENCH_PLUGINS", "VADBENCH_PLUGINS_DIR", "VADBENCH_STRICT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    IN_PROCESS.clear()
    yield Notebook(monkeypatch)
    IN_PROCESS.clear()


def go(method="cell-speed", **more):
    return vadbench.run(method, **{"dataset": "synthetic-campus", "settings": SMALL, "device": "cpu", **more})


class TestRun:
    def test_what_a_cell_defined(self, notebook, tmp_path):
        notebook.run(CELL)
        (first,) = go(settings={**SMALL, "detector.quantile": 0.9})
        assert first.record.method.name == "cell-speed"
        assert first.record.method.components == {"detector": "cell-speed"}
        assert first.record.method.changes == ("detector.quantile=0.9",)
        assert first.path.is_relative_to("runs")
        assert (tmp_path / first.path / "run.json").is_file()
        assert f"AUROC {first.auroc:.4f}" in repr(first)
        assert "detector.quantile=0.9" in repr(first)
        assert len(first.scores()) > 0
        assert not first.reused

    @pytest.mark.parametrize("cell", ["", CELL, "FACTOR = 3.0", "CellSpeed.extra = 1"])
    def test_a_finished_run_is_never_taken_for_it(self, notebook, cell):
        """Whether the class does what it did depends on all of the session, so no run is found again."""
        notebook.run(CELL)
        (first,) = go()
        notebook.run(cell)
        (second,) = go()
        assert not second.reused
        assert second.path != first.path
        factor = vars(notebook.module)["FACTOR"]
        np.testing.assert_allclose(second.scores().score, factor * first.scores().score, rtol=1e-5)

    def test_what_it_is_run_beside_is_found_again(self, notebook):
        notebook.run(CELL)
        go(["cell-speed", "random"])
        assert [run.reused for run in go(["cell-speed", "random"])] == [False, True]

    def test_several(self, notebook):
        notebook.run(CELL)
        runs = go(["cell-speed", "speed"], seeds=[0, 1])
        assert [(run.record.method.name, run.record.seed) for run in runs] == [
            ("cell-speed", 0),
            ("cell-speed", 1),
            ("speed", 0),
            ("speed", 1),
        ]

    def test_a_part_of_a_composition(self, notebook):
        notebook.run(
            "from vadbench.api import register\n@register.scorer('cell-sum')\nclass Sum:\n"
            "    def __init__(self, config): ...\n    def fit(self, terms): ...\n"
            "    def score(self, terms): return sum(terms.values())\n"
            "    def state_dict(self): return {}\n    def load_state_dict(self, state): ...\n"
        )
        settings = {"dataset.train_clips": 2, "dataset.test_clips": 2, "dataset.frames_min": 96, "dataset.frames_max": 100}
        (run,) = go("msgflow", settings=settings, tokenizer="kmeans", prior="ngram", flow="gaussian", scorer="cell-sum")
        assert run.record.method.components["scorer"] == "cell-sum"

    def test_a_data_set(self, notebook):
        notebook.run(
            "from vadbench.api import DataError, DatasetInfo, register\n@register.dataset('cell-data')\nclass Data:\n"
            "    info = DatasetInfo('cell-data', 'T', 'coco-17', 24.0, 'none', 'none', 'nowhere')\n"
            "    def __init__(self, config, data_root): ...\n"
            "    def tracks(self, split): raise DataError('asked for ' + split)\n"
            "    def labels(self, split): ...\n"
        )
        from vadbench.api import DataError

        with pytest.raises(DataError, match="asked for"):
            go("speed", dataset="cell-data", settings={})


class TestRefused:
    @pytest.mark.parametrize(
        ("taken", "by"), [("speed", "plug-in 'baselines' (vadbench"), ("stg-nf", "a method that comes with vadbench")]
    )
    def test_a_name_of_an_installed_plugin(self, notebook, taken, by):
        notebook.run(CELL.replace("cell-speed", taken))
        with pytest.raises(PluginError) as caught:
            go(taken)
        assert by in caught.value.what
        assert "CellSpeed" in caught.value.where
        assert "another name" in caught.value.remedy

    def test_nothing_else_is_disturbed_by_it(self, notebook):
        notebook.run(CELL.replace("cell-speed", "speed"))
        plugins = load_plugins()
        assert [status.name for status in plugins.failed] == ["detector speed"]
        assert plugins.registry.get("detector", "speed").plugin == "baselines"

    @pytest.mark.parametrize(
        ("decorate", "told"),
        [
            (lambda: register.detector("A B")(_Whole), "detector cannot be named 'A B'"),
            (lambda: register.detector("a", config=int)(_Whole), "is no ComponentConfig"),
            (lambda: register.detector("a", config=SMALL)(_Whole), "is no ComponentConfig"),
            (lambda: register.detector("a")(_Half), "detector 'a' lacks score, state_dict"),
            (lambda: register.flow("a")(_Whole), "flow 'a' lacks log_prob"),
            (lambda: register.detector("a")(lambda: None), "is not a class"),
            (lambda: register.detector("a", requires="no module")(_Whole), "requires 'no module'"),
        ],
    )
    def test_what_cannot_be(self, notebook, decorate, told):
        with pytest.raises(PluginError) as caught:
            decorate()
        assert told in caught.value.what
        assert "@register." in caught.value.where or "register." in caught.value.where
        assert IN_PROCESS == {}

    def test_the_class_is_given_back(self, notebook):
        assert register.detector("a")(_Whole) is _Whole

    def test_what_it_requires_is_asked_for_when_it_runs(self, notebook):
        register.detector("a", requires=("nothing_such",))(_Whole)
        with pytest.raises(PluginError, match="needs nothing_such, which is not installed"):
            go("a")

    def test_a_run_that_fails(self, notebook):
        notebook.run(CELL.replace("scores = np.zeros", "raise OSError('no luck')\n        scores = np.zeros"))
        with pytest.raises(PluginError, match="no luck"):
            go()
        with pytest.raises(RunFailedError) as caught:
            go(["cell-speed", "random"])
        assert "no luck" in caught.value.what
        assert "1 of 2 runs failed" in caught.value.what
        assert go("random")[0].reused

    def test_unknown_names(self, notebook):
        notebook.run(CELL)
        with pytest.raises(UsageError, match="did you mean 'cell-speed'"):
            go("cell-sped")
        with pytest.raises(ConfigError):
            go(settings={"detector.quantil": 0.5})
        with pytest.raises(UsageError, match="0 threads"):
            go(threads=0)

    def test_a_broken_plugin_is_a_warning(self, notebook, monkeypatch, tmp_path):
        (tmp_path / "notebook_broken.py").write_text("1 / 0")
        monkeypatch.setenv("VADBENCH_PLUGINS_DIR", str(tmp_path / "notebook_broken.py"))
        with pytest.warns(UserWarning, match="plug-in 'notebook_broken' was left out: ZeroDivisionError"):
            go("random")


class _Whole:
    def __init__(self, config, poses): ...
    def fit(self, windows, context): ...
    def score(self, windows, context): ...
    def state_dict(self): ...
    def load_state_dict(self, state_dict): ...


class _Half:
    def fit(self, windows, context): ...
    def load_state_dict(self, state_dict): ...


def test_no_two_versions_are_the_same(notebook):
    register.detector("a")(_Whole)
    register.flow("b")(type("Flow", (_Whole,), dict.fromkeys(("log_prob", "forward", "inverse"), _Whole.fit)))
    versions = [source.version for _ in range(2) for source in process_sources()]
    assert len(set(versions)) == 4


def test_its_poses_are_not_kept_either(notebook):
    """What a data set of this process reads may change as its class may."""
    register.dataset("a")(type("Data", (_Whole,), {"tracks": _Whole.fit, "labels": _Whole.fit}))
    (entry,) = IN_PROCESS.values()
    assert is_registered(entry.loaded)
    assert not is_registered(_Whole)
    assert _reading(entry.loaded(None, None), {}) is None


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        3,
        -2.5,
        1e-300,
        "text",
        'with "quotes" and \\ and\nlines\x7f',
        "é",
        [1, 2],
        ["a", "b"],
        [],
        {"a": 1, "b c": [True]},
    ],
)
def test_settings_are_read_back_as_they_were(value):
    assert parse_change(change_of("section.key", value)) == ("section.key", value)
    assert type(parse_change(change_of("section.key", value))[1]) is type(value)


def test_settings_of_numpy_and_tuples():
    assert change_of("a.b", np.float64(0.5)) == "a.b=0.5"
    assert change_of("a.b", (np.int64(1), 2)) == "a.b=[1, 2]"
    with pytest.raises(ConfigError, match="is no value of a setting"):
        change_of("a.b", object())
    with pytest.raises(ConfigError, match="is no value of a setting"):
        change_of("a.b", None)


def test_a_config_model_in_reach(notebook):
    class Settings(ComponentConfig):
        size: int = 3

    register.detector("a", config=Settings)(_Whole)
    (entry,) = IN_PROCESS.values()
    assert entry.load() is _Whole
    assert entry.load_config() is Settings
