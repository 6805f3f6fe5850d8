"""What is said of unfinished work, and what run_job does with it and with parts that runs share."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fixtures import write_pose_folder
from tiny_methods import TINY_MSGFLOW

from vadbench.engine import run as engine_run
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import TrainingOptions, run_job
from vadbench.engine.training.checkpoints import Saved, write_checkpoint
from vadbench.engine.training.taken_up import taken_up


def put_part(folder: Path, key: str, kind: str, age: int) -> None:
    (folder / "parts" / key).mkdir(parents=True)
    path = folder / "parts" / key / "part.json"
    path.write_text(json.dumps({"kind": kind}))
    os.utime(path, (1000 - age,) * 2)


def put_checkpoint(folder: Path, name: str, epoch: int, *, finished: bool = False, age: int = 0) -> None:
    facts = {"identity": {"name": name}, "epochs": 12, "position": {"epoch": epoch, "finished": finished}}
    path = folder / "checkpoints" / f"{name}-0.safetensors"
    write_checkpoint(path, Saved({}, facts))
    os.utime(path, (1000 - age,) * 2)


class TestInWords:
    def test_nothing(self, tmp_path):
        assert taken_up(tmp_path, "msgflow") is None

    def test_parts_and_trainings_by_age(self, tmp_path):
        put_part(tmp_path, "bbb", "tokenizer", age=9)
        put_part(tmp_path, "aaa", "prior", age=8)
        put_checkpoint(tmp_path, "msgflow.tokenizer", 12, finished=True)
        put_checkpoint(tmp_path, "msgflow.flow", 2)
        assert taken_up(tmp_path, "msgflow") == "tokenizer finished before, prior finished before, flow at epoch 3 of 12"

    def test_trained_but_not_stored(self, tmp_path):
        put_checkpoint(tmp_path, "msgflow.tokenizer", 12, finished=True)
        assert taken_up(tmp_path, "msgflow") == "tokenizer trained before"

    def test_the_last_epoch_is_over(self, tmp_path):
        put_checkpoint(tmp_path, "whole", 12)
        assert taken_up(tmp_path, "whole") == "whole at epoch 12 of 12"

    def test_what_is_damaged_or_half_written_is_left_out(self, tmp_path):
        put_part(tmp_path, ".vadbench-partial-x", "flow", age=3)
        put_part(tmp_path, "aaa", "prior", age=2)
        (tmp_path / "parts" / "aaa" / "part.json").write_text("{")
        (tmp_path / "checkpoints").mkdir()
        (tmp_path / "checkpoints" / "m-0.safetensors").write_bytes(b"x")
        write_checkpoint(tmp_path / "checkpoints" / "n-0.safetensors", Saved({}, {"position": 3}))
        assert taken_up(tmp_path, "msgflow") is None


@pytest.fixture(scope="module")
def plugins():
    return load_plugins()


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=48)


@pytest.fixture
def trainings(monkeypatch) -> list[str]:
    """Names of the trainings that take steps."""
    began: list[str] = []
    take_up = engine_run.Training.__call__

    def watched(training, module, loss, **given):
        def counted(batch):
            if given["context"].name not in began:
                began.append(given["context"].name)
            return loss(batch)

        return take_up(training, module, counted, **given)

    monkeypatch.setattr(engine_run.Training, "__call__", watched)
    return began


ALL = ["msgflow.tokenizer", "msgflow.prior", "msgflow.flow"]


def job(plugins, data: Path, *changes: str):
    return make_plan("msgflow", plugins, datasets=[str(data)], changes=[*TINY_MSGFLOW, *changes]).jobs[0]


def test_scoring_that_fails_loses_no_training(plugins, data, tmp_path, trainings, monkeypatch):
    score = engine_run.score_windows

    def fails(*_):
        raise OSError("the disk is on fire")

    monkeypatch.setattr(engine_run, "score_windows", fails)
    with pytest.raises(Exception, match="on fire"):
        run_job(job(plugins, data), plugins, out=tmp_path)
    assert trainings == ALL
    trainings.clear()
    monkeypatch.setattr(engine_run, "score_windows", score)
    told: list[str] = []
    again = run_job(job(plugins, data), plugins, out=tmp_path, announce=told.append).run
    assert trainings == []
    (text,) = told
    assert all(f"{part} finished before" in text for part in ("tokenizer", "prior", "flow"))
    assert text.split(": ")[1] in (again.path / "log.txt").read_text()
    other = run_job(job(plugins, data), plugins, out=tmp_path / "other").run
    assert other.record.files == again.record.files
    assert other.record.choices == again.record.choices


def test_shared_parts_are_trained_once_and_stay(plugins, data, tmp_path, trainings):
    shared = tmp_path / "parts"
    first = run_job(job(plugins, data), plugins, out=tmp_path / "runs", shared_parts=shared).run
    trainings.clear()
    told: list[str] = []
    second = run_job(
        job(plugins, data, "flow.epochs=2"), plugins, out=tmp_path / "runs", shared_parts=shared, announce=told.append
    ).run
    assert trainings == ["msgflow.flow"]
    assert told == []
    assert list(shared.glob("*/part.json"))
    alone = run_job(job(plugins, data, "flow.epochs=2"), plugins, out=tmp_path / "alone").run
    assert alone.record.id == second.record.id
    assert alone.record.files == second.record.files
    spent = [json.loads(path.read_text()) for path in shared.glob("*/part.json")]
    taken = sum(part["fit_s"] for part in spent if part["kind"] in ("tokenizer", "prior"))
    assert second.record.cost.fit_s > taken > 0
    assert first.record.id != second.record.id


def test_compiled_runs_are_other_runs_and_others_keep_their_identity(plugins, data, monkeypatch):
    from vadbench.engine import provenance

    seen = []
    monkeypatch.setattr(provenance, "digest_of", lambda identity: seen.append(identity) or "0" * 12)
    given = {"device": "cuda:1", "threads": 2, "poses": {"train": "a", "test": "b", "validation": "c"}}
    one = job(plugins, data)
    provenance.run_identity(one, plugins, **given)
    provenance.run_identity(one, plugins, **given, compiled=True)
    plain, compiled = seen
    assert set(plain) == {"config", "poses", "seed", "protocol", "device", "threads", "versions", "code", "packages"}
    assert compiled == {**plain, "compiled": True}
    trained = provenance.training_identity(one, plugins, **given, compiled=True)
    assert trained["poses"] == "a"
    assert trained["windows"] == plain["config"]["windows"]
    shared = {"seed", "device", "threads", "versions", "code", "packages", "compiled"}
    assert {key: trained[key] for key in shared} == {key: compiled[key] for key in shared}
    assert trained.keys() == {"poses", "windows", *shared}


def test_options_reach_the_trainings(plugins, data, tmp_path, monkeypatch):
    made = []

    class Watched(engine_run.Training):
        def __init__(self, checkpoints, **given):
            made.append((checkpoints.every_s, given["compiled"]))
            super().__init__(checkpoints, **given)

    monkeypatch.setattr(engine_run, "Training", Watched)
    run_job(job(plugins, data), plugins, out=tmp_path, options=TrainingOptions(checkpoint_s=7.0))
    assert made == [(7.0, False)]
