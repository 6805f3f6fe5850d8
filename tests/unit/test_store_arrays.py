"""The array files of a run: what is written comes back, equal arrays give equal bytes, damage is told."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from stored_runs import SCENES, made_labels, made_scores

from vadbench.api import DataError, WindowScores
from vadbench.store.arrays import load_labels, load_scores, load_weights, save_labels, save_scores, save_weights


def same(a: WindowScores, b: WindowScores) -> None:
    for name in ("clip", "person", "start", "score"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype
    assert a.length == b.length
    assert list(a.terms) == list(b.terms)
    for name in a.terms:
        np.testing.assert_array_equal(a.terms[name], b.terms[name])


class TestScores:
    @pytest.mark.parametrize("terms", [False, True])
    def test_round_trip(self, tmp_path, terms):
        scores = made_scores(made_labels(), terms=terms)
        save_scores(tmp_path / "scores.npz", scores)
        same(load_scores(tmp_path / "scores.npz"), scores)
        assert [path.name for path in tmp_path.iterdir()] == ["scores.npz"]

    def test_frame_by_frame(self, tmp_path):
        scores = WindowScores(np.array(["ä"]), np.array([1]), np.array([0]), np.arange(4.0)[None], 4)
        save_scores(tmp_path / "scores.npz", scores)
        same(load_scores(tmp_path / "scores.npz"), scores)

    def test_none(self, tmp_path):
        none = np.zeros(0, dtype=np.int64)
        scores = WindowScores(np.zeros(0, dtype="<U3"), none, none, np.zeros(0), 4)
        save_scores(tmp_path / "scores.npz", scores)
        same(load_scores(tmp_path / "scores.npz"), scores)

    def test_equal_scores_equal_bytes(self, tmp_path):
        for name in ("a", "b"):
            save_scores(tmp_path / f"{name}.npz", made_scores(made_labels(), terms=True))
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
        with zipfile.ZipFile(tmp_path / "a.npz") as archive:
            assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}, "no clock in the bytes"
        save_scores(tmp_path / "c.npz", made_scores(made_labels(), terms=True, seed=1))
        assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "c.npz").read_bytes()


class TestLabels:
    def test_round_trip(self, tmp_path):
        labels = made_labels(leave_out=(3, 9))
        save_labels(tmp_path / "labels.npz", labels, SCENES)
        back, scenes = load_labels(tmp_path / "labels.npz")
        assert back.fingerprint() == labels.fingerprint()
        assert back.clips == labels.clips
        assert scenes == SCENES

    def test_none(self, tmp_path):
        save_labels(tmp_path / "labels.npz", made_labels({}), {})
        back, scenes = load_labels(tmp_path / "labels.npz")
        assert back.clips == ()
        assert scenes == {}


def archive(path: Path, change: str) -> None:
    """A scores file, then damaged."""
    save_scores(path, made_scores(made_labels()))
    raw = path.read_bytes()
    with np.load(path) as data:
        arrays = dict(data)
    match change:
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_bytes(b"not an archive")
        case "cut off":
            path.write_bytes(raw[: len(raw) // 2])
        case "flipped":
            middle = len(raw) // 3
            path.write_bytes(raw[:middle] + bytes(255 - b for b in raw[middle : middle + 40]) + raw[middle + 40 :])
        case "one array":
            with path.open("wb") as stream:
                np.save(stream, np.zeros(3))
        case "column missing":
            del arrays["person"]
            np.savez(path, **arrays)
        case "pickled":
            np.savez(path, **{**arrays, "clip": arrays["clip"].astype(object)})
        case "absent":
            path.unlink()
        case "folder":
            path.unlink()
            path.mkdir()
        case "columns differ":
            np.savez(path, **{**arrays, "start": arrays["start"][1:]})


@pytest.mark.parametrize(
    "change",
    [
        *("empty", "text", "cut off", "flipped", "one array", "column missing", "pickled", "absent", "folder"),
        "columns differ",
    ],
)
def test_damage(tmp_path, change):
    archive(tmp_path / "scores.npz", change)
    with pytest.raises(DataError) as caught:
        load_scores(tmp_path / "scores.npz")
    if change == "column missing":
        assert "lacks person" in caught.value.what
    if change != "columns differ":
        assert caught.value.where == str(tmp_path / "scores.npz")
        assert "--force" in caught.value.remedy


def test_random_damage_never_ends_in_another_error(tmp_path):
    path, rng = tmp_path / "scores.npz", np.random.default_rng(0)
    save_scores(path, made_scores(made_labels(), terms=True))
    raw = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    refused = 0
    for _ in range(300):
        damaged = raw.copy()
        damaged[rng.integers(len(raw), size=5)] = rng.integers(256, size=5)
        path.write_bytes(damaged[: rng.integers(len(raw) // 2, 2 * len(raw))].tobytes())
        try:
            load_scores(path)
        except DataError:
            refused += 1
    assert refused > 250


def test_pickle_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    np.savez(tmp_path / "scores.npz", clip=np.array([Trap()], dtype=object))
    with pytest.raises(DataError):
        load_scores(tmp_path / "scores.npz")
    assert not (tmp_path / "sprung").exists()


class TestWeights:
    def test_round_trip(self, tmp_path):
        state = {
            "a": torch.randn(3, 4),
            "b": np.arange(5),
            "c": torch.tensor(2.5, dtype=torch.float64),
            "view": torch.arange(10)[::2],
            "parameter": torch.nn.Parameter(torch.ones(2)),
            "empty": torch.zeros(0, dtype=torch.int64),
        }
        state["shared"] = state["a"]
        save_weights(tmp_path / "w.safetensors", state)
        back = load_weights(tmp_path / "w.safetensors")
        assert back.keys() == state.keys()
        for name, value in state.items():
            assert torch.equal(back[name], torch.as_tensor(value)), name

    def test_nothing_learned(self, tmp_path):
        save_weights(tmp_path / "w.safetensors", {})
        assert load_weights(tmp_path / "w.safetensors") == {}

    def test_equal_weights_equal_bytes(self, tmp_path):
        for name in ("a", "b"):
            save_weights(tmp_path / name, {"x": torch.ones(3), "y": torch.zeros(2, dtype=torch.int64)})
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    @pytest.mark.parametrize("raw", [b"", b"{}", b"\x80\x04pickle" * 9])
    def test_damage(self, tmp_path, raw):
        (tmp_path / "w.safetensors").write_bytes(raw)
        with pytest.raises(DataError):
            load_weights(tmp_path / "w.safetensors")

    def test_absent(self, tmp_path):
        with pytest.raises(DataError):
            load_weights(tmp_path / "w.safetensors")
