"""Where a clip's CSV files and masks lie in the published data sets, with and without a folder for each camera.

Sources: the READMEs of MPED-RNN, TrajREC and MoCoDAD. MoCoDAD's and COSKAD's folders are called ``01-0014``, because those
programs take what stands before ``_`` for the clip; their masks are called ``01_0014.npy``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vadbench.api import ConfigError

if TYPE_CHECKING:
    from vadbench.api import Split

CSV_SPLIT: Final[Mapping[Split, str]] = {"train": "training", "validation": "validating", "test": "testing"}
"""Split to its folder."""

_TRAINING_CAMERA: Final = "00"
"""In which the data sets with a camera level have the training clips of all cameras."""

_UBNORMAL: Final = re.compile(r"(ab)?normal_scene_(\d{1,2})_scenario_?(\d{1,2})(?:_(fog|fire|smoke|\d{1,2}))?")
_VARIANTS: Final = {"fog": 51, "fire": 52, "smoke": 53}


@dataclass(frozen=True, slots=True)
class CsvPlace:
    """Paths of one clip below the data set's folder; ``keep`` is that of the mask of frames that count."""

    poses: str
    mask: str
    keep: str


def csv_place(clip: str, split: Split, *, camera_level: bool) -> CsvPlace:
    """Where a clip goes.

    Raises:
        ConfigError: with a camera level, for a clip that is not called ``<camera>_<number>``.
    """
    folder = CSV_SPLIT[split]
    keep = f"hr_bool_masks/{folder}/test_frame_mask/{clip}.npy"
    if not camera_level:
        return CsvPlace(f"{folder}/trajectories/{clip.replace('_', '-')}", f"{folder}/test_frame_mask/{clip}.npy", keep)
    camera, _, number = clip.partition("_")
    if not camera or not number or "_" in number:
        raise ConfigError(
            f"with a camera level a clip is called <camera>_<number>, not {clip}",
            where=f"clip {clip}",
            remedy="export with --no-camera-level",
        )
    poses = f"{_TRAINING_CAMERA}/{clip}" if split == "train" else f"{camera}/{number}"
    return CsvPlace(f"{folder}/trajectories/{poses}", f"{folder}/frame_level_masks/{camera}/{clip}.npy", keep)


def scene_in(clip: str) -> str:
    """The scene that a clip's name says: ``S`` of ``normal_scene_S_scenario_1``, else what stands before the first ``_``."""
    match = _UBNORMAL.fullmatch(clip)
    return clip.partition("_")[0] if match is None else match[2]


def is_ubnormal(clip: str) -> bool:
    """Whether a clip is called as UBnormal's are."""
    return _UBNORMAL.fullmatch(clip) is not None


def ubnormal_id(clip: str) -> str:
    """What COSKAD and MoCoDAD call a clip of UBnormal: ``029_0353`` for ``abnormal_scene_29_scenario_3_smoke``.

    0 for abnormal or 1 for normal, two digits of the scene, two of the scenario, two for what follows: 00 for nothing, 51 fog,
    52 fire, 53 smoke, else the number that stands there.

    Raises:
        ConfigError: for a clip that is not called as UBnormal's are.
    """
    match = _UBNORMAL.fullmatch(clip)
    if match is None:
        raise ConfigError(
            f"{clip} is not the name of a clip of UBnormal",
            where=f"clip {clip}",
            remedy="export without --ubnormal-ids",
        )
    abnormal, scene, scenario, variant = match.groups()
    last = 0 if variant is None else _VARIANTS.get(variant) or int(variant)
    return f"{'0' if abnormal else '1'}{int(scene):02d}_{int(scenario):02d}{last:02d}"
