"""COCO keypoint JSON, as results or annotations, and the instances that MMPose's inferencer writes frame by frame.

Source of the forms: the COCO data format and result format; MMPose's user guide, "Inference with existing models".
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from vadbench.data.importers.alphapose import flat_list, tracking_id
from vadbench.data.importers.clip_sources import ImageNames
from vadbench.data.importers.json_source import Node, json_document
from vadbench.data.importers.raw_poses import Detections, RawPoses

if TYPE_CHECKING:
    from pathlib import Path

FORM: Final = (
    'a list of {"image_id": 12, "keypoints": [x, y, confidence, ...], "score": 0.9}; or {"images": [...], "annotations": [...]}; '
    'or a list of frames {"frame_id": 12, "instances": [{"keypoints": [[x, y], ...], "keypoint_scores": [...]}]}'
)
_ID_KEYS: Final = ("track_id", "instance_id")


def read(path: Path) -> Detections:
    """One clip; raises `DataError` for a file of another form."""
    document = json_document(path, FORM)
    if isinstance(document.value, dict):
        if "instance_info" in document.value:
            return _frames_of_instances(document.need("instance_info"))
        return flat_list(document.need("annotations"), id_keys=_ID_KEYS, frames=_frames(document.need("images"))).finish()
    entries = document.list()
    if entries and (isinstance(entries[0], list) or (isinstance(entries[0], dict) and "instances" in entries[0])):
        return _frames_of_instances(document)
    if entries and isinstance(entries[0], dict) and "image_id" not in entries[0] and "keypoint_scores" in entries[0]:
        raise document.wrong("here are the instances of a single picture: make a list of such lists, one a frame")
    return flat_list(document, id_keys=_ID_KEYS).finish()


def _frames(images: Node) -> dict[Any, int]:
    """Image id to frame: ``frame_id`` where there is one, else the number at the end of the file name."""
    names = ImageNames()
    frames: dict[Any, int] = {}
    for image in images.items():
        number = image.get("frame_id")
        name = image.need("id")
        if isinstance(name.value, (list, dict)):
            raise name.wrong("this is no id")
        frames[name.value] = names.frame(image.need("file_name")) if number is None else number.whole_number()
    if len(set(frames.values())) < len(images.list()):
        raise images.wrong("two images are the same frame, or have the same id: are these several clips?")
    return frames


def _frames_of_instances(frames: Node) -> Detections:
    raw = RawPoses(frames.path, lists_frames=True)
    for index, frame in enumerate(frames.items()):
        bare = isinstance(frame.value, list)
        number = None if bare else frame.get("frame_id")
        at = index if number is None else number.whole_number()
        raw.list_frame(at)
        for instance in (frame if bare else frame.need("instances")).items():
            score = instance.get("bbox_score", "score")
            raw.add(
                instance.place,
                frame=at,
                keypoints=_joined(instance.need("keypoints"), instance.need("keypoint_scores")),
                score=None if score is None else score.value,
                person=tracking_id(instance.get(*_ID_KEYS)),
            )
    return raw.finish()


def _joined(points: Node, confidences: Node) -> list[Any]:
    """x, y, confidence joint by joint, from [[x, y], ...] and [confidence, ...]."""
    xy, confidence = points.list(), confidences.list()
    if len(xy) != len(confidence):
        raise confidences.wrong(f"{len(xy)} keypoints, but {len(confidence)} scores of keypoints")
    if not all(isinstance(point, list) and len(point) == 2 for point in xy):
        raise points.wrong("not every keypoint is [x, y]; three numbers are a pose in space, which is no use here")
    return list(chain.from_iterable((*point, c) for point, c in zip(xy, confidence, strict=True)))
