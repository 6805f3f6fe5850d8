"""``vadbench data cache``: what is kept, and getting rid of it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("VADBENCH_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_empty(vadbench, kept):
    called = vadbench("data", "cache")
    assert called.code == 0
    assert called.out == f"0 entries, 0.0 MB, in {kept}\n"
    assert vadbench("data", "cache", "--json").json == {"folder": str(kept), "entries": []}


def test_build_list_verify_clear(vadbench, kept, pose_folder):
    built = vadbench("data", "cache", "build", pose_folder)
    assert built.code == 0, built.err
    assert [line.split(":")[0] for line in built.out.splitlines()] == ["campus train", "campus test"]
    listed = vadbench("data", "cache", "--json").json["entries"]
    told = {(entry["dataset"], entry["split"], entry["clips"]) for entry in listed}
    assert told == {("campus", "train", 3), ("campus", "test", 3)}
    assert all(entry["bytes"] > 12 * 17 * entry["poses"] for entry in listed)
    assert vadbench("data", "cache").out.splitlines()[-1].startswith("2 entries")
    assert vadbench("data", "cache", "verify").out == f"every entry is sound, in {kept}\n"
    assert vadbench("data", "cache", "clear", "--unused-for", "1").out.startswith("removed 0 entries")
    assert vadbench("data", "cache", "clear").out.startswith("removed 2 entries")
    assert vadbench("data", "cache").out.startswith("0 entries")


def test_damaged_entry_is_named_and_removed(vadbench, kept, pose_folder):
    vadbench("data", "cache", "build", pose_folder)
    path = vadbench("data", "cache", "--json").json["entries"][0]["path"]
    with (Path(path) / "planes.npy").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x00\x00\x00\x01")
    called = vadbench("data", "cache", "verify")
    assert called.code == 3
    assert path in called.err
    assert "nothing is lost" in called.err
    assert vadbench("data", "cache", "verify").code == 0


def test_a_run_fills_it_and_uses_it(vadbench, kept, pose_folder):
    ran = ("run", "knn", "--dataset", pose_folder, "--no-plots", "--json", "--set", "windows.length=8")
    first = vadbench(*ran)
    assert first.code == 0, first.err
    entries = vadbench("data", "cache", "--json").json["entries"]
    assert {entry["split"] for entry in entries} == {"train", "test"}
    again = vadbench(*ran, "--force")
    assert again.json["runs"][0]["metrics"] == first.json["runs"][0]["metrics"]


def test_switched_off(vadbench, monkeypatch):
    monkeypatch.setenv("VADBENCH_CACHE", "off")
    called = vadbench("data", "cache")
    assert called.code == 2
    assert "switched off" in called.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["build", "nowhere"], "no data set is named 'nowhere'"),
        (["build", "campus", "--set", "windows.length=3"], "is not a setting of the data set"),
        (["--json", "verify"], "--json goes with"),
        (["clean"], "No such command"),
    ],
)
def test_usage(vadbench, kept, arguments, told):
    called = vadbench("data", "cache", *arguments)
    assert called.code == 2
    assert told in called.err


def test_a_file_is_no_cache(vadbench, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("VADBENCH_CACHE", str(tmp_path / "file"))
    for command in ("verify", "clear"):
        called = vadbench("data", "cache", command)
        assert called.code == 2
        assert "a file, not a folder" in called.err


def test_what_stays_is_told(vadbench, kept, pose_folder, monkeypatch):
    vadbench("data", "cache", "build", pose_folder)
    monkeypatch.setattr("vadbench.data.cache.track_cache._remove", lambda path: False)
    called = vadbench("data", "cache", "clear")
    assert called.code == 3
    assert called.out.startswith("removed 0 entries")
    assert "2 entries could not be removed" in called.err
