"""Ultralytics pose results in JSON: a list with each frame's ``Results.summary()``, or ``to_json()``, of predict or track.

Source of the form: the reference of ``ultralytics.engine.results``. A joint that is not visible is written as 0, 0.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from vadbench.data.importers.alphapose import tracking_id
from vadbench.data.importers.json_source import Node, json_document, json_text
from vadbench.data.importers.raw_poses import Detections, RawPoses

if TYPE_CHECKING:
    from pathlib import Path

FORM: Final = (
    'a list of frames, each a list of {"box": {...}, "confidence": 0.9, "track_id": 1, '
    '"keypoints": {"x": [...], "y": [...], "visible": [...]}}, as json.dump([r.summary() for r in results], file) writes it'
)


def read(path: Path) -> Detections:
    """One clip; raises `DataError` for a file of another form."""
    raw = RawPoses(path, lists_frames=True)
    for number, frame in enumerate(json_document(path, FORM).items()):
        raw.list_frame(number)
        # A list of what to_json() gave holds JSON within JSON.
        poses = json_text(frame.value, path, frame.place, FORM) if isinstance(frame.value, str) else frame
        if isinstance(poses.value, dict):
            raise poses.wrong("here is a pose where a frame is expected: each frame needs a list of its own")
        for pose in poses.items():
            score = pose.get("confidence")
            raw.add(
                pose.place,
                frame=number,
                keypoints=_joined(pose.need("keypoints")),
                score=None if score is None else score.value,
                person=tracking_id(pose.get("track_id")),
            )
    return raw.finish(zero_is_missing=True)


def _joined(keypoints: Node) -> list[Any]:
    """x, y, confidence joint by joint; a model without confidences has 1."""
    x, y = keypoints.need("x").list(), keypoints.need("y").list()
    visible = keypoints.get("visible")
    confidence = [1.0] * len(x) if visible is None else visible.list()
    if not len(x) == len(y) == len(confidence):
        raise keypoints.wrong(f"{len(x)} x, {len(y)} y and {len(confidence)} visible")
    return list(chain.from_iterable(zip(x, y, confidence, strict=True)))
