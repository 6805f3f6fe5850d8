"""Surveillance cameras: pinholes above a flat ground, tilted downwards.

The ground is z = 0; a camera stands above the origin and looks along +y. Pixels: u to the right, v downwards, (0, 0) the
upper left corner of the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.curves import Flags, Floats

RESOLUTION: Final = (856, 480)
"""Width and height of the picture in pixels, as in ShanghaiTech."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera.

    Args:
        name: Of the scene.
        height: Above the ground, metres.
        pitch: How far the optical axis points below the horizon, degrees.
        roll: Of the picture about the optical axis, degrees.
        focal: Focal length, pixels.
        near: Nearest distance on the ground at which people walk, metres.
        far: Farthest such distance, metres.
        lengthwise: Share of the paths that come from afar, in [0, 1].
    """

    name: str
    height: float
    pitch: float
    roll: float
    focal: float
    near: float
    far: float
    lengthwise: float

    def _axes(self) -> Floats:
        """(3, 3): right, down and forward axis of the camera, a row each, in the world's axes."""
        pitch, roll = math.radians(self.pitch), math.radians(self.roll)
        right = np.array([1.0, 0.0, 0.0])
        down = np.array([0.0, -math.sin(pitch), -math.cos(pitch)])
        forward = np.array([0.0, math.cos(pitch), -math.sin(pitch)])
        c, s = math.cos(roll), math.sin(roll)
        return np.stack([c * right + s * down, c * down - s * right, forward])

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """World to picture.

        Args:
            points: (..., 3) metres.

        Returns:
            ``(pixels, depth)``: (..., 2), and (...) metres along the optical axis. Points nearer than 0.5 m to the
            picture plane, or behind it, are put at a depth of 0.5 m; see `sees`.
        """
        local = (points - np.array([0.0, 0.0, self.height])) @ self._axes().T
        depth = np.maximum(local[..., 2], 0.5)
        centre = np.array(RESOLUTION) / 2
        return centre + self.focal * local[..., :2] / depth[..., None], depth

    def ground(self, pixels: Floats) -> Floats:
        """Where on the ground pixels (..., 2) below the horizon lie: (..., 2) metres; inverts `project` for z = 0."""
        local = np.concatenate([(pixels - np.array(RESOLUTION) / 2) / self.focal, np.ones((*pixels.shape[:-1], 1))], axis=-1)
        ray = local @ self._axes()
        place: Floats = ray[..., :2] * (-self.height / ray[..., 2])[..., None]
        return place

    def half_width(self, distance: float) -> float:
        """How far to either side the camera sees the ground at a distance along it, metres."""
        pitch = math.radians(self.pitch)
        depth = distance * math.cos(pitch) + self.height * math.sin(pitch)
        return depth * RESOLUTION[0] / 2 / self.focal


def sees(pixels: Floats, depth: Floats) -> Flags:
    """(...) bool: whether points lie inside the picture, given what `Camera.project` returns."""
    inside: Flags = ((pixels >= 0) & (pixels < np.array(RESOLUTION))).all(axis=-1) & (depth > 0.5)
    return inside


CAMERAS: Final = (
    Camera("01", height=4.5, pitch=15.0, roll=0.5, focal=980.0, near=9.5, far=28.0, lengthwise=0.20),
    Camera("02", height=6.0, pitch=23.0, roll=-0.8, focal=900.0, near=8.5, far=23.0, lengthwise=0.35),
    Camera("03", height=7.5, pitch=30.0, roll=0.0, focal=920.0, near=8.0, far=18.5, lengthwise=0.15),
    Camera("04", height=5.0, pitch=19.0, roll=1.2, focal=820.0, near=8.0, far=23.0, lengthwise=0.45),
    Camera("05", height=8.0, pitch=35.0, roll=-0.4, focal=1000.0, near=7.5, far=15.5, lengthwise=0.25),
    Camera("06", height=4.0, pitch=17.0, roll=0.0, focal=760.0, near=7.5, far=21.0, lengthwise=0.30),
)
"""The cameras, one a scene."""
