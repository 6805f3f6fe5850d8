"""PoseFlow's tracked poses: an object of image name to the poses in it, each with ``idx``.

Source of the form: PoseFlow's issue 21 and AlphaPose's issues 253 and 1007.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vadbench.data.importers.alphapose import tracking_id
from vadbench.data.importers.clip_sources import ImageNames
from vadbench.data.importers.json_source import Node, json_document
from vadbench.data.importers.raw_poses import Detections, RawPoses

if TYPE_CHECKING:
    from pathlib import Path

FORM: Final = '{"12.jpg": [{"idx": 1, "keypoints": [x, y, confidence, ...], "scores": 2.4}], "13.jpg": [], ...}'


def read(path: Path) -> Detections:
    """One clip; raises `DataError` for a file of another form."""
    raw = RawPoses(path, lists_frames=True)
    names = ImageNames()
    for name, poses in json_document(path, FORM).members().items():
        frame = names.frame(Node(name, path, f"image {name[:60]}", FORM))
        raw.list_frame(frame)
        for pose in poses.items():
            score = pose.get("scores", "score")
            raw.add(
                pose.place,
                frame=frame,
                keypoints=pose.need("keypoints").list(),
                score=None if score is None else score.value,
                person=tracking_id(pose.get("idx")),
            )
    return raw.finish()
