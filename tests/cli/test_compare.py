"""``vadbench compare``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from command_line import call
from stored_runs import FRAMES, made_labels, made_scores, write_run

from vadbench.cli.main import cli
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.report.comparison import compare
from vadbench.report.comparison_frames import counted_frames
from vadbench.report.comparison_text import sentence
from vadbench.store.folders import RECORD, find_runs, open_run

CLIPS = {f"{i % 3:02d}_{i:02d}": ((10, 10 + 3 * i),) if i % 4 else () for i in range(12)}
PERSONS = dict.fromkeys(CLIPS, (1, 2))


@pytest.fixture
def vadbench(capsys, monkeypatch, tmp_path):
    """The command line, with the command in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(cli.lazy, "compare", ("vadbench.cli.compare:compare", "Whether test clips tell two methods apart."))
    return lambda *arguments: call(capsys, *arguments)


def written(root, method, *, skill=1.0, seed=0, **more):
    """A run on twelve clips."""
    labels = more.pop("labels", None) or made_labels(CLIPS)
    # Methods have draws of their own.
    draws = seed + 100 * sum(map(ord, method))
    scores = made_scores(labels, seed=draws, skill=skill, persons=PERSONS)
    return write_run(root, method=method, seed=seed, labels=labels, scores=scores, **more)


def test_two_methods_are_compared_in_table_and_sentence(vadbench, tmp_path):
    for seed in (0, 1):
        written(tmp_path / "runs", "knn", skill=0.1, seed=seed)
        written(tmp_path / "runs", "msgflow", skill=0.9, seed=seed)
    called = vadbench("compare", "runs/msgflow", "runs/knn")
    assert (called.code, called.err) == (0, "")
    assert f"campus, standard-v1, 12 clips, {12 * FRAMES} frames" in called.out
    flat = " ".join(called.out.split())
    assert "msgflow is " in flat
    assert " points above knn; the interval [" in flat
    assert "excludes 0, so on clips such as these msgflow is better" in flat
    assert "permutations, each of which swaps" in flat
    assert vadbench("compare", "runs/msgflow", "runs/knn").out == called.out


def test_json_holds_what_the_library_gives(vadbench, tmp_path):
    a = [written(tmp_path, "a", skill=0.6, seed=seed) for seed in (3, 1)]
    b = written(tmp_path, "b", skill=0.3)
    found = vadbench("compare", "a", "b/campus/0/0123456789ab", "--json", "--resamples", 500).json
    expected = compare(a, [b], resamples=500)
    assert found["a"]["seeds"] == [1, 3]
    assert found["a"]["auroc"] == pytest.approx(50 * sum(run.record.metrics.auroc for run in a), abs=1e-5)
    assert found["b"]["auroc_sd"] is None
    assert found["difference"] == pytest.approx(found["a"]["auroc"] - found["b"]["auroc"], abs=1e-5)
    assert found["difference"] == pytest.approx(100 * expected.test.difference, abs=1e-5)
    assert found["difference_interval"]["low"] == pytest.approx(100 * expected.interval.low, abs=1e-5)
    assert found["difference_interval"]["resamples"] + found["difference_interval"]["left_out"] == 500
    assert found["permutation_test"]["p"] == expected.test.p
    assert found["sentence"] == sentence(expected)
    assert found["stand_in"] is False
    assert found["a"]["auroc_interval"]["low"] < found["a"]["auroc"] < found["a"]["auroc_interval"]["high"]


def test_a_small_difference_is_not_settled_and_the_order_turns_the_sign(vadbench, tmp_path):
    written(tmp_path, "a", skill=0.5)
    written(tmp_path, "b", skill=0.5)
    there, back = (vadbench("compare", *each, "--json").json for each in (("a", "b"), ("b", "a")))
    assert there["difference"] == -back["difference"]
    assert there["difference_interval"]["low"] == pytest.approx(-back["difference_interval"]["high"])
    assert "do not settle which is better" in there["sentence"]
    below, above = (there, back) if there["difference"] < 0 else (back, there)
    assert " points below " in below["sentence"]
    assert " points above " in above["sentence"]


def test_the_same_scores_have_the_same_auroc(tmp_path):
    labels = made_labels(CLIPS)
    scores = made_scores(labels, persons=PERSONS)
    runs = [write_run(tmp_path, method=name, labels=labels, scores=scores) for name in ("a", "b")]
    found = compare(runs[:1], runs[1:])
    assert (found.difference, found.interval.low, found.interval.high, found.test.p) == (0.0, 0.0, 0.0, 1.0)
    assert sentence(found).startswith("a and b have the same AUROC; ")


def test_another_protocol_scores_both_anew(vadbench, tmp_path):
    a, _ = written(tmp_path, "a"), written(tmp_path, "b", skill=0.3)
    own, other = (vadbench("compare", "a", "b", "--json", *more).json for more in ((), ("--protocol", "mocodad")))
    assert (own["protocol"], other["protocol"]) == ("standard-v1", "mocodad")
    assert own["a"]["auroc"] != other["a"]["auroc"]
    assert any("mocodad for campus" in note for note in other["notes"])
    (tmp_path / "mine.toml").write_text('name = "mine"\n[pipeline]\nplacement = "last"\n')
    mine = vadbench("compare", "a", "b", "--json", "--protocol", "mine.toml").json
    assert mine["protocol"] == "mine"
    assert mine["a"]["auroc"] != own["a"]["auroc"]
    called = vadbench("compare", "a", "b", "--protocol", "mocodat")
    assert called.code == 2
    assert "mocodad" in called.err
    assert a.record.protocol == STANDARD_V1.name


def test_of_several_runs_of_a_seed_the_newest_counts(tmp_path):
    written(tmp_path, "a", run_id="aaaaaaaaaaaa", created="2026-01-01T00:00:00+00:00")
    newer = written(tmp_path, "a", run_id="000000000000", created="2026-02-01T00:00:00+00:00", skill=0.2)
    b = written(tmp_path, "b")
    found = compare(find_runs(tmp_path / "a"), [b])
    assert found.a.runs == (newer.path,)


def test_of_several_methods_below_one_folder_one_is_chosen_by_its_name(vadbench, tmp_path):
    for seed in (0, 1):
        written(tmp_path / "x", "a", seed=seed, skill=0.2)
        written(tmp_path / "x", "a", seed=seed, skill=0.9, changes=("prior=none",), config_hash="d" * 12, run_id="d" * 12)
    refused = vadbench("compare", "x", "x")
    assert refused.code == 2
    assert "--label-a 'a'" in refused.err
    found = vadbench("compare", "x", "x", "--label-a", "a", "--label-b", "a [prior=none]", "--json").json
    assert (found["a"]["method"], found["b"]["method"]) == ("a", "a [prior=none]")
    assert found["a"]["seeds"] == found["b"]["seeds"] == [0, 1]
    assert found["difference"] < 0
    unknown = vadbench("compare", "x", "x", "--label-a", "c")
    assert unknown.code == 2
    assert "the methods are a; a [prior=none]" in unknown.err


def test_few_clips_give_no_interval_and_say_so(vadbench, tmp_path):
    for method in "ab":
        write_run(tmp_path, method=method, skill=0.5, scores=None)
    found = vadbench("compare", "a", "b", "--json").json
    assert found["difference_interval"]["low"] is None
    assert "an interval takes 10 clips, and there are 3" in found["sentence"]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"method": "c"}, "A mixes 2 methods: a; c"),
        ({"dataset": "alley"}, "A mixes 2 data sets: alley; campus"),
        ({"config_hash": "d0d0d0d0d0d0"}, "A mixes 2 configurations"),
        ({"poses": "p1"}, "A mixes 2 states of the data"),
        ({"track": "supervised"}, "A mixes 2 tracks"),
    ],
)
def test_mixtures_are_refused(vadbench, tmp_path, other, said):
    written(tmp_path / "x", "a", seed=0)
    written(tmp_path / "x", **{"method": "a", "seed": 1, **other})
    written(tmp_path / "y", "b")
    called = vadbench("compare", "x", "y")
    assert called.code == 2
    assert said in called.err
    assert "remedy" in called.err


def test_what_was_tested_on_something_else_is_refused(vadbench, tmp_path):
    written(tmp_path, "a")
    written(tmp_path, "b", dataset="alley")
    written(tmp_path, "c", labels=made_labels(CLIPS, leave_out=(0, 5)))
    assert "A is on campus, B on alley" in vadbench("compare", "a", "b").err
    assert "different labels of campus" in vadbench("compare", "a", "c").err
    assert "a run in common" in vadbench("compare", "a", "a").err
    assert vadbench("compare", "a", "a").code == 2
    called = vadbench("compare", "a", "nowhere")
    assert called.code == 3
    assert "no such folder" in called.err


def test_runs_of_different_protocols_need_one_for_both(tmp_path):
    a, b = written(tmp_path, "a"), written(tmp_path, "b")
    record = json.loads((b.path / RECORD).read_text())
    (b.path / RECORD).write_text(json.dumps({**record, "protocol": "mocodad"}))
    b = open_run(b.path)
    with pytest.raises(Exception, match="different protocols: mocodad, standard-v1"):
        compare([a], [b])
    assert compare([a], [b], protocol=STANDARD_V1).protocol == "standard-v1"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"poses": "p1"}, "test poses of A and B differ"),
        ({"track": "supervised"}, "A is one-class, B is supervised"),
        ({"stand_in": True}, "stand-in data, not a result"),
    ],
)
def test_what_makes_a_comparison_doubtful_is_said(vadbench, tmp_path, more, said):
    written(tmp_path, "a")
    written(tmp_path, "b", **more)
    assert said in " ".join(vadbench("compare", "a", "b").out.split())
    assert any(said in note for note in vadbench("compare", "a", "b", "--json").json["notes"])


def test_scores_that_were_changed_are_refused(vadbench, tmp_path):
    written(tmp_path, "a")
    run = written(tmp_path, "b")
    (run.path / "scores.npz").write_bytes((run.path / "scores.npz").read_bytes()[:-1] + b"!")
    called = vadbench("compare", "a", "b")
    assert called.code == 6
    assert "has changed" in called.err


def test_one_class_is_said_and_is_no_crash(vadbench, tmp_path):
    labels = made_labels(dict.fromkeys(CLIPS, ()))
    written(tmp_path, "a", labels=labels)
    written(tmp_path, "b", labels=labels)
    assert "Nothing can be said of a and b: there are no abnormal frames." in vadbench("compare", "a", "b").out
    found = vadbench("compare", "a", "b", "--json").json
    assert found["difference"] is None
    assert found["permutation_test"]["p"] is None
    assert found["a"]["auroc_interval"]["low"] is None


def test_two_configurations_of_one_method_keep_their_letters(tmp_path):
    a = written(tmp_path / "x", "knn")
    b = written(tmp_path / "y", "knn", config_hash="d0d0d0d0d0d0", skill=0.2)
    assert sentence(compare([a], [b])).startswith("knn (A) is ")


def test_frames_that_do_not_count_play_no_part(tmp_path):
    run = written(tmp_path, "a", labels=made_labels(CLIPS, leave_out=(0, 20)))
    frames = counted_frames(run, STANDARD_V1.on("campus"))
    assert {len(part) for part in frames.score} == {FRAMES - 20}
    assert frames.pairs().auroc == pytest.approx(run.record.metrics.auroc, abs=1e-12)
    assert np.isfinite(np.concatenate(frames.score)).all()
