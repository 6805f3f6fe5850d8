"""Scores from elsewhere, held against a data set: what is noted, what is averaged, and where scenes come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures import write_pose_folder
from stored_runs import FRAMES, LENGTH, made_labels, made_scores, write_run

from vadbench.api import BundleMeta, DataError
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.report.rescoring import Rescoring
from vadbench.report.rescoring_entrants import entrant_of_bundle, read_ground_truth, truth_of_run
from vadbench.store.bundle import ScoreBundle
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig

META = BundleMeta(method="theirs", window_length=LENGTH, dataset="campus", higher_is_more_anomalous=True)


@pytest.fixture
def truth(tmp_path):
    return truth_of_run(write_run(tmp_path))


def bundle(scores=None, *, path="b/scores.npz", **said) -> ScoreBundle:
    scores = made_scores(made_labels()) if scores is None else scores
    return ScoreBundle(Path(path), META.model_copy(update=said), scores)


def test_nothing_is_noted_of_a_bundle_as_it_should_be(truth):
    entrant = entrant_of_bundle(bundle(), truth)
    assert entrant.notes == ()
    assert entrant.clips_without_window == 0


def test_windows_that_reach_beyond_the_end_are_noted_and_those_whose_middle_does_are_refused(truth):
    scores = made_scores(made_labels())
    starts = scores.start.copy()
    starts[0] = FRAMES - LENGTH // 2 - 1
    entrant = entrant_of_bundle(bundle(replace(scores, start=starts)), truth)
    assert any(note.startswith("1 windows reach beyond the end") for note in entrant.notes)
    starts[0] += 1
    with pytest.raises(DataError, match="middle frame"):
        entrant_of_bundle(bundle(replace(scores, start=starts)), truth)


def test_a_bundle_of_another_data_set_says_so(truth):
    assert any(
        "made on square" in note and "scored on campus" in note
        for note in entrant_of_bundle(bundle(dataset="square"), truth).notes
    )


def test_clips_without_a_window_are_counted(truth):
    scores = made_scores(made_labels())
    here = scores.clip == "01_01"
    columns = {name: getattr(scores, name)[here] for name in ("clip", "person", "start", "score")}
    assert entrant_of_bundle(bundle(replace(scores, **columns)), truth).clips_without_window == 2


def test_bundles_of_one_method_that_differ_in_the_seed_are_averaged(truth):
    rescoring = Rescoring([STANDARD_V1])
    for seed in (0, 1):
        scores = made_scores(made_labels(), seed=seed)
        rescoring.add(entrant_of_bundle(bundle(scores, path=f"{seed}/scores.npz", seed=seed), truth))
    ((row,),) = (board.rows for board in rescoring.boards())
    each = [scored.cells["standard-v1"].auroc for scored in row.scored]
    assert row.auroc("standard-v1").mean == pytest.approx(np.mean(each))
    assert each[0] != each[1]


class TestGroundTruth:
    def test_has_the_scenes_of_the_poses(self, tmp_path):
        root = write_pose_folder(tmp_path / "campus", n_frames=48)
        found = read_ground_truth(PoseFolder(PoseFolderConfig(root=root), None), {}, None)
        assert found.notes == ()
        assert set(found.scenes) == set(found.labels.clips)

    def test_without_poses_all_clips_are_one_scene_and_it_is_said(self, tmp_path):
        root = write_pose_folder(tmp_path / "campus", n_frames=48)
        whole = PoseFolder(PoseFolderConfig(root=root), None).labels("test")

        class WithoutPoses(PoseFolder):
            def tracks(self, split):
                raise DataError("there are no pose files")

        found = read_ground_truth(WithoutPoses(PoseFolderConfig(root=root), None), {}, None)
        assert found.labels.fingerprint() == whole.fingerprint()
        assert len(set(found.scenes.values())) == 1
        assert "all clips count as one scene" in found.notes[0]
