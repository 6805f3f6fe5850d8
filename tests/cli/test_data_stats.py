"""``vadbench data stats``: tables, JSON and the figure."""

from __future__ import annotations

import described_plugin
import pytest


@pytest.fixture
def telling(monkeypatch, tmp_path):
    """The data sets of `described_plugin`, with the files of ``telling``; gives the data root."""
    described_plugin.install(monkeypatch)
    monkeypatch.setenv("VADBENCH_CACHE", "off")
    (tmp_path / "Telling" / "poses").mkdir(parents=True)
    return tmp_path


def squeezed(called):
    assert called.code == 0, called.err
    return " ".join(called.out.split())


def test_json(telling, vadbench):
    found = vadbench("data", "stats", "telling", "--data-root", telling, "--length", 8, "--json").json
    assert found["name"] == "telling"
    assert found["protocol"] == "standard-v1"
    assert list(found["splits"]) == ["train", "validation", "test"]
    test = found["splits"]["test"]
    assert test["rule"] == {"length": 8, "stride": 1, "missing": 2, "keep_last": False}
    assert found["splits"]["train"]["rule"]["stride"] == 6
    whole = test["all"]
    counted = ("clips", "frames", "poses", "tracks", "windows", "frames_counted", "abnormal_frames")
    assert [whole[name] for name in counted] == [3, 81, 90, 3, 52 + 2 + 12, 79, 19]
    assert whole["clips_without_poses"] == 1
    assert whole["frames_with_nobody"] == 1
    # c0 is scored at frames 4 to 55, c1 at 4 to 15, and frame 3 of each does not count.
    assert whole["coverage"]["frames"]["scored"] == pytest.approx(64 / 79)
    assert whole["coverage"]["abnormal_frames"]["scored"] == pytest.approx(12 / 19)
    assert whole["coverage"]["abnormal_frames"]["unscored"] == {"nobody": 1, "no-window": 0, "track-ends": 6, "between": 0}
    assert whole["coverage"]["auroc_raw_ceiling"] == pytest.approx((1 + 12 / 19) / 2)
    assert list(test["scenes"]) == ["s0", "s1"]
    assert test["scenes"]["s1"]["frames"] == 20
    assert found["splits"]["train"]["all"]["coverage"] is None
    validation = found["splits"]["validation"]
    assert validation["labels_problem"] == "validation has no masks [yet]"
    assert validation["all"]["abnormal_frames"] is None
    assert validation["all"]["coverage"]["frames"]["scored"] == pytest.approx(64 / 81)


def test_text(telling, vadbench):
    text = squeezed(vadbench("data", "stats", "telling", "--data-root", telling, "--length", 8))
    for part in (
        "Telling [json] (telling)",
        "train validation test",
        "clips 3 3 3 without a pose 1 1 1",
        "abnormal, of those that count 19 (24.1 %) 19 (24.1 %)",
        "frames that a window scores 79.0 % 81.0 %",
        "abnormal frames that a window scores 63.2 %",
        "not scored: ends of tracks 19.8 % 17.7 % / 31.6 %",
        "highest AUROC possible, not smoothed 81.6",
        "Windows of T = 8 poses, stride 6 (train), 1 (validation), 1 (test); 2 of them may lie beyond T frames.",
        "validation: no frame labels (validation has no masks [yet]).",
        "test: most of the abnormal frames that no window scores (31.6 % of all abnormal frames) are lost to ends of tracks",
        "test, by scene",
    ):
        assert part in text
    assert "stand-in" not in text


def test_options_of_the_windows(telling, vadbench):
    options = ("--length", 10, "--stride", 3, "--missing", 0, "--keep-last", "--split", "test")
    found = vadbench("data", "stats", "telling", "--data-root", telling, *options, "--json").json["splits"]
    assert list(found) == ["test"]
    assert found["test"]["rule"] == {"length": 10, "stride": 3, "missing": 0, "keep_last": True}
    assert found["test"]["all"]["windows"] == 17 + 1 + 4


def test_what_is_left_open_is_as_in_a_run(telling, vadbench):
    from vadbench.engine.config import WindowsConfig

    usual = WindowsConfig()
    found = vadbench("data", "stats", "telling", "--data-root", telling, "--json").json["splits"]
    for split, stride in (("train", usual.train_stride), ("test", usual.test_stride)):
        rule = {"length": usual.length, "stride": stride, "missing": usual.missing, "keep_last": usual.keep_last}
        assert found[split]["rule"] == rule


@pytest.mark.parametrize("options", [[], ["--json"], ["--split", "train"]])
def test_figure(telling, vadbench, tmp_path, options):
    path = tmp_path / "new" / "figure.png"
    called = vadbench("data", "stats", "telling", "--data-root", telling, "-o", path, *options)
    assert called.code == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert str(path) in (called.err if "--json" in options else called.out)
    assert "--json" not in options or called.json


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["telling", "--split", "tset"], 2, "'tset' is not one of"),
        (["hr-shanghaitech", "--split", "validation"], 2, "no validation split\n  remedy: its splits are train, test"),
        (["synthetic-campus", "--length", "5", "--missing", "5"], 2, "no such window rule"),
        (["synthetic-campus", "-o", "figure.gif"], 2, "cannot be written as .gif"),
        (["hr-shanghaitech"], 3, "there is no data root"),
    ],
)
def test_errors(vadbench, options, code, said):
    called = vadbench("data", "stats", *options)
    assert called.code == code
    assert said in called.err


def test_stand_in_data_are_named(vadbench):
    small = ("--set", "dataset.train_clips=2", "--set", "dataset.test_clips=2")
    called = vadbench("data", "stats", "synthetic-campus", *small)
    assert "(synthetic-campus; stand-in data, not a result)" in squeezed(called)
    assert vadbench("data", "stats", "synthetic-campus", *small, "--json").json["stand_in"] is True


def test_a_folder(vadbench, pose_folder, monkeypatch, tmp_path):
    monkeypatch.setenv("VADBENCH_CACHE", str(tmp_path / "cache"))
    found = vadbench("data", "stats", pose_folder, "--json").json["splits"]
    assert found["test"]["all"]["clips"] == 3
    assert found["test"]["all"]["frames"] == 3 * 72
    assert found["test"]["all"]["abnormal_share"] == pytest.approx(1 / 3)
    assert found["train"]["all"]["abnormal_frames"] in (0, None)


def test_real_motion(vadbench, shared_data, monkeypatch, tmp_path):
    monkeypatch.setenv("VADBENCH_CACHE", str(tmp_path / "cache"))
    found = vadbench("data", "stats", shared_data / "mocap-street", "--split", "test", "--json").json["splits"]["test"]
    assert found["all"]["clips"] == 40
    assert len(found["scenes"]) == 6
    assert 0.5 < found["all"]["coverage"]["abnormal_frames"]["scored"] < 1
