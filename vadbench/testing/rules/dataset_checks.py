"""The contract of a data set, rule by rule. Without its files, only what needs none is checked."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np

from vadbench.api import (
    LAYOUTS,
    Dataset,
    DatasetInfo,
    FrameLabels,
    Inspectable,
    Locatable,
    Sourced,
    Split,
    Tracks,
    VadbenchError,
)
from vadbench.testing.conformance import CheckSkipped, expect
from vadbench.testing.rules import conduct_checks, foundation_checks
from vadbench.testing.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_CONTRACT: Final = "Dataset in vadbench.api.dataset"
_INFO: Final = "DatasetInfo in vadbench.api.dataset"
_SOURCED: Final = "Sourced in vadbench.api.dataset"
_INSPECTABLE: Final = "Inspectable in vadbench.api.dataset"
_SPLITS: Final[tuple[Split, ...]] = get_args(Split)
_ENOUGH: Final = 20
"""Poses of each class without which a column that parts them may do so by chance."""
_CHANGES: Final = 3
"""Changes of label, with people before and after, without which all of their tracks may end there by chance."""
_WORDS: Final = ("name", "title", "layout", "licence", "citation", "source")


class DatasetTrial(Trial):
    """A data set on trial.

    Args:
        make: ``make(data_root)`` opens it.
        data_root: The folder below which its files lie; None where there is none.
    """

    contract = _CONTRACT

    def __init__(self, make: Callable[[Path | None], Dataset], data_root: Path | None = None) -> None:
        self.make = make
        self.data_root = data_root

    def fresh(self) -> Dataset:
        """The data set, whether its files are there or not."""
        return self.make(self.data_root)

    def opened(self) -> Dataset:
        """The data set, if its files are there; raises `CheckSkipped` otherwise."""
        dataset = self.fresh()
        if isinstance(dataset, Locatable) and not dataset.available():
            raise CheckSkipped(f"the files of {dataset.info.name} are not here (data root: {self.data_root})")
        return dataset

    def exercise(self) -> None:
        """Reads poses and labels of every split."""
        dataset = self.opened()
        for split in dataset.info.splits:
            dataset.tracks(split)
            dataset.labels(split)

    def inputs(self) -> Mapping[str, Any]:
        """Nothing: a data set is given no arrays."""
        return {}


def check_info(trial: DatasetTrial) -> None:
    """``info`` is a DatasetInfo with every field filled in, and needs no data on disk."""
    info = trial.make(None).info
    expect(isinstance(info, DatasetInfo), "info to be a DatasetInfo", type(info).__name__, _CONTRACT)
    for name in _WORDS:
        value = getattr(info, name)
        expect(isinstance(value, str) and value.strip(), f"words in info.{name}", repr(value), _INFO)
    expect(info.layout in LAYOUTS, f"info.layout to be one of {', '.join(LAYOUTS)}", repr(info.layout), _INFO)
    expect(info.frame_rate > 0, "a positive info.frame_rate", info.frame_rate, _INFO)
    known = len(info.splits) > 0 and set(info.splits) <= set(_SPLITS)
    expect(known, f"info.splits out of {', '.join(_SPLITS)}", info.splits, _INFO)


def check_tracks(trial: DatasetTrial) -> None:
    """Every split that is declared holds poses, as valid Tracks in the declared layout."""
    dataset = trial.opened()
    for split in dataset.info.splits:
        tracks = dataset.tracks(split)
        expect(isinstance(tracks, Tracks), f"tracks({split!r}) to be Tracks", type(tracks).__name__, _CONTRACT)
        names = [clip.name for clip in tracks.clips]
        twice = sorted({name for name in names if names.count(name) > 1})[:3]
        expect(not twice, f"a name of its own for every clip of the split {split}", f"{twice} more than once", _CONTRACT)
        expect(len(tracks) > 0, f"poses in the split {split}", "none", _CONTRACT)
        found = tracks.layout.name
        expect(found == dataset.info.layout, f"poses in the declared layout {dataset.info.layout}", found, _CONTRACT)
        columns = {name: str(getattr(tracks, name).dtype) for name in ("keypoints", "clip", "person", "frame", "score")}
        wanted = {"keypoints": "float32", "clip": "int32", "person": "int32", "frame": "int32", "score": "float32"}
        expect(columns == wanted, f"columns of types {wanted}", columns, "vadbench.api.tracks.Tracks")


def check_labels(trial: DatasetTrial) -> None:
    """Labels are of the clips of ``tracks``, in their order and of their lengths."""
    dataset = trial.opened()
    for split in dataset.info.splits:
        tracks, labels = dataset.tracks(split), dataset.labels(split)
        expect(isinstance(labels, FrameLabels), f"labels({split!r}) to be FrameLabels", type(labels).__name__, _CONTRACT)
        names = tuple(clip.name for clip in tracks.clips)
        odd = sorted(set(names) ^ set(labels.clips))[:3] or "the same clips in another order"
        expect(labels.clips == names, f"labels of the clips of tracks({split!r})", odd, _CONTRACT)
        for clip, abnormal in zip(tracks.clips, labels.abnormal, strict=True):
            wanted = f"{clip.n_frames} labels for clip {clip.name}, one a frame"
            expect(len(abnormal) == clip.n_frames, wanted, len(abnormal), _CONTRACT)
        types = {str(part.dtype) for part in (*labels.abnormal, *labels.keep)}
        expect(types <= {"bool"}, "labels and masks of type bool", types, "vadbench.api.tracks.FrameLabels")


def check_both_classes(trial: DatasetTrial) -> None:
    """Among the test frames that count are normal and abnormal ones: there is something to tell apart."""
    dataset = trial.opened()
    if "test" not in dataset.info.splits:
        raise CheckSkipped("there is no test split")
    labels = dataset.labels("test")
    both = 0 < labels.n_abnormal < labels.n_frames
    expect(both, "normal and abnormal test frames", f"{labels.n_abnormal} abnormal of {labels.n_frames}", _CONTRACT)


def check_labels_not_in_tracks(trial: DatasetTrial) -> None:
    """Poses are the same whether labels were asked for or not, and no column of theirs gives the labels away.

    A pose's score, or the confidence of its joints, that parts abnormal frames from normal ones without one mistake was made
    from the labels. So were numbers of people of whom not one keeps his where the label of the frames changes, if elsewhere
    they do.
    """
    first, second = trial.opened(), trial.opened()
    for split in first.info.splits:
        labels = second.labels(split)
        same = first.tracks(split).fingerprint() == second.tracks(split).fingerprint()
        expect(same, f"tracks({split!r}) to be the same before and after labels({split!r})", "other poses", _CONTRACT)
        tracks = first.tracks(split)
        if labels.clips != tuple(clip.name for clip in tracks.clips) or len(tracks) == 0:
            continue  # check_labels says so
        lengths = np.array([len(part) for part in labels.abnormal])
        begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        inside = tracks.frame < lengths[tracks.clip]
        marked = np.concatenate(labels.abnormal)[(begins[tracks.clip] + tracks.frame)[inside]]
        for name, column in (("score", tracks.score), ("confidence", tracks.planes[2].mean(axis=1))):
            told = _parted(column[inside], marked)
            expect(not told, f"a {name} of poses that says nothing of labels", f"one that parts the frames of {split}", _CONTRACT)
        ended = _ended_by_labels(tracks, labels.abnormal)
        wanted = "numbers of people that say nothing of labels"
        expect(not ended, wanted, f"none that lasts over any of the {ended} changes of label in {split}", _CONTRACT)


def _ended_by_labels(tracks: Tracks, abnormal: Sequence[NDArray[np.bool_]]) -> int:
    """The changes of label between frames that both show people, if nobody goes on over any of them and most do elsewhere."""
    going, changing = [], []
    for clip, marked in enumerate(abnormal):
        rows = slice(*np.searchsorted(tracks.clip, (clip, clip + 1)))
        inside = tracks.frame[rows] < len(marked)
        frame, person = tracks.frame[rows][inside], tracks.person[rows][inside]
        # Rows of one person follow one another.
        goes_on = np.zeros(len(marked), dtype=bool)
        goes_on[frame[1:][(np.diff(frame) == 1) & (np.diff(person) == 0)]] = True
        shown = np.zeros(len(marked), dtype=bool)
        shown[frame] = True
        asked = np.flatnonzero(shown[1:] & shown[:-1]) + 1
        going.append(goes_on[asked])
        changing.append(marked[asked] != marked[asked - 1])
    goes, change = np.concatenate([np.zeros(0, bool), *going]), np.concatenate([np.zeros(0, bool), *changing])
    enough = change.sum() >= _CHANGES and not change.all()
    return int(change.sum()) if enough and not goes[change].any() and goes[~change].mean() > 1 / 2 else 0


def _parted(values: NDArray[np.float32], marked: NDArray[np.bool_]) -> bool:
    """Whether all marked values lie on one side of all others; never where there are too few to tell."""
    known = np.isfinite(values)
    ours, others = values[known & marked], values[known & ~marked]
    enough = min(len(ours), len(others)) >= _ENOUGH
    return enough and bool(ours.min() > others.max() or ours.max() < others.min())


def check_splits_apart(trial: DatasetTrial) -> None:
    """No clip of one split holds the poses of a clip of another one: nothing is trained on that is tested."""
    dataset = trial.opened()
    found: dict[bytes, str] = {}
    for split in dataset.info.splits:
        own = dict[bytes, str]()
        tracks = dataset.tracks(split)
        for number, clip in enumerate(tracks.clips):
            rows = slice(*np.searchsorted(tracks.clip, (number, number + 1)))
            if tracks.clip[rows].size:
                poses = (tracks.planes[:, rows], tracks.frame[rows])
                digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in poses)).digest()
                own[digest] = f"clip {clip.name} of {split}"
        for digest in own.keys() & found.keys():
            expect(False, "clips of one split alone", f"{own[digest]}, which is {found[digest]}", _CONTRACT)
        found |= own


def check_training_normal(trial: DatasetTrial) -> None:
    """The training split holds no abnormal frame that counts, unless ``info.supervised`` says that it does; then it does."""
    dataset = trial.opened()
    if "train" not in dataset.info.splits:
        raise CheckSkipped("there is no training split")
    count, declared = dataset.labels("train").n_abnormal, dataset.info.supervised
    remedy = "leave abnormal clips out, or set supervised = True where the settings include them"
    expect(declared or count == 0, "normal training frames alone", f"{count} that are labelled abnormal", _INFO, remedy)
    expect(count > 0 or not declared, "abnormal training frames, as info.supervised says", "none", _INFO)


def check_same_at_every_call(trial: DatasetTrial) -> None:
    """Poses and labels are the same at every call and whenever the data set is opened."""
    first, second = trial.opened(), trial.opened()
    for split in first.info.splits:
        prints = {dataset.tracks(split).fingerprint() for dataset in (first, first, second)}
        expect(len(prints) == 1, f"tracks({split!r}) to be the same at every call", "other poses", _CONTRACT)
        marks = {dataset.labels(split).fingerprint() for dataset in (first, first, second)}
        expect(len(marks) == 1, f"labels({split!r}) to be the same at every call", "other labels", _CONTRACT)


def check_undeclared_split(trial: DatasetTrial) -> None:
    """A split that is not declared is refused with a VadbenchError."""
    dataset = trial.opened()
    for split in set(_SPLITS) - set(dataset.info.splits):
        _expect_refusal(dataset, split, f"tracks({split!r}), a split that is not declared,")


def check_missing_files_explained(trial: DatasetTrial) -> None:
    """Without its files, ``available`` is False and ``tracks`` raises a VadbenchError that says what to do."""
    with tempfile.TemporaryDirectory() as empty:
        dataset = trial.make(Path(empty))
        if not isinstance(dataset, Locatable):
            raise CheckSkipped("the data set does not tell whether its files are there")
        if dataset.available():
            raise CheckSkipped("its files do not lie below the data root")
        _expect_refusal(dataset, dataset.info.splits[0], "tracks() without files")


def check_sources(trial: DatasetTrial) -> None:
    """What a data set says it reads is there, and names no clip that it does not have."""
    dataset = trial.opened()
    if not isinstance(dataset, Sourced):
        raise CheckSkipped("the data set does not say which files it reads")
    for split in dataset.info.splits:
        sources = dataset.sources(split)
        files = [file for files in sources.values() for file in files]
        odd = [str(file) for file in files if not file.is_file()][:3]
        expect(not odd, f"sources({split!r}) to be files", odd, _SOURCED)
        clips = [clip for clip in sources if clip]
        known = [clip.name for clip in dataset.tracks(split).clips]
        expect(clips == known, f"sources({split!r}) of the clips of tracks({split!r}), in their order", clips[:3], _SOURCED)


def check_inspection(trial: DatasetTrial) -> None:
    """Where nothing is wrong, an inspection finds no error, and reads what ``tracks`` and ``labels`` give."""
    dataset = trial.opened()
    if not isinstance(dataset, Inspectable):
        raise CheckSkipped("the data set cannot be inspected file by file")
    for split in dataset.info.splits:
        seen = dataset.inspect(split)
        errors = [finding.what for finding in seen.findings if finding.severity == "error"]
        expect(not errors, f"no error in inspect({split!r}) of a data set that can be read", errors[:3], _INSPECTABLE)
        wanted = dataset.tracks(split).fingerprint()
        got = None if seen.tracks is None else seen.tracks.fingerprint()
        expect(got == wanted, f"inspect({split!r}).tracks to be tracks({split!r})", "other poses", _INSPECTABLE)
        labels = dataset.labels(split)
        same = seen.labels is None or seen.labels.fingerprint() == labels.fingerprint()
        expect(same, f"inspect({split!r}).labels to be labels({split!r})", "other labels", _INSPECTABLE)


def _expect_refusal(dataset: Dataset, split: Split, what: str) -> None:
    wanted = f"{what} to raise a VadbenchError with a remedy"
    try:
        dataset.tracks(split)
    except VadbenchError as error:
        expect(error.remedy, wanted, f"one without: {error.what}", _CONTRACT)
    except Exception as error:
        expect(False, wanted, f"{type(error).__name__}: {error}", _CONTRACT)
    else:
        expect(False, wanted, "no error", _CONTRACT)


CHECKS: Final = (
    foundation_checks.check_can_be_made,
    check_info,
    check_tracks,
    check_labels,
    check_both_classes,
    check_labels_not_in_tracks,
    check_splits_apart,
    check_training_normal,
    check_same_at_every_call,
    check_undeclared_split,
    check_missing_files_explained,
    check_sources,
    check_inspection,
    conduct_checks.check_prints_nothing,
    conduct_checks.check_global_generators_untouched,
    conduct_checks.check_leaves_the_process_as_it_was,
)
"""Every check of a data set."""
