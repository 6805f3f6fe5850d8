"""AlphaPose's ``alphapose-results.json``: a flat list of poses, or poses by image with ``--format cmu`` or ``open``.

Source of the form: AlphaPose's output documentation and its issue 761 (``idx`` without tracking).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vadbench.data.importers.clip_sources import ImageNames
from vadbench.data.importers.json_source import Node, json_document, whole_number
from vadbench.data.importers.raw_poses import Detections, RawPoses

if TYPE_CHECKING:
    from pathlib import Path

FORM: Final = 'a list of {"image_id": "12.jpg", "category_id": 1, "keypoints": [x, y, confidence, ...], "score": 2.4, "idx": 1}'
_PERSON: Final = 1
_NOT_PERSONS: Final = "not persons (category_id)"


def read(path: Path) -> Detections:
    """One clip; raises `DataError` for a file of another form."""
    document = json_document(path, FORM)
    if isinstance(document.value, dict):
        return _by_image(document)
    return flat_list(document, id_keys=("idx",)).finish("coco-18")


def flat_list(document: Node, *, id_keys: tuple[str, ...], frames: dict[Any, int] | None = None) -> RawPoses:
    """The poses of a list of ``{image_id, keypoints, score}``, which AlphaPose and COCO share.

    Args:
        document: The list.
        id_keys: Where the tracking id stands, the first that is there.
        frames: Image id to frame; by default the number at the end of the image id.
    """
    raw = RawPoses(document.path, lists_frames=frames is not None)
    for frame in (frames or {}).values():
        raw.list_frame(frame)
    names = ImageNames()
    for entry in document.items():
        image = entry.need("image_id")
        category = entry.get("category_id")
        if category is not None and category.value != _PERSON:
            raw.counts[_NOT_PERSONS] += 1
            continue
        if frames is None:
            frame = names.frame(image)
        elif isinstance(image.value, (list, dict)) or image.value not in frames:
            raise image.wrong(f"no image has the id {str(image.value)[:40]!r}")
        else:
            frame = frames[image.value]
        score = entry.get("score", "scores")
        raw.add(
            entry.place,
            frame=frame,
            keypoints=entry.need("keypoints").list(),
            score=None if score is None else score.value,
            person=tracking_id(entry.get(*id_keys)),
        )
    return raw


def tracking_id(node: Node | None) -> int | None:
    """The id that a tracker gave, bare or in a list of one; None where there was no tracker.

    Without tracking AlphaPose writes ``idx`` as lists of several numbers, which mean nothing; OpenPose writes ``[-1]``.
    """
    value = None if node is None else node.value
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if node is None or isinstance(value, list) or value == -1:
        return None
    number = whole_number(value)
    if number is None:
        raise node.wrong(f"{str(value)[:40]!r} is no tracking id, which is a whole number from 0")
    return number


def _by_image(document: Node) -> Detections:
    """``{image: {"bodies": [{"joints": [...]}]}}`` (cmu) or ``{image: {"people": [{"pose_keypoints_2d": [...]}]}}`` (open)."""
    raw = RawPoses(document.path, lists_frames=True)
    names = ImageNames()
    for name, image in document.members().items():
        frame = names.frame(Node(name, document.path, f"image {name[:60]}", FORM))
        if isinstance(image.value, list):
            raise image.wrong("here are poses by image name, as PoseFlow writes them: import them with the format poseflow")
        raw.list_frame(frame)
        for body in image.need("bodies", "people").items():
            raw.add(body.place, frame=frame, keypoints=body.need("joints", "pose_keypoints_2d").list())
    return raw.finish("coco-18")
