"""Whatever is changed in a submission is found: figures, what follows from them, scores, labels, hashes."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from submissions import FORGED, checked, edit, edit_arrays, edit_row, faults, mend_hashes, scaled

from vadbench.evaluation.published_protocols import PROTOCOLS
from vadbench.store.folders import file_digest


def _reverse(score):
    return -score


ROW_CHANGES = {
    "metric": (lambda row: row["auroc"].update(mean=0.99), "auroc.mean is 0.99, but the seeds of the row give", 6),
    "spread": (lambda row: row["ap"].update(sd=0.001), "ap.sd is 0.001", 6),
    "config": (lambda row: row["method"]["config"]["detector"].update(neighbours=9), "not the one that config_hash names", 6),
    "config hash": (lambda row: row["method"].update(config_hash="0" * 12), "not the one that config_hash names", 6),
    "track": (lambda row: row["method"].update(track="zero-shot"), "the row says zero-shot, its configuration one-class", 6),
    "digest": (lambda row: row.update(protocol_digest="0" * 12), "the row says 000000000000, standard-v1 has", 6),
    "protocol": (lambda row: row.update(protocol="standard-v7"), "no evaluation protocol is named 'standard-v7'", 3),
    "interval": (
        lambda row: row.update(interval=[0.4, 0.9]),
        "lower end of the interval: the row says 0.400000, the scores give",
        6,
    ),
    "no interval": (lambda row: row.update(interval=None), "interval: the row says None, the scores give (", 6),
    "oracle": (lambda row: row["oracles"].update(clip_share=0.5), "oracle clip_share: the row says 0.500000, the labels give", 6),
    "stand-in": (lambda row: row["dataset"].update(stand_in=False), "stand_in of the data set: the row says False", 6),
    "title of the data": (lambda row: row["dataset"].update(title="Real"), "title of the data set: the row says 'Real'", 6),
    "frame rate": (lambda row: row["dataset"].update(frame_rate=25.0), "frame_rate of the data set: the row says 25.0", 6),
    "poses": (
        lambda row: row["dataset"]["poses"].update(test="0"),
        "fingerprint of test: the row says 0, the data set here has",
        6,
    ),
    "no poses": (lambda row: row["dataset"]["poses"].pop("train"), "fingerprint of train: the row says None", 6),
    "counts": (lambda row: row["dataset"]["counts"]["test"].update(tracks=1), "tracks of the test split: the row says 1, the", 6),
    "components": (lambda row: row["method"].update(components={}), "components: the row says {}, its configuration", 6),
    "title": (lambda row: row["method"].update(title="Best"), "title: the row says 'Best', knn is called", 6),
    "changes": (lambda row: row["method"].update(changes=[]), "config: knn is another configuration in this version", 6),
    "compiled": (lambda row: row["environment"].update(compiled=True), "was compiled", 3),
    "a change that is none": (
        lambda row: row["method"].update(changes=["detector.nonesuch=1"]),
        "config: knn is installed here, and knn [detector.nonesuch=1] cannot be put together: unknown key 'nonesuch'",
        6,
    ),
    "a change of a component that is none": (
        lambda row: row["method"].update(changes=["detector=nonesuch"]),
        "cannot be put together",
        6,
    ),
    "programs": (lambda row: row["method"].update(changes=["detector=command"]), "cannot be looked at here", 3),
    "another protocol": (
        lambda row: row.update(protocol="mocodad", protocol_digest=PROTOCOLS["mocodad"].digest()),
        "rows of leaderboards are under standard-v1, and this one is under mocodad",
        6,
    ),
    "seed that is true": (lambda row: row["seeds"][0].update(seed=True), "should be a valid integer", 3),
    "seed that is text": (lambda row: row["seeds"][0].update(seed="0"), "should be a valid integer", 3),
    "seed that is no whole number": (lambda row: row["seeds"][0].update(seed=0.0), "should be a valid integer", 3),
    "figure that is text": (lambda row: row["seeds"][0].update(auroc="0.5"), "should be a valid number", 3),
    "capitals": (lambda row: row["dataset"].update(name="Synthetic-Campus"), "cannot be the name of a file", 3),
    "dot at the end": (lambda row: row["dataset"].update(name="synthetic-campus."), "cannot be the name of a file", 3),
    "name of the page": (lambda row: row["dataset"].update(name="readme.md"), "cannot be the name of a file", 3),
    "long name": (lambda row: row["dataset"].update(name=200 * "a"), "cannot be the name of a file", 3),
    "nearly the name of a data set": (
        lambda row: row["dataset"].update(name="synthetic_campus"),
        "'synthetic_campus' could be taken for 'synthetic-campus'",
        3,
    ),
    "nearly the name of a method": (lambda row: row["method"].update(name="stg_nf"), "'stg_nf' could be taken for 'stg-nf'", 3),
    "other direction of writing": (lambda row: row["environment"].update(platform="a\u202eb"), "holds a control character", 3),
    "half a character": (lambda row: row["environment"].update(platform="a\ud800b"), "'a\\ud800b' holds a control", 3),
    "unknown key": (lambda row: row["method"].update(tilte="Best"), "unknown key 'tilte'; did you mean 'title'?", 3),
    "missing key": (lambda row: row["seeds"][1].pop("ap"), "the key 'ap' is missing [row.json: seeds.1.ap]", 3),
    "range": (lambda row: row["seeds"][0].update(auroc=88.0), "less than or equal to 1", 3),
    "seed": (lambda row: row["seeds"][0].update(seed=-1), "-1 is no seed", 3),
    "order": (lambda row: row["seeds"].reverse(), "the seeds are 1, 0, which do not ascend", 6),
    "name that leads away": (lambda row: row["method"].update(name="../../x"), "'../../x' cannot be the name of a file", 3),
    "data set that leads away": (lambda row: row["dataset"].update(name=".."), "'..' cannot be the name of a file", 3),
    "name of the folder": (lambda row: row["dataset"].update(name="submissions"), "'submissions' cannot be the name", 3),
    "root": (lambda row: row["dataset"]["settings"].update(root="x"), "leads to a file or folder", 3),
    "path": (lambda row: row["dataset"]["settings"].update(family="/etc"), "leads to a file or folder", 3),
    "setting": (lambda row: row["dataset"]["settings"].update(clips=7), "clips", 3),
    "control character": (lambda row: row["environment"].update(platform="a\x1bb"), "holds a control character", 3),
    "kind": (lambda row: row.update(kind="scores-only"), "a row of scores only does not say method.config", 3),
    "cost": (lambda row: row["cost"].update(fit_s=1e-9), "cost.fit_s is 1e-09", 6),
    "no cost": (lambda row: row.update(cost=None), "a reproduced row says cost", 3),
    "version": (lambda row: row.update(schema_version=2), "Input should be 1", 3),
}
CONSISTENT = {
    "every figure of a seed": (
        lambda row: row["seeds"][1].update(FORGED),
        "auroc of seed 1: the row says 0.880000, the scores give",
    ),
    "not smoothed": (lambda row: row["seeds"][0].update(auroc_raw=0.5), "auroc_raw of seed 0: the row says 0.500000"),
    "ap": (lambda row: row["seeds"][0].update(ap=0.5), "ap of seed 0: the row says 0.500000"),
    "undefined": (lambda row: row["seeds"][0].update(ap=None), "ap of seed 0: the row says null, the scores give"),
    "windows": (lambda row: row["method"]["config"]["windows"].update(test_stride=2), "windows: "),
    "component": (lambda row: row["method"]["config"]["detector"].update(neighbours=9), "neighbours is 5 (row: 9)"),
    "deep": (lambda row: row["method"]["config"]["detector"].update(a={"b": {"c": {}}}), "detector.a.b.c is absent (row: {})"),
    "type": (lambda row: row["method"]["config"]["detector"].update(neighbours=5.0), "neighbours is 5 (row: 5.0)"),
    "track": (
        lambda row: (row["method"].update(track="supervised"), row["method"]["config"].update(track="supervised")),
        "submission.json declares one-class, the row says supervised",
    ),
}


def _method_of_ones_own(row):
    """Another configuration, with its own hash and title, under the name of an installed method."""
    row["method"].update(changes=["detector.nonesuch=1"], title="Best")
    row["method"]["config"]["detector"].update(nonesuch=1)


class TestTampered:
    def test_an_installed_name_for_another_configuration(self, vadbench, sent):
        edit_row(sent, _method_of_ones_own, follow=True)
        (fault,) = faults(checked(sent))
        assert fault.startswith("config: knn is installed here, and knn [detector.nonesuch=1] cannot be put together")
        assert vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2).code == 6

    def test_scores_that_nothing_can_be_computed_from(self, vadbench, sent, sound):
        edit_arrays(sent / "seed-1" / "scores.npz", lambda arrays: arrays["score"].__setitem__(slice(None, None, 2), 1.7e308))
        edit_arrays(sent / "seed-1" / "scores.npz", lambda arrays: arrays["score"].__setitem__(slice(1, None, 2), -1.7e308))
        mend_hashes(sent)
        called = vadbench("submit", "check", sent, sound, "--min-seeds", 2)
        assert called.code in (3, 6)
        assert "[seed-1/scores.npz]" in called.out or "of seed 1" in called.out
        assert called.out.count("Sound: 2 of 2") == 1, "the other is checked"

    def test_an_evaluation_that_fails(self, sent, monkeypatch):
        monkeypatch.setattr("vadbench.report.submission.figures.scored_seed", lambda *_: 1 / 0)
        outcome = checked(sent)
        assert (
            faults(outcome)[0]
            == "no figures can be computed from these scores: ZeroDivisionError: division by zero [seed-0/scores.npz]"
        )
        assert (outcome.sound, outcome.findings.exit_code) == (False, 3)

    def test_a_check_that_fails_altogether(self, sent, monkeypatch):
        monkeypatch.setattr("vadbench.report.submission.check.held_against", lambda *_: 1 / 0)
        outcome = checked(sent)
        assert faults(outcome) == ["the check cannot go on: ZeroDivisionError: division by zero [.]"]
        assert not outcome.sound

    def test_the_sound_one_is_sound(self, sound):
        outcome = checked(sound)
        assert faults(outcome) == []
        assert (outcome.sound, outcome.labels_from, outcome.findings.exit_code) == (True, "data set", 0)
        assert {each.severity for each in outcome.findings.found} == {"note"}

    @pytest.mark.parametrize("name", ROW_CHANGES)
    def test_a_change_of_the_row(self, sent, name):
        change, said, code = ROW_CHANGES[name]
        edit_row(sent, change)
        outcome = checked(sent)
        assert any(said in fault for fault in faults(outcome)), faults(outcome)
        assert outcome.findings.exit_code == code

    @pytest.mark.parametrize("name", CONSISTENT)
    def test_a_change_and_everything_that_follows_from_it(self, sent, name):
        change, said = CONSISTENT[name]
        edit_row(sent, change, follow=True)
        outcome = checked(sent)
        assert any(said in fault for fault in faults(outcome)), faults(outcome)
        assert outcome.findings.exit_code == 6
        assert not any("but the seeds of the row give" in fault for fault in faults(outcome))

    def test_the_row_without_its_hash(self, sent):
        edit(sent / "row.json", lambda row: row["environment"].update(threads=64))
        assert faults(checked(sent))[0].startswith("SHA-256 of row.json: submission.json says ")

    def test_scores_without_and_with_their_hash(self, sent):
        before = file_digest(sent / "seed-1" / "scores.npz")
        scaled(1, _reverse)(sent)
        after = file_digest(sent / "seed-1" / "scores.npz")
        found = faults(checked(sent))
        assert f"SHA-256 of seed-1/scores.npz: the row says {before}, the file has {after} [row.json]" in found
        assert f"SHA-256 of seed-1/scores.npz: submission.json says {before}, the file has {after} [seed-1/scores.npz]" in found
        mend_hashes(sent)
        found = faults(checked(sent))
        assert [fault.partition(":")[0] for fault in found][:3] == [f"{name} of seed 1" for name in ("auroc", "auroc_raw", "ap")]
        assert any(fault.startswith("mean auroc: the row says ") for fault in found)

    def test_labels_without_and_with_their_hash(self, sent):
        edit_arrays(sent / "labels.npz", lambda arrays: arrays.update(abnormal=~arrays["abnormal"]))
        found = faults(checked(sent))
        assert found[0].startswith("SHA-256 of labels.npz: submission.json says ")
        mend_hashes(sent)
        (fault,) = faults(checked(sent))
        assert fault.startswith("fingerprint of the labels: the row says ")
        assert "labels.npz has" in fault

    def test_labels_and_the_fingerprint_of_the_row(self, sent):
        edit_arrays(sent / "labels.npz", lambda arrays: arrays.update(abnormal=~arrays["abnormal"]))
        from vadbench.store.arrays import load_labels

        edit_row(sent, lambda row: row["dataset"].update(labels=load_labels(sent / "labels.npz")[0].fingerprint()))
        (fault,) = faults(checked(sent))
        assert "those of synthetic-campus here have" in fault

    def test_all_faults_are_listed(self, vadbench, sent):
        edit_row(sent, lambda row: (row["auroc"].update(mean=0.99), row.update(interval=None, protocol_digest="0")))
        edit(sent / "submission.json", lambda about: about.update(contact="me"))
        called = vadbench("submit", "check", sent, "--min-seeds", 2)
        assert called.code == 6
        told = [line for line in called.out.splitlines() if line.startswith("refused: ")]
        assert len(told) == 5
        assert "5 faults in 1 of 1 submissions" in called.err

    def test_scores_of_other_windows(self, sent):
        edit_arrays(sent / "seed-0" / "scores.npz", lambda arrays: arrays.update({k: v[1:] for k, v in arrays.items() if v.ndim}))
        mend_hashes(sent)
        found = faults(checked(sent))
        assert any("0 are none of them, and 1 have no score [seed-0/scores.npz]" in fault for fault in found)
        assert any(fault.startswith("windows of the test split: the row says") for fault in found)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (
                lambda a: a.update({k: np.concatenate([v, v[:1]]) for k, v in a.items() if v.ndim}),
                "1 windows are there more than once",
            ),
            (lambda a: a["score"].__setitem__(3, np.nan), "score is not finite in 1 of"),
            (lambda a: a.update(start=a["start"] - 500), "a window starts before its clip"),
            (lambda a: a.update(start=a["start"] + 500), "a window's middle frame is"),
            (lambda a: a.update(clip=np.char.add(a["clip"], "x")), "clips that synthetic-campus does not have"),
            (lambda a: a.update(clip=a["clip"].astype(object)), "the array clip holds Python objects"),
            (lambda a: a.pop("person"), "the arrays person are missing"),
            (lambda a: a.update(skore=a["score"]), "unknown array 'skore'"),
            (lambda a: a.update(length=np.array([8])), "the array length is missing, or is no number of frames"),
        ],
    )
    def test_scores_that_are_none(self, sent, change, said):
        edit_arrays(sent / "seed-1" / "scores.npz", change)
        mend_hashes(sent)
        outcome = checked(sent)
        assert [fault for fault in faults(outcome) if said in fault], faults(outcome)
        assert outcome.findings.exit_code == 3
        assert [each.seed for each in outcome.seeds] == [0]

    def test_nothing_is_unpickled(self, sent, tmp_path):
        class Bomb:
            def __reduce__(self):
                return Path.touch, (tmp_path / "went off",)

        for name in ("seed-0/scores.npz", "labels.npz"):
            edit_arrays(sent / name, lambda arrays: arrays.update(clip=np.array([Bomb()], dtype=object)))
        mend_hashes(sent)
        assert checked(sent).findings.exit_code == 3
        assert not (tmp_path / "went off").exists()


def _numbers(content, at=()):
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _numbers(value, (*at, key))
    elif isinstance(content, list):
        for i, value in enumerate(content):
            yield from _numbers(value, (*at, i))
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield at


def _derived(at):
    """Whether a number follows from the scores, the data or others; what a machine measured of itself does not."""
    return at[0] != "environment" and not (at[0] == "seeds" and at[2] in ("cost", "seed"))


@hypothesis.settings(max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(data=st.data())
def test_any_single_number_that_is_derived_is_found(sound, tmp_path, data):
    row = json.loads((sound / "row.json").read_text())
    at = data.draw(st.sampled_from([at for at in _numbers(row) if _derived(at)]))
    changed = copy.deepcopy(row)
    inner = changed
    for part in at[:-1]:
        inner = inner[part]
    told = inner[at[-1]]
    by = data.draw(st.floats(2e-3, 0.3)) * data.draw(st.sampled_from([-1, 1]))
    inner[at[-1]] = told + (1 if by > 0 else -1) * max(1, round(abs(by) * told)) if isinstance(told, int) else told + by
    sent = tmp_path / "changed"
    shutil.rmtree(sent, ignore_errors=True)
    shutil.copytree(sound, sent)
    (sent / "row.json").write_text(json.dumps(changed))
    mend_hashes(sent)
    assert checked(sent).findings.exit_code != 0
