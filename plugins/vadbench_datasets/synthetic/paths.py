"""Paths on the ground: smooth curves parametrised by arc length, with straight runs beyond both ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.camera import Camera
    from vadbench_datasets.synthetic.curves import Floats

_BEYOND = 60.0
_SAMPLES = 160


@dataclass(frozen=True, slots=True)
class Path:
    """A curve on the ground.

    Args:
        points: (M, 2) metres.
        arc: (M,) arc length at each point; 0 where the path proper begins.
        heading: (M,) direction of the path at each point, radians from the x axis, without jumps.
        length: Of the path proper, metres.
    """

    points: Floats
    arc: Floats
    heading: Floats
    length: float

    @classmethod
    def bend(cls, start: Floats, control: Floats, stop: Floats) -> Path:
        """The quadratic Bezier curve from ``start`` to ``stop`` (each (2,) metres), extended straight by 60 m at both ends."""
        u = np.linspace(0.0, 1.0, _SAMPLES)[:, None]
        curve = (1 - u) ** 2 * start + 2 * u * (1 - u) * control + u**2 * stop
        before = start - (control - start) / np.linalg.norm(control - start) * _BEYOND
        after = stop + (stop - control) / np.linalg.norm(stop - control) * _BEYOND
        points = np.concatenate([before[None], curve, after[None]])
        step = np.diff(points, axis=0)
        arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(step, axis=1))]) - _BEYOND
        heading = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
        return cls(points, arc, np.concatenate([heading, heading[-1:]]), float(arc[-2]))

    def back(self, aside: float = 0.0) -> Path:
        """The same path walked the other way, ``aside`` metres to the right of the walker."""
        heading = self.heading[::-1] + np.pi
        points = self.points[::-1] + aside * np.stack([np.sin(heading), -np.cos(heading)], axis=1)
        return Path(points, self.length - self.arc[::-1], heading, self.length)

    def at(self, along: Floats) -> tuple[Floats, Floats]:
        """``(place, heading)``: (T, 2) metres and (T,) radians at the arc lengths ``along`` (T,)."""
        x = np.interp(along, self.arc, self.points[:, 0])
        y = np.interp(along, self.arc, self.points[:, 1])
        return np.stack([x, y], axis=1), np.interp(along, self.arc, self.heading)


def across(camera: Camera, rng: np.random.Generator) -> Path:
    """A random path through what a camera sees: from side to side, or from afar to a side; in either direction."""
    near, far = camera.near, camera.far
    if rng.random() < camera.lengthwise:
        begin_y, end_y = far * 1.25, rng.uniform(near, 0.5 * (near + far))
        begin_x = rng.uniform(-0.7, 0.7) * camera.half_width(begin_y)
    else:
        begin_y, end_y = rng.uniform(near, far, 2)
        begin_x = -camera.half_width(begin_y)
    side = rng.choice([-1.0, 1.0])
    begin, end = np.array([begin_x * side, begin_y]), np.array([camera.half_width(end_y) * side, end_y])
    middle = 0.5 * (begin + end)
    bow = rng.normal(0.0, 0.10) * np.linalg.norm(end - begin)
    normal = np.array([begin[1] - end[1], end[0] - begin[0]]) / np.linalg.norm(end - begin)
    control = middle + bow * normal
    control[1] = np.clip(control[1], near, 1.2 * far)
    return Path.bend(begin, control, end) if rng.random() < 0.5 else Path.bend(end, control, begin)
