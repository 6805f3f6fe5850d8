"""``vadbench submit``: what is packed, what a check finds of everything that may be changed, and what is accepted."""

from __future__ import annotations

import copy
import json
import shutil
import zipfile
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from stored_runs import write_run
from submissions import ABOUT, SMALL, checked, edit, edit_arrays, edit_row, faults, mend_hashes, packed, run_tiny

from vadbench.engine.config import digest_of
from vadbench.report.row_files import open_row, shipped_rows, stale_tables
from vadbench.store.bundle import bundle_of_run, save_bundle
from vadbench.store.folders import file_digest, find_runs
from vadbench.store.record import LeakCheck

PROJECT = Path(__file__).resolve().parents[2]
ASK = ("--contact", ABOUT["contact"], "--licence", ABOUT["licence"])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return run_tiny(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def sound(runs, tmp_path_factory):
    """A sound submission; nobody changes it."""
    return packed(runs, tmp_path_factory.mktemp("sent") / "sound")


@pytest.fixture
def sent(sound, tmp_path):
    """A copy of it that a test may change."""
    return Path(shutil.copytree(sound, tmp_path / "sent"))


@pytest.fixture
def bundles(runs, tmp_path):
    """The same scores as two bundles of normality, by somebody whose method nobody knows."""
    folders = []
    for run in find_runs(runs):
        meta, scores = bundle_of_run(run)
        theirs = meta.model_copy(update={"method": "Their Net (v2)", "notes": ""})
        folders.append(tmp_path / f"theirs-{run.record.seed}")
        save_bundle(folders[-1], theirs, scores)
        edit_arrays(folders[-1] / "scores.npz", lambda arrays: arrays.update(score=-arrays["score"]))
        edit(folders[-1] / "meta.json", lambda about: about.update(higher_is_more_anomalous=False))
    return folders


@pytest.fixture
def known_only(sent):
    """The submission as somebody sees it who does not have its data set."""
    edit_row(sent, lambda row: row["dataset"].update(name="their-campus", settings={}))
    return sent


class TestPack:
    def test_what_is_packed_is_sound_and_is_the_row_of_the_leaderboard(self, vadbench, runs, tmp_path):
        called = vadbench("submit", "pack", runs, *ASK, "--notes", "two\nlines", "--code", "https://example.org/x")
        assert called.code == 0
        assert "check-leak was not run on seed 0, 1" in called.err
        assert "2 seeds" in called.err
        (folder,) = (tmp_path / "submissions" / "synthetic-campus").iterdir()
        assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
            *("labels.npz", "row.json", "seed-0/scores.npz", "seed-1/scores.npz", "submission.json"),
        ]
        assert vadbench("leaderboard", "--runs", runs, "--write", "rows").code == 0
        assert (folder / "row.json").read_bytes() == (tmp_path / "rows" / f"synthetic-campus/{folder.name}.json").read_bytes()
        for run in find_runs(runs):
            name = f"seed-{run.record.seed}"
            assert (folder / name / "scores.npz").read_bytes() == (run.path / "scores.npz").read_bytes()
        about = json.loads((folder / "submission.json").read_text())
        assert (about["contact"], about["notes"], about["track"]) == (ABOUT["contact"], "two\nlines", "one-class")
        called = vadbench("submit", "check", folder, "--min-seeds", 2)
        assert called.code == 0, called.err
        assert "Sound: 2 of 2 seeds computed again. Not checked: cost, environment" in called.out

    def test_nothing_is_replaced_unless_it_is_asked_for(self, vadbench, runs, tmp_path):
        assert vadbench("submit", "pack", runs, *ASK, "-o", "here").code == 0
        (tmp_path / "here" / "seed-7").mkdir()
        called = vadbench("submit", "pack", runs, *ASK, "-o", "here")
        assert (called.code, "there already" in called.err) == (2, True)
        assert vadbench("submit", "pack", runs, *ASK, "-o", "here", "--force", "--no-labels").code == 0
        assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["row.json", "seed-0", "seed-1", "submission.json"]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--contact", "me", "--licence", "MIT"), "'me' is no e-mail address"),
            (("--contact", "a@b.org", "--licence", "do what you like"), "is no SPDX licence"),
            (("--contact", "a@b.org", "--licence", "LicenseRef-mine"), "a licence of its own"),
            ((*ASK, "--code", "javascript:alert(1)"), "is no web address"),
            ((*ASK, "--paper", "CVPR 2024"), "is no arXiv identifier"),
        ],
    )
    def test_who_sends_what(self, vadbench, runs, tmp_path, options, said):
        called = vadbench("submit", "pack", runs, *options, "-o", "here")
        assert called.code == 2
        assert said in called.err
        assert list(tmp_path.iterdir()) == []

    def test_runs_of_two_rows_of_none_and_of_no_sound_one(self, vadbench, tmp_path):
        assert vadbench("submit", "pack", *ASK).code == 2
        for method in ("knn", "pca"):
            config = {"detector": {"name": method}}
            write_run(tmp_path / "two", method=method, config=config, config_hash=digest_of(config))
        called = vadbench("submit", "pack", "two", *ASK)
        assert (called.code, "the runs are of 2 rows: knn on campus" in called.err) == (2, True)
        run = write_run(tmp_path / "bad")
        edit(run.path / "run.json", lambda record: record["metrics"].update(auroc=0.99))
        called = vadbench("submit", "pack", "bad", *ASK)
        assert (called.code, "the recorded auroc is 0.99" in called.err) == (6, True)
        write_run(tmp_path / "compiled", compiled=True)
        assert "would not make it again" in vadbench("submit", "pack", "compiled", *ASK).err
        assert not (tmp_path / "submissions").exists()

    def test_what_check_leak_found_is_told(self, vadbench, tmp_path):
        config = {"detector": {"name": "knn"}}
        run = write_run(tmp_path / "runs", config=config, config_hash=digest_of(config))
        leak = LeakCheck(
            date="",
            vadbench="",
            clips=3,
            clips_of=3,
            windows=9,
            tolerance=0.0,
            transductive=True,
            adapts=False,
            draws=False,
            largest_difference=1.0,
            largest_relative=1.0,
            windows_differ=9,
            rank_correlation=None,
            reproduced=True,
            largest_from_stored=0.0,
        )
        edit(run.path / "run.json", lambda record: record.update(leak_check=leak.model_dump()))
        called = vadbench("submit", "pack", "runs", *ASK, "-o", "here")
        assert "check-leak has found something in seed 0" in called.err
        assert json.loads((tmp_path / "here" / "row.json").read_text())["transductive"] is True


def _scaled(seed, by):
    def change(folder):
        edit_arrays(folder / f"seed-{seed}" / "scores.npz", lambda arrays: arrays.update(score=by(arrays["score"])))

    return change


def _reverse(score):
    return -score


SEED = {"auroc": 0.88, "auroc_raw": 0.88, "ap": 0.88}
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
        lambda row: row["seeds"][1].update(SEED),
        "auroc of seed 1: the row says 0.880000, the scores give",
    ),
    "not smoothed": (lambda row: row["seeds"][0].update(auroc_raw=0.5), "auroc_raw of seed 0: the row says 0.500000"),
    "ap": (lambda row: row["seeds"][0].update(ap=0.5), "ap of seed 0: the row says 0.500000"),
    "undefined": (lambda row: row["seeds"][0].update(ap=None), "ap of seed 0: the row says null, the scores give"),
    "windows": (lambda row: row["method"]["config"]["windows"].update(test_stride=2), "windows: "),
    "component": (lambda row: row["method"]["config"]["detector"].update(neighbours=9), "neighbours is 5 (row: 9)"),
    "track": (
        lambda row: (row["method"].update(track="supervised"), row["method"]["config"].update(track="supervised")),
        "submission.json declares one-class, the row says supervised",
    ),
}


class TestTampered:
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
        _scaled(1, _reverse)(sent)
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


class TestFiles:
    def test_a_seed_is_missing(self, sent):
        shutil.rmtree(sent / "seed-1")
        found = faults(checked(sent))
        assert "submission.json names this file, and it is missing [seed-1/scores.npz]" in found
        mend_hashes(sent)
        assert faults(checked(sent)) == ["the file is missing, and the row names its seed [seed-1/scores.npz]"]

    def test_a_file_too_many(self, sent):
        (sent / "setup.py").write_text("raise SystemExit")
        assert faults(checked(sent)) == [
            "submission.json does not name this file [setup.py]",
            "this file is no part of a submission [setup.py]",
        ]
        mend_hashes(sent)
        assert faults(checked(sent)) == ["this file is no part of a submission [setup.py]"]

    def test_links(self, sent, tmp_path):
        shutil.move(sent / "seed-1", tmp_path / "elsewhere")
        (sent / "seed-1").symlink_to(tmp_path / "elsewhere")
        (sent / "more.json").symlink_to("/etc/hostname")
        found = faults(checked(sent))
        assert "a link: a submission holds files alone, and none is followed [seed-1]" in found
        assert "a link: a submission holds files alone, and none is followed [more.json]" in found
        assert any(fault.startswith("the file is missing") for fault in found)

    def test_a_file_that_leads_away_is_not_read(self, sent):
        edit(sent / "submission.json", lambda about: about["files"].update({"../../etc/passwd": "0"}))
        assert faults(checked(sent)) == ["submission.json names this file, and it is missing [../../etc/passwd]"]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda about: about.pop("licence"), "the key 'licence' is missing"),
            (lambda about: about.update(licence="mine"), "'mine' is no SPDX licence"),
            (lambda about: about.pop("contact"), "the key 'contact' is missing"),
            (lambda about: about.update(contact="me"), "'me' is no e-mail address"),
            (lambda about: about.update(track="few-shot"), "[submission.json: track]"),
            (lambda about: about.update(licens="MIT"), "unknown key 'licens'; did you mean 'licence'"),
            (lambda about: about.pop("files"), "the key 'files' is missing"),
        ],
    )
    def test_who_sends_it(self, sent, change, said):
        edit(sent / "submission.json", change)
        outcome = checked(sent)
        (fault,) = faults(outcome)
        assert said in fault
        assert outcome.findings.exit_code == 3
        assert not outcome.sound

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "this is no JSON"),
            ("[" * 100_000, "this is no JSON"),
            ('{"contact": "a@b.org", "contact": "c@d.org"}', "the key 'contact' stands there twice"),
            ('{"contact": NaN}', "NaN is no number"),
            ('{"contact": 1e999}', "1e999 is too large a number"),
            ('{"contact": 99999999999999999999}', "is too large a number"),
            ("[]", "should be a valid dictionary"),
            (" " * (2**20 + 1), "are allowed"),
        ],
    )
    @pytest.mark.parametrize("name", ["row.json", "submission.json"])
    def test_json(self, sent, name, text, said):
        (sent / name).write_text(text)
        assert any(said in fault for fault in faults(checked(sent)))

    def test_too_few_seeds_and_no_folder(self, vadbench, sent, tmp_path):
        called = vadbench("submit", "check", sent)
        assert (called.code, "2 seeds (0, 1), and a row of these leaderboards has at least 5" in called.out) == (3, True)
        called = vadbench("submit", "check", tmp_path / "nowhere")
        assert (called.code, "there is no such folder" in called.err) == (2, True)

    def test_the_name_of_the_folder(self, sent, tmp_path):
        place = tmp_path / "submissions" / "synthetic-campus" / "best"
        shutil.copytree(sent, place)
        (fault,) = faults(checked(place))
        assert fault.startswith("the folder is synthetic-campus/best, and its row is called synthetic-campus/knn-")


class TestArchives:
    def npz(self, path, header, *, size=128):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            head = f"{header:<117}\n".encode()
            archive.writestr("score.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(size))

    def test_a_header_that_claims_what_is_not_there(self, sent):
        self.npz(sent / "seed-0" / "scores.npz", "{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000000,), }")
        mend_hashes(sent)
        assert any("the array score claims the shape (9000000000000,)" in fault for fault in faults(checked(sent)))

    def test_an_archive_that_unpacks_to_too_much(self, sent, monkeypatch):
        monkeypatch.setattr("vadbench.store.untrusted.LARGEST_ARCHIVE", 2**20)
        size = 2**21
        shape = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},), }}"
        self.npz(sent / "seed-0" / "scores.npz", shape, size=size)
        mend_hashes(sent)
        assert any("its arrays take 2.0 MiB unpacked, and 1.0 MiB are allowed" in fault for fault in faults(checked(sent)))

    def test_a_large_file(self, sent, monkeypatch):
        monkeypatch.setattr("vadbench.report.submission.files.LARGEST_FILE", 1000)
        assert any("bytes, and 1000 are allowed [seed-0/scores.npz]" in fault for fault in faults(checked(sent)))

    def test_names_and_code_in_an_archive(self, sent):
        for name, said in (("../x.npy", "'../x.npy', which is no array"), ("run.py", "'run.py', which is no array")):
            with zipfile.ZipFile(sent / "seed-0" / "scores.npz", "w") as archive:
                archive.writestr(name, "import os")
            mend_hashes(sent)
            assert any(said in fault for fault in faults(checked(sent)))

    def test_cut_short(self, sent):
        for name in ("seed-0/scores.npz", "labels.npz"):
            (sent / name).write_bytes((sent / name).read_bytes()[:-40])
        mend_hashes(sent)
        found = faults(checked(sent))
        assert {fault.rpartition(" ")[2] for fault in found} == {"[seed-0/scores.npz]", "[labels.npz]"}


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


class TestLabels:
    def test_of_the_submission_where_the_data_are_not_here(self, known_only):
        outcome = checked(known_only)
        assert faults(outcome) == []
        assert (outcome.sound, outcome.labels_from) == (True, "submission")
        told = [each.what for each in outcome.findings.found]
        assert any("no data set 'their-campus' is installed here" in what for what in told)
        assert any("no row of their-campus in nowhere has these labels" in what for what in told)
        assert "poses" in outcome.unchecked

    def test_others_have_the_same(self, vadbench, known_only, tmp_path):
        called = vadbench("submit", "accept", known_only, "--into", "rows", "--min-seeds", 2)
        assert called.code == 0, called.err
        outcome = checked(known_only, leaderboards=tmp_path / "rows")
        assert any("has these labels" in each.what for each in outcome.findings.found), "its own row says nothing of its labels"
        edit_row(known_only, lambda row: row["method"].update(name="another"))
        outcome = checked(known_only, leaderboards=tmp_path / "rows")
        assert any("1 rows of their-campus have the same labels" in each.what for each in outcome.findings.found)
        assert not any("has these labels" in each.what for each in outcome.findings.found)

    def test_counts_are_held_against_them(self, known_only):
        edit_row(known_only, lambda row: row["dataset"]["counts"]["test"].update(frames=7))
        (fault,) = faults(checked(known_only))
        assert fault.startswith("frames of the test split: the row says 7, the labels have ")

    def test_of_a_data_set_that_is_installed_and_not_here(self, known_only):
        from vadbench.engine.datasets import open_dataset
        from vadbench.engine.plugins import load_plugins

        info = open_dataset("hr-ubnormal", load_plugins().registry, root=None, settings={}).info
        told = {"name": info.name, "title": info.title, "stand_in": info.stand_in, "frame_rate": info.frame_rate}
        edit_row(known_only, lambda row: row["dataset"].update(told))
        outcome = checked(known_only)
        assert (outcome.sound, outcome.labels_from) == (True, "submission"), faults(outcome)
        edit_row(known_only, lambda row: row["dataset"].update(title="Theirs"))
        assert faults(checked(known_only)) == [
            f"title of the data set: the row says 'Theirs', hr-ubnormal has {info.title!r} [row.json: dataset.title]"
        ]

    def test_none_at_all(self, known_only):
        (known_only / "labels.npz").unlink()
        mend_hashes(known_only)
        outcome = checked(known_only)
        assert faults(outcome) == ["not recomputed: no labels here; give the folder of the data sets with --data-root [labels]"]
        assert (outcome.sound, outcome.findings.exit_code) == (False, 3)

    def test_left_out_where_the_data_are_here(self, runs, tmp_path):
        outcome = checked(packed(runs, tmp_path / "bare", labels=False))
        assert (outcome.sound, outcome.labels_from) == (True, "data set")


class TestSuspicious:
    def test_one_set_of_scores_for_two_seeds(self, sent):
        row = json.loads((sent / "row.json").read_text())
        shutil.copy(sent / "seed-0" / "scores.npz", sent / "seed-1" / "scores.npz")
        first = row["seeds"][0]
        edit_row(sent, lambda row: row["seeds"][1].update({key: first[key] for key in ("auroc", "auroc_raw", "ap")}), follow=True)
        told = [each.what for each in checked(sent).findings.found if each.severity == "warning"]
        assert len(told) == 1
        assert told[0].startswith("the scores of seeds 0 and 1 are the same, and knn [")

    def test_constant_scores(self, sent):
        _scaled(0, np.zeros_like)(sent)
        mend_hashes(sent)
        assert "all scores are the same" in [each.what for each in checked(sent).findings.found if each.severity == "warning"]


class TestScoresOnly:
    @pytest.fixture
    def folder(self, vadbench, bundles, tmp_path):
        scores = [part for bundle in bundles for part in ("--scores", bundle)]
        settings = [part for change in SMALL for part in ("--set", change)]
        called = vadbench("submit", "pack", *scores, "--dataset", "synthetic-campus", *settings, *ASK, "-o", "theirs")
        assert called.code == 0, called.err
        return tmp_path / "theirs"

    def test_is_packed_checked_and_marked(self, vadbench, folder, runs, bundles, tmp_path):
        row = open_row(folder / "row.json")
        assert (row.kind, row.cost, row.environment, row.method.config, row.transductive) == ("scores-only", *4 * (None,))
        own = open_row(packed(runs, tmp_path / "own") / "row.json")
        assert row.auroc.mean == pytest.approx(own.auroc.mean)
        assert row.interval == pytest.approx(own.interval)
        for bundle in bundles:
            name = f"seed-{bundle.name[-1]}"
            assert {path.name: path.read_bytes() for path in (folder / name).iterdir()} == {
                path.name: path.read_bytes() for path in bundle.iterdir()
            }
        called = vadbench("submit", "check", folder, "--min-seeds", 2)
        assert called.code == 0, called.err
        assert "Not checked: how the scores were made, track." in called.out
        called = vadbench("submit", "accept", folder, "--into", "rows", "--min-seeds", 2)
        assert called.code == 0, called.err
        assert vadbench("submit", "accept", tmp_path / "own", "--into", "rows", "--min-seeds", 2).code == 0
        table = (tmp_path / "rows" / "synthetic-campus" / "README.md").read_text()
        assert "| Their Net (v2) (scores only) |" in table
        assert "so such a row takes no rank from others" in table
        (name,) = (name for name in shipped_rows(tmp_path / "rows") if "scores-only" in name)
        assert name.startswith("synthetic-campus/their-net-v2-scores-only-")
        assert vadbench("leaderboard", "--check", "rows").code == 0
        called = vadbench("reproduce", tmp_path / "rows" / f"{name}.json", "--dry-run")
        assert (called.code, "is a row of scores only: no command makes it again" in called.err) == (2, True)

    def test_meta_and_row_agree(self, folder):
        edit(folder / "seed-1" / "meta.json", lambda meta: meta.update(method="Other", seed=4, track="zero-shot"))
        mend_hashes(folder)
        assert [fault.partition(" [")[0] for fault in faults(checked(folder))] == [
            "method: the row says 'Their Net (v2)', meta.json 'Other'",
            "seed: the row says 1, meta.json 4",
            "track: the row says 'one-class', meta.json 'zero-shot'",
        ]

    def test_the_sign_is_part_of_it(self, folder):
        edit(folder / "seed-0" / "meta.json", lambda meta: meta.update(higher_is_more_anomalous=True))
        mend_hashes(folder)
        assert any(fault.startswith("auroc of seed 0: the row says ") for fault in faults(checked(folder)))

    def test_its_meta_is_missing(self, folder):
        (folder / "seed-0" / "meta.json").unlink()
        mend_hashes(folder)
        assert faults(checked(folder)) == ["the file is missing, and the row names its seed [seed-0/meta.json]"]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda meta: meta.pop("seed"), "the bundle does not say its seed"),
            (lambda meta: meta.update(seed=0), "two bundles have the seed 0"),
            (lambda meta: meta.update(method="Other"), "method is 'Other' in this bundle, and 'Their Net (v2)' in the row"),
            (lambda meta: meta.update(dataset="other"), "dataset is 'other' in this bundle"),
        ],
    )
    def test_bundles_of_no_one_row(self, vadbench, bundles, change, said):
        edit(bundles[1] / "meta.json", change)
        scores = [part for bundle in bundles for part in ("--scores", bundle)]
        settings = [part for each in SMALL for part in ("--set", each)]
        called = vadbench("submit", "pack", *scores, "--dataset", "synthetic-campus", *settings, *ASK)
        assert (called.code, said in called.err) == (2, True), called.err

    def test_what_goes_with_what(self, vadbench, bundles, runs):
        assert "name the data set" in vadbench("submit", "pack", "--scores", bundles[0], *ASK).err
        assert "make different rows" in vadbench("submit", "pack", runs, "--scores", bundles[0], *ASK).err
        assert "are for --scores" in vadbench("submit", "pack", runs, "--dataset", "synthetic-campus", *ASK).err


class TestAccept:
    def test_writes_row_and_table(self, vadbench, sent, tmp_path):
        called = vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2)
        assert called.code == 0, called.err
        (path,) = shipped_rows(tmp_path / "rows").values()
        assert path.read_bytes() == (sent / "row.json").read_bytes()
        assert stale_tables(tmp_path / "rows") == []
        assert vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2).code == 0

    def test_another_row_is_not_replaced_unless_it_is_asked_for(self, vadbench, sent, tmp_path):
        assert vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2).code == 0
        edit_row(sent, lambda row: row["environment"].update(threads=64))
        called = vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2)
        assert (called.code, "is there already" in called.err) == (2, True)
        assert vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2, "--replace").code == 0
        (path,) = shipped_rows(tmp_path / "rows").values()
        assert open_row(path).environment.threads == 64

    def test_nothing_of_an_unsound_one(self, vadbench, sent, tmp_path):
        edit_row(sent, lambda row: row["seeds"][1].update(SEED), follow=True)
        called = vadbench("submit", "accept", sent, "--into", "rows", "--min-seeds", 2)
        assert called.code == 6
        assert "auroc of seed 1: the row says 0.880000" in called.out
        assert not (tmp_path / "rows").exists()


def test_json(vadbench, sent):
    edit_row(sent, lambda row: row["seeds"][1].update(SEED), follow=True)
    called = vadbench("submit", "check", sent, "--min-seeds", 2, "--json")
    (content,) = called.json["submissions"]
    assert (called.code, content["exit_code"], content["sound"], content["labels"]) == (6, 6, False, "data set")
    assert content["submission"]["licence"] == "CC-BY-4.0"
    assert [each["auroc_row"] == pytest.approx(each["auroc"]) for each in content["seeds"]] == [True, False]
    assert {"severity", "what", "where"} == set(content["findings"][0])


def test_a_check_imports_nothing_that_a_row_names(sent):
    edit_row(
        sent,
        lambda row: (
            row["method"].update(name="antigravity", components={"detector": "antigravity"}),
            row["method"]["config"]["detector"].update(name="antigravity"),
        ),
        follow=True,
    )
    import sys

    outcome = checked(sent)
    assert "antigravity" not in sys.modules
    assert any("no method 'antigravity' is installed here" in each.what for each in outcome.findings.found)
    assert outcome.sound


SENT_IN = sorted((PROJECT / "leaderboards" / "submissions").glob("*/*/"))


@pytest.mark.parametrize("folder", SENT_IN, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_every_submission_that_lies_in_the_leaderboards(vadbench, folder):
    called = vadbench("submit", "check", folder)
    assert called.code == 0, called.out + called.err
    accepted = shipped_rows(PROJECT / "leaderboards").get(f"{folder.parent.name}/{folder.name}")
    if accepted is not None:
        assert open_row(accepted) == open_row(folder / "row.json")


def test_the_shipped_tables_are_what_the_rows_give(vadbench):
    called = vadbench("leaderboard", "--check", PROJECT / "leaderboards")
    assert called.code == 0, called.err
