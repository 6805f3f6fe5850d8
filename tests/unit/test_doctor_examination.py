"""``vadbench data doctor`` on data sets that do not inspect themselves, or do it in their own way; and docs/doctor.md."""

from __future__ import annotations

import ast
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from made_tracks import made_tracks

from vadbench.api import DataError, DatasetInfo, Finding, FrameLabels, Inspection, Silent, Tracks
from vadbench.data.doctor.checks import FOLLOWS
from vadbench.data.doctor.diagnosis import Case, gathered
from vadbench.data.doctor.examination import examine
from vadbench.data.doctor.reading import inspected
from vadbench.data.doctor.wording import counted, percent, share
from vadbench_datasets.synthetic.campus import SyntheticCampus, SyntheticCampusConfig

DOCS = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"


@dataclass
class Plain:
    """Nothing beyond the contract."""

    split: dict[str, Tracks | DataError]
    truth: dict[str, FrameLabels | DataError] = field(default_factory=dict)
    info = DatasetInfo("plain", "Plain", "coco-17", 24.0, "none", "none", "nowhere")

    def tracks(self, split):
        return self._given(self.split[split])

    def labels(self, split):
        return self._given(self.truth[split])

    def _given(self, what):
        if isinstance(what, DataError):
            raise what
        return what


def labels(*lengths: int) -> FrameLabels:
    masks = tuple(np.arange(n) >= n - 2 for n in lengths)
    return FrameLabels(tuple(f"c{i}" for i in range(len(lengths))), masks, tuple(np.ones(n, dtype=bool) for n in lengths))


class TestReading:
    def test_sound(self):
        tracks, truth = made_tracks({1: range(30)}), labels(30)
        found = inspected(Plain({"test": tracks}, {"test": truth}), "test")
        assert found.tracks is tracks
        assert found.labels is truth
        assert found.findings == ()

    def test_an_error_becomes_a_finding(self):
        poses = DataError("the file is cut off", where="/a/b.json, byte 7", remedy="copy it again")
        found = inspected(Plain({"test": poses}, {"test": DataError("no labels")}), "test")
        assert found.tracks is None
        assert found.findings == (
            Finding("unreadable-poses", "error", "the file is cut off", "/a/b.json, byte 7", "copy it again"),
            Finding("unreadable-labels", "error", "no labels", "test split of plain", "see where the data come from: nowhere"),
        )

    def test_labels_of_other_clips(self):
        found = inspected(Plain({"test": made_tracks({1: range(30)})}, {"test": labels(30, 30)}), "test")
        assert [each.check for each in found.findings] == ["label-clips"]
        assert "c1" in found.findings[0].where

    def test_labels_in_another_order(self):
        truth = labels(30, 30)
        turned = replace(truth, clips=truth.clips[::-1])
        tracks = made_tracks({1: range(30)}, {1: range(30)})
        (finding,) = inspected(Plain({"test": tracks}, {"test": turned}), "test").findings
        assert finding.what == "clips and labels differ in order"

    @pytest.mark.parametrize("length", [29, 31])
    def test_labels_of_another_length(self, length):
        tracks = made_tracks({1: range(30)}, {1: range(30)})
        (finding,) = inspected(Plain({"test": tracks}, {"test": labels(30, length)}), "test").findings
        assert (finding.check, finding.where) == ("label-length", "clip c1")
        assert f"has 30 frames and its label vector {length}" in finding.what

    def test_whatever_else_is_raised_is_not_hidden(self):
        with pytest.raises(KeyError):
            inspected(Plain({}), "test")


class TestExamination:
    def test_the_rest_is_examined_when_a_split_cannot_be_read(self):
        campus = SyntheticCampus(SyntheticCampusConfig(train_clips=6, test_clips=6))
        test, truth = campus.tracks("test"), campus.labels("test")
        planes = test.planes.copy()
        planes[2] *= 100
        dataset = Plain(
            {"train": DataError("gone"), "test": replace(test, keypoints=planes.transpose(1, 2, 0))},
            {"train": DataError("gone"), "test": truth},
        )
        report = examine(dataset, ("train", "test"), (24,), Silent())
        assert [(found.split, found.check) for found in report.diagnoses] == [
            ("train", "unreadable-poses"),
            ("train", "unreadable-labels"),
            ("test", "confidence-scale"),
        ]
        assert report.counts() == {"error": 3, "warning": 0, "note": 0}

    def test_labels_shorter_than_the_clips_break_nothing(self):
        dataset = Plain({"test": made_tracks({1: range(60)}, {1: range(60)})}, {"test": labels(7)})
        assert "label-clips" in {found.check for found in examine(dataset, ("test",), (8,), Silent()).diagnoses}

    def test_a_split_without_a_pose(self):
        dataset = Plain({"test": made_tracks({}, {})}, {"test": labels(1, 1)})
        found = {each.check: each.severity for each in examine(dataset, ("test",), (8,), Silent()).diagnoses}
        assert found["no-persons"] == "error"
        assert set(found) <= {"no-persons", "one-class", "inverted-labels"}

    def test_a_split_without_a_clip(self):
        dataset = Plain({"test": made_tracks()}, {"test": FrameLabels((), (), ())})
        assert {each.check for each in examine(dataset, ("test",), (8,), Silent()).diagnoses} == {"no-persons", "one-class"}

    def test_poses_without_one_joint(self):
        tracks = made_tracks({1: range(60)}, missing=1.0)
        report = examine(Plain({"test": tracks}, {"test": labels(60)}), ("test",), (8,), Silent())
        assert all(found.what and found.where for found in report.diagnoses)

    def test_files_of_a_data_set_that_inspects_itself(self):
        class Inspecting(Plain):
            def inspect(self, split):
                files = {"c0": Path("/data/poses/c0.json"), "c1": Path("/data/poses/c1.json")}
                own = Finding("torn", "warning", "a page is torn", "/data/poses/c2.json", "mend it")
                return Inspection(self.split[split], labels(40, 40), files, (own,))

        tracks = made_tracks({1: range(40)}, {})
        report = examine(Inspecting({"test": tracks}), ("test",), (8,), Silent())
        places = {found.check: found.where for found in report.diagnoses}
        assert places["torn"] == "/data/poses/c2.json"
        assert places["empty-clips"] == "/data/poses/c1.json"
        assert report.root == "/data/poses"


@pytest.mark.slow
def test_a_million_poses_within_seconds():
    """ShanghaiTech has as many; 1.5 seconds on one core when this was written, 0.5 of them for comparing two splits."""
    campus, copies = SyntheticCampus(SyntheticCampusConfig()), 37
    one, truth = campus.tracks("test"), campus.labels("test")
    noise = np.random.default_rng(0).normal(0, 0.01, (copies, *one.planes.shape)).astype(np.float32)
    planes = np.concatenate(list(one.planes + noise), axis=1)
    tracks = Tracks(
        clips=tuple(replace(clip, name=f"{clip.name}-{number}") for number in range(copies) for clip in one.clips),
        layout=one.layout,
        keypoints=np.stack([*planes[:2], planes[2].clip(0, 1)], axis=-1),
        clip=np.concatenate([one.clip + number * len(one.clips) for number in range(copies)]),
        person=np.tile(one.person, copies),
        frame=np.tile(one.frame, copies),
        score=np.tile(one.score, copies),
    )
    labels = FrameLabels(tuple(clip.name for clip in tracks.clips), truth.abnormal * copies, truth.keep * copies)
    assert len(tracks) > 1_000_000
    begin = time.process_time()
    report = examine(
        Plain({"train": tracks, "test": tracks}, {"train": labels, "test": labels}), ("train", "test"), (24,), Silent()
    )
    assert time.process_time() - begin < 20
    assert {found.check for found in report.diagnoses} == {"abnormal-training", "leaked-clips"}


def test_findings_of_one_kind_are_told_together():
    findings = [Finding("torn", "error", f"page {n} is torn", f"file {n}", "mend it") for n in range(3)]
    torn, other = gathered("test", [findings[0], Finding("odd", "note", "odd", "there", "nothing"), *findings[1:]])
    assert torn.what == "3 times: page 0 is torn"
    assert torn.cases == tuple(Case(f"page {n} is torn", f"file {n}") for n in range(3))
    assert (other.what, other.where) == ("odd", "there")


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 9, "0 %"), (9, 9, "100 %"), (1, 9, "11.1 %"), (1, 2000, "under 0.1 %"), (1999, 2000, "over 99.9 %"), (0, 0, "0 %")],
)
def test_percent(part, whole, text):
    assert percent(part, whole) == text


def test_words():
    assert share(1200, 3600, "clips") == "1,200 of 3,600 clips (33.3 %)"
    assert (counted(1, "clip"), counted(1200, "clip")) == ("1 clip", "1,200 clips")


class TestDocs:
    """docs/doctor.md says what every check looks for."""

    NAMES = frozenset(
        name
        for names in re.findall(r"^\| (`[a-z`, -]+`) \|", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name in re.findall(r"`([a-z-]+)`", names)
    )

    def test_names_every_check_and_no_other(self):
        assert names_in_code() == self.NAMES

    def test_consequences_are_of_checks_that_there_are(self):
        assert {*FOLLOWS, *(effect for effects in FOLLOWS.values() for effect in effects)} <= self.NAMES


def names_in_code() -> set[str]:
    """The check of every diagnosis and finding that vadbench.data.doctor makes."""
    place = {"diagnosis": 0, "Diagnosis": 1, "Finding": 0, "_as_finding": 0}
    found = set()
    for path in (DOCS.parents[1] / "vadbench" / "data" / "doctor").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                given = node.args[place[name]] if name in place and len(node.args) > place[name] else None
                if isinstance(given, ast.Constant):
                    found.add(given.value)
    return found
