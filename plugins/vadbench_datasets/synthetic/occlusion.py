"""What a camera cannot see of a person: what their own body hides, what others hide, and a face that is turned away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import COCO_17
from vadbench_datasets.synthetic.camera import sees

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.camera import Camera
    from vadbench_datasets.synthetic.curves import Flags, Floats

_JOINTS: Final = {name: index for index, name in enumerate(COCO_17.joints)}
_FACE: Final = [_JOINTS[name] for name in ("nose", "left_eye", "right_eye")]
_LIMBS: Final = [_JOINTS[f"{side}_{part}"] for part in ("elbow", "wrist", "shoulder", "hip") for side in ("left", "right")]
_LEGS: Final = [(_JOINTS[f"left_{part}"], _JOINTS[f"right_{part}"]) for part in ("knee", "ankle")]
SMALLEST: Final = 38.0
"""Persons whose upright height in the picture is less, in pixels, are not detected."""
ENOUGH_JOINTS: Final = 9
"""Persons with fewer joints inside the picture are not in view."""


@dataclass(frozen=True, slots=True)
class View:
    """P persons in the picture of one camera over T frames, without any error.

    Args:
        pixels: (P, T, 17, 2) where each joint is in the picture.
        depth: (P, T, 17) metres along the optical axis.
        stature: (P,) metres.
        size: (P, T) height in pixels that each person would have upright and seen without foreshortening.
        inside: (P, T, 17) whether a joint is inside the picture.
        in_view: (P, T) whether a person is large enough and far enough inside the picture to be detected.
    """

    pixels: Floats
    depth: Floats
    stature: Floats
    size: Floats
    inside: Flags
    in_view: Flags

    @classmethod
    def of(cls, camera: Camera, joints: Floats, stature: Floats) -> View:
        """What ``camera`` sees of ``joints`` (P, T, 17, 3), metres, of persons of a ``stature`` (P,), metres."""
        pixels, depth = camera.project(joints)
        size = camera.focal * stature[:, None] / depth.mean(axis=2)
        inside = sees(pixels, depth)
        in_view = (inside.sum(axis=2) >= ENOUGH_JOINTS) & (size >= SMALLEST)
        return cls(pixels, depth, stature, size, inside, in_view)


def hidden(view: View) -> Floats:
    """(P, T, 17) how far each joint is hidden, 0 (in plain sight) to 1."""
    return np.maximum(np.maximum(_by_oneself(view), _by_others(view)), 0.0)


def _by_oneself(view: View) -> Floats:
    pixels, depth, stature = view.pixels, view.depth, view.stature[:, None]
    result = np.zeros(depth.shape)
    hips, shoulders = pixels[:, :, 11:13].mean(axis=2), pixels[:, :, 5:7].mean(axis=2)
    middle = depth[:, :, [5, 6, 11, 12]].mean(axis=2)
    axis = shoulders - hips
    square = np.maximum((axis**2).sum(axis=-1), 1e-6)
    for joint in _LIMBS:
        offset = pixels[:, :, joint] - hips
        share = np.clip((offset * axis).sum(axis=-1) / square, 0.0, 1.0)
        away = np.linalg.norm(offset - share[..., None] * axis, axis=-1) / view.size
        behind = np.clip((depth[:, :, joint] - middle) / (0.09 * stature), 0.0, 1.0)
        result[:, :, joint] = behind * np.clip(2.0 - away / 0.05, 0.0, 1.0)
    for left, right in _LEGS:
        near = np.clip(1.5 - np.linalg.norm(pixels[:, :, left] - pixels[:, :, right], axis=-1) / (0.06 * view.size), 0.0, 1.0)
        order = (depth[:, :, left] - depth[:, :, right]) / (0.05 * stature)
        result[:, :, left] = np.maximum(result[:, :, left], 0.7 * near * np.clip(order, 0.0, 1.0))
        result[:, :, right] = np.maximum(result[:, :, right], 0.7 * near * np.clip(-order, 0.0, 1.0))
    # The nose is nearer to the camera than the ears where somebody looks at it.
    facing = (depth[:, :, 3:5].mean(axis=2) - depth[:, :, 0]) / (0.06 * stature)
    for joint in _FACE:
        result[:, :, joint] = np.clip(0.35 - facing, 0.0, 1.0)
    for ear, other in ((3, 4), (4, 3)):
        turned = (depth[:, :, ear] - depth[:, :, other]) / (0.088 * stature)
        result[:, :, ear] = 0.8 * np.clip(turned - 0.3, 0.0, 1.0)
    return result


def _by_others(view: View) -> Floats:
    persons = len(view.depth)
    result = np.zeros(view.depth.shape)
    centre = view.pixels[:, :, [5, 6, 11, 12, 15, 16]].mean(axis=2)
    distance = view.depth.mean(axis=2)
    for front in range(persons):
        extent = np.stack([0.13 * view.size[front], 0.48 * view.size[front]], axis=-1)
        offset = (view.pixels - centre[front][None, :, None]) / extent[None, :, None]
        covered = np.clip(2.5 - 2.0 * np.linalg.norm(offset, axis=-1), 0.0, 1.0)
        behind = np.clip((distance - distance[front] - 0.15) / 0.3, 0.0, 1.0)[:, :, None]
        behind[front] = 0.0
        np.maximum(result, covered * behind * view.in_view[front][None, :, None], out=result)
    return result
