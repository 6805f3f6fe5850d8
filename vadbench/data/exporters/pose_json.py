"""Writes a clip's poses as STG-NF reads them: ``{person: {frame: {"keypoints": [x, y, confidence, ...], "scores": s}}}``.

What the form cannot hold is a missing joint: it is written as 0, 0 with confidence 0, as OpenPose and COCO write it. Every
other float32 is written so that the same float32 is read again.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from vadbench.data.exporters.exact_decimals import exact_decimals

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import Tracks

POSE_SUFFIX: Final = "_alphapose_tracked_person.json"
ZERO_JOINTS: Final = "joints at exactly 0, 0 with confidence 0, which are read back as missing"
_DIGITS: Final = 4


def write_pose_json(path: Path, tracks: Tracks, *, first_frame: int = 0) -> None:
    """Writes the poses of one clip.

    Args:
        path: Of the new file.
        tracks: One clip.
        first_frame: The number to give the first frame.
    """
    missing = np.isnan(tracks.keypoints).any(axis=2, keepdims=True)
    numbers = exact_decimals(np.where(missing, np.float32(0), tracks.keypoints)).reshape(len(tracks), 3 * len(tracks.layout))
    known = np.isfinite(tracks.score)
    scores = [
        score if is_known else None
        for score, is_known in zip(exact_decimals(np.where(known, tracks.score, 0)).tolist(), known.tolist(), strict=True)
    ]
    frames = tracks.frame + np.int64(first_frame)
    # STG-NF sorts frames as text, so all of a clip have the same number of digits.
    digits = max(_DIGITS, len(str(frames.max(initial=0))))
    document: dict[str, dict[str, Any]] = {}
    for person, frame, pose, score in zip(tracks.person.tolist(), frames.tolist(), numbers, scores, strict=True):
        document.setdefault(str(person), {})[f"{frame:0{digits}d}"] = {"keypoints": pose, "scores": score}
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))


def json_losses(tracks: Tracks) -> Counter[str]:
    """What the JSON form cannot hold of some poses, in words, to how many.

    Joints at 0, 0 are lost only where the same data set has missing joints, which are written so.
    """
    x, y, confidence = tracks.planes
    return Counter(
        {
            "joints with one coordinate alone, which are written as missing": int((np.isnan(x) != np.isnan(y)).sum()),
            ZERO_JOINTS: int(((x == 0) & (y == 0) & (confidence == 0)).sum()),
            "scores of poses that are infinite": int(np.isinf(tracks.score).sum()),
        }
    )
