"""``vadbench run`` that is killed in every stage of its training, and taken up again by the same command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from fixtures import write_pose_folder
from tiny_methods import TINY_KNN, TINY_MSGFLOW

from vadbench.engine.training.checkpoints import read_facts
from vadbench.store.folders import find_runs

EPOCHS = 6
LONGER = tuple(
    part
    for kind in ("tokenizer", "prior", "flow")
    for key, value in (("epochs", EPOCHS), ("batch_size", 16))
    for part in ("--set", f"{kind}.{key}={value}")
)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=48)


def arguments(data: Path, out: Path, *more: object) -> list[str]:
    changes = [part for change in TINY_MSGFLOW for part in ("--set", change)]
    given = ("--dataset", data, "--out", out, "--no-plots", "--device", "cpu", "--checkpoint-minutes", 0)
    return ["run", "msgflow", *map(str, given), *changes, *map(str, more)]


@dataclass(frozen=True)
class Death:
    """What stood in the last checkpoint of a process when it was killed."""

    epoch: int
    step: int
    seconds: float


def killed(command: list[str], out: Path, stage: str) -> tuple[Death, str]:
    """Runs until a stage is in its second epoch, then kill -9; also what it said on stderr."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            for path in out.glob(f"msgflow/campus/0/.unfinished-*/checkpoints/msgflow.{stage}-0.safetensors"):
                if read_facts(path)["position"]["epoch"] >= 1:
                    process.send_signal(signal.SIGKILL)
                    _, said = process.communicate()
                    facts = read_facts(path)
                    assert not facts["position"]["finished"], "killed too late"
                    return Death(*(facts["position"][key] for key in ("epoch", "step", "seconds"))), said
            time.sleep(0.002)
    finally:
        process.kill()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
@pytest.mark.slow
def test_killed_in_every_stage_and_taken_up_again(vadbench, data, tmp_path):
    vadbench(*arguments(data, tmp_path / "undisturbed", *LONGER))
    (undisturbed,) = find_runs(tmp_path / "undisturbed")

    out = tmp_path / "killed"
    command = [sys.executable, "-m", "vadbench", *arguments(data, out, *LONGER)]
    stages = ("tokenizer", "prior", "flow")
    deaths, said = zip(*(killed(command, out, stage) for stage in stages), strict=True)
    assert find_runs(out) == []
    last = subprocess.run(command, capture_output=True, text=True, check=True)
    (run,) = find_runs(out)

    assert run.record.id == undisturbed.record.id
    assert run.record.files == undisturbed.record.files
    assert run.record.metrics == undisturbed.record.metrics
    assert sorted(path.name for path in run.path.parent.iterdir()) == [run.record.id]

    # Each process says what it takes up, on stderr and in the log, which goes on from process to process.
    log = (run.path / "log.txt").read_text().splitlines()
    begins = [number for number, line in enumerate(log) if "taken up again: " in line]
    told = [
        ", ".join(
            [*(f"{before} finished before" for before in stages[:at]), f"{stage} at epoch {deaths[at].epoch + 1} of {EPOCHS}"]
        )
        for at, stage in enumerate(stages)
    ]
    assert [log[number].split("taken up again: ")[1] for number in begins] == told
    assert said[0] == ""
    assert [f"taken up again: {text}" for text in told] == [text.splitlines()[0] for text in (*said[1:], last.stderr)]

    # Nothing that a checkpoint holds is done again.
    for at, (begin, end) in enumerate(pairwise([*begins, len(log)])):
        death, lines = deaths[at], log[begin:end]
        for before in stages[:at]:
            assert not [line for line in lines if f"msgflow.{before}: epoch" in line]
        again = [line for line in lines if f"msgflow.{stages[at]}: epoch" in line]
        assert int(again[0].split("epoch ")[1].split(" of")[0]) == death.epoch + 1
        assert [
            line for line in lines if f"taken up again in epoch {death.epoch + 1} of {EPOCHS}, after step {death.step} of" in line
        ]

    # It costs what an undisturbed run does: with what the killed processes spent.
    assert run.record.cost.fit_s > sum(death.seconds for death in deaths)


def test_an_interrupted_run_is_begun_afresh_with_force(vadbench, data, tmp_path, monkeypatch):
    out = tmp_path / "runs"
    epochs: list[str] = []
    interrupt_when(monkeypatch, "flow", epochs)
    assert vadbench(*arguments(data, out)).code == 130
    assert find_runs(out) == []
    interrupt_when(monkeypatch, None, epochs)
    epochs.clear()
    called = vadbench(*arguments(data, out, "--force", "--json"))
    assert called.code == 0
    assert "taken up" not in called.err
    assert epochs.count("msgflow.tokenizer") == 1
    assert json.loads(called.out)["runs"][0]["status"] == "done"


def test_json_stays_pure_when_a_run_is_taken_up(vadbench, data, tmp_path, monkeypatch):
    out = tmp_path / "runs"
    trainings: list[str] = []
    interrupt_when(monkeypatch, "prior", trainings)
    assert vadbench(*arguments(data, out)).code == 130
    interrupt_when(monkeypatch, None, trainings)
    trainings.clear()
    called = vadbench(*arguments(data, out, "--json"))
    assert called.err == "taken up again: tokenizer finished before\n"
    assert len(called.json["runs"]) == 1
    assert trainings == ["msgflow.prior", "msgflow.flow"]


@pytest.mark.skipif(not hasattr(signal, "SIGTERM"), reason="needs SIGTERM")
def test_a_process_that_is_told_to_end_blames_no_component(vadbench, data, tmp_path, monkeypatch):
    out = tmp_path / "runs"
    trainings: list[str] = []
    interrupt_when(monkeypatch, "flow", trainings, lambda: signal.raise_signal(signal.SIGTERM))
    called = vadbench(*arguments(data, out))
    assert called.code == 143
    assert "failed" not in called.err
    assert find_runs(out) == []
    interrupt_when(monkeypatch, None, trainings)
    trainings.clear()
    called = vadbench(*arguments(data, out, "--json"))
    assert called.code == 0
    assert called.err == "taken up again: tokenizer finished before, prior finished before\n"
    assert trainings == ["msgflow.flow"]
    (run,) = find_runs(out)
    assert [path.name for path in run.path.parent.iterdir()] == [run.record.id]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX")
def test_sigterm_ends_the_process_with_its_code(data, tmp_path):
    out = tmp_path / "runs"
    command = [sys.executable, "-m", "vadbench", *arguments(data, out, "--set", "tokenizer.epochs=100000")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not [*out.glob("msgflow/campus/0/.unfinished-*/checkpoints/*.safetensors")]:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.terminate()
        said, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, told) == (143, "")
    assert "failed" not in said
    # What was trained stays, to be taken up.
    assert [*out.glob("msgflow/campus/0/.unfinished-*/checkpoints/msgflow.tokenizer-0.safetensors")]


def interrupt_when(monkeypatch, stage: str | None, trainings: list[str], interrupt=None) -> None:
    """Ctrl-C, or ``interrupt``, as soon as a stage begins to train; ``trainings`` takes the names of those that begin."""
    from vadbench.engine import run as engine_run

    made = getattr(interrupt_when, "made", engine_run.Training.__call__)
    interrupt_when.made = made

    def interrupting(training, module, loss, **given):
        if given["context"].name == f"msgflow.{stage}":
            if interrupt is None:
                raise KeyboardInterrupt
            interrupt()
        trainings.append(given["context"].name)
        return made(training, module, loss, **given)

    monkeypatch.setattr(engine_run.Training, "__call__", interrupting)


class TestOptions:
    def test_tensorboard_is_missing(self, vadbench, data, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
        called = vadbench(*arguments(data, tmp_path / "runs", "--tensorboard", tmp_path / "events"))
        assert called.code == 2
        assert "pip install 'vadbench[tensorboard]'" in called.err
        assert not (tmp_path / "runs").exists()

    def test_compile_without_a_compiler(self, vadbench, data, tmp_path, monkeypatch):
        monkeypatch.setenv("CXX", "no-such-compiler")
        called = vadbench(*arguments(data, tmp_path / "runs", "--compile"))
        assert called.code == 2
        assert "no C++ compiler (no-such-compiler)" in called.err
        assert not (tmp_path / "runs").exists()

    @pytest.mark.parametrize("minutes", ["-1", "soon"])
    def test_no_such_time(self, vadbench, minutes):
        called = vadbench("run", "knn", "--checkpoint-minutes", minutes)
        assert called.code == 2
        assert "--checkpoint-minutes" in called.err

    def test_events_of_each_run_have_a_folder(self, vadbench, data, tmp_path, monkeypatch):
        from types import ModuleType

        folders = []

        class Writer:
            def __init__(self, log_dir, purge_step):
                folders.append(Path(log_dir))

            def add_scalar(self, tag, value, step):
                pass

            def close(self):
                pass

        module = ModuleType("torch.utils.tensorboard")
        module.SummaryWriter = Writer
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
        called = vadbench(*arguments(data, tmp_path / "runs", "--tensorboard", tmp_path / "events"))
        assert called.code == 0
        (run,) = find_runs(tmp_path / "runs")
        parts = [f"msgflow.{part}" for part in ("tokenizer", "prior", "flow")]
        assert folders == [tmp_path / "events" / "msgflow" / "campus" / "0" / run.record.id / part for part in parts]

    def test_a_method_that_trains_nothing_takes_them_too(self, vadbench, data, tmp_path):
        changes = [part for change in TINY_KNN for part in ("--set", change)]
        called = vadbench("run", "knn", "--dataset", data, "--out", "runs", "--no-plots", "--checkpoint-minutes", 0, *changes)
        assert called.code == 0
        (run,) = find_runs(tmp_path / "runs")
        assert [path.name for path in run.path.parent.iterdir()] == [run.record.id]
