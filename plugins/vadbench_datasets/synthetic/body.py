"""The body: segment lengths from anthropometry, and forward kinematics from joint angles to the 17 COCO joints.

Axes of the body: x forward, y to its left, z up, metres. All angles are radians and 0 when a person stands upright with
hanging arms. Segment lengths as shares of the stature: Drillis and Contini, as tabled by Winter (Biomechanics and Motor
Control of Human Movement, fig. 4.1); hip and shoulder joints lie further in than the widths tabled there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import COCO_17

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.curves import Floats


class Channel(IntEnum):
    """The columns of a motion: angles in radians, except for the last three, which are metres.

    Left stands before right, so that ``channel + 1`` is the right-hand partner of a left channel.
    """

    HIP_L = 0  # flexion of the thigh, positive forward
    HIP_R = 1
    SPREAD_L = 2  # abduction of the leg, positive outward
    SPREAD_R = 3
    KNEE_L = 4  # flexion, positive backward, as knees bend
    KNEE_R = 5
    SHOULDER_L = 6  # flexion of the upper arm, positive forward
    SHOULDER_R = 7
    OUT_L = 8  # abduction of the arm, positive outward
    OUT_R = 9
    ELBOW_L = 10  # flexion, positive forward
    ELBOW_R = 11
    INWARD_L = 12  # rotation of the bent forearm towards the belly
    INWARD_R = 13
    LEAN = 14  # trunk forward, relative to the pelvis
    SIDE = 15  # trunk to the right
    TWIST = 16  # trunk to the left about the vertical
    NOD = 17  # head down
    LOOK = 18  # head to the left
    PITCH = 19  # the whole body forward
    ROLL = 20  # the whole body to the right
    RISE = 21  # clearance of the lowest point above the ground
    AHEAD = 22  # pelvis forward of the path
    ASIDE = 23  # pelvis to the left of the path


UPPER: Final = tuple(range(Channel.SHOULDER_L, Channel.INWARD_R + 1))
"""The channels of both arms."""


@dataclass(frozen=True, slots=True)
class Body:
    """Segment lengths of one person in metres.

    Args:
        stature: Height of the person.
        thigh: Hip to knee.
        shank: Knee to ankle.
        trunk: Middle of the hips to middle of the shoulders.
        upper_arm: Shoulder to elbow.
        forearm: Elbow to wrist.
        hips: Distance between the hip joints.
        shoulders: Distance between the shoulder joints.
    """

    stature: float
    thigh: float
    shank: float
    trunk: float
    upper_arm: float
    forearm: float
    hips: float
    shoulders: float

    @classmethod
    def of(cls, stature: float, *, legs: float = 1.0, girth: float = 1.0) -> Body:
        """A body of a stature in metres; ``legs`` lengthens the legs at the cost of the trunk, ``girth`` the widths."""
        leg = 0.491 * stature * legs
        return cls(
            stature=stature,
            thigh=0.499 * leg,
            shank=0.501 * leg,
            trunk=(0.491 + 0.288) * stature - leg,
            upper_arm=0.186 * stature,
            forearm=0.146 * stature,
            hips=0.118 * stature * girth,
            shoulders=0.212 * stature * girth,
        )

    @property
    def leg(self) -> float:
        """Hip to ankle with a straight knee, in metres."""
        return self.thigh + self.shank


# Points of the head relative to the middle of the shoulders, as shares of the stature: forward, left, up.
_HEAD: Final = {
    "nose": (0.062, 0.0, 0.112),
    "left_eye": (0.050, 0.019, 0.130),
    "right_eye": (0.050, -0.019, 0.130),
    "left_ear": (0.002, 0.044, 0.122),
    "right_ear": (0.002, -0.044, 0.122),
}
# How far above the ground each joint is when that part of the body lies on it, as a share of the stature.
_THICKNESS: Final = {"nose": 0.06, "shoulder": 0.075, "elbow": 0.03, "wrist": 0.03, "hip": 0.075, "knee": 0.035, "ankle": 0.039}


def pose(body: Body, motion: Floats) -> Floats:
    """Joint angles to joints, facing along +x, with the pelvis above the origin and the lowest point on the ground.

    Args:
        body: Whose joints.
        motion: (T, 24), one column a `Channel`.

    Returns:
        (T, 17, 3) metres, COCO-17 order; z = 0 is the ground. Bone lengths do not depend on ``motion``.
    """
    joints = np.empty((len(motion), len(COCO_17), 3))

    def put(name: str, value: Floats) -> None:
        joints[:, COCO_17.index(name)] = value

    whole = _turn_y(motion[:, Channel.PITCH]) @ _turn_x(motion[:, Channel.ROLL])
    trunk = whole @ _turn_z(motion[:, Channel.TWIST]) @ _turn_y(motion[:, Channel.LEAN]) @ _turn_x(motion[:, Channel.SIDE])
    head = trunk @ _turn_z(motion[:, Channel.LOOK]) @ _turn_y(motion[:, Channel.NOD])
    neck = trunk[:, :, 2] * body.trunk
    for name, offset in _HEAD.items():
        put(name, neck + head @ (np.array(offset) * body.stature))
    for right, side in enumerate(("left", "right")):
        sign = 1.0 - 2.0 * right
        hip = whole[:, :, 1] * (sign * body.hips / 2)
        flexion, spread = motion[:, Channel.HIP_L + right], motion[:, Channel.SPREAD_L + right]
        knee = hip + _apply(whole, _limb(flexion, spread, sign)) * body.thigh
        bent = _limb(flexion - motion[:, Channel.KNEE_L + right], spread, sign)
        ankle = knee + _apply(whole, bent) * body.shank
        shoulder = neck + trunk[:, :, 1] * (sign * body.shoulders / 2)
        flexion, out = motion[:, Channel.SHOULDER_L + right], motion[:, Channel.OUT_L + right]
        upper = _limb(flexion, out, sign)
        elbow = shoulder + _apply(trunk, upper) * body.upper_arm
        elbow_angle, inward = motion[:, Channel.ELBOW_L + right, None], motion[:, Channel.INWARD_L + right]
        fore = np.cos(elbow_angle) * upper + np.sin(elbow_angle) * _across(flexion, out, inward, sign)
        wrist = elbow + _apply(trunk, fore) * body.forearm
        limbs = {"hip": hip, "knee": knee, "ankle": ankle, "shoulder": shoulder, "elbow": elbow, "wrist": wrist}
        for part, value in limbs.items():
            put(f"{side}_{part}", value)
    thickness = np.array([_THICKNESS.get(name.split("_")[-1], 0.06) for name in COCO_17.joints]) * body.stature
    lowest = (joints[:, :, 2] - thickness).min(axis=1)
    joints[:, :, 2] += (motion[:, Channel.RISE] - lowest)[:, None]
    joints[:, :, 0] += motion[:, Channel.AHEAD, None]
    joints[:, :, 1] += motion[:, Channel.ASIDE, None]
    return joints


def turned(joints: Floats, heading: Floats, place: Floats) -> Floats:
    """Joints (T, J, 3) turned about the vertical by ``heading`` (T,) from the x axis and moved to ``place`` (T, 2)."""
    world: Floats = joints @ _turn_z(heading).swapaxes(1, 2)
    world[:, :, :2] += place[:, None]
    return world


def _apply(matrix: Floats, vector: Floats) -> Floats:
    product: Floats = (matrix @ vector[:, :, None])[:, :, 0]
    return product


def _limb(flexion: Floats, out: Floats, sign: float) -> Floats:
    """(T, 3) unit direction of a limb that hangs down when both angles are 0."""
    return np.stack([np.sin(flexion), sign * np.sin(out) * np.cos(flexion), -np.cos(flexion) * np.cos(out)], axis=1)


def _across(flexion: Floats, out: Floats, inward: Floats, sign: float) -> Floats:
    """(T, 3) unit direction perpendicular to `_limb` into which the elbow bends: forward, turned inwards by ``inward``."""
    forward = np.stack([np.cos(flexion), -sign * np.sin(out) * np.sin(flexion), np.sin(flexion) * np.cos(out)], axis=1)
    inner = np.stack([np.zeros_like(out), -sign * np.cos(out), -np.sin(out)], axis=1)
    direction: Floats = np.cos(inward)[:, None] * forward + np.sin(inward)[:, None] * inner
    return direction


def _turn_x(angle: Floats) -> Floats:
    c, s, one, zero = np.cos(angle), np.sin(angle), np.ones_like(angle), np.zeros_like(angle)
    return np.stack([one, zero, zero, zero, c, -s, zero, s, c], axis=1).reshape(-1, 3, 3)


def _turn_y(angle: Floats) -> Floats:
    c, s, one, zero = np.cos(angle), np.sin(angle), np.ones_like(angle), np.zeros_like(angle)
    return np.stack([c, zero, s, zero, one, zero, -s, zero, c], axis=1).reshape(-1, 3, 3)


def _turn_z(angle: Floats) -> Floats:
    c, s, one, zero = np.cos(angle), np.sin(angle), np.ones_like(angle), np.zeros_like(angle)
    return np.stack([c, -s, zero, s, c, zero, zero, zero, one], axis=1).reshape(-1, 3, 3)
