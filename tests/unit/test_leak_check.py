"""Checking for leaks: planted cheats are found, honest methods pass, and a finding stays in the record."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from fixtures import write_pose_folder
from hypothesis import given
from hypothesis import strategies as st
from leaking_plugin import CHEATS
from made_tracks import made_windows
from modules_on_disk import entry_point
from stored_runs import write_run
from tiny_methods import TINY_KNN, TINY_MSGFLOW

from vadbench.api import DataError, DriftError, PluginError, Silent, UsageError
from vadbench.engine.clip_windows import windows_of_clips
from vadbench.engine.inputs import read_inputs
from vadbench.engine.leak_check import TOLERANCE, LeakReport, check_leak, keep_check
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import run_job
from vadbench.engine.trained import (
    checking_context,
    dataset_of_run,
    inputs_of_run,
    method_of_run,
    train_method,
    trained_of_run,
)
from vadbench.store.folders import StoredRun, file_digest, find_runs, open_run, write_record
from vadbench.store.record import LeakCheck

PEOPLE = ({1: range(20), 4: range(3, 25)}, {}, {2: range(30)}, {1: range(12)})


@pytest.fixture(scope="module")
def plugins():
    return load_plugins([*metadata.entry_points(group="vadbench"), entry_point("leaking_plugin")])


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=40)


def job_of(plugins, data: Path, method: str, *changes: str):
    (job,) = make_plan(method, plugins, datasets=[str(data)], changes=changes).jobs
    return job


def checked(plugins, data: Path, method: str, *changes: str, clips: int | None = None) -> LeakReport:
    """The method trained and checked, as the command does it."""
    job = job_of(plugins, data, method, *changes)
    with checking_context(job.resolved, job.seed, "cpu", Silent()) as context:
        inputs = read_inputs(job.dataset, job.resolved.method.windows, Silent())
        trained, detector = train_method(job.resolved, inputs, context, job.dataset, job.protocol)
        return check_leak(trained, inputs, trained.scores(detector, inputs.test, inputs.test_clips), clips=clips)


def cheating(plugins, data: Path, act: str, *changes: str) -> LeakReport:
    return checked(plugins, data, "leaking", f'detector.act="{act}"', "windows.length=8", *changes)


def checked_run(plugins, data: Path | None, run: StoredRun, clips: int | None = None) -> LeakReport:
    """A stored run checked from its record, as the command does it."""
    method = method_of_run(run, plugins.registry)
    dataset = dataset_of_run(run.record, plugins.registry, name=None if data is None else str(data), root=None)
    with checking_context(method, run.record.seed, "cpu", Silent()) as context:
        inputs = inputs_of_run(run.record, method, dataset, context, cache=None)
        return check_leak(trained_of_run(run, method, inputs, context), inputs, run.scores(), clips=clips)


class TestFindings:
    @pytest.mark.parametrize("act", CHEATS)
    def test_every_planted_cheat_is_found(self, plugins, data, act):
        report = cheating(plugins, data, act)
        finding = report.as_record()
        assert finding.transductive
        assert not finding.clean
        assert finding.largest_relative > 10 * TOLERANCE
        assert finding.adapts == (act == "adapts")
        assert not finding.draws
        assert finding.reproduced

    @pytest.mark.parametrize(("method", "tiny"), [("knn", TINY_KNN), ("msgflow", TINY_MSGFLOW)])
    def test_an_honest_method_passes_far_below_the_tolerance(self, plugins, data, method, tiny):
        report = checked(plugins, data, method, *tiny)
        assert report.as_record().clean
        assert max(part.relative for part in (report.alone, report.reordered, report.again)) < TOLERANCE / 10
        assert report.rebuilt.largest == 0
        assert report.alone.rank_correlation > 0.999999

    def test_a_detector_that_changes_after_it_has_scored_is_found_though_its_scores_know_nothing_yet(self, plugins, data):
        finding = cheating(plugins, data, "adapts afterwards").as_record()
        assert finding.adapts
        assert not finding.transductive
        assert not finding.clean

    def test_the_honest_twin_of_the_cheats_passes(self, plugins, data):
        assert cheating(plugins, data, "well").as_record().clean

    def test_views_drawn_at_random_are_drawn_alike_in_a_clip_that_is_alone(self, plugins, data):
        views = 'windows.average=["flip", "random-rotate:20"]'
        report = cheating(plugins, data, "well", views)
        assert report.as_record().clean
        assert cheating(plugins, data, "well").alone.largest == report.alone.largest == 0

    def test_chance_is_told_from_knowledge(self, plugins, data):
        finding = cheating(plugins, data, "draws").as_record()
        assert finding.draws
        assert finding.transductive
        assert not finding.adapts

    def test_weights_that_do_not_hold_what_was_learned_are_told(self, plugins, data):
        finding = cheating(plugins, data, "forgets").as_record()
        assert not finding.reproduced
        assert not finding.clean
        assert not finding.transductive
        assert finding.largest_from_stored > 0

    def test_weights_that_are_not_taken_back_name_the_method(self, plugins, data):
        with pytest.raises(PluginError, match="leaking failed to take back its weights: RuntimeError: size mismatch"):
            cheating(plugins, data, "loses its weights")

    def test_as_many_clips_are_scored_alone_as_were_asked_for_and_always_the_same(self, plugins, data):
        reports = [checked(plugins, data, "knn", *TINY_KNN, clips=clips) for clips in (1, 1, 2, 9)]
        assert [len(report.clips) for report in reports] == [1, 1, 2, 3]
        assert reports[0].clips == reports[1].clips
        assert {report.clips_of for report in reports} == {3}
        assert reports[0].windows < reports[2].windows < reports[3].windows


class TestClipWindows:
    @given(order=st.permutations(range(4)), count=st.integers(1, 4))
    def test_windows_are_what_they_were_whatever_clips_stand_beside_them(self, order, count):
        windows = made_windows(*PEOPLE, views=("flip", "random-rotate:30"), missing=0.1)
        chosen, index = windows_of_clips(windows, order[:count])
        assert sorted(index) == np.flatnonzero(np.isin(windows.clip, order[:count])).tolist()
        for column in ("person", "start", "view"):
            assert np.array_equal(getattr(chosen, column), getattr(windows, column)[index])
        assert np.array_equal(np.asarray(order)[chosen.clip], windows.clip[index])
        assert np.array_equal(chosen.batch(slice(None)).x, windows.batch(index).x)

    def test_a_clip_alone_is_number_0_and_nothing_else_is_there(self):
        chosen, _ = windows_of_clips(made_windows(*PEOPLE), [2])
        assert [clip.name for clip in chosen.tracks.clips] == ["00000"]
        assert len(chosen.tracks) == 30

    def test_of_a_clip_without_people_there_are_none(self):
        chosen, index = windows_of_clips(made_windows(*PEOPLE), [1])
        assert len(chosen) == len(index) == len(chosen.tracks) == 0


class TestRuns:
    @pytest.fixture
    def run(self, plugins, data, tmp_path) -> StoredRun:
        return run_job(job_of(plugins, data, "knn", *TINY_KNN), plugins, out=tmp_path / "runs").run

    def test_is_built_again_from_its_record_and_gives_its_scores(self, plugins, data, run):
        report = checked_run(plugins, data, run)
        assert report.rebuilt.largest == 0
        assert report.as_record().clean

    def test_a_cheat_is_found_in_a_stored_run(self, plugins, data, tmp_path):
        run = run_job(job_of(plugins, data, "leaking", 'detector.act="adapts"'), plugins, out=tmp_path).run
        finding = checked_run(plugins, data, run).as_record()
        assert finding.transductive
        assert finding.adapts
        assert finding.reproduced, "weights are those from before it scored"

    def test_without_weights(self, plugins, tmp_path):
        with pytest.raises(DataError, match=r"no weights.safetensors: its detector cannot be built again"):
            method_of_run(write_run(tmp_path), plugins.registry)

    def test_with_an_edited_configuration(self, plugins, run):
        config = {**run.record.method.config, "track": "supervised"}
        record = run.record.model_copy(update={"method": run.record.method.model_copy(update={"config": config})})
        write_record(run.path, record)
        with pytest.raises(DriftError, match="configuration has changed"):
            method_of_run(open_run(run.path), plugins.registry)

    def test_with_edited_scores(self, plugins, run):
        (run.path / "scores.npz").write_bytes(b"other")
        with pytest.raises(DriftError, match=r"scores.npz has changed"):
            method_of_run(run, plugins.registry)

    def test_of_a_method_that_is_not_installed(self, run, plugins, data, tmp_path):
        cheat = run_job(job_of(plugins, data, "leaking"), plugins, out=tmp_path).run
        with pytest.raises(DataError, match="what is installed cannot make the method"):
            method_of_run(cheat, load_plugins().registry)

    def test_on_a_folder_whose_place_is_not_known(self, plugins, run):
        with pytest.raises(UsageError, match="'campus', which is no installed data set") as caught:
            checked_run(plugins, None, run)
        assert "--dataset" in caught.value.remedy

    def test_on_other_poses(self, plugins, run, tmp_path):
        other = write_pose_folder(tmp_path / "campus", n_frames=40, seed=1)
        with pytest.raises(DataError, match="not those that the run was made on: train and test split"):
            checked_run(plugins, other, run)


class TestRecord:
    @pytest.fixture
    def run(self, plugins, data, tmp_path) -> StoredRun:
        return run_job(job_of(plugins, data, "knn", *TINY_KNN), plugins, out=tmp_path / "runs").run

    def finding(self, **changes) -> LeakCheck:
        plain = dict.fromkeys(("transductive", "adapts", "draws"), False) | dict.fromkeys(
            ("largest_difference", "largest_relative", "largest_from_stored"), 0.0
        )
        plain |= {"date": "2026-01-01T00:00:00+00:00", "vadbench": "0", "clips": 3, "clips_of": 3, "windows": 9}
        plain |= {"tolerance": 1e-4, "windows_differ": 0, "rank_correlation": 1.0, "reproduced": True}
        return LeakCheck(**{**plain, **changes})

    def test_nothing_but_the_finding_changes(self, run):
        before = {path.name: file_digest(path) for path in run.path.iterdir()}
        record = json.loads((run.path / "run.json").read_text())
        finding = self.finding()
        assert keep_check(run, finding) == finding
        after = {path.name: file_digest(path) for path in run.path.iterdir()}
        assert {name for name in before if before[name] != after[name]} == {"run.json"}
        assert set(after) == set(before)
        assert record["leak_check"] is None
        assert json.loads((run.path / "run.json").read_text()) == {**record, "leak_check": finding.model_dump()}

    @pytest.mark.parametrize(
        ("later", "stands"),
        [
            ({"clips": 2}, False),
            ({"clips": 3}, True),
            ({"clips": 4, "reproduced": False}, False),
            ({"clips": 2, "reproduced": False}, False),
        ],
    )
    def test_a_finding_goes_away_by_no_check_that_looks_less_closely(self, run, later, stands):
        flagged, clean = self.finding(transductive=True), self.finding(**later)
        keep_check(run, flagged)
        assert keep_check(run, clean) == (clean if stands else flagged)
        assert open_run(run.path).record.leak_check == (clean if stands else flagged)

    @given(clips=st.tuples(st.integers(1, 5), st.integers(1, 5)), reproduced=st.tuples(st.booleans(), st.booleans()))
    def test_what_replaces_and_is_replaced_is_equally_good(self, clips, reproduced):
        a, b = (self.finding(clips=n, reproduced=same) for n, same in zip(clips, reproduced, strict=True))
        if a.replaces(b) and b.replaces(a):
            assert (a.clips, a.reproduced) == (b.clips, b.reproduced)
        assert a.replaces(a)
        assert a.replaces(None)

    def test_running_again_keeps_what_was_found_of_the_same_scores(self, plugins, data, run, tmp_path):
        flagged = self.finding(transductive=True)
        keep_check(run, flagged)
        again = run_job(job_of(plugins, data, "knn", *TINY_KNN), plugins, out=tmp_path / "runs", force=True)
        assert not again.reused
        assert again.run.record.leak_check == flagged

    def test_a_record_that_cannot_be_written_stays_as_it_was(self, run, tmp_path, monkeypatch):
        before = (run.path / "run.json").read_bytes()

        def refuse(self, target):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "replace", refuse)
        with pytest.raises(UsageError, match="cannot be recorded: Permission denied"):
            keep_check(run, self.finding())
        assert (run.path / "run.json").read_bytes() == before
        assert len(find_runs(tmp_path / "runs")) == 1
        assert not [path for path in run.path.iterdir() if path.is_dir()]

    def test_a_run_that_was_made_anew_meanwhile_is_not_flagged(self, run):
        write_record(run.path, run.record.model_copy(update={"files": {**run.record.files, "scores.npz": "other"}}))
        with pytest.raises(DriftError, match="made anew while it was checked"):
            keep_check(run, self.finding())
