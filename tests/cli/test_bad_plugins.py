"""Plug-ins that are bad in one way each: every one is caught by ``plugin check``, and none disturbs anybody else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import call
from fixtures import write_pose_folder

from vadbench.api.process_state import GENERATORS, IMPORT_PATH, changed_parts, process_state
from vadbench.cli.main import main
from vadbench.store.folders import find_runs

BAD = Path(__file__).resolve().parents[1] / "bad_plugins"


@dataclass(frozen=True)
class Fault:
    """What ``plugin check`` has to find: in which check, in whose words, with which remedy."""

    check: str
    said: tuple[str, ...]
    remedy: str | None = None
    loads: bool = True


CONDUCT = "leaves_the_process_as_it_was"
FAULTS = {
    "broken_import": Fault("loads", ("cannot import name 'Detectr'", "broken_import.py"), "Detector", loads=False),
    "syntax_error": Fault("loads", ("SyntaxError: '(' was never closed", "line 7"), "correct line 7", loads=False),
    "missing_dependency": Fault("loads", ("a_library_that_nobody_has",), "pip install a_library_that_nobody_has", loads=False),
    "misspelt_hook": Fault("loads", ("vadbench_regsiter", "no such hook"), "did you mean vadbench_register?", loads=False),
    "wrong_hook_signature": Fault("loads", ("takes registry, settings",), "def vadbench_register(registry):", loads=False),
    "unmarked_hook": Fault("loads", ("not marked with @hookimpl",), "@hookimpl", loads=False),
    "exits_at_import": Fault("loads", ("SystemExit: usage: exits_at_import.py VIDEO",), "leave out the call", loads=False),
    "name_collision": Fault(
        "loads", ("detector 'knn' is already registered by plug-in 'baselines'",), "another name", loads=False
    ),
    "other_api_version": Fault("loads", ("version 99 of vadbench.api", "has version 1"), "VADBENCH_API = 1", loads=False),
    "prints": Fault("silent", ("prints.py: welcome", "registering")),
    "imports_torch": Fault("light", ("torch",)),
    "leaves_traces": Fault("leaves_no_trace", ("a change of os.environ",)),
    "absent_target": Fault("importable", ("has no attribute 'Plane'",), "did you mean 'Plain'"),
    "lacks_method": Fault("importable", ("detector 'bad-lacks-method' lacks score",), "the contract of Detector"),
    "wrong_score": Fault("signatures", ("expected score(windows, context)", "got score(windows)")),
    "no_component_config": Fault("settings", ("is no ComponentConfig",), "derive it from vadbench.api.ComponentConfig"),
    "required_setting": Fault("settings", ("width: Field required",)),
    "seeds_generators": Fault("global_generators_untouched", ("the global generator of NumPy to be left alone",)),
    "standardises_over_batch": Fault("subset", ("some windows to have the scores that they have among all",)),
    "reads_other_clips": Fault("other_clips_do_not_matter", ("scores that do not depend on other clips",)),
    "uses_labels": Fault("labels_unused", ("scores that do not depend on labels of training windows",)),
    "forgets_weights": Fault("state_round_trip", ("the same scores once its state was stored and loaded",)),
    "turns_gradients_off": Fault(CONDUCT, ("a change of torch.set_grad_enabled",), "with torch.no_grad()"),
    "changes_directory": Fault(CONDUCT, ("a change of the working directory",), "contextlib.chdir()"),
    "sets_default_dtype": Fault(CONDUCT, ("the filters of warnings", "the root logger", "torch.set_default_dtype")),
    "parses_arguments": Fault("can_be_fitted", ("SystemExit: 2",), "parse no command line in a component"),
    "exits_when_made": Fault("can_be_made", ("SystemExit: no GPU",), "raise an error instead"),
    "nan_scores": Fault("scores", ("finite scores", "NaN or infinity")),
}
# What becomes of their runs; those of all others, whose fault does not show in one run, are stored.
FAILING = {
    "absent_target": "has no attribute 'Plane'",
    "lacks_method": "lacks score",
    "no_component_config": "is no ComponentConfig",
    "wrong_score": "TypeError",
    "nan_scores": "finite",
    "parses_arguments": "bad-parses-arguments failed to fit: SystemExit: 2",
    "exits_when_made": "detector 'bad-exits-when-made' cannot be made: SystemExit: no GPU",
}
NOT_RUN = {"required_setting"}
"""Nothing is run where a setting of one of several methods is missing: it is the user's to say."""
UNLOADABLE = sorted(name for name, fault in FAULTS.items() if not fault.loads)


@pytest.fixture(autouse=True)
def environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them changes it."""
    monkeypatch.setenv("LEAVES_TRACES_HOME", "")


def path_of(name: str) -> Path:
    file = BAD / f"{name}.py"
    return file if file.exists() else BAD / name


def checks_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        row
        for plugin in document["plugins"]
        for row in [*plugin["checks"], *(row for component in plugin["components"] for row in component["checks"])]
    ]


def test_every_bad_plugin_has_its_fault_stated() -> None:
    there = {path.stem for path in BAD.iterdir() if not path.name.startswith((".", "_"))}
    assert there == set(FAULTS)
    for name in FAULTS:
        text = (BAD / f"{name}.py" if (BAD / f"{name}.py").exists() else BAD / name / "__init__.py").read_text()
        assert text.startswith('"""Bad: ')


@pytest.mark.parametrize("name", FAULTS)
def test_check_says_what_is_wrong(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    fault = FAULTS[name]
    called = call(capsys, "plugin", "check", path_of(name), "--json")
    assert called.code == 4, called.err
    document = called.json
    assert not document["ok"]
    failed = {row["check"]: row for row in checks_of(document) if row["outcome"] == "failed"}
    assert fault.check in failed, failed
    row = failed[fault.check]
    for text in fault.said:
        assert text in row["message"]
    assert fault.remedy is None or fault.remedy in row["remedy"]
    assert row["see"]
    if not fault.loads:
        assert list(failed) == ["loads"]
        assert document["plugins"][0]["components"] == []


def test_check_tells_people(capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "plugin", "check", path_of("wrong_score"))
    assert called.code == 4
    lines = [line.split(maxsplit=1) for line in called.out.splitlines()]
    assert ["FAILED", "signatures"] in lines
    assert ["expected", "score(windows, context)"] in lines
    assert ["got", "score(windows): too many positional arguments"] in lines
    assert ["contract", "Detector in vadbench.api.contracts, docs/contracts/detector.md"] in lines
    assert "checks: each rests on signatures, which failed" in called.out


@pytest.mark.parametrize("arguments", [("list",), ("--help",), ("plugin", "list", "--json"), ("list", "--json")])
def test_commands_go_on(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "--plugins-dir", BAD, *arguments)
    assert called.code == 0, called.err
    assert "welcome" not in called.out
    if arguments == ("list",):
        told = called.err
        assert all(name in told for name in UNLOADABLE), told
        assert "knn" in called.out
        assert "bad-nan-scores" in called.out
    if "--json" in arguments:
        rows = json.loads(called.out)
        if arguments[0] == "plugin":
            assert sorted(row["name"] for row in rows if row["status"] == "failed") == UNLOADABLE


def test_run_of_another_method_is_as_without_them(pose_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores, metrics = [], []
    for name, folders in (("without", ()), ("with", ("--plugins-dir", BAD))):
        runs = tmp_path / name
        called = call(capsys, *folders, "run", "knn", "--dataset", pose_folder, "--out", runs)
        assert called.code == 0, called.err
        (record,) = runs.rglob("run.json")
        metrics.append(json.loads(record.read_text())["metrics"])
        with np.load(record.with_name("scores.npz"), allow_pickle=False) as arrays:
            scores.append({key: arrays[key] for key in arrays.files})
    assert metrics[0] == metrics[1]
    assert scores[0].keys() == scores[1].keys()
    for key, values in scores[0].items():
        np.testing.assert_array_equal(values, scores[1][key])


TINY = """
name = "tiny"
[windows]
length = 8
train_stride = 4
[tokenizer]
name = "vq-vae"
codebook_size = 8
width = 4
hidden = 8
epochs = 1
[prior]
name = "transformer"
width = 8
layers = 1
heads = 2
epochs = 1
[flow]
name = "stgcn-coupling"
steps = 2
epochs = 1
[scorer]
name = "standardised"
"""
"""A method whose three parts are trained by torch."""


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pose folder with the preset of a tiny method beside it."""
    folder = write_pose_folder(tmp_path_factory.mktemp("bad") / "campus", n_frames=48)
    folder.with_name("tiny.toml").write_text(TINY)
    return folder


@pytest.fixture(scope="module")
def alone(campus: Path) -> dict[str, dict[str, bytes]]:
    """Scores of the good methods where no bad one runs."""
    with pytest.raises(SystemExit) as ended:
        main([*map(str, ("run", campus.with_name("tiny.toml"), "knn", *options(campus, campus.with_name("runs"))))])
    assert ended.value.code == 0
    return stored(campus.with_name("runs"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which is empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(campus: Path, runs: Path) -> tuple[Any, ...]:
    return ("--dataset", campus, "--out", runs, "--no-plots", "--device", "cpu")


def stored(runs: Path) -> dict[str, dict[str, bytes]]:
    """Files that hold scores and weights, by method."""
    return {
        run.record.method.name: {name: (run.path / name).read_bytes() for name in run.record.files} for run in find_runs(runs)
    }


@pytest.mark.parametrize("name", sorted(set(FAULTS) - set(UNLOADABLE) - NOT_RUN))
def test_run_beside_others_leaves_them_as_they_are(
    name: str,
    campus: Path,
    alone: dict[str, dict[str, bytes]],
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = f"bad-{name.replace('_', '-')}"
    before = process_state(but=GENERATORS | {IMPORT_PATH})  # the loader adds the folder of plug-ins to the path
    # A relative folder, so that whoever changes the directory would have the others stored elsewhere.
    methods = (bad, campus.with_name("tiny.toml"), "knn")
    called = call(capsys, "--plugins-dir", path_of(name), "run", *methods, *options(campus, Path("runs")))
    assert called.code == (5 if name in FAILING else 0), called.err
    assert FAILING.get(name, "") in called.err
    found = stored(here / "runs")
    assert set(found) == ({*alone} if name in FAILING else {*alone, bad})
    assert {method: found[method] for method in alone} == alone
    assert {path.name for path in (here / "runs").iterdir()} == set(found)
    assert not list((here / "runs").rglob(".unfinished-*"))
    assert changed_parts(before, process_state()) == []


@pytest.mark.parametrize("name", ["turns_gradients_off", "changes_directory", "sets_default_dtype"])
@pytest.mark.usefixtures("here")
def test_check_leak_leaves_the_process_as_it_was(name: str, campus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = process_state(but=GENERATORS | {IMPORT_PATH})
    bad = f"bad-{name.replace('_', '-')}"
    called = call(capsys, "--plugins-dir", path_of(name), "check-leak", bad, "--dataset", campus)
    assert called.code == 0, called.err
    assert changed_parts(before, process_state()) == []
