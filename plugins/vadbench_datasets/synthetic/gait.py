"""Walking and running: from a speed to joint angles, such that the feet that stand do not slide.

The ankles are laid out first: on the ground they move backwards under the pelvis at the walking speed, in the air they
return along a smooth curve. Hip and knee angles follow by two-link inverse kinematics, so knees bend the right way.

Sources: the walk ratio, step length over cadence, of about 0.0065 m/(steps/min) holds over a person's speeds (Sekiya and
Nagasaki 1998); hence cadence 112 steps/min and steps of 0.73 m at 1.36 m/s. Stance takes about 61 % of a walking and 36 %
of a running stride; runners make about 165 steps/min (Novacheck 1998). Arms swing opposite to the legs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench_datasets.synthetic.body import Channel
from vadbench_datasets.synthetic.curves import FRAME_RATE, drift, ease

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.body import Body
    from vadbench_datasets.synthetic.curves import Floats

WALK_STANCE: Final = 0.61
RUN_STANCE: Final = 0.36
_STEP_TURN: Final = 0.6
"""Radians that a step turns a person who turns on the spot."""
_TURN_CADENCE: Final = 150.0
"""Steps a minute at most while turning; whoever turns faster pivots."""


@dataclass(frozen=True, slots=True)
class Traits:
    """How one person walks; what tells one normal person from another.

    Args:
        walk_ratio: Step length over cadence, m/(steps/min).
        arm_swing: Amplitude of each upper arm at 1.3 m/s, left and right, radians.
        elbow: Flexion of each elbow at rest, radians.
        arm_out: Abduction of the arms, radians.
        lean: Of the trunk, radians forward.
        nod: Of the head, radians down.
        twist: Amplitude of the shoulders' rotation at 1.3 m/s, radians.
        sway: Amplitude of the trunk's sideways lean, radians.
        lift: Height of the ankle in mid swing at 1.3 m/s, metres.
        crouch: How much lower than with straight legs the hips are carried, share of leg length.
        spread: Abduction of the legs, radians.
        unevenness: Difference between left and right step timing, share of a stride.
        phase: Of the gait cycle at frame 0, strides.
        run_cadence: Steps a minute when running.
    """

    walk_ratio: float
    arm_swing: tuple[float, float]
    elbow: tuple[float, float]
    arm_out: float
    lean: float
    nod: float
    twist: float
    sway: float
    lift: float
    crouch: float
    spread: float
    unevenness: float
    phase: float
    run_cadence: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Traits:
        """A random, normal person."""
        swing = rng.uniform(0.24, 0.50)
        elbow = rng.uniform(0.20, 0.55)
        return cls(
            walk_ratio=rng.normal(0.0065, 0.0005),
            arm_swing=(swing * rng.uniform(0.75, 1.2), swing * rng.uniform(0.75, 1.2)),
            elbow=(elbow * rng.uniform(0.7, 1.3), elbow * rng.uniform(0.7, 1.3)),
            arm_out=rng.uniform(0.06, 0.20),
            lean=rng.normal(0.05, 0.045),
            nod=rng.normal(0.10, 0.09),
            twist=rng.uniform(0.06, 0.18),
            sway=rng.uniform(0.01, 0.05),
            lift=rng.uniform(0.10, 0.17),
            crouch=rng.uniform(0.015, 0.045),
            spread=rng.normal(0.015, 0.02),
            unevenness=rng.normal(0.0, 0.012),
            phase=rng.uniform(0.0, 1.0),
            run_cadence=rng.normal(165.0, 8.0),
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """How much, frame by frame, a gait is something else than the person's normal walk: each (T,) in [0, 1].

    Args:
        run: Running instead of walking.
        limp: Sparing one leg.
        stiff: Both arms held straight and still.
        glide: Rolling along, as on a board, without stepping.
        sore: 0 or 1, the leg that is spared: left or right.
    """

    run: Floats
    limp: Floats
    stiff: Floats
    glide: Floats
    sore: int = 1

    @classmethod
    def none(cls, frames: int) -> Changes:
        """The person's normal walk."""
        zero = np.zeros(frames)
        return cls(zero, zero, zero, zero)


def stride_rate(traits: Traits, speed: Floats, turn_rate: Floats, changes: Changes) -> Floats:
    """(T,) strides a second at a speed (m/s) and a rate of turning (rad/s); 0 for a person who stands."""
    walking = np.sqrt(60.0 * speed / traits.walk_ratio)
    running = np.full_like(speed, traits.run_cadence)
    cadence = (1.0 - changes.run) * walking + changes.run * running
    turning = np.minimum(60.0 * np.abs(turn_rate) / _STEP_TURN, _TURN_CADENCE)
    cadence = np.maximum(cadence, turning) * (1.0 - changes.glide)
    rate: Floats = cadence / 120.0
    return rate


def walk(body: Body, traits: Traits, speed: Floats, turn_rate: Floats, *, changes: Changes, rng: np.random.Generator) -> Floats:
    """The motion of a person who moves at a given speed.

    Args:
        body: Leg lengths decide the knee angles.
        traits: The person's own way of walking.
        speed: (T,) m/s, not negative; 0 stands.
        turn_rate: (T,) rad/s; makes a standing person step on the spot.
        changes: Running, limping and so on.
        rng: For the variation from stride to stride.

    Returns:
        (T, 24) motion, a column a `Channel`.
    """
    wander = drift(rng, len(speed), 6, 0.6)
    rate = stride_rate(traits, speed, turn_rate, changes) * (1.0 + 0.02 * wander[:, 0])
    phase = traits.phase + np.cumsum(rate) / FRAME_RATE
    effort = ease(speed / 1.0)
    motion = np.zeros((len(speed), len(Channel)))
    stance = WALK_STANCE + (RUN_STANCE - WALK_STANCE) * changes.run
    stride = np.where(rate > 0.15, speed / np.maximum(rate, 0.15), speed / 0.15) * (1.0 - changes.glide)
    stepping = np.clip(effort + 0.45 * np.minimum(np.abs(turn_rate), 1.0), 0.0, 1.0) * (1.0 - changes.glide)
    ankle_height = np.empty((len(speed), 2))
    for right in (0, 1):
        sore = changes.limp * float(right == changes.sore)
        own = phase + right * (0.5 + traits.unevenness) + 0.09 * sore
        # The spared leg stands shorter, is set down closer, and is lifted less with a stiffer knee.
        share = stance - 0.12 * sore
        along, up = ankle_path(own % 1.0, share, stride * (1.0 - 0.25 * sore))
        lift = (traits.lift + 0.04 * wander[:, 1] * traits.lift) * (1.0 - 0.55 * sore) + 0.24 * changes.run
        crouch = traits.crouch * (0.15 + 0.85 * stepping) + 0.035 * changes.run + 0.02 * changes.glide - 0.02 * sore
        down = body.leg * (1.0 - np.maximum(crouch, 0.004)) - lift * stepping * up
        hip, knee = _reach(body, along, down)
        motion[:, Channel.HIP_L + right] = hip
        motion[:, Channel.KNEE_L + right] = knee
        motion[:, Channel.SPREAD_L + right] = traits.spread + 0.03 * (1.0 - effort) + 0.04 * changes.glide
        ankle_height[:, right] = lift * stepping * up
        _swing_arm(motion, right, own, traits, drive=effort * speed, changes=changes, wander=wander[:, 2 + right])
    # One foot is ahead of the other on a board, the knees are a little bent.
    motion[:, Channel.HIP_L] += changes.glide * (0.16 + 0.03 * wander[:, 4])
    motion[:, Channel.HIP_R] += changes.glide * (-0.06 + 0.03 * wander[:, 4])
    motion[:, Channel.KNEE_L : Channel.KNEE_R + 1] += (changes.glide * (0.10 + 0.03 * wander[:, 5]))[:, None]
    swing = np.cos(2 * np.pi * phase)
    quiet = 1.0 - 0.8 * np.maximum(changes.stiff, changes.glide)
    motion[:, Channel.TWIST] = (traits.twist * effort * (1.0 + 0.8 * changes.run)) * swing * quiet + 0.02 * wander[:, 4]
    onto_sore = np.sin(2 * np.pi * (phase + 0.5 * changes.sore)) * (1.0 - 2.0 * changes.sore)
    motion[:, Channel.SIDE] = -traits.sway * effort * np.sin(2 * np.pi * phase) - 0.15 * changes.limp * onto_sore * effort
    lurch = np.maximum(np.sin(2 * np.pi * (phase + 0.5 * changes.sore)), 0.0) * changes.limp * effort
    lean = traits.lean + 0.03 * effort * speed * (1 - changes.glide) + 0.10 * changes.run + 0.13 * lurch
    motion[:, Channel.LEAN] = lean + 0.012 * wander[:, 5]
    motion[:, Channel.NOD] = traits.nod - 0.7 * lean
    # In a running stride both feet leave the ground between two stances.
    air = np.clip(((phase % 0.5) - stance) / np.maximum(0.5 - stance, 0.02), 0.0, 1.0)
    motion[:, Channel.RISE] = 0.24 * air * (1.0 - air) * changes.run * effort
    return motion


def ankle_path(phase: Floats, stance: Floats, stride: Floats) -> tuple[Floats, Floats]:
    """Where an ankle is during a stride.

    Args:
        phase: (T,) in [0, 1); the foot is set down at 0 and leaves the ground at ``stance``.
        stance: (T,) share of the stride that the foot stands.
        stride: (T,) length of a stride in metres.

    Returns:
        ``(along, up)``: (T,) metres forward of the hip, and (T,) height in [0, 1], to be scaled by the lift.
    """
    reach = stance * stride / 2
    swing = np.clip((phase - stance) / (1.0 - stance), 0.0, 1.0)
    # A cubic Hermite curve from -reach to +reach whose end velocities are those of the ground: no jerk at either end.
    slope = -2.0 * reach * (1.0 - stance) / stance
    s2, s3 = swing**2, swing**3
    back = -reach * (2 * s3 - 3 * s2 + 1) + reach * (3 * s2 - 2 * s3) + slope * (2 * s3 - 3 * s2 + swing)
    along = np.where(phase < stance, reach * (1.0 - 2.0 * phase / stance), back)
    heel = 0.09  # the heel leaves the ground before the toes do, share of a stride
    up = np.clip((phase - stance + heel) / (1.0 - stance + heel), 0.0, 1.0)
    return along, np.sin(np.pi * up**0.7) ** 1.5


def _reach(body: Body, along: Floats, down: Floats) -> tuple[Floats, Floats]:
    """Hip flexion and knee flexion (T,) that bring the ankle ``along`` forward of and ``down`` below the hip, metres."""
    distance = np.clip(np.hypot(along, down), 0.35 * body.leg, 0.9985 * body.leg)
    a, b = body.thigh, body.shank
    knee = np.pi - np.arccos((a * a + b * b - distance**2) / (2 * a * b))
    ahead = np.arccos((a * a + distance**2 - b * b) / (2 * a * distance))
    return np.arctan2(along, down) + ahead, knee


def _swing_arm(
    motion: Floats, right: int, phase: Floats, traits: Traits, *, drive: Floats, changes: Changes, wander: Floats
) -> None:
    """Writes the angles of one arm; ``drive`` (T,) is the speed in m/s, eased in from standing."""
    strength = np.minimum(drive / 1.3, 1.5) * (1.0 + 0.12 * wander)
    amplitude = traits.arm_swing[right] * strength
    amplitude = (amplitude * (1.0 - changes.run) + 0.62 * changes.run) * (1.0 - 0.75 * changes.glide)
    elbow = (traits.elbow[right] + 0.05 * wander) * (1.0 - changes.run) + 1.45 * changes.run
    # The leg of the same side is foremost at phase 0, so the arm is then at its back.
    swing = -np.cos(2 * np.pi * phase)
    free = 1.0 - changes.stiff
    rest = 0.04 + 0.03 * wander - 0.10 * changes.run
    motion[:, Channel.SHOULDER_L + right] = (rest + amplitude * swing) * free - 0.03 * changes.stiff
    motion[:, Channel.ELBOW_L + right] = np.maximum(elbow + 0.45 * amplitude * (1.0 + swing), 0.03) * free + 0.04 * changes.stiff
    out = traits.arm_out + 0.015 * wander + 0.10 * changes.glide
    motion[:, Channel.OUT_L + right] = out * free + 0.40 * changes.stiff
    motion[:, Channel.INWARD_L + right] = 0.25 * free
