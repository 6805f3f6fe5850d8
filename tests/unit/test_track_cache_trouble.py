"""Full disks, killed writers, writers at the same time: whatever happens to the cache, the poses are right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from cached_poses import Written, entry_of, poses, same
from made_tracks import made_tracks

from vadbench.data.cache import track_cache
from vadbench.data.cache.entry import DESCRIPTION, write_entry
from vadbench.data.cache.track_cache import TrackCache


@pytest.fixture
def data(tmp_path) -> Written:
    return Written(tmp_path / "data")


@pytest.fixture
def cache(tmp_path) -> TrackCache:
    return TrackCache(tmp_path / "cache")


class TestTroubleWithTheCacheItself:
    """Whatever happens to the cache, the poses are right, and a warning says what happened."""

    def test_place_that_cannot_be_written(self, data, tmp_path, caplog):
        (tmp_path / "file").write_text("", encoding="utf-8")
        cache = TrackCache(tmp_path / "file" / "cache")
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        assert "Not a directory" in caplog.text

    @pytest.mark.parametrize("after", [0, 1, 3])
    def test_disk_full_at_any_file(self, cache, data, monkeypatch, caplog, after):
        save, saved = np.save, []

        def full(file, array, **more):
            if len(saved) == after:
                Path(file).write_bytes(b"half")
                raise OSError(28, "No space left on device")
            saved.append(file)
            save(file, array, **more)

        monkeypatch.setattr(np, "save", full)
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        assert "No space left on device" in caplog.text
        assert [path for path in cache.folder.rglob("*") if path.is_file() and "sources" not in path.parts] == []
        monkeypatch.undo()
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        assert data.parsed == 2

    def test_small_disk(self, data, tmp_path, caplog):
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False)
        if mounted.returncode:
            pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
        try:
            cache = TrackCache(disk / "cache")
            data.tracks = lambda split: made_tracks({1: range(500)}, seed=1)
            for _ in range(2):
                assert same(cache.tracks(data, "test", reading="r"), made_tracks({1: range(500)}, seed=1))
            assert "not cached: the disk is full" in caplog.text
            assert list(cache.entries()) == []
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_leftovers_of_a_killed_writer(self, cache, data):
        cache.tracks(data, "test", reading="r")
        leftover = entry_of(cache).parent / ".partial-killed"
        leftover.mkdir()
        (leftover / "planes.npy").write_bytes(b"half")
        assert len(list(cache.entries())) == 1
        cache.tracks(data, "train", reading="r")
        assert leftover.exists(), "its writer may still be at work"
        os.utime(leftover, (1, 1))
        data.write(3)
        cache.tracks(data, "train", reading="r")
        assert not leftover.exists()

    def test_oldest_goes_when_it_grows(self, cache, data, monkeypatch):
        for seed in (1, 2, 3):
            data.write(seed)
            cache.tracks(data, "test", reading="r")
            for entry in cache.entries():
                os.utime(entry.path / DESCRIPTION, (entry.used - 100, entry.used - 100))
        sizes = [entry.size for entry in cache.entries()]
        monkeypatch.setattr(track_cache, "LARGEST", sum(sizes) - 1)
        data.write(1)
        cache.tracks(data, "test", reading="r")  # used again, and so the last to go
        data.write(4)
        cache.tracks(data, "test", reading="r")
        parsed = data.parsed
        for seed, kept in ((4, True), (1, True), (2, False)):
            data.write(seed)
            monkeypatch.setattr(track_cache, "LARGEST", 10**9)
            assert same(cache.tracks(data, "test", reading="r"), poses(seed))
            assert (data.parsed == parsed) is kept
            parsed = data.parsed


class TestTwoWriters:
    def test_threads_at_once(self, cache, data):
        ready, got = threading.Barrier(4), []

        def work():
            ready.wait()
            got.append(cache.tracks(data, "test", reading="r"))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 4
        assert all(same(each, poses(1)) for each in got)
        assert len(list(cache.entries())) == 1
        assert list(cache.folder.rglob(".partial*")) == []

    def test_the_second_leaves_the_first_alone(self, tmp_path):
        tracks, path = poses(1), tmp_path / "ab" / "entry"
        told = {"fingerprint": tracks.fingerprint(), "dataset": "d", "split": "test"}
        assert write_entry(path, tracks, **told)
        before = (path / "planes.npy").stat().st_ino
        assert not write_entry(path, tracks, **told)
        assert (path / "planes.npy").stat().st_ino == before
        assert [entry.name for entry in path.parent.iterdir()] == ["entry"]


_WRITER = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from test_track_cache import Written, poses, TrackCache
from cached_poses import Written, entry_of, poses, same
from made_tracks import made_tracks
import test_track_cache
data = Written(Path({folder!r}) / "data")
data.tracks = lambda split: made_tracks({{1: range(4000)}}, seed=1)
print("ready", flush=True)
TrackCache(Path({folder!r}) / "cache").tracks(data, "test", reading="r")
print("done", flush=True)
"""


def test_processes_at_once(tmp_path):
    data, cache = Written(tmp_path / "data"), TrackCache(tmp_path / "cache")
    data.tracks = lambda split: made_tracks({1: range(4000)}, seed=1)
    code = _WRITER.format(path=[entry for entry in sys.path if entry], folder=str(tmp_path))
    writers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [writer.communicate()[0].split() for writer in writers] == [["ready", "done"]] * 4
    assert len(list(cache.entries())) == 1
    assert cache.verify() == []
    assert list(cache.folder.rglob(".partial*")) == []
    data.tracks = lambda split: pytest.fail("parsed again")
    assert same(cache.tracks(data, "test", reading="r"), made_tracks({1: range(4000)}, seed=1))


def test_killed_while_it_writes(tmp_path):
    """SIGKILL at several moments of a write: what is read afterwards is always whole."""
    data, cache = Written(tmp_path / "data"), TrackCache(tmp_path / "cache")
    data.tracks = lambda split: made_tracks({1: range(4000)}, seed=1)
    wanted = made_tracks({1: range(4000)}, seed=1)
    code = _WRITER.format(path=[entry for entry in sys.path if entry], folder=str(tmp_path))
    for moment in range(4):
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        # From the first file that appears to long after the last.
        deadline = time.monotonic() + 20
        while not list(cache.folder.rglob("planes.npy")) and time.monotonic() < deadline and writer.poll() is None:
            time.sleep(0.0002)
        time.sleep(0.002 * moment)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert same(cache.tracks(data, "test", reading="r"), wanted)
        assert cache.verify() == []
        cache.clear()
        assert list(cache.folder.rglob("*.npy")) == []
