"""Data sets that break one rule each. ``fails``: the checks that see it; ``says``: what the first one's message holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from sound_components import SoundDataset, SoundFiles, shifted

from vadbench.api import DatasetInfo, Finding, FrameLabels, Inspection, Split, Tracks


class NoLicence(SoundDataset):
    fails = ("info",)
    says = "expected words in info.licence, got ''"

    @property
    def info(self) -> DatasetInfo:
        return replace(super().info, licence="")


class OddSplit(SoundDataset):
    fails = ("info", "splits_apart")
    says = "expected info.splits out of train, validation, test"

    @property
    def info(self) -> DatasetInfo:
        return replace(super().info, splits=("train", "test", "training"))

    def tracks(self, split: str) -> Tracks:
        return super().tracks("train" if split == "training" else split)


class AnotherLayout(SoundDataset):
    fails = ("tracks",)
    says = "expected poses in the declared layout coco-18, got coco-17"

    @property
    def info(self) -> DatasetInfo:
        return replace(super().info, layout="coco-18")


class EmptySplit(SoundDataset):
    fails = ("tracks",)
    says = "expected poses in the split train, got none"

    def tracks(self, split: Split) -> Tracks:
        tracks = super().tracks(split)
        if split == "test":
            return tracks
        columns = ("keypoints", "clip", "person", "frame", "score")
        return replace(tracks, **{name: getattr(tracks, name)[:0] for name in columns})


class LabelsInAnotherOrder(SoundDataset):
    fails = ("labels",)
    says = "expected labels of the clips of tracks('train'), got the same clips in another order"

    def labels(self, split: Split) -> FrameLabels:
        labels = super().labels(split)
        return FrameLabels(labels.clips[::-1], labels.abnormal[::-1], labels.keep[::-1])


class LabelsTooShort(SoundDataset):
    fails = ("labels",)
    says = "expected 76 labels for clip sample_01, one a frame, got 75"

    def labels(self, split: Split) -> FrameLabels:
        labels = super().labels(split)
        return FrameLabels(labels.clips, tuple(a[1:] for a in labels.abnormal), tuple(k[1:] for k in labels.keep))


class AllNormal(SoundDataset):
    fails = ("both_classes",)
    says = "expected normal and abnormal test frames, got 0 abnormal of 228"

    def labels(self, split: Split) -> FrameLabels:
        return super().labels("train") if split == "test" else super().labels(split)


class ScoredByLabels(SoundDataset):
    fails = ("labels_not_in_tracks",)
    says = "expected a score of poses that says nothing of labels, got one that parts the frames of test"

    def tracks(self, split: Split) -> Tracks:
        tracks = super().tracks(split)
        return replace(tracks, score=np.where((tracks.frame > 60) & (split == "test"), 0.2, 0.9).astype(np.float32))


class MarksWhatItLabelled(SoundDataset):
    fails = ("labels_not_in_tracks",)
    says = "expected tracks('train') to be the same before and after labels('train'), got other poses"

    def __init__(self, config: object, data_root: Path | None) -> None:
        super().__init__(config, data_root)
        self.asked = False

    def tracks(self, split: Split) -> Tracks:
        return shifted(super().tracks(split), float(self.asked))

    def labels(self, split: Split) -> FrameLabels:
        labels = super().labels(split)
        self.asked = True
        return labels


class NumbersByLabels(SoundDataset):
    """Another number for everybody in abnormal frames."""

    fails = ("labels_not_in_tracks",)
    says = "expected numbers of people that say nothing of labels, got none that lasts over any of the 3 changes of label in test"

    def tracks(self, split: Split) -> Tracks:
        tracks = super().tracks(split)
        person = np.where((tracks.frame > 60) & (split == "test"), tracks.person + 100, tracks.person).astype(np.int32)
        order = np.lexsort((tracks.frame, person, tracks.clip))
        return replace(tracks, person=person[order], frame=tracks.frame[order], keypoints=tracks.keypoints[order])


class TrainsOnTest(SoundDataset):
    """The second of the training clips is one that is tested."""

    fails = ("splits_apart",)
    says = "expected clips of one split alone, got clip sample_02 of test, which is clip sample_02 of train"

    def tracks(self, split: Split) -> Tracks:
        tracks = super().tracks(split)
        other = super().tracks("test").keypoints
        return replace(tracks, keypoints=np.where(tracks.clip[:, None, None] == 1, other, tracks.keypoints))


class AbnormalTraining(SoundDataset):
    fails = ("training_normal",)
    says = "expected normal training frames alone, got 45 that are labelled abnormal"

    def labels(self, split: Split) -> FrameLabels:
        return super().labels("test")


class SupervisedByNothing(SoundDataset):
    fails = ("training_normal",)
    says = "expected abnormal training frames, as info.supervised says, got none"

    @property
    def info(self) -> DatasetInfo:
        return replace(super().info, supervised=True)


class TwoClipsOfOneName(SoundDataset):
    fails = ("tracks",)
    says = "expected a name of its own for every clip of the split train, got ['sample_02'] more than once"

    def tracks(self, split: Split) -> Tracks:
        tracks = super().tracks(split)
        first, second, _ = tracks.clips
        return replace(tracks, clips=(first, second, second))


class DrawnAnew(SoundDataset):
    fails = ("same_at_every_call", "labels_not_in_tracks")
    says = "expected tracks('train') to be the same at every call"

    def tracks(self, split: Split) -> Tracks:
        return shifted(super().tracks(split), float(np.random.default_rng().random()))


class AnySplit(SoundDataset):
    fails = ("undeclared_split",)
    says = "expected tracks('validation'), a split that is not declared, to raise a VadbenchError with a remedy, got no error"

    def tracks(self, split: Split) -> Tracks:
        return super().tracks("train" if split == "validation" else split)


class BareError(SoundFiles):
    fails = ("missing_files_explained",)
    says = "expected tracks() without files to raise a VadbenchError with a remedy, got FileNotFoundError"

    def tracks(self, split: Split) -> Tracks:
        if not self.available():
            raise FileNotFoundError(split)
        return super().tracks(split)


class SourcesGone(SoundFiles):
    fails = ("sources",)
    says = "expected sources('train') to be files, got ['/nowhere/train.json']"

    def sources(self, split: Split) -> Mapping[str, tuple[Path, ...]]:
        return {**super().sources(split), "": (Path(f"/nowhere/{split}.json"),)}


class SourcesOfOtherClips(SoundFiles):
    fails = ("sources",)
    says = "expected sources('train') of the clips of tracks('train'), in their order, got ['other']"

    def sources(self, split: Split) -> Mapping[str, tuple[Path, ...]]:
        return {"other": (Path(__file__),)}


class SeesErrors(SoundFiles):
    fails = ("inspection",)
    says = "expected no error in inspect('train') of a data set that can be read, got ['too little light']"

    def inspect(self, split: Split) -> Inspection:
        error = Finding("light", "error", "too little light", split, "wait for the day")
        return replace(super().inspect(split), findings=(error,))


class InspectsOtherPoses(SoundFiles):
    fails = ("inspection",)
    says = "expected inspect('train').tracks to be tracks('train')"

    def inspect(self, split: Split) -> Inspection:
        return replace(super().inspect(split), tracks=shifted(self.tracks(split), 1.0))


class Prints(SoundDataset):
    fails = ("prints_nothing",)
    says = "expected nothing on stdout"

    def tracks(self, split: Split) -> Tracks:
        print("reading", split)  # noqa: T201 - the fault
        return super().tracks(split)


class SeedsNumPy(SoundDataset):
    fails = ("global_generators_untouched",)
    says = "expected the global generator of NumPy to be left alone"

    def tracks(self, split: Split) -> Tracks:
        np.random.seed(0)  # noqa: NPY002 - the fault
        return super().tracks(split)


class SetsEnvironment(SoundDataset):
    fails = ("leaves_the_process_as_it_was",)
    says = "got a change of os.environ"

    def tracks(self, split: Split) -> Tracks:
        os.environ["CUDA_VISIBLE_DEVICES"] = "7"
        return super().tracks(split)


BROKEN = (
    NoLicence,
    OddSplit,
    AnotherLayout,
    EmptySplit,
    LabelsInAnotherOrder,
    LabelsTooShort,
    AllNormal,
    ScoredByLabels,
    MarksWhatItLabelled,
    NumbersByLabels,
    TrainsOnTest,
    AbnormalTraining,
    SupervisedByNothing,
    TwoClipsOfOneName,
    DrawnAnew,
    AnySplit,
    BareError,
    SourcesGone,
    SourcesOfOtherClips,
    SeesErrors,
    InspectsOtherPoses,
    Prints,
    SeedsNumPy,
    SetsEnvironment,
)
