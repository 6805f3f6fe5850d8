"""The registry: names, collisions, and components that are imported when they are used and not before."""

from __future__ import annotations

import sys

import pytest
from modules_on_disk import write_module

from vadbench.api import KINDS, PluginError, Registry, UsageError
from vadbench.api.requirements import install_command

DETECTOR = """
    class Whole:
        def fit(self, windows, context): ...
        def score(self, windows, context): ...
        def state_dict(self): ...
        def load_state_dict(self, state_dict): ...

    class Half:
        def fit(self, windows, context): ...
        state_dict = None

    def function(): ...
"""


def filled(registry: Registry) -> Registry:
    registry.flow("a", "m:C")
    return registry


def error_of(call) -> PluginError:
    with pytest.raises(PluginError) as caught:
        call()
    return caught.value


class TestNames:
    @pytest.mark.parametrize("name", ["fsq", "vq-vae", "a", "3d", "a.b_c-d"])
    def test_good(self, name):
        registry = Registry()
        registry.tokenizer(name, "m:C")
        assert registry.names("tokenizer") == [name]

    @pytest.mark.parametrize("name", ["", "VQ", "a b", "-a", ".a", "a/b", "../a", "ä", "a\n", "none", "a=b"])
    def test_bad(self, name):
        registry = Registry().for_plugin("theirs")
        error = error_of(lambda: registry.flow(name, "m:C"))
        assert repr(name) in error.what
        assert error.where == "plug-in theirs"
        assert registry.entries() == []

    @pytest.mark.parametrize("target", ["m", "m.C", "m:", ":C", "m:C.D", "m C:D", "m:C()", "1m:C", "", "a..b:C", ".m:C", "m:C:D"])
    def test_bad_target(self, target):
        assert "package.module:Class" in error_of(lambda: Registry().prior("a", target)).remedy

    @pytest.mark.parametrize("target", ["m:C", "a.b_c.d1:_C", "größe:Maß", "包.模块:类"])
    def test_good_target(self, target):
        registry = Registry()
        registry.prior("a", target)
        assert registry.get("prior", "a").target == target

    def test_bad_config_target(self):
        assert "'model'" in error_of(lambda: Registry().scorer("a", "m:C", config="model")).what

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_has_a_method(self, kind):
        registry = Registry()
        getattr(registry, kind)("x", "m:C", config="m:D", summary="s")
        (entry,) = registry.entries()
        assert (entry.kind, entry.name, entry.target, entry.config, entry.summary) == (kind, "x", "m:C", "m:D", "s")
        assert entry.plugin == "vadbench"

    def test_order(self):
        registry = Registry()
        for kind, name in (("scorer", "b"), ("dataset", "z"), ("scorer", "a"), ("flow", "m")):
            getattr(registry, kind)(name, "m:C")
        assert [(e.kind, e.name) for e in registry.entries()] == [
            ("dataset", "z"),
            ("flow", "m"),
            ("scorer", "a"),
            ("scorer", "b"),
        ]
        assert [e.name for e in registry.entries("scorer")] == ["a", "b"]


class TestNeeds:
    def test_what_is_missing_is_told_without_an_import(self):
        registry = Registry()
        registry.detector("x", "m:C", requires=("json", "nothing_such", "tkinter"))
        (entry,) = registry.entries()
        assert entry.requires == ("json", "nothing_such", "tkinter")
        before = set(sys.modules)
        assert "nothing_such" in entry.missing()
        assert "json" not in entry.missing()
        assert set(sys.modules) == before

    def test_a_module_that_somebody_shut_out_is_missing(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyod", None)
        registry = Registry()
        registry.detector("x", "m:C", requires=("pyod",))
        assert registry.get("detector", "x").missing() == ("pyod",)

    @pytest.mark.parametrize("ask", ["load", "load_config"])
    def test_it_is_asked_for_when_it_is_loaded(self, ask):
        registry = Registry().for_plugin("theirs")
        registry.detector("x", "m:C", requires=("nothing_such", "neither_this"))
        error = error_of(getattr(registry.get("detector", "x"), ask))
        assert error.what == "detector 'x' needs nothing_such, neither_this, which are not installed"
        assert error.where == "m:C, plug-in theirs"
        assert error.remedy == "pip install nothing_such neither_this"

    def test_an_extra_of_its_distribution_is_the_better_remedy(self):
        registry = Registry().for_plugin("baselines")
        registry.detector("x", "m:C", requires=("pyod",))
        assert install_command(["pyod"], plugin="baselines") == "pip install 'vadbench[pyod]'"
        assert install_command(["pyod"], plugin="theirs") == "pip install pyod"
        assert install_command(["cv2"]) == "pip install opencv-python"

    def test_one_string_is_one_module(self):
        registry = Registry()
        registry.flow("x", "m:C", requires="json")
        assert registry.get("flow", "x").requires == ("json",)

    @pytest.mark.parametrize("requires", [("pyod>=2",), ("a.b",), ("",), ("scikit-learn",)])
    def test_what_is_no_module(self, requires):
        error = error_of(lambda: Registry().flow("x", "m:C", requires=requires))
        assert "is no top-level module" in error.what
        assert "what is imported" in error.remedy

    def test_programs(self):
        registry = Registry()
        registry.detector("x", "m:C", runs_programs=True)
        registry.detector("y", "m:C")
        assert [entry.runs_programs for entry in registry.entries()] == [True, False]


class TestCollisions:
    def test_within_one_plugin(self):
        registry = Registry().for_plugin("theirs")
        registry.flow("a", "m:C")
        assert "already registered by plug-in 'theirs'" in error_of(lambda: registry.flow("a", "m:D")).what
        assert registry.get("flow", "a").target == "m:C"

    def test_it_is_said_where_the_other_comes_from(self):
        registry = Registry()
        registry.merge(filled(registry.for_plugin("first", origin="distribution 1.0, /a/file.py")))
        error = error_of(lambda: registry.merge(filled(registry.for_plugin("second"))))
        assert "by plug-in 'first' (distribution 1.0, /a/file.py)" in error.what

    def test_one_name_in_two_kinds_is_fine(self):
        registry = Registry()
        registry.flow("a", "m:C")
        registry.prior("a", "m:D")
        assert registry.get("prior", "a").target == "m:D"

    def test_all_or_none(self):
        registry = Registry()
        registry.flow("taken", "m:C")
        theirs = registry.for_plugin("theirs")
        theirs.flow("new", "m:C")
        theirs.flow("taken", "m:D")
        error = error_of(lambda: registry.merge(theirs))
        assert error.where == "plug-in theirs"
        assert "'taken' is already registered by plug-in 'vadbench'" in error.what
        assert registry.names("flow") == ["taken"]
        assert registry.get("flow", "taken").target == "m:C"

    def test_merge(self):
        registry = Registry()
        theirs = registry.for_plugin("theirs")
        theirs.flow("new", "m:C")
        assert registry.names("flow") == []
        registry.merge(theirs)
        assert registry.get("flow", "new").plugin == "theirs"


class TestGet:
    def test_nearest_names(self):
        registry = Registry()
        registry.prior("transformer", "m:C")
        registry.flow("transformers", "m:C")
        with pytest.raises(UsageError) as caught:
            registry.get("prior", "transfromer")
        assert caught.value.what == "no prior is named 'transfromer'"
        assert caught.value.remedy == "did you mean 'transformer'?"

    def test_what_failed_is_told(self):
        registry = Registry()
        registry.prior("transformer", "m:C")
        registry.without(["theirs"])
        with pytest.raises(UsageError) as caught:
            registry.get("prior", "transfromer")
        assert caught.value.remedy.startswith("did you mean 'transformer'?\nplug-in 'theirs' failed to load")
        registry.without(["theirs", "others"])
        assert "plug-ins 'theirs', 'others' failed to load" in registry.remedy_for("x", [])

    def test_empty_kind(self):
        with pytest.raises(UsageError, match="nothing is registered"):
            Registry().get("prior", "x")


class TestLoad:
    @pytest.fixture
    def module(self, tmp_path, monkeypatch):
        return write_module(tmp_path, monkeypatch, DETECTOR)

    def load(self, target: str, kind="detector"):
        registry = Registry().for_plugin("theirs")
        getattr(registry, kind)("x", target, config=target)
        return registry.get(kind, "x").load()

    def test_is_lazy(self, module):
        registry = Registry()
        registry.detector("x", f"{module}:Whole")
        assert module not in sys.modules
        assert registry.get("detector", "x").load().__name__ == "Whole"
        assert module in sys.modules

    @pytest.mark.parametrize("target", ["no_such_module_here:C", "{}:Missing", "no.such:C"])
    def test_target_that_is_not_there(self, module, target):
        error = error_of(lambda: self.load(target.format(module)))
        assert "'x' cannot be imported" in error.what
        assert error.where == f"{target.format(module)}, plug-in theirs"
        assert error.remedy

    @pytest.mark.parametrize(
        ("source", "target", "remedy"),
        [
            ("class Speed: ...", "{}:Sped", "{} has no Sped; did you mean 'Speed'?"),
            ("x = 1", "{}:Speed", "{} has no Speed"),
            ("import nothing_such.part", "{}:C", "pip install nothing_such"),
            ("import sklearn.nothing_such", "{}:C", "pip install scikit-learn"),
            ("raise OSError", "{}:C", "correct it; --debug shows where it failed"),
            ("x = 1", "{}x:C", "there is no module {}x: correct the target that it was registered with"),
        ],
    )
    def test_remedies(self, tmp_path, monkeypatch, source, target, remedy):
        module = write_module(tmp_path, monkeypatch, source)
        assert error_of(lambda: self.load(target.format(module))).remedy == remedy.format(module)

    def test_a_misspelt_module_of_its_own_package(self, tmp_path):
        assert error_of(lambda: self.load("vadbench_baselines.motionn:C")).remedy.startswith("there is no module")

    def test_not_a_class(self, module):
        assert "is not a class" in error_of(lambda: self.load(f"{module}:function")).what

    def test_missing_methods_are_named(self, module):
        error = error_of(lambda: self.load(f"{module}:Half"))
        assert error.what == "detector 'x' lacks score, state_dict, load_state_dict"

    def test_another_contract(self, module):
        assert "lacks tracks, labels" in error_of(lambda: self.load(f"{module}:Whole", kind="dataset")).what

    @pytest.mark.parametrize(
        "source", ["def broken(:", "raise RuntimeError('no licence')", "1 / 0", "import no_such_module_here"]
    )
    def test_module_that_cannot_be_imported(self, tmp_path, monkeypatch, source):
        module = write_module(tmp_path, monkeypatch, source)
        assert "cannot be imported" in error_of(lambda: self.load(f"{module}:C")).what
        registry = Registry()
        registry.flow("x", "m:C", config=f"{module}:C")
        assert "cannot be imported" in error_of(registry.get("flow", "x").load_config).what

    def test_no_config_model(self):
        registry = Registry()
        registry.flow("x", "m:C")
        model = registry.get("flow", "x").load_config()
        assert model.model_fields == {}
