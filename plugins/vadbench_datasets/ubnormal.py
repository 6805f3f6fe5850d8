"""UBnormal with the poses that STG-NF released.

The ``gt`` folder of that release holds two formats under one suffix. The 211 test clips' ``*_tracks.txt`` are NumPy
arrays, 1 = NORMAL. The 120 ``*_tracks.txt`` of abnormal training and validation clips are text, a line ``track,start,end``
for each object; they are no frame labels and are passed over.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from vadbench.api import COCO_17, DataError, DatasetInfo
from vadbench_datasets.folder_form import POSE_SUFFIX, STG_NF, FolderForm, files_by_clip
from vadbench_datasets.frame_masks import is_numpy_file
from vadbench_datasets.pose_files import Extent, PoseFiles
from vadbench_datasets.published_set import PublishedSet

if TYPE_CHECKING:
    from pathlib import Path


FOLDER: Final = "UBnormal"
RESOLUTION: Final = (1280, 720)
ABNORMAL_TEST_CLIPS: Final = "abnormal_test_video_names.txt"

UBNORMAL_INFO: Final = DatasetInfo(
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
        "The labelled validation split is not read.",
    ),
)


class UBnormal(PublishedSet):
    """The whole data set, found at ``<data root>/UBnormal``."""

    info: DatasetInfo = UBNORMAL_INFO

    def _files(self) -> PoseFiles:
        root = self._folder(FOLDER, UBNORMAL_FORM)
        if self._config.partial:
            form = replace(UBNORMAL_FORM, find_masks=partial(find_test_masks, whole=False))
            return PoseFiles(root, form, RESOLUTION, STG_NF)
        return PoseFiles(root, UBNORMAL_FORM, RESOLUTION, STG_NF, extent=Extent(clips=211, frames=92_640))


def find_test_masks(root: Path, *, whole: bool = True) -> dict[str, Path]:
    """The test masks, told from the text files by their content.

    Args:
        root: The data set's folder.
        whole: Whether every clip of the list of abnormal test clips, where there is one, must have a mask.

    Raises:
        DataError: if that list does not name a mask's clip, or, with ``whole``, names a clip that has none.
    """
    masks = {clip: path for clip, path in files_by_clip(root / "gt", "_tracks.txt").items() if is_numpy_file(path)}
    names = root / "gt" / ABNORMAL_TEST_CLIPS
    if names.is_file():
        listed = set(names.read_text(encoding="utf-8", errors="replace").split())
        abnormal = {clip for clip in masks if clip.startswith("abnormal_")}
        odd = listed ^ abnormal if whole else abnormal - listed
        if odd:
            clip = min(odd)
            here = "in the list, not in the masks" if clip in listed else "in the masks, not in the list"
            raise DataError(
                f"masks and list of abnormal test clips differ in {len(odd)} clips: {clip} is {here}",
                where=names,
                remedy=f"a test mask is a NumPy array in spite of its name; copy gt again ({STG_NF})",
            )
    return masks


UBNORMAL_FORM: Final = FolderForm(
    masks="gt",
    mask_suffix="_tracks.txt",
    abnormal=0,
    find_masks=find_test_masks,
    tree=(
        f"pose/train/<clip>{POSE_SUFFIX}\n"
        f"pose/test/<clip>{POSE_SUFFIX}\n"
        "gt/<clip>_tracks.txt    a NumPy array, one number a frame, 1 = normal\n"
        f"gt/{ABNORMAL_TEST_CLIPS}    (if you have it)"
    ),
)
"""The form in which STG-NF released UBnormal."""
