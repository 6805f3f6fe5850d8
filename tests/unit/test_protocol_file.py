"""A user's protocol in TOML: what it may say, what it takes from a base, and what is refused with its place."""

from __future__ import annotations

import pytest

from vadbench.api import ConfigError, UsageError
from vadbench.evaluation.protocol import Pipeline
from vadbench.evaluation.protocol_file import load_protocol, named_or_file
from vadbench.evaluation.published_protocols import PROTOCOLS, STANDARD_V1, protocol_named


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_step_can_be_said(written):
    made = load_protocol(
        written(
            """
            name = "mine"
            version = 3
            source = "a paper"
            notes = ["One.", "Two."]
            [pipeline]
            origin = "non-negative"
            branches = [["semantic", 0], ["detail", 1]]
            short_tracks = "leave-out"
            placement = "target"
            target_frames = 4
            backfill = true
            overlap = "mean"
            absence_pad = 2
            absent = "zero"
            persons = "mean-plus-log-range"
            fill = "below-minimum"
            frames_leave = "before-smoothing"
            shift = "window"
            vacated = "minimum"
            smoothing = [3, 1.5]
            smoothing_over = "test-set"
            scenes = "quantile"
            metric = "macro-auroc"
            [per-dataset.ubnormal]
            shift = 5
            """
        )
    )
    assert (made.name, made.version, made.source, made.notes) == ("mine", 3, "a paper", ("One.", "Two."))
    assert len(made.pipeline.settings()) == len(Pipeline.__dataclass_fields__)
    assert made.pipeline.branches == (("semantic", 0), ("detail", 1))
    assert made.pipeline.smoothing == (3.0, 1.5)
    assert (made.on("ubnormal").shift, made.on("ubnormal").fill) == (5, "below-minimum")
    assert made.on("shanghaitech") == made.pipeline


def test_a_name_is_enough(written):
    assert load_protocol(written('name = "plain"')).pipeline == Pipeline()


@pytest.mark.parametrize("base", PROTOCOLS)
def test_a_base_gives_what_is_not_said(written, base):
    made = load_protocol(written(f'name = "mine"\nbase = "{base}"\n[pipeline]\nsmoothing = [7.0]\n'))
    for data in ("shanghaitech", "ubnormal", "avenue", "another"):
        theirs = protocol_named(base).on(data).settings()
        assert made.on(data).settings() == theirs | {"smoothing": (7.0,)}
    assert made.digest() != protocol_named(base).digest()


def test_by_name_or_by_path(written):
    assert named_or_file("standard-v1") is STANDARD_V1
    assert named_or_file(str(written('name = "plain"'))).name == "plain"
    with pytest.raises(UsageError) as caught:
        named_or_file("standart-v1")
    assert "'standard-v1'" in caught.value.remedy
    assert ".toml" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("version = 1", "no name", "mine.toml"),
        ('name = "  "', "no name", "mine.toml"),
        ('name = "mocodad"', "comes with vadbench", "name"),
        ('name = "mine"\nbase = "mocodat"', "mocodat", "base"),
        ('name = "mine"\nversion = 0', "whole number", "version"),
        ('name = "mine"\nversion = true', "whole number", "version"),
        ('name = "mine"\nnotes = "one"', "list of sentences", "notes"),
        ('name = "mine"\npipelin = 1', "unknown key 'pipelin'", "pipelin"),
        ('name = "mine"\npipeline = 1', "section was expected", "pipeline"),
        ('name = "mine"\n[pipeline]\nsmoothings = [1.0]', "unknown key 'smoothings'", "pipeline.smoothings"),
        ('name = "mine"\n[pipeline]\npersons = "median"', "median", "pipeline.persons"),
        ('name = "mine"\n[pipeline]\nsmoothing = 3', "(given: 3)", "pipeline.smoothing"),
        ('name = "mine"\n[pipeline]\nsmoothing = ["wide"]', "wide", "pipeline.smoothing"),
        ('name = "mine"\n[pipeline]\nsmoothing = [-2.0]', "cannot be used", "smoothing"),
        ('name = "mine"\n[pipeline]\nshift = -2', "cannot be used", "shift"),
        ('name = "mine"\n[pipeline]\nshift = "far"', "far", "pipeline.shift"),
        ('name = "mine"\n[per-dataset.avenue]\nsigma = 1', "unknown key 'sigma'", "per-dataset.avenue.sigma"),
        ('name = "mine"\n[per-dataset]\navenue = 1', "section was expected", "per-dataset.avenue"),
        ('name = "mine"\n[per-dataset.avenue]\nfill = 1', "(given: 1)", "per-dataset.avenue.fill"),
        ("name = ", "not TOML", "mine.toml"),
        ('name = "mine"\nsource = 3', "a source is a sentence", "source"),
        ('name = "mine"\n[per-dataset.hr-avenue]\nshift = 1', "hr-avenue has the steps of avenue", "per-dataset.hr-avenue"),
        ('name = "mine"\n[pipeline]\nshift = true', "(given: True)", "pipeline.shift"),
        ('name = "mine"\n[pipeline]\nshift = "windw"', "'window'", "pipeline.shift"),
        ('name = "mine"\n[pipeline]\nsmoothing = ["3"]', "(given: ['3'])", "pipeline.smoothing"),
        ('name = "mine"\n[pipeline]\nsmoothing = [true]', "(given: [True])", "pipeline.smoothing"),
        ('name = "mine"\n[pipeline]\nsmoothing = [1e9]', "cannot be used", "pipeline.smoothing"),
        ('name = "mine"\n[pipeline]\nsmoothing = [nan]', "cannot be used", "pipeline.smoothing"),
        ('name = "mine"\n[pipeline]\nabsence_pad = "3"', "(given: '3')", "pipeline.absence_pad"),
        ('name = "mine"\n[pipeline]\nbackfill = "yes"', "(given: 'yes')", "pipeline.backfill"),
    ],
)
def test_what_is_refused(written, text, what, where):
    with pytest.raises(ConfigError) as caught:
        load_protocol(written(text))
    assert what in str(caught.value)
    assert where in caught.value.where


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        named_or_file(str(tmp_path / "none.toml"))


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b'name = "\xff\xfe"')
    with pytest.raises(ConfigError, match="not TOML"):
        load_protocol(path)
