"""What abnormal people do with their bodies: jump, fall, crawl, fight. Each is a list of overlays over the person's gait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench_datasets.synthetic.body import Channel
from vadbench_datasets.synthetic.curves import drift, ease, pulses, window
from vadbench_datasets.synthetic.gestures import Overlay

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.body import Body
    from vadbench_datasets.synthetic.curves import Floats

_ALL: Final = tuple(Channel)
_GRAVITY: Final = 9.81


def _still(frames: int, **angles: float) -> Floats:
    """(T, 24) a motion that holds one pose; a name without side sets both sides."""
    motion = np.zeros((frames, len(Channel)))
    for name, angle in angles.items():
        for channel in (name, f"{name}_L", f"{name}_R"):
            if channel in Channel.__members__:
                motion[:, Channel[channel]] = angle
    return motion


def jumping(time: Floats, start: float, stop: float, rng: np.random.Generator) -> tuple[Overlay, ...]:
    """Jumps on both feet, one jump after the other, 1.0 to 1.5 seconds each; flights of 0.32 to 0.5 s follow gravity."""
    period = rng.uniform(1.0, 1.5)
    flight = rng.uniform(0.32, 0.5)
    depth = rng.uniform(0.55, 0.85)
    into = (time - start) % period
    take_off = 0.42
    landed = take_off + flight
    crouch = ease(into / 0.30) * ease((take_off - into) / 0.14) + 0.7 * ease((into - landed + 0.04) / 0.10) * ease(
        (period - into) / max(period - landed - 0.06, 0.1)
    )
    air = np.clip((into - take_off) / flight, 0.0, 1.0)
    reach = ease((into - 0.28) / 0.22) * ease((landed + 0.15 - into) / 0.25)
    motion = _still(len(time), OUT=0.15, INWARD=0.2)
    tuck = np.sin(np.pi * air)
    arms = rng.uniform(1.0, 2.3)
    for side in (0, 1):
        motion[:, Channel.HIP_L + side] = 0.62 * depth * 2 * crouch + 0.25 * tuck
        motion[:, Channel.KNEE_L + side] = 1.12 * depth * 2 * crouch + 0.06 + 0.5 * tuck
        motion[:, Channel.SHOULDER_L + side] = arms * reach - 0.75 * crouch
        motion[:, Channel.ELBOW_L + side] = 0.3 + 0.3 * reach
    motion[:, Channel.LEAN] = 0.08 + 0.55 * crouch
    motion[:, Channel.NOD] = -0.25 * crouch
    motion[:, Channel.RISE] = 0.5 * _GRAVITY * (air * flight) * (flight - air * flight)
    motion += 0.02 * drift(rng, len(time), len(Channel), 0.4) * (motion != 0)
    return (Overlay(window(time, start, stop, 0.4), _ALL, motion),)


def falling(time: Floats, start: float, stop: float, body: Body, rng: np.random.Generator) -> tuple[Overlay, ...]:
    """Falls forwards, backwards or to a side within 0.7 to 1 second, lies, and gets up over hands and knees."""
    frames = len(time)
    down = rng.uniform(0.7, 1.0)
    rise = min(rng.uniform(1.8, 2.6), 0.5 * (stop - start))
    way = int(rng.integers(4))
    progress = np.clip((time - start) / down, 0.0, 1.0) ** 2
    pitch, roll = ((1.48, 0.0), (-1.50, 0.0), (0.15, 1.48), (0.15, -1.48))[way]
    slow = drift(rng, frames, len(Channel), 0.6)
    lying = _still(frames, SHOULDER=(2.0, 0.5, 0.9, 0.9)[way], ELBOW=0.8, OUT=0.5, HIP=0.25, KNEE=0.5, LEAN=0.08, INWARD=0.3)
    lying[:, Channel.KNEE_L] += rng.uniform(0.0, 0.5)
    lying[:, Channel.HIP_L] += rng.uniform(0.0, 0.3)
    lying[:, :15] += 0.10 * slow[:, :15]
    lying[:, Channel.PITCH] = pitch * progress
    lying[:, Channel.ROLL] = roll * progress
    # A body tips about its feet, so that the pelvis travels.
    lying[:, Channel.AHEAD] = body.leg * np.sin(pitch * progress) * 0.8
    lying[:, Channel.ASIDE] = -body.leg * np.sin(roll * progress) * 0.8
    fall = Overlay(ease((time - start + 0.05) / 0.5) * ease((stop - time) / 0.5), _ALL, lying)
    kneel = _crawl_pose(frames)
    kneel[:, Channel.AHEAD] = lying[-1, Channel.AHEAD] if not roll else 0.0
    kneel[:, Channel.ASIDE] = lying[-1, Channel.ASIDE]
    middle = stop - 0.5 * rise
    up = Overlay(ease((time - stop + rise) / (0.5 * rise)) * ease((stop - time) / (0.45 * rise) + 0.05), _ALL, kneel)
    squat = _still(frames, HIP=1.5, KNEE=2.0, LEAN=0.5, SHOULDER=0.5, ELBOW=0.5, OUT=0.2)
    rising = Overlay(ease((time - middle) / (0.3 * rise)) * ease((stop + 0.2 - time) / (0.4 * rise)), _ALL, squat)
    return (fall, up, rising)


def _crawl_pose(frames: int) -> Floats:
    """On hands and knees: thighs upright, shanks on the ground, trunk 22 degrees above the horizontal, arms upright."""
    return _still(frames, LEAN=1.19, KNEE=1.55, SHOULDER=1.19, ELBOW=0.1, OUT=0.08, NOD=-0.65)


def crawling(time: Floats, start: float, stop: float, rate: float, rng: np.random.Generator) -> tuple[Overlay, ...]:
    """Goes on hands and knees at ``rate`` strides a second, opposite hand and knee together."""
    motion = _crawl_pose(len(time))
    stroke = 0.30 * np.sin(2 * np.pi * rate * time)
    lift = 0.22 * np.maximum(np.cos(2 * np.pi * rate * time), 0.0), 0.22 * np.maximum(-np.cos(2 * np.pi * rate * time), 0.0)
    for side, sign in ((0, 1.0), (1, -1.0)):
        motion[:, Channel.HIP_L + side] += sign * stroke
        motion[:, Channel.KNEE_L + side] += sign * stroke
        motion[:, Channel.SHOULDER_L + side] -= sign * stroke
        motion[:, Channel.ELBOW_L + side] += lift[1 - side] * 2.0
    motion[:, Channel.SIDE] += 0.06 * np.sin(2 * np.pi * rate * time)
    motion[:, Channel.NOD] += 0.12 * drift(rng, len(time), 1, 0.7)[:, 0]
    squat = _still(len(time), HIP=1.5, KNEE=2.0, LEAN=0.7, SHOULDER=0.9, ELBOW=0.4, OUT=0.2, NOD=-0.3)
    down = Overlay(window(time, start - 0.15, stop + 0.15, 0.8), _ALL, squat)
    return (down, Overlay(window(time, start + 0.35, stop - 0.35, 0.8), _ALL, motion))


def fighting(time: Floats, start: float, stop: float, gap: float, rng: np.random.Generator) -> tuple[Overlay, ...]:
    """Keeps a guard, punches and sometimes kicks towards somebody ``gap`` metres ahead, and is thrown back now and then."""
    frames = len(time)
    slow = drift(rng, frames, len(Channel), 0.35)
    motion = _still(frames, SHOULDER=0.75, ELBOW=1.9, OUT=0.18, INWARD=0.45, LEAN=0.16, KNEE=0.35, HIP=0.25, SPREAD=0.1)
    motion[:, Channel.HIP_L] += 0.25
    motion[:, Channel.HIP_R] -= 0.20
    motion[:, :17] += 0.07 * slow[:, :17]
    # Feet hop a little all the time.
    motion[:, Channel.AHEAD] = 0.10 * slow[:, 20] - 0.05
    motion[:, Channel.ASIDE] = 0.08 * slow[:, 21]
    blows = np.cumsum(rng.uniform(0.4, 1.0, size=int((stop - start) / 0.4) + 1)) + start
    blows = blows[blows < stop - 0.2]
    kind = rng.choice(4, size=len(blows), p=(0.36, 0.34, 0.15, 0.15))
    for side in (0, 1):
        punch = pulses(time, blows[kind == side], 0.10)
        motion[:, Channel.SHOULDER_L + side] += 0.75 * punch
        motion[:, Channel.ELBOW_L + side] -= 1.6 * punch
        motion[:, Channel.TWIST] += (2 * side - 1) * 0.45 * punch
        motion[:, Channel.LEAN] += 0.16 * punch
        motion[:, Channel.AHEAD] += max(gap - 0.75, 0.0) * punch
    kick = pulses(time, blows[kind == 2], 0.13)
    motion[:, Channel.HIP_R] += 1.35 * kick
    motion[:, Channel.KNEE_R] += 0.9 * pulses(time, blows[kind == 2] - 0.14, 0.09) - 0.2 * kick
    motion[:, Channel.LEAN] -= 0.35 * kick
    hit = pulses(time, blows[kind == 3], 0.15)
    motion[:, Channel.LEAN] -= 0.45 * hit
    motion[:, Channel.SIDE] += 0.25 * hit * rng.choice([-1.0, 1.0])
    motion[:, Channel.AHEAD] -= 0.22 * hit
    motion[:, Channel.NOD] -= 0.35 * hit
    return (Overlay(window(time, start, stop, 0.5), _ALL, motion),)
