"""Checkpoint files: whole or absent, bit for bit, and put aside when they are damaged or of another training."""

from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from vadbench.engine.training.checkpoints import (
    ASIDE,
    Checkpoint,
    Checkpoints,
    Saved,
    read_checkpoint,
    read_facts,
    write_checkpoint,
)

LOGGER = logging.getLogger("vadbench.test")
TENSORS = {
    "weight": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)),
    "steps": torch.tensor(7.0),
    "mask": torch.tensor([True, False]),
    "half": torch.randn(5).to(torch.bfloat16),
    "random": torch.Generator().manual_seed(3).get_state(),
    "none": torch.zeros(0, 2),
    "endless": torch.tensor([-torch.inf, torch.nan]),
}
FACTS = {"position": {"epoch": 3, "total": 0.1 + 0.2, "history": [1 / 3, 1e-300]}, "names": ["ä"]}


@pytest.fixture
def checkpoint(tmp_path) -> Checkpoint:
    return Checkpoints(tmp_path / "deep" / "down", 60).of("m.part", 0, {"plan": {"epochs": 2}}, LOGGER)


def test_comes_back_bit_for_bit(tmp_path):
    write_checkpoint(tmp_path / "x.safetensors", Saved(TENSORS, FACTS))
    saved = read_checkpoint(tmp_path / "x.safetensors")
    assert saved.facts == FACTS
    assert saved.tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert saved.tensors[name].dtype == value.dtype
        assert torch.equal(saved.tensors[name].nan_to_num(nan=5), value.nan_to_num(nan=5)), name
    assert read_facts(tmp_path / "x.safetensors")["position"] == FACTS["position"]


def test_the_one_before_stays_when_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    write_checkpoint(path, Saved({"a": torch.zeros(2)}, {}))

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint(path, Saved({"a": torch.ones(2)}, {}))
    assert torch.equal(read_checkpoint(path).tensors["a"], torch.zeros(2))
    assert [file.name for file in tmp_path.iterdir()] == ["x.safetensors"]


def test_is_flushed_before_it_is_moved_there(tmp_path, monkeypatch):
    done, flush, replace = [], os.fsync, Path.replace

    def flushed(descriptor):
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        flush(descriptor)

    def replaced(self, target):
        done.append("moved")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", replaced)
    write_checkpoint(tmp_path / "x.safetensors", Saved({}, {}))
    assert done == ["file", "moved", "folder"]


def test_any_damage_is_seen(tmp_path):
    """A flipped bit anywhere, a cut at any place: nothing of it is taken for a checkpoint."""
    path = tmp_path / "x.safetensors"
    write_checkpoint(path, Saved({"a": torch.arange(6.0), "b": torch.ones(2)}, {"epoch": 3}))
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with suppress(ValueError):
            read = read_checkpoint(path)
            # The names in the header are in an order of no meaning, and blanks fill it up.
            assert read.facts == {"epoch": 3}, at
            assert read.tensors["a"].tolist() == list(range(6)), at
            assert at < len(whole) - 8 * 4, at
    for at in (0, 4, 8, 40, len(whole) - 32, len(whole) - 1):
        path.write_bytes(whole[:at])
        with pytest.raises(ValueError, match=r".+"):
            read_checkpoint(path)


class TestOfATraining:
    def test_nothing_there(self, checkpoint):
        assert checkpoint.load() is None

    def test_what_was_saved(self, checkpoint):
        checkpoint.save({"a": torch.ones(2)}, {"epoch": 1})
        checkpoint.save({"a": torch.zeros(2)}, {"epoch": 2})
        saved = checkpoint.load()
        assert saved.facts["epoch"] == 2
        assert torch.equal(saved.tensors["a"], torch.zeros(2))
        assert [path.name for path in checkpoint.path.parent.iterdir()] == ["m.part-0.safetensors"]

    @pytest.mark.parametrize(
        ("name", "run", "identity", "told"),
        [
            ("m.part", "other code", {"plan": {"epochs": 2}}, "run"),
            ("m.part", "", {"plan": {"epochs": 3}}, "plan"),
            ("m.part", "", {"plan": {"epochs": 2}, "shapes": {}}, "shapes"),
            ("m/part", "", {"plan": {"epochs": 2}}, "name"),
        ],
    )
    def test_of_another_training(self, checkpoint, caplog, name, run, identity, told):  # noqa: PLR0917
        checkpoint.save({}, {})
        if name == "m/part":  # another name may come to the same file
            checkpoint.path.rename(checkpoint.path.with_name("m_part-0.safetensors"))
        folder = checkpoint.path.parent
        other = Checkpoints(folder, 60, run).of(name, 0, identity, LOGGER)
        with caplog.at_level(logging.WARNING, "vadbench.test"):
            assert other.load() is None
        assert f"another training: {told}" in caplog.text
        assert "starts afresh" in caplog.text
        assert [path.name for path in folder.iterdir()] == [other.path.name + ASIDE]

    def test_another_number_is_another_file(self, checkpoint):
        checkpoint.save({}, {})
        other = Checkpoints(checkpoint.path.parent, 60).of("m.part", 1, checkpoint.identity, LOGGER)
        assert other.load() is None
        assert checkpoint.load() is not None

    @pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 300])
    def test_damaged(self, checkpoint, caplog, content):
        checkpoint.save({}, {})
        checkpoint.path.write_bytes(content)
        with caplog.at_level(logging.WARNING, "vadbench.test"):
            assert checkpoint.load() is None
        assert "damaged" in caplog.text
        assert not checkpoint.path.exists()

    def test_one_that_cannot_be_written_is_only_told(self, checkpoint, caplog):
        checkpoint.path.parent.parent.mkdir()
        checkpoint.path.parent.touch()  # a file where the folder should be
        with caplog.at_level(logging.WARNING, "vadbench.test"):
            checkpoint.save({"a": torch.ones(1)}, {})
        assert "no checkpoint could be written" in caplog.text

    def test_is_due_by_the_clock(self, tmp_path):
        now = [100.0]
        checkpoint = Checkpoints(tmp_path, 60, clock=lambda: now[0]).of("m", 0, {}, LOGGER)
        due = []
        for now[0] in (100, 159, 160, 161):
            due.append(checkpoint.due())
        checkpoint.save({}, {})
        for now[0] in (161, 220, 221):
            due.append(checkpoint.due())
        assert due == [False, False, True, True, False, False, True]
        assert Checkpoints(tmp_path, 0).of("m", 0, {}, LOGGER).due()
