"""Whole runs on a few clips: bit for bit the same by seed, reused when nothing changed, stored so that they can be checked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fixtures import TEST_CLIPS, write_mask, write_pose_folder
from tiny_methods import TINY_KNN, TINY_MSGFLOW

from vadbench.api import Context, Silent
from vadbench.engine.build import build_detector
from vadbench.engine.inputs import read_inputs
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import Outcome, run_job
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.evaluation.report import evaluate
from vadbench.store.arrays import load_weights
from vadbench.store.folders import file_digest, find_runs
from vadbench.store.record import Metrics

TINY = {"msgflow": TINY_MSGFLOW, "knn": TINY_KNN}


@pytest.fixture(scope="module")
def plugins():
    return load_plugins()


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=48)


def ran(plugins, data: Path, out: Path, method: str, *changes: str, seed: int = 0, force: bool = False) -> Outcome:
    (job,) = make_plan(method, plugins, datasets=[str(data)], seeds=[seed], changes=[*TINY[method], *changes]).jobs
    return run_job(job, plugins, out=out, force=force)


@pytest.fixture(scope="module", params=["msgflow", "knn"])
def first(request, plugins, data, tmp_path_factory) -> Outcome:
    """One run of each method with seed 0."""
    return ran(plugins, data, tmp_path_factory.mktemp("runs"), request.param)


def method_of(outcome: Outcome) -> str:
    return outcome.run.record.method.name


def test_same_seed_same_bytes(plugins, data, tmp_path, first):
    torch.manual_seed(99)
    torch.rand(5)
    again = ran(plugins, data, tmp_path, method_of(first))
    assert again.run.record.id == first.run.record.id
    for name in ("scores.npz", "labels.npz", "weights.safetensors"):
        assert file_digest(again.run.path / name) == file_digest(first.run.path / name), name
    assert again.run.record.metrics == first.run.record.metrics


@pytest.mark.parametrize("method", ["msgflow", "knn"])
def test_same_bytes_whatever_the_number_of_cores(plugins, data, tmp_path, method):
    here = ran(plugins, data, tmp_path / "here", method).run
    source = (
        "import sys; from pathlib import Path; from test_run_job import ran, load_plugins\n"
        "data, out, method = sys.argv[1:]\n"
        "outcome = ran(load_plugins(), Path(data), Path(out), method)\n"
        "print(outcome.run.path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", source, str(data), str(tmp_path / "there"), method],
        env={**os.environ, "OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert file_digest(Path(done.stdout.strip()) / "scores.npz") == file_digest(here.path / "scores.npz")


def test_another_number_of_threads_is_another_run(plugins, data, tmp_path):
    (job,) = make_plan("knn", plugins, datasets=[str(data)], changes=TINY["knn"]).jobs
    one, two = (run_job(job, plugins, out=tmp_path, threads=threads).run.record for threads in (1, 2))
    assert (one.environment.threads, two.environment.threads) == (1, 2)
    assert one.id != two.id


def test_other_seed_other_scores(plugins, data, tmp_path, first):
    other = ran(plugins, data, tmp_path, method_of(first), *(["detector.windows=30"] * (method_of(first) == "knn")), seed=1)
    assert other.run.record.id != first.run.record.id
    assert other.run.path.parent.name == "1"
    assert not np.array_equal(other.run.scores().score, first.run.scores().score)


def test_where_and_what_is_stored(first):
    record, path = first.run.record, first.run.path
    assert path.parts[-4:] == (method_of(first), "campus", "0", record.id)
    assert sorted(p.name for p in path.iterdir()) == ["labels.npz", "log.txt", "run.json", "scores.npz", "weights.safetensors"]
    assert record.files == {name: file_digest(path / name) for name in ("scores.npz", "labels.npz", "weights.safetensors")}
    assert record.dataset.counts["test"] == {
        "clips": 3,
        "frames": 3 * 48,
        "tracks": 9,
        "poses": len(first.run.scores()) + 9 * 8,
        "windows": len(first.run.scores()),
        "tracks_without_window": 0,
        "clips_without_window": 0,
    }
    assert record.cost.parameters > 0
    assert record.cost.windows_per_s > 0
    assert method_of(first) in (path / "log.txt").read_text()


def test_metrics_can_be_computed_again_from_what_is_stored(first):
    labels, scenes = first.run.labels()
    scores = first.run.scores()
    dataset = first.run.record.dataset
    pipeline, rate = STANDARD_V1.on(dataset.name), dataset.frame_rate
    assert Metrics.of(evaluate(scores, labels, scenes, pipeline, rate)) == first.run.record.metrics
    assert set(first.run.record.terms) == set(scores.terms)
    for name, metrics in first.run.record.terms.items():
        assert Metrics.of(evaluate(scores.of_term(name), labels, scenes, pipeline, rate)) == metrics


def test_weights_give_the_same_scores(plugins, data, first):
    method = method_of(first)
    (job,) = make_plan(method, plugins, datasets=[str(data)], changes=TINY[method]).jobs
    windows = read_inputs(job.dataset, job.resolved.method.windows, Silent()).test
    detector = build_detector(job.resolved, windows.shape, Context(seed=12345))
    detector.load_state_dict(load_weights(first.run.path / "weights.safetensors"))
    np.testing.assert_array_equal(detector.score(windows, Context()), first.run.scores().score)


def test_the_leap_is_found(plugins, tmp_path):
    data = write_pose_folder(tmp_path / "campus")
    assert ran(plugins, data, tmp_path / "runs", "knn").run.record.metrics.auroc > 0.7


def test_changed_setting_other_hash_other_folder(plugins, data, tmp_path):
    plain = ran(plugins, data, tmp_path, "msgflow").run
    other = ran(plugins, data, tmp_path, "msgflow", "tokenizer.codebook_size=16").run
    assert other.record.method.config["tokenizer"]["codebook_size"] == 16
    assert other.record.method.config_hash != plain.record.method.config_hash
    assert other.path != plain.path
    assert "tokenizer.codebook_size=16" in other.record.method.changes
    assert len(find_runs(tmp_path)) == 2


class TestReuse:
    def snapshot(self, folder: Path) -> dict[str, tuple[int, str]]:
        return {p.name: (p.stat().st_mtime_ns, file_digest(p)) for p in folder.iterdir()}

    def test_nothing_is_touched(self, plugins, data, tmp_path):
        begun = ran(plugins, data, tmp_path, "knn")
        before = self.snapshot(begun.run.path)
        again = ran(plugins, data, tmp_path, "knn")
        assert not begun.reused
        assert again.reused
        assert again.run.record == begun.run.record
        assert self.snapshot(begun.run.path) == before

    def test_force_rewrites(self, plugins, data, tmp_path):
        begun = ran(plugins, data, tmp_path, "knn")
        before = self.snapshot(begun.run.path)
        again = ran(plugins, data, tmp_path, "knn", force=True)
        after = self.snapshot(begun.run.path)
        assert not again.reused
        assert after["scores.npz"][0] != before["scores.npz"][0]
        assert after["scores.npz"][1] == before["scores.npz"][1]

    @pytest.mark.parametrize("name", ["scores.npz", "labels.npz", "weights.safetensors", "run.json"])
    @pytest.mark.parametrize("damage", ["other bytes", "absent"])
    def test_damaged_run_is_made_again(self, plugins, data, tmp_path, name, damage):
        begun = ran(plugins, data, tmp_path, "knn").run
        if damage == "absent":
            (begun.path / name).unlink()
        else:
            (begun.path / name).write_bytes(b"other")
        again = ran(plugins, data, tmp_path, "knn")
        assert not again.reused
        assert again.run.scores().score.tolist()
        if name != "run.json":
            assert file_digest(again.run.path / name) == begun.record.files[name]

    def test_changed_labels(self, plugins, tmp_path):
        data = write_pose_folder(tmp_path / "campus", n_frames=48)
        begun = ran(plugins, data, tmp_path / "runs", "knn").run
        abnormal = np.zeros(48, dtype=np.uint8)
        abnormal[:5] = 1
        write_mask(data, TEST_CLIPS[0], abnormal)
        again = ran(plugins, data, tmp_path / "runs", "knn")
        assert not again.reused
        assert again.run.record.id == begun.record.id, "scores do not depend on labels"
        assert again.run.record.dataset.labels != begun.record.dataset.labels
        assert again.run.record.metrics != begun.record.metrics
        assert len(find_runs(tmp_path / "runs")) == 1

    def test_changed_poses(self, plugins, tmp_path):
        data = write_pose_folder(tmp_path / "campus", n_frames=48)
        begun = ran(plugins, data, tmp_path / "runs", "knn").run
        write_pose_folder(tmp_path / "campus", n_frames=48, seed=1)
        again = ran(plugins, data, tmp_path / "runs", "knn")
        assert not again.reused
        assert again.run.record.id != begun.record.id


def test_global_random_state_is_left_alone(plugins, data, tmp_path):
    np.random.seed(5)  # noqa: NPY002 - the global state is what is tested
    torch.manual_seed(5)
    torch_before, (_, numpy_before, *rest_before) = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    for method in TINY:
        ran(plugins, data, tmp_path, method)
    _, numpy_after, *rest_after = np.random.get_state()  # noqa: NPY002
    assert torch.equal(torch_before, torch.get_rng_state())
    assert np.array_equal(numpy_before, numpy_after)
    assert rest_before == rest_after


@pytest.mark.parametrize("change", ["detector.windows=50", "detector.neighbours=3", 'windows.augment=["flip"]'])
def test_settings_reach_the_method(plugins, data, tmp_path, change):
    plain, other = ran(plugins, data, tmp_path, "knn").run, ran(plugins, data, tmp_path, "knn", change).run
    assert not np.array_equal(plain.scores().score, other.scores().score)


def test_scores_are_averaged_over_views(plugins, data, tmp_path):
    """Turned by a full circle a window is itself; upside down it is something else."""
    plain, circle, turned = (
        ran(plugins, data, tmp_path, "knn", f"windows.average={views}").run.scores().score
        for views in ("[]", '["rotate:360"]', '["rotate:180"]')
    )
    np.testing.assert_allclose(circle, plain, atol=1e-3)
    assert turned.shape == plain.shape
    assert (turned > plain + 0.1).mean() > 0.9
