"""``vadbench weights``: what authors released, what a run learned, and both in place of training."""

from __future__ import annotations

import argparse
import ast
import builtins
import inspect
import io
import json
import math
import os
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fixtures import write_pose_folder
from tiny_methods import TINY_KNN, TINY_MSGFLOW

from vadbench.api import COCO_18, Context, DataError, PoseShape
from vadbench.engine.build import build_detector
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.store.arrays import load_weights
from vadbench.store.folders import open_run
from vadbench.store.model_card import ModelCard, read_card, weights_path
from vadbench_baselines.knn import KNN
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow
from vadbench_msgflow.stgnf_release import read_stgnf

RELEASED = {
    "shanghaitech": ("ShanghaiTech_85_9.tar", 616, 24, 3.0, "one-class", "shanghaitech"),
    "ubnormal_unsup": ("UBnormal_unsupervised_71_8.tar", 488, 16, 3.0, "one-class", "ubnormal"),
    "ubnormal_sup": ("UBnormal_supervised_79_2.tar", 488, 16, 10.0, "supervised", "ubnormal"),
}
TINY = {
    "knn": TINY_KNN,
    "stg-nf": ("windows.length=8", "windows.train_stride=4", "flow.steps=2", "flow.epochs=1"),
    "msgflow": TINY_MSGFLOW,
}
OPTIONS = {
    "L": 1,
    "hidden_dim": 0,
    "confidence": False,
    "headless": False,
    "strategy": "uniform",
    "max_hop": 8,
    "flow_permutation": "invcov",
    "norm_scale": 0,
    "prop_norm_scale": 1,
    "seg_len": 16,
    "K": 2,
    "R": 3.0,
    "ubnormal": True,
    "pose_path_train_abnormal": None,
    "seed": 5,
}
"""Of a small model in the form of a release."""


class Calls:
    """What unpickling calls a function for."""

    def __init__(self, function: Callable[..., object], *given: object) -> None:
        self.call = (function, given)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def parameters(steps: int = 2, frames: int = 16) -> dict[str, torch.Tensor]:
    """Random ones, under the names and in the shapes that STG-NF releases them in."""
    generator, kernel = torch.Generator().manual_seed(0), frames // 2 + 1
    kernel += 1 - kernel % 2
    found = {}
    for step in range(steps):
        shapes = {"actnorm.bias": (1, 2, 1, 1), "actnorm.logs": (1, 2, 1, 1)}
        shapes |= {"block.0.gcn.conv.weight": (2, 1, 1, 1), "block.0.gcn.conv.bias": (2,)}
        shapes |= {"block.0.tcn.2.weight": (2, 2, kernel, 1), "block.0.tcn.2.bias": (2,)}
        norms = ["block.0.tcn.0", "block.0.tcn.3"]
        if step:
            shapes |= {"block.0.residual.0.weight": (2, 1, 1, 1), "block.0.residual.0.bias": (2,)}
            norms.append("block.0.residual.1")
        for norm in norms:
            shapes |= {f"{norm}.{name}": (2,) for name in ("weight", "bias", "running_mean", "running_var")}
            found[f"flow.layers.{step}.{norm}.num_batches_tracked"] = torch.tensor(7)
        for name, shape in shapes.items():
            found[f"flow.layers.{step}.{name}"] = 0.1 + 0.1 * torch.rand(shape, generator=generator)
    return {**found, "prior_h": torch.zeros(1, 2, frames, 18)}


def archive(**changed: Any) -> dict[str, Any]:
    """What a release holds; options by their names, ``state_dict``, or other parts."""
    options = OPTIONS | {name: value for name, value in changed.items() if name in OPTIONS}
    parts = {"epoch": 8, "state_dict": parameters(), "optimizer": {}, "args": argparse.Namespace(**options)}
    return parts | {name: value for name, value in changed.items() if name not in OPTIONS}


@pytest.fixture
def release(tmp_path) -> Callable[..., Path]:
    """Writes a file in the form of a release."""

    def write(content: object | None = None, **changed: Any) -> Path:
        path = tmp_path / "released.tar"
        torch.save(archive(**changed) if content is None else content, path)
        return path

    return write


@pytest.fixture
def importing(vadbench, tmp_path):
    """Imports a file as stg-nf to ``tmp_path / own``."""

    def start(file: Path, *arguments: object, method: str = "stg-nf"):
        return vadbench("weights", "import", method, file, tmp_path / "own", *arguments)

    return start


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=40)


@pytest.fixture
def run(vadbench, data, tmp_path):
    """Runs a method on the pose folder and gives what was called."""

    def start(method: str, *arguments: object, dataset: Path = data, out: str = "runs"):
        return vadbench("run", method, "--dataset", dataset, "--out", tmp_path / out, "--json", *arguments)

    return start


@pytest.fixture
def exported(vadbench, run, tmp_path):
    """Trains a tiny method and exports what it learned: the run and the weights file."""

    def start(method: str = "knn") -> tuple[Path, Path]:
        changes = [part for change in TINY[method] for part in ("--set", change)]
        path = Path(run(method, *changes).json["runs"][0]["path"])
        called = vadbench("weights", "export", path, tmp_path / "out" / method, "--licence", "CC0-1.0")
        assert called.code == 0, called.err
        return path, tmp_path / "out" / f"{method}.safetensors"

    return start


def refused(called, code: int, *told: str) -> None:
    """Ended with ``code``, said what was wrong, where and what to do, without a traceback."""
    assert called.code == code, called.err
    for text in (*told, "where: ", "remedy: "):
        assert text in called.err
    assert "Traceback" not in called.err


def edit_card(weights: Path, **changed: object) -> None:
    card = weights.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | changed))


class TestReleased:
    @pytest.mark.parametrize("key", RELEASED)
    def test_gives_the_scores_that_it_gave_there(self, importing, shared_data, tmp_path, key):
        file, count, frames, base_mean, track, trained_on = RELEASED[key]
        called = importing(shared_data / "stgnf-checkpoints" / file)
        assert called.code == 0, called.err
        path, card = read_card(tmp_path / "own")
        assert (card.method, card.parameters, card.frames, card.track, card.trained_on) == (
            *("stg-nf", count, frames),
            *(track, trained_on),
        )
        assert card.config["windows"]["length"] == frames
        assert card.config["flow"]["base_mean"] == base_mean
        assert len(card.seeds) == 1
        assert "CC BY-NC" in card.licence
        flow = STGCNCouplingFlow(STGCNCouplingConfig(base_mean=base_mean), PoseShape(2, frames, COCO_18), None)
        flow.load_state_dict({name.removeprefix("flow."): value for name, value in load_weights(path).items()})
        assert sum(parameter.numel() for parameter in flow.parameters()) == count
        with np.load(shared_data.parent / "facts" / "golden_stgnf_sample.npz") as golden:
            x, nll = torch.from_numpy(golden[f"{key}/x"]), golden[f"{key}/nll"]
        with torch.no_grad():
            bits = -flow.eval().log_prob(x, None) / (math.log(2) * x[0].numel())
        np.testing.assert_allclose(bits.numpy(), nll, atol=1e-4)

    def test_is_run_with(self, importing, run, shared_data, tmp_path):
        importing(shared_data / "stgnf-checkpoints" / RELEASED["ubnormal_sup"][0])
        called = run("stg-nf", "--weights", tmp_path / "own.safetensors")
        assert called.code == 0, called.err
        record = open_run(Path(called.json["runs"][0]["path"])).record
        assert record.method.track == "zero-shot"
        assert record.cost.parameters == 488


class TestImport:
    def test_tells_what_was_written(self, importing, release, tmp_path):
        called = importing(release())
        assert called.code == 0, called.err
        assert called.err == ""
        assert f"written: {tmp_path / 'own.safetensors'}" in called.out
        assert f"vadbench run stg-nf --weights {tmp_path / 'own.safetensors'}" in called.out
        assert sorted(path.name for path in tmp_path.glob("own*")) == ["own.json", "own.safetensors"]
        card = read_card(tmp_path / "own")[1]
        assert (card.seeds, card.frames, card.track, card.trained_on) == ((5,), 16, "one-class", "ubnormal")

    def test_takes_the_numbers_over(self, importing, release, tmp_path):
        importing(release())
        own, theirs = load_weights(tmp_path / "own.safetensors"), parameters()
        for step in range(2):
            logs = theirs[f"flow.layers.{step}.actnorm.logs"]
            assert torch.equal(own[f"flow.steps.{step}.actnorm.log_scale"].flatten(), logs.flatten())
            kernel = theirs[f"flow.layers.{step}.block.0.tcn.2.weight"]
            assert torch.equal(own[f"flow.steps.{step}.conditioner.temporal.weight"].flatten(), kernel.flatten())

    def test_what_training_with_abnormal_poses_gave_is_supervised(self, importing, release, tmp_path):
        importing(release(pose_path_train_abnormal="somewhere", R=10.0))
        card = read_card(tmp_path / "own")[1]
        assert (card.track, card.config["track"], card.config["flow"]["base_mean"]) == ("supervised", "supervised", 10.0)

    def test_replaces_only_when_told(self, importing, release, tmp_path):
        assert importing(release()).code == 0
        before = (tmp_path / "own.safetensors").read_bytes()
        other = {name: value + 1 for name, value in parameters().items()}
        refused(importing(release(state_dict=other)), 2, "there already", "--force")
        assert (tmp_path / "own.safetensors").read_bytes() == before
        assert importing(release(state_dict=other), "--force").code == 0
        assert (tmp_path / "own.safetensors").read_bytes() != before
        read_card(tmp_path / "own")

    @pytest.mark.parametrize("place", ["own.json", "own.safetensors"])
    def test_replaces_neither_of_the_two(self, importing, release, tmp_path, place):
        (tmp_path / place).write_text("mine")
        refused(importing(release()), 2, f"{place} is there already")
        assert [path.name for path in tmp_path.glob("own*")] == [place]
        assert (tmp_path / place).read_text() == "mine"

    @pytest.mark.parametrize("call", ["os.system", "builtins.eval", "builtins.exec", "torch.load", "os.mkdir"])
    @pytest.mark.parametrize("place", ["whole", "args", "state_dict"])
    @pytest.mark.parametrize("zipped", [True, False])
    def test_runs_nothing_of_the_file(self, importing, tmp_path, call, place, zipped):
        sign = tmp_path / "sign"
        hostile = {
            "os.system": Calls(os.system, f"touch {sign}"),
            "builtins.eval": Calls(builtins.eval, f"open({str(sign)!r}, 'w')"),
            "builtins.exec": Calls(builtins.exec, f"open({str(sign)!r}, 'w')"),
            "torch.load": Calls(torch.load, str(sign)),
            "os.mkdir": Calls(os.mkdir, str(sign)),
        }[call]
        path = tmp_path / "hostile.tar"
        torch.save(hostile if place == "whole" else archive(**{place: hostile}), path, _use_new_zipfile_serialization=zipped)
        refused(importing(path), 3, str(path))
        assert not sign.exists()
        assert list(tmp_path.glob("own*")) == []

    def test_the_hostile_file_does_run_something_where_nobody_takes_care(self, tmp_path):
        """Otherwise the test above could not fail."""
        path, sign = tmp_path / "hostile.tar", tmp_path / "sign"
        torch.save(archive(args=Calls(os.mkdir, str(sign))), path)
        torch.load(path, weights_only=False)
        assert sign.is_dir()

    @pytest.mark.parametrize(
        "content",
        [b"", b"some text\n", b"aaaa", b"cos\nsystem\n(S'true'\ntR.", b"\x80\x02.", b"PK\x03\x04", b"{}", bytes(range(256))],
    )
    def test_a_file_that_is_none(self, importing, tmp_path, content):
        path = tmp_path / "odd.tar"
        path.write_bytes(content)
        refused(importing(path), 3, "no torch archive", str(path), "ShanghaiTech_85_9.tar")
        assert list(tmp_path.glob("own*")) == []

    @pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
    def test_a_truncated_one(self, importing, release, tmp_path, share):
        whole = (path := release()).read_bytes()
        path.write_bytes(whole[: int(len(whole) * share)])
        refused(importing(path), 3, "no torch archive")
        assert list(tmp_path.glob("own*")) == []

    def test_damaged_pickles(self, release, tmp_path):
        """Whatever the bytes are, they are read or refused: nothing else is raised."""
        with zipfile.ZipFile(release()) as source:
            parts = {name: source.read(name) for name in source.namelist()}
        (pickled,) = (name for name in parts if name.endswith("data.pkl"))
        rng, outcomes = np.random.default_rng(0), []
        for _ in range(150):
            content = np.frombuffer(parts[pickled], dtype=np.uint8).copy()
            content[rng.integers(len(content), size=3)] = rng.integers(256, size=3)
            whole = io.BytesIO()
            with zipfile.ZipFile(whole, "w") as damaged:
                for name, value in parts.items():
                    damaged.writestr(name, content[: rng.integers(len(content))].tobytes() if name == pickled else value)
            (path := tmp_path / "damaged.tar").write_bytes(whole.getvalue())
            try:
                read_stgnf(path)
            except DataError as error:
                outcomes.append(error.where)
        assert len(outcomes) > 100
        assert set(outcomes) == {str(path)}

    def test_a_missing_one(self, importing, tmp_path):
        refused(importing(tmp_path / "nothing.tar"), 3, "No such file", "nothing.tar")

    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"L": 2}, "L = 2"),
            ({"hidden_dim": 16}, "hidden_dim = 16"),
            ({"confidence": True}, "confidence = True"),
            # These leave no trace in the parameters.
            ({"strategy": "spatial"}, "strategy = 'spatial'"),
            ({"max_hop": 1}, "max_hop = 1"),
            ({"headless": True}, "headless = True"),
            ({"flow_permutation": "reverse"}, "flow_permutation = 'reverse'"),
            ({"seg_len": None}, "seg_len = None"),
            ({"seg_len": 16.5}, "seg_len = 16.5"),
            ({"K": "8"}, "K = '8'"),
            ({"R": math.nan}, "R = nan"),
            ({"R": None}, "R = None"),
        ],
    )
    def test_of_other_options(self, importing, release, tmp_path, changed, told):
        refused(importing(path := release(**changed)), 3, "other options", told, str(path))
        assert list(tmp_path.glob("own*")) == []

    @pytest.mark.parametrize(
        "content",
        [
            *({"weights": 1}, [1, 2], {"args": argparse.Namespace(**OPTIONS)}, {"state_dict": parameters()}, torch.zeros(3)),
            *({"state_dict": [1], "args": argparse.Namespace()}, {"state_dict": {}, "args": dict(OPTIONS)}),
        ],
    )
    def test_without_its_parts(self, importing, release, tmp_path, content):
        refused(importing(release(content)), 3, "no state_dict and args")
        assert list(tmp_path.glob("own*")) == []

    @pytest.mark.parametrize("odd", [{"flow.layers.0.actnorm.bias": 3}, {5: torch.zeros(1)}, {"flow.layers.0.x": [1.0]}])
    def test_of_other_things_than_tensors(self, importing, release, odd):
        refused(importing(release(state_dict=parameters() | odd)), 3, "other things than tensors")

    @pytest.mark.parametrize("name", ["flow.layers.0.block.0.gate.weight", "flow.layers.1.actnorm.bias2", "flow.layers.0"])
    def test_with_a_parameter_that_it_has_not(self, importing, release, tmp_path, name):
        refused(importing(release(state_dict=parameters() | {name: torch.zeros(2)})), 3, name)
        assert list(tmp_path.glob("own*")) == []

    @pytest.mark.parametrize(
        "changed",
        [
            {"K": 3},
            {"K": 1},
            {"seg_len": 24},
            {"state_dict": {name: value for name, value in parameters().items() if "tcn.2.bias" not in name}},
            {"state_dict": parameters() | {"flow.layers.0.actnorm.logs": torch.zeros(1, 3, 1, 1)}},
            {"state_dict": parameters() | {"flow.layers.x.actnorm.logs": torch.zeros(1, 2, 1, 1)}},
        ],
    )
    def test_whose_parameters_are_not_those_of_its_options(self, importing, release, tmp_path, changed):
        refused(importing(path := release(**changed)), 3, "do not fit stg-nf", str(path))
        assert list(tmp_path.glob("own*")) == []

    def test_a_seed_that_is_none(self, importing, release, tmp_path):
        assert importing(release(seed="yes")).code == 0
        assert read_card(tmp_path / "own")[1].seeds == ()

    def test_for_a_method_that_reads_none(self, importing, release, tmp_path):
        called = importing(release(), method="knn")
        assert called.code == 2
        assert "no component of knn reads released weights" in called.err
        assert "remedy: " in called.err
        assert importing(release(), method="st-nf").code == 2

    def test_for_a_method_of_more_parts(self, importing, release, tmp_path):
        refused(importing(release(), method="msgflow"), 3, "do not fit msgflow", "weights of a flow alone")
        assert list(tmp_path.glob("own*")) == []


class TestInfo:
    def test_in_words(self, vadbench, importing, release, tmp_path):
        importing(release())
        for name in ("own", "own.safetensors"):
            called = vadbench("weights", "info", tmp_path / name)
            assert called.code == 0
            assert called.err == ""
            for text in (
                "stg-nf, track one-class",
                "16 frames",
                "ubnormal",
                "CC BY-NC 4.0",
                "flow.steps.0.actnorm.bias  float32",
            ):
                assert text in called.out

    def test_json_is_card_and_tensors(self, vadbench, exported):
        _, weights = exported()
        called = vadbench("weights", "info", weights, "--json")
        assert called.err == ""
        assert list(called.json) == ["path", "card", "tensors"]
        assert called.json["card"] == json.loads(weights.with_suffix(".json").read_text())
        shapes = {name: list(value.shape) for name, value in load_weights(weights).items()}
        assert {name: tensor["shape"] for name, tensor in called.json["tensors"].items()} == shapes
        assert {tensor["dtype"] for tensor in called.json["tensors"].values()} >= {"float32"}

    @pytest.mark.parametrize("name", ["nothing", ".", "..", "/"])
    def test_of_nothing(self, vadbench, name):
        refused(vadbench("weights", "info", name), 2, "no such weights")

    def test_tampered_weights(self, vadbench, exported):
        _, weights = exported()
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        refused(vadbench("weights", "info", weights), 6, "not those that their card was written for")

    def test_a_missing_card(self, vadbench, exported):
        _, weights = exported()
        weights.with_suffix(".json").unlink()
        refused(vadbench("weights", "info", weights), 3, "no card beside them", "vadbench weights")

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"method": "knn"}'])
    def test_a_damaged_card(self, vadbench, exported, content):
        _, weights = exported()
        weights.with_suffix(".json").write_bytes(content)
        refused(vadbench("weights", "info", weights), 3, "card of the weights cannot be read")

    @pytest.mark.parametrize(
        "changed", [{"schema_version": 2}, {"track": "best"}, {"more": 1}, {"config": {}}, {"config": {"windows": 3}}]
    )
    def test_a_card_that_says_what_it_cannot(self, vadbench, exported, changed):
        _, weights = exported()
        edit_card(weights, **changed)
        refused(vadbench("weights", "info", weights), 3, "card of the weights cannot be read")


class TestExport:
    def test_says_where_they_come_from(self, exported, data):
        path, weights = exported()
        record, card = open_run(path).record, read_card(weights)[1]
        assert (card.method, card.track, card.trained_on, card.seeds) == ("knn", "one-class", "campus", (0,))
        assert card.config == record.method.config
        assert card.poses == record.dataset.poses["train"]
        assert card.parameters == record.cost.parameters
        assert card.licence == "CC0-1.0"
        assert record.id in card.source
        assert (card.channels, card.frames) == (2, 8)
        assert str(data) not in weights.with_suffix(".json").read_text()
        assert weights.read_bytes() == (path / "weights.safetensors").read_bytes()

    def test_the_advice_works_for_a_method_of_a_file(self, vadbench, data, tmp_path):
        (tmp_path / "kk.toml").write_text('[windows]\nlength = 16\naugment = []\n[detector]\nname = "knn"\n')
        made = vadbench("run", "kk.toml", "--dataset", data, "--no-plots", "--json")
        assert made.code == 0, made.err
        called = vadbench("weights", "export", made.json["runs"][0]["path"], "out of it", "--licence", "MIT")
        (advice,) = (shlex.split(line.partition("use it:")[2]) for line in called.out.splitlines() if line.startswith("use it:"))
        assert advice == ["vadbench", "run", "kk", "--weights", "out of it.safetensors"]
        (tmp_path / "kk.toml").unlink()
        again = vadbench(*advice[1:], "--dataset", data, "--out", "again")
        assert again.code == 0, again.err

    def test_needs_a_licence(self, vadbench, tmp_path):
        called = vadbench("weights", "export", tmp_path, tmp_path / "own")
        assert called.code == 2
        assert "--licence" in called.err

    def test_of_no_run(self, vadbench, tmp_path):
        refused(vadbench("weights", "export", tmp_path, tmp_path / "own", "--licence", "x"), 3, "not a run folder")
        assert list(tmp_path.glob("own*")) == []

    def test_of_a_run_that_was_changed(self, vadbench, exported, tmp_path):
        path, _ = exported()
        (path / "weights.safetensors").write_bytes(b"other")
        refused(vadbench("weights", "export", path, tmp_path / "own", "--licence", "x"), 6, "has changed since")
        assert list(tmp_path.glob("own*")) == []

    def test_replaces_only_when_told(self, vadbench, exported):
        path, weights = exported()
        refused(vadbench("weights", "export", path, weights, "--licence", "x"), 2, "there already")
        assert read_card(weights)[1].licence == "CC0-1.0"
        assert vadbench("weights", "export", path, weights, "--licence", "x", "--force").code == 0
        assert read_card(weights)[1].licence == "x"

    def test_of_a_run_that_did_not_train(self, vadbench, exported, run, tmp_path):
        """Its record knows neither the data nor the seed that the weights are of."""
        _, weights = exported()
        path = run("knn", "--weights", weights, "--seed", 4).json["runs"][0]["path"]
        refused(vadbench("weights", "export", path, tmp_path / "own", "--licence", "x"), 2, "did not train")
        assert list(tmp_path.glob("own*")) == []

    def test_of_a_stand_in_says_so(self, vadbench, tmp_path):
        small = ("dataset.train_clips=1", "dataset.test_clips=1", "dataset.frames_max=240", *TINY_KNN)
        changes = [part for change in small for part in ("--set", change)]
        (row,) = vadbench("run", "knn", "--dataset", "synthetic-campus", "--json", *changes).json["runs"]
        called = vadbench("weights", "export", row["path"], tmp_path / "own", "--licence", "Apache-2.0")
        assert "never a result" in called.out
        assert read_card(tmp_path / "own")[1].dataset_settings == {"train_clips": 1, "test_clips": 1, "frames_max": 240}


class TestRun:
    @pytest.mark.parametrize("method", TINY)
    def test_scores_as_the_run_that_trained_them(self, exported, run, method):
        path, weights = exported(method)
        (row,) = run(method, "--weights", weights).json["runs"]
        trained, again = open_run(path), open_run(Path(row["path"]))
        assert np.array_equal(trained.scores().score, again.scores().score)
        assert trained.record.files["scores.npz"] == again.record.files["scores.npz"]
        assert trained.record.metrics == again.record.metrics
        assert again.record.cost.fit_s < 1
        assert again.record.id != trained.record.id
        assert again.record.method.config_hash != trained.record.method.config_hash
        assert again.record.method.config == {**trained.record.method.config, "weights": read_card(weights)[1].weights}

    def test_says_which_weights(self, exported, run):
        _, weights = exported()
        (row,) = run("knn", "--weights", weights).json["runs"]
        digest = read_card(weights)[1].weights
        assert row["changes"] == [f"weights={digest[:12]}"]
        assert not row["reused"]
        assert run("knn", "--weights", weights).json["runs"][0]["reused"]

    def test_trains_nothing(self, exported, run, monkeypatch):
        _, weights = exported()
        monkeypatch.setattr(KNN, "fit", lambda *_: pytest.fail("it was fitted"))
        assert run("knn", "--weights", weights).code == 0

    def test_stands_in_the_zero_shot_track_elsewhere(self, exported, run, tmp_path):
        _, weights = exported()
        elsewhere = write_pose_folder(tmp_path / "street", n_frames=40, seed=3)
        (row,) = run("knn", "--weights", weights, dataset=elsewhere).json["runs"]
        assert open_run(Path(row["path"])).record.method.track == "zero-shot"

    @pytest.mark.parametrize(
        ("trained_on", "track"),
        [
            ("campus", "one-class"),
            ("hr-campus", "one-class"),
            ("street", "zero-shot"),
            ("campus-hr", "zero-shot"),
            ("", "zero-shot"),
        ],
    )
    def test_a_subset_has_the_training_split_of_the_whole(self, exported, run, trained_on, track):
        _, weights = exported()
        edit_card(weights, trained_on=trained_on)
        (row,) = run("knn", "--weights", weights).json["runs"]
        assert open_run(Path(row["path"])).record.method.track == track

    def test_on_the_human_related_subset(self, importing, release, tmp_path):
        importing(release(pose_path_train_abnormal="somewhere"))
        for dataset, track in (("ubnormal", "supervised"), ("hr-ubnormal", "supervised"), ("hr-shanghaitech", "zero-shot")):
            (job,) = make_plan("stg-nf", load_plugins(), datasets=[dataset], weights=tmp_path / "own").jobs
            assert job.resolved.method.track == track

    def test_fits_the_windows_that_the_weights_were_trained_on(self, importing, release, tmp_path):
        """The windows of the card, also where the method has others for the data set."""
        importing(release())
        (job,) = make_plan("stg-nf", load_plugins(), datasets=["hr-shanghaitech"], weights=tmp_path / "own").jobs
        windows = job.resolved.method.windows
        assert windows.length == 16
        build_detector(job.resolved, PoseShape(2, windows.length, COCO_18), Context())

    def test_of_another_method(self, exported, run):
        _, weights = exported()
        refused(run("stg-nf", "--weights", weights), 2, "weights of knn, not of stg-nf", "vadbench run knn --weights")

    def test_with_a_swap(self, exported, run):
        _, weights = exported("msgflow")
        for swap in (("--prior", "ngram"), ("--tokenizer", "none")):
            refused(run("msgflow", "--weights", weights, *swap), 2, f"another {swap[0][2:]}", "leave out --weights")

    @pytest.mark.parametrize("damage", ["weights", "card", "no card", "no weights"])
    def test_refuses_what_is_damaged(self, exported, run, damage, tmp_path):
        _, weights = exported()
        before = len(list((tmp_path / "runs").rglob("run.json")))
        match damage:
            case "weights":
                weights.write_bytes(weights.read_bytes()[:-1] + b"x")
            case "card":
                weights.with_suffix(".json").write_text("{")
            case "no card":
                weights.with_suffix(".json").unlink()
            case "no weights":
                weights.unlink()
        code = {"weights": 6, "card": 3, "no card": 3, "no weights": 2}[damage]
        refused(run("knn", "--weights", weights), code, weights.stem)
        assert len(list((tmp_path / "runs").rglob("run.json"))) == before

    def test_weights_that_the_method_does_not_take(self, exported, run):
        _, weights = exported()
        called = run("knn", "--weights", weights, "--set", "detector.components=4", "--set", "windows.length=12")
        refused(called, 2, "windows of 8 frames in layout coco-18, not of 12 frames", "windows.length")
        refused(run("knn", "--weights", weights, "--set", "windows.layout=coco-17"), 2, "not of 8 frames in layout coco-17")
        _, weights = exported("stg-nf")
        called = run("stg-nf", "--weights", weights, "--set", "flow.steps=3")
        assert called.code == 4
        assert "stg-nf failed to take the weights" in called.json["runs"][0]["error"]["what"]

    def test_can_be_checked_for_leaks(self, vadbench, exported, run, data):
        _, weights = exported()
        path = Path(run("knn", "--weights", weights).json["runs"][0]["path"])
        called = vadbench("check-leak", path, "--dataset", data)
        assert called.code == 0, called.err
        assert "Nothing found." in called.out
        assert open_run(path).record.leak_check.clean

    def test_of_a_method_that_has_no_name_here(self, vadbench, run, data, tmp_path):
        """One of a TOML file, gone by now: the card holds all that there is to know."""
        file = tmp_path / "mine.toml"
        file.write_text('[windows]\nlength = 8\n[detector]\nname = "knn"\ncomponents = 8\nwindows = 100\n')
        path = Path(run(file).json["runs"][0]["path"])
        called = vadbench("weights", "export", path, tmp_path / "own", "--licence", "CC0-1.0")
        command = called.out.strip().splitlines()[-1].partition("vadbench ")[2].split()
        file.unlink()
        (row,) = vadbench(*command, "--dataset", data, "--json").json["runs"]
        assert row["method"] == "mine"
        assert np.array_equal(open_run(path).scores().score, open_run(Path(row["path"])).scores().score)

    def test_a_method_file_cannot_claim_weights(self, run, tmp_path):
        """The record would say that they were taken, and the method would have been trained."""
        file = tmp_path / "mine.toml"
        file.write_text('weights = "abc"\n[detector]\nname = "knn"\n')
        refused(run(file), 2, "cannot name weights", "mine.toml", "--weights")


class TestCard:
    def test_every_key_is_documented(self):
        """A text stands below each key, as in the record of a run."""
        (defined,) = ast.parse(inspect.getsource(ModelCard)).body
        body = defined.body
        told = [
            part.target.id
            for part, after in zip(body, [*body[1:], None], strict=True)
            if isinstance(part, ast.AnnAssign)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and len(str(after.value.value)) > 5
        ]
        assert told == list(ModelCard.model_fields)

    @pytest.mark.parametrize(
        ("given", "path"),
        [("a", "a.safetensors"), ("a.safetensors", "a.safetensors"), ("b/a.v1", "b/a.v1.safetensors"), (".", ".safetensors")],
    )
    def test_suffix(self, given, path):
        assert weights_path(Path(given)) == Path(path)
