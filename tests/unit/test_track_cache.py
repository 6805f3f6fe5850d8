"""The cache of parsed poses: never out of date, never half written, never trusted unchecked."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cached_poses import Written, entry_of, poses, same

from vadbench.api import DataError
from vadbench.data.cache.entry import DESCRIPTION
from vadbench.data.cache.track_cache import TrackCache, default_cache

FILES = ("planes.npy", "clip.npy", "person.npy", "frame.npy", "score.npy", DESCRIPTION)


@pytest.fixture
def data(tmp_path) -> Written:
    return Written(tmp_path / "data")


@pytest.fixture
def cache(tmp_path) -> TrackCache:
    return TrackCache(tmp_path / "cache")


class TestSecondTime:
    def test_nothing_is_parsed(self, cache, data):
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        again = cache.tracks(data, "test", reading="r")
        assert same(again, poses(1))
        assert data.parsed == 1
        planes = again[0].planes
        while planes.base is not None and not isinstance(planes, np.memmap):
            planes = planes.base
        assert isinstance(planes, np.memmap) or type(planes).__name__ == "mmap", "mapped, not read"

    def test_moved_folder(self, cache, data, tmp_path):
        cache.tracks(data, "test", reading="r")
        data.folder = data.folder.rename(tmp_path / "elsewhere")
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        assert data.parsed == 1

    @pytest.mark.parametrize("asked", [{"reading": "other"}, {"split": "train"}])
    def test_other_settings_and_splits_are_kept_apart(self, cache, data, asked):
        cache.tracks(data, "test", reading="r")
        cache.tracks(data, asked.get("split", "test"), reading=asked.get("reading", "r"))
        assert data.parsed == 2
        assert len(list(cache.entries())) == 2

    def test_data_set_that_does_not_say_what_it_reads(self, cache, data):
        silent = SimpleNamespace(info=data.info, tracks=data.tracks, labels=data.labels)
        for _ in range(2):
            assert same(cache.tracks(silent, "test", reading="r"), poses(1))
        assert data.parsed == 2


class TestChangedSource:
    def test_other_content(self, cache, data):
        cache.tracks(data, "test", reading="r")
        data.write(2)
        assert same(cache.tracks(data, "test", reading="r"), poses(2))

    def test_same_size_and_times(self, cache, data):
        """Written within the clock's resolution, with the old modification time: found all the same."""
        stat = (data.folder / "poses.txt").stat()
        for seed in (2, 3, 4):
            data.write(seed)
            os.utime(data.folder / "poses.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))
            assert same(cache.tracks(data, "test", reading="r"), poses(seed))

    def test_settled_files_are_not_read_again(self, cache, data, monkeypatch):
        monkeypatch.setattr("vadbench.data.cache.source_digests._RESTLESS_NS", -1)
        cache.tracks(data, "test", reading="r")
        monkeypatch.setattr("vadbench.data.cache.source_digests._digest", lambda path: pytest.fail("read again"))
        assert same(cache.tracks(data, "test", reading="r"), poses(1))

    def test_gone(self, cache, data):
        cache.tracks(data, "test", reading="r")
        (data.folder / "poses.txt").unlink()
        with pytest.raises(DataError, match="cannot be read"):
            cache.tracks(data, "test", reading="r")

    def test_changed_while_it_is_parsed(self, cache, data, monkeypatch, caplog):
        parse = Written.tracks

        def slowly(self, split):
            tracks = parse(self, split)
            self.write(7)
            return tracks

        monkeypatch.setattr(Written, "tracks", slowly)
        cache.tracks(data, "test", reading="r")
        assert "changed while they were read" in caplog.text
        monkeypatch.setattr(Written, "tracks", parse)
        data.write(1)
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        data.write(7)
        assert same(cache.tracks(data, "test", reading="r"), poses(7))

    @pytest.mark.parametrize("change", ["came", "went"])
    def test_file_that_comes_or_goes_while_it_is_parsed(self, cache, data, monkeypatch, change):
        sources, parse, other = Written.sources, Written.tracks, data.folder / "other.txt"

        def all_there(self, split):
            more = {"c1": (other,)} if other.exists() else {}
            return sources(self, split) | more

        def slowly(self, split):
            other.unlink() if other.exists() else other.write_text("2", encoding="utf-8")
            return poses(9)

        monkeypatch.setattr(Written, "sources", all_there)
        monkeypatch.setattr(Written, "tracks", slowly)
        if change == "went":
            other.write_text("2", encoding="utf-8")
        cache.tracks(data, "test", reading="r")
        assert list(cache.entries()) == []
        monkeypatch.setattr(Written, "tracks", parse)
        assert same(cache.tracks(data, "test", reading="r"), poses(1))

    @pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b"\x00\xff", b'{"/x": [1, 2]}'])
    def test_damaged_memory_of_digests(self, cache, data, damage, monkeypatch):
        monkeypatch.setattr("vadbench.data.cache.source_digests._RESTLESS_NS", -1)
        cache.tracks(data, "test", reading="r")
        (memory,) = (cache.folder / "vadbench-poses" / "sources").iterdir()
        memory.write_bytes(damage)
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        assert data.parsed == 1


class TestDamage:
    @pytest.mark.parametrize("name", FILES)
    @pytest.mark.parametrize("how", ["gone", "empty", "cut", "flipped", "other"])
    def test_parsed_again(self, cache, data, name, how, caplog):
        cache.tracks(data, "test", reading="r")
        file = entry_of(cache) / name
        whole = file.read_bytes()
        if how == "gone":
            file.unlink()
        else:
            at = len(whole) - 3
            flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
            file.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "flipped": flipped, "other": b"other" * 99}[how])
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        # The last bytes of the description are its closing brace, so every flip breaks something.
        assert data.parsed == 2
        assert "damaged" in caplog.text
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        assert data.parsed == 2, "and kept again"

    def test_poses_of_another_entry(self, cache, data):
        cache.tracks(data, "test", reading="r")
        path = entry_of(cache)
        np.save(path / "planes.npy", poses(2).planes)
        assert same(cache.tracks(data, "test", reading="r"), poses(1))

    def test_pickles_are_never_loaded(self, cache, data, tmp_path):
        class Loaded:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "loaded",))

        cache.tracks(data, "test", reading="r")
        np.save(entry_of(cache) / "score.npy", np.array([Loaded()], dtype=object), allow_pickle=True)
        assert same(cache.tracks(data, "test", reading="r"), poses(1))
        assert not (tmp_path / "loaded").exists()

    def test_verify_removes_and_names(self, cache, data):
        for split in ("train", "test"):
            cache.tracks(data, split, reading="r")
        bad = next(cache.entries()).path
        (bad / "frame.npy").write_bytes(b"x")
        assert cache.verify() == [bad]
        assert len(list(cache.entries())) == 1
        assert cache.verify() == []


def test_what_is_not_the_caches_own_is_left_alone(tmp_path, data):
    mine = [tmp_path / "sources" / "main.py", tmp_path / "tracks" / "ab" / "song" / "a.wav", tmp_path / ("a" * 32)]
    mine.append(tmp_path / "vadbench-poses" / "tracks" / "ab" / "song" / "a.wav")
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine", encoding="utf-8")
    cache = TrackCache(tmp_path)
    cache.tracks(data, "test", reading="r")
    assert cache.verify() == []
    assert cache.clear()[0] == 1
    assert all(path.read_text(encoding="utf-8") == "mine" for path in mine)


class TestDefault:
    def test_where(self, monkeypatch, tmp_path):
        monkeypatch.setenv("VADBENCH_CACHE", str(tmp_path / "x"))
        assert default_cache() == TrackCache(tmp_path / "x")
        monkeypatch.delenv("VADBENCH_CACHE")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "y"))
        assert default_cache() == TrackCache(tmp_path / "y" / "vadbench")
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert default_cache() == TrackCache(tmp_path / ".cache" / "vadbench")

    def test_off(self, monkeypatch):
        monkeypatch.setenv("VADBENCH_CACHE", "off")
        assert default_cache() is None


def test_quiet_when_all_is_well(cache, data, caplog):
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            cache.tracks(data, "test", reading="r")
    assert caplog.text == ""
