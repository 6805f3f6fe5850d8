"""OpenPose's ``--write_json`` folder: one file a frame, ``<clip>_000000000012_keypoints.json``.

Source of the form: OpenPose's output documentation (``people``, ``pose_keypoints_2d``); a joint that was not found is 0, 0, 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vadbench.data.importers.alphapose import tracking_id
from vadbench.data.importers.json_source import json_document
from vadbench.data.importers.raw_poses import Detections, RawPoses

if TYPE_CHECKING:
    from vadbench.data.importers.clip_sources import FrameFiles

FORM: Final = '{"people": [{"person_id": [-1], "pose_keypoints_2d": [x, y, confidence, ...]}]}'


def read(files: FrameFiles) -> Detections:
    """One clip; raises `DataError` for a file of another form."""
    raw = RawPoses(next(iter(files.values())).parent, lists_frames=True)
    for frame, path in files.items():
        raw.list_frame(frame)
        for person in json_document(path, FORM).need("people").items():
            raw.add(
                f"{path.name}, {person.place}",
                frame=frame,
                keypoints=person.need("pose_keypoints_2d", "pose_keypoints").list(),
                person=tracking_id(person.get("person_id")),
            )
    return raw.finish()
