"""UBnormal: the poses that STG-NF released, or those of COSKAD and MoCoDAD.

The ``gt`` folder of STG-NF's release holds two formats under one suffix. The 211 test clips' ``*_tracks.txt`` are NumPy
arrays, 1 = NORMAL. The 120 ``*_tracks.txt`` of abnormal training and validation clips are text, see `ubnormal_tracks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from vadbench.api import COCO_17, ConfigError, DataError, DatasetInfo, Expected, Finding
from vadbench_datasets.frame_truth import Found, Masks
from vadbench_datasets.pose_form import SplitForm
from vadbench_datasets.published_set import STG_NF, PublishedConfig, PublishedSet
from vadbench_datasets.standard_splits import MASKS, POSES, testing, training
from vadbench_datasets.ubnormal_names import clip_called
from vadbench_datasets.ubnormal_tracks import SUFFIX, TrackTexts, of_content

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import Split
    from vadbench_datasets.frame_truth import ClipName
    from vadbench_datasets.pose_form import KeepRule

ABNORMAL_TEST_CLIPS: Final = "abnormal_test_video_names.txt"
ABNORMAL_POSES: Final = "pose/abnormal_train"

UBNORMAL: Final = DatasetInfo(
    name="ubnormal",
    title="UBnormal",
    layout=COCO_17.name,
    frame_rate=30.0,
    licence="CC BY-NC-ND 4.0 (UBnormal); CC BY-NC 4.0 (poses, as released with STG-NF)",
    citation=(
        "A. Acsintoae, A. Florescu, M.-I. Georgescu, T. Mare, P. Sumedrea, R. T. Ionescu, F. S. Khan, M. Shah: UBnormal: New "
        "Benchmark for Supervised Open-Set Video Anomaly Detection. CVPR 2022. arXiv:2111.08644"
    ),
    source=STG_NF,
    notes=(
        "29 virtual scenes; the test set has 211 clips with 92,640 frames, of which 49,650 are abnormal.",
        "The last element of every test vector says normal, whatever the picture shows.",
        "The resolution is nominal: sizes of clips vary. STG-NF scales these poses by 856 x 480, others by 1080 x 720.",
        "Abnormal training clips are left out, unless dataset.supervised=true. There is a validation split where its poses are.",
    ),
    resolution=(1280, 720),
    expected={
        "train": Expected(clips=186),
        "validation": Expected(clips=64, abnormal=13_896),
        "test": Expected(clips=211, frames=92_640, counted=92_640, abnormal=49_650),
    },
)


class UBnormalConfig(PublishedConfig):
    """Settings of UBnormal.

    Args:
        supervised: Include the 82 abnormal training clips, with their frame labels.
    """

    supervised: bool = False


class UBnormal(PublishedSet):
    """The whole data set."""

    about = UBNORMAL
    folders: ClassVar = {"json": ("UBnormal",), "csv": ("UBnormal",)}
    csv_about: ClassVar = {
        "licence": "CC BY-NC-ND 4.0 (UBnormal); none is stated for the poses",
        "notes": (
            "These are the poses of COSKAD and MoCoDAD; figures on them are not comparable with figures on those of STG-NF.",
            "Masks of this release may be a frame shorter or longer than the vectors of STG-NF; only test clips are counted.",
            "There is a validation split where its poses are.",
        ),
        "expected": {
            "train": Expected(clips=186),
            "validation": Expected(clips=64, frames=28_175, counted=28_175, abnormal=13_896),
            "test": Expected(clips=211),
        },
    }
    beside: ClassVar[tuple[str, ...]] = ()
    """Other files that the test split of the CSV family is read from."""

    config: UBnormalConfig

    def __init__(self, config: UBnormalConfig, data_root: Path | None) -> None:
        super().__init__(config, data_root)
        if config.supervised and config.family == "csv":
            raise ConfigError(
                "the CSV poses of UBnormal have no abnormal training clips",
                where="dataset.supervised",
                remedy="use --set dataset.family=json",
            )

    @property
    def info(self) -> DatasetInfo:
        """What there is to know of it; supervised, it says so."""
        info = super().info
        if not self.config.supervised:
            return info
        notes = ("The training split holds abnormal clips: it is for supervised methods.", *info.notes)
        expected = {**info.expected, "train": Expected(clips=268, abnormal=25_142)}
        return replace(
            info, title=f"{info.title}, abnormal training clips included", notes=notes, expected=expected, supervised=True
        )

    def splits(self) -> dict[Split, SplitForm]:
        """Train, validation (where its poses are), test."""
        if self.config.family == "csv":
            validation = SplitForm((POSES["csv"]["validation"],), MASKS["csv"]["validation"], keep=self.keep(), optional=True)
            return {
                "train": training("csv", belongs=_is_normal),
                "validation": validation,
                "test": testing("csv", keep=self.keep(), beside=self.beside),
            }
        if self.config.supervised:
            train = SplitForm((POSES["json"]["train"], ABNORMAL_POSES), TrackTexts(), lacks=_abnormal_clips)
        else:
            train = training("json", belongs=_is_normal)
        validation = SplitForm((POSES["json"]["validation"],), TrackTexts(), optional=True)
        vectors = UBnormalVectors(("gt",), SUFFIX, "normal", whole=not self.config.partial)
        test = testing("json", truth=vectors, keep=self.keep(), beside=(f"gt/{ABNORMAL_TEST_CLIPS}",))
        return {"train": train, "validation": validation, "test": test}

    def keep(self) -> KeepRule | None:
        """Which test frames count: all."""
        return None

    def clip_name(self, name: str) -> str:
        """UBnormal's own name of a clip, whichever way its files are called."""
        return name if self.config.family == "json" else clip_called(name)


@dataclass(frozen=True, slots=True)
class UBnormalVectors(Masks):
    """The test vectors, told from the text files by their content, and compared with the list of abnormal test clips.

    Args:
        whole: Whether every clip of that list, where there is one, must have a vector.
    """

    whole: bool = True

    @property
    def meaning(self) -> str:
        """A NumPy array in spite of its name."""
        return f"of test clips: a NumPy array, {super(UBnormalVectors, self).meaning}"

    def find(self, root: Path, clip_name: ClipName) -> Found:
        """The vectors, and a finding where list and vectors differ."""
        found = of_content(super(UBnormalVectors, self).find(root, clip_name), numpy=True)
        vectors, names = found.files, root / "gt" / ABNORMAL_TEST_CLIPS
        if not names.is_file():
            return found
        try:
            listed = set(names.read_text(encoding="utf-8", errors="replace").split())
        except OSError as error:
            raise DataError(f"the list cannot be read: {error.strerror}", where=names, remedy="check its permissions") from error
        abnormal = {clip for clip in vectors if not _is_normal(clip)}
        odd = listed ^ abnormal if self.whole else abnormal - listed
        findings = [*found.findings]
        if odd:
            clip = min(odd)
            here = "in the list, not in the masks" if clip in listed else "in the masks, not in the list"
            what = f"masks and list of abnormal test clips differ in {len(odd)} clips: {clip} is {here}"
            remedy = f"a test mask is a NumPy array in spite of its name; copy gt again ({STG_NF})"
            findings.append(Finding("list-differs", "error", what, str(names), remedy))
        return Found(vectors, tuple(findings), (names,))


def _is_normal(clip: str) -> bool:
    return not clip.startswith("abnormal_")


def _abnormal_clips(clips: Mapping[str, object]) -> str | None:
    if any(not _is_normal(clip) for clip in clips):
        return None
    return f"supervised training needs the poses of abnormal training clips, in {POSES['json']['train']} or {ABNORMAL_POSES}"
