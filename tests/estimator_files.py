"""Builders of what pose estimators write, from the same poses: so that an import of each must give the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESOLUTION = (640, 480)


@dataclass(frozen=True)
class Scene:
    """Poses of a clip: (n, J, 3) float64, and frame, person and score of each. Numbers have three decimals."""

    keypoints: NDArray[np.float64]
    frame: list[int]
    person: list[int]
    score: list[float]

    @property
    def rows(self) -> list[tuple[int, int, float, list[float]]]:
        numbers = self.keypoints.reshape(len(self.frame), -1).tolist()
        return list(zip(self.frame, self.person, self.score, numbers, strict=True))

    @property
    def n_frames(self) -> int:
        return max(self.frame) + 1


def made_scene(n_frames: int = 6, n_persons: int = 2, joints: int = 17, seed: int = 0) -> Scene:
    """Persons far from one another, each seen in every frame; a frame with nobody lies at 3."""
    rng = np.random.default_rng(seed)
    frames = [frame for frame in range(n_frames) if frame != 3]
    rows = [(frame, person) for frame in frames for person in range(1, n_persons + 1)]
    body = rng.uniform(0, 60, (n_persons + 1, joints, 2))
    keypoints = np.empty((len(rows), joints, 3))
    for i, (frame, person) in enumerate(rows):
        keypoints[i, :, :2] = body[person] + (150 * person + 2 * frame, 100)
        keypoints[i, :, 2] = rng.uniform(0.4, 1, joints)
    scores = rng.uniform(0.5, 3, len(rows)).round(3).tolist()
    return Scene(keypoints.round(3), [frame for frame, _ in rows], [person for _, person in rows], scores)


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def alphapose(scene: Scene, *, ids: bool = True) -> list[dict[str, Any]]:
    """The flat list of ``alphapose-results.json``."""
    return [
        {"image_id": f"{frame}.jpg", "category_id": 1, "keypoints": numbers, "score": score, "box": [0, 0, 9, 9]}
        | ({"idx": [float(person)]} if ids else {})
        for frame, person, score, numbers in scene.rows
    ]


def alphapose_by_image(scene: Scene, outer: str, inner: str) -> dict[str, Any]:
    """``--format cmu`` (bodies, joints) or ``open`` (people, pose_keypoints_2d): no ids, no scores."""
    images: dict[str, Any] = {f"{frame}.jpg": {"version": 0.1, outer: []} for frame in range(scene.n_frames)}
    for frame, _, _, numbers in scene.rows:
        images[f"{frame}.jpg"][outer].append({inner: numbers})
    return images


def poseflow(scene: Scene) -> dict[str, Any]:
    images: dict[str, Any] = {f"{frame}.jpg": [] for frame in range(scene.n_frames)}
    for frame, person, score, numbers in scene.rows:
        images[f"{frame}.jpg"].append({"keypoints": numbers, "scores": score, "idx": person})
    return images


def coco_results(scene: Scene) -> list[dict[str, Any]]:
    return [
        {"image_id": frame, "category_id": 1, "keypoints": numbers, "score": score, "track_id": person}
        for frame, person, score, numbers in scene.rows
    ]


def coco_annotations(scene: Scene) -> dict[str, Any]:
    """Images with ids of their own, numbered in their file names."""
    return {
        "images": [{"id": 900 + frame, "file_name": f"clip/{frame:06d}.jpg"} for frame in range(scene.n_frames)],
        "annotations": [
            {"id": i, "image_id": 900 + frame, "category_id": 1, "keypoints": numbers, "score": score, "track_id": person}
            for i, (frame, person, score, numbers) in enumerate(scene.rows)
        ],
        "categories": [{"id": 1, "name": "person"}],
    }


def mmpose_frames(scene: Scene) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = [{"frame_id": frame, "instances": []} for frame in range(scene.n_frames)]
    for frame, person, score, numbers in scene.rows:
        points = np.reshape(numbers, (-1, 3))
        frames[frame]["instances"].append(
            {
                "keypoints": points[:, :2].tolist(),
                "keypoint_scores": points[:, 2].tolist(),
                "bbox": [[0, 0, 9, 9]],
                "bbox_score": score,
                "track_id": person,
            }
        )
    return frames


def ultralytics(scene: Scene) -> list[list[dict[str, Any]]]:
    frames: list[list[dict[str, Any]]] = [[] for _ in range(scene.n_frames)]
    for frame, person, score, numbers in scene.rows:
        points = np.reshape(numbers, (-1, 3))
        frames[frame].append(
            {
                "name": "person",
                "class": 0,
                "confidence": score,
                "box": {"x1": 0, "y1": 0, "x2": 9, "y2": 9},
                "track_id": person,
                "keypoints": {"x": points[:, 0].tolist(), "y": points[:, 1].tolist(), "visible": points[:, 2].tolist()},
            }
        )
    return frames


def write_openpose(folder: Path, scene: Scene, *, clip: str = "clip", ids: bool = True) -> Path:
    """One file a frame, with and without people."""
    people: list[list[dict[str, Any]]] = [[] for _ in range(scene.n_frames)]
    for frame, person, _, numbers in scene.rows:
        people[frame].append({"person_id": [person if ids else -1], "pose_keypoints_2d": numbers, "face_keypoints_2d": []})
    for frame, persons in enumerate(people):
        write_json(folder / f"{clip}_{frame:012d}_keypoints.json", {"version": 1.3, "people": persons})
    return folder


def write_ultralytics_labels(folder: Path, scene: Scene, *, ends: str = "both", visible: bool = True, clip: str = "clip") -> Path:
    """One file for each frame with somebody, numbered from 1, in shares of `RESOLUTION`; ``ends`` is none, conf, id or both."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in sorted(set(scene.frame)):
        lines = []
        for at, person, score, numbers in scene.rows:
            if at != frame:
                continue
            points = np.reshape(numbers, (-1, 3)) / (*RESOLUTION, 1)
            line = [0, 0.5, 0.5, 0.1, 0.2, *points[:, : 3 if visible else 2].ravel().tolist()]
            line += {"none": [], "conf": [score], "id": [person], "both": [score, person]}[ends]
            lines.append(" ".join(f"{number:.9g}" for number in line))
        (folder / f"{clip}_{frame + 1}.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
    return folder
