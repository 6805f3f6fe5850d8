"""Choosing by a labelled validation split: the scorer is told one figure and no label, and only where there is such a split."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tiny_methods import TINY_MSGFLOW

from vadbench.api import ConfigError, DataError, Silent
from vadbench.engine.composing.validation import check_validation, chooses_by_validation, validation_of
from vadbench.engine.datasets import open_dataset
from vadbench.engine.inputs import read_inputs, read_labels
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.provenance import run_identity, training_identity
from vadbench.engine.run import run_job
from vadbench.engine.scoring import as_window_scores
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.evaluation.report import evaluate

SMALL = ("dataset.train_clips=4", "dataset.validation_clips=4", "dataset.test_clips=4", "dataset.frames_max=240")
CHOOSING = (*TINY_MSGFLOW, "scorer.name=learned-on-validation")


@pytest.fixture(scope="module")
def plugins():
    return load_plugins()


@pytest.fixture(scope="module")
def job(plugins):
    (job,) = make_plan("msgflow", plugins, datasets=["synthetic-campus"], changes=[*SMALL, *CHOOSING]).jobs
    return job


@pytest.fixture(scope="module")
def inputs(job):
    return read_inputs(job.dataset, job.resolved.method.windows, Silent(), settings=job.dataset_settings, validation=True)


def test_which_scorers_choose(plugins, job):
    assert chooses_by_validation(job.resolved)
    (plain,) = make_plan("msgflow", plugins, datasets=["synthetic-campus"], changes=TINY_MSGFLOW).jobs
    assert not chooses_by_validation(plain.resolved)
    (whole,) = make_plan("knn", plugins, datasets=["synthetic-campus"]).jobs
    assert not chooses_by_validation(whole.resolved)


def test_the_split_is_read_only_when_asked(job, inputs):
    assert set(inputs.poses) == {"train", "test", "validation"}
    assert len(inputs.validation_clips) == 4
    without = read_inputs(job.dataset, job.resolved.method.windows, Silent(), settings=job.dataset_settings)
    assert without.validation is None
    assert set(without.poses) == {"train", "test"}


def test_clips_have_numbers_for_names(inputs):
    assert [clip.name for clip in inputs.validation.tracks.clips] == [f"{i:05d}" for i in range(4)]


def test_quality_is_the_protocols_figure(job, inputs):
    validation = validation_of(inputs.validation, inputs.validation_clips, job.dataset, STANDARD_V1)
    scores = np.random.default_rng(0).normal(size=len(validation.windows))
    labels = read_labels(job.dataset, "validation", inputs.validation_clips)
    scenes = {clip.name: clip.scene for clip in inputs.validation_clips}
    stored = as_window_scores(scores, {}, inputs.validation, inputs.validation_clips, "x")
    expected = evaluate(stored, labels, scenes, STANDARD_V1.on("synthetic-campus"))["auroc"]
    assert validation.quality(scores) == expected


def test_a_split_of_one_class_decides_nothing(job):
    normal = open_dataset(
        "synthetic-campus", load_plugins().registry, root=None, settings={"validation_clips": 1, "abnormal_share": 0.0}
    )
    inputs = read_inputs(normal, job.resolved.method.windows, Silent(), validation=True)
    validation = validation_of(inputs.validation, inputs.validation_clips, normal, STANDARD_V1)
    with pytest.raises(DataError) as caught:
        validation.quality(np.zeros(len(validation.windows)))
    assert "one class only" in caught.value.what


def test_a_data_set_without_the_split(job):
    class Without:
        info = dataclasses.replace(job.dataset.info, splits=("train", "test"))

    with pytest.raises(ConfigError) as caught:
        check_validation(job.resolved, Without())
    assert "'learned-on-validation' chooses by a labelled validation split, and synthetic-campus has none" in caught.value.what
    assert "ubnormal" in caught.value.remedy


def test_parts_before_the_scorer_do_not_depend_on_it(job, plugins, inputs):
    told = {"device": "cpu", "threads": 1}
    without = {split: print_ for split, print_ in inputs.poses.items() if split != "validation"}
    with_, plain = (training_identity(job, plugins, poses=poses, **told) for poses in (inputs.poses, without))
    assert with_ == plain
    runs = [run_identity(job, plugins, poses=poses, **told) for poses in (inputs.poses, without)]
    assert runs[0] != runs[1]


def test_a_run(job, plugins, tmp_path):
    record = run_job(job, plugins, out=tmp_path).run.record
    assert set(record.dataset.poses) == {"train", "test", "validation"}
    chosen = {choice.what: choice for choice in record.choices if choice.by == "validation"}
    assert chosen
    assert all(choice.component == "msgflow.scorer" for choice in chosen.values())
