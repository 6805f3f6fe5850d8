"""Plug-ins that are bad in one way each: every one is caught by ``plugin check``, and none disturbs anybody else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import call

BAD = Path(__file__).resolve().parents[1] / "bad_plugins"


@dataclass(frozen=True)
class Fault:
    """What ``plugin check`` has to find: in which check, in whose words, with which remedy."""

    check: str
    said: tuple[str, ...]
    remedy: str | None = None
    loads: bool = True


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
    "nan_scores": Fault("scores", ("finite scores", "NaN or infinity")),
}
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
