"""What normal people do in sight of a camera: walk, pause, turn back, stand about, meet and talk.

A person's conduct is a speed along a path and a turn away from the path's direction, both over time. Normal people do few
things in a row, and each with time to spare: somebody who pauses pauses once, for at least two seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vadbench_datasets.synthetic.curves import FRAME_RATE, drift, ease, settle, window
from vadbench_datasets.synthetic.gait import Changes
from vadbench_datasets.synthetic.gestures import habit, pastime, talk

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.curves import Floats
    from vadbench_datasets.synthetic.gestures import Overlay


@dataclass(frozen=True, slots=True)
class Conduct:
    """What one person does during a clip of T frames.

    Args:
        speed: (T,) m/s along the path; negative walks the path backwards (facing that way once turned).
        turn: (T,) radians away from the path's direction, to the left.
        changes: To the person's gait.
        overlays: Applied to the motion in this order.
    """

    speed: Floats
    turn: Floats
    changes: Changes
    overlays: tuple[Overlay, ...] = ()

    @property
    def along(self) -> Floats:
        """(T,) metres gone along the path since frame 0."""
        gone: Floats = np.cumsum(self.speed) / FRAME_RATE
        return gone

    def adding(self, *overlays: Overlay) -> Conduct:
        """The same with more overlays."""
        return replace(self, overlays=(*self.overlays, *overlays))


def cruise(time: Floats, rng: np.random.Generator) -> Floats:
    """(T,) the speed at which a person walks along: 1.3 m/s on average, as pedestrians do, and nearly constant."""
    speed = float(np.clip(rng.normal(1.28, 0.24), 0.65, 1.95))
    steady: Floats = speed * (1.0 + 0.04 * drift(rng, len(time), 1, 0.8)[:, 0])
    return steady


def stroll(time: Floats, rng: np.random.Generator) -> Conduct:
    """Walks on."""
    turn = 0.04 * drift(rng, len(time), 1, 1.0)[:, 0]
    return Conduct(cruise(time, rng), turn, Changes.none(len(time)), habit(time, rng))


def pause(time: Floats, middle: float, rng: np.random.Generator) -> Conduct:
    """Walks, stands for 2 to 6 seconds around ``middle``, perhaps turned to something, walks on."""
    half = rng.uniform(1.0, 3.0)
    standing = window(time, middle - half, middle + half, 0.05)
    speed = settle(cruise(time, rng) * (1.0 - standing), rng.uniform(0.8, 1.2))
    aside = rng.uniform(-1.2, 1.2) * float(rng.random() < 0.6)
    turn = aside * window(time, middle - half + 0.4, middle + half - 0.4, rng.uniform(0.8, 1.2))
    return Conduct(speed, turn, Changes.none(len(time)), pastime(time, middle - half, middle + half, rng))


def turn_back(time: Floats, middle: float, rng: np.random.Generator) -> Conduct:
    """Walks, turns round once within 1.3 to 2.6 seconds (half of the people stop for it), walks back."""
    walking = cruise(time, rng)
    stop = rng.uniform(0.4, 1.5) * float(rng.random() < 0.5)
    duration = rng.uniform(1.3, 2.6)
    turn = rng.choice([-np.pi, np.pi]) * ease((time - middle) / duration + 0.5)
    standing = window(time, middle - stop, middle + stop, 0.05) if stop else 0.0
    speed = settle(walking * (1.0 - standing), 0.9) * np.cos(turn)
    return Conduct(speed, turn, Changes.none(len(time)), habit(time, rng))


def stand(time: Floats, rng: np.random.Generator) -> Conduct:
    """Stands about for the whole clip, turning now and then by up to 60 degrees."""
    turn = np.full(len(time), rng.uniform(-np.pi, np.pi))
    now = rng.uniform(1.0, 5.0)
    while now < time[-1]:
        turn = turn + rng.uniform(-1.0, 1.0) * ease((time - now) / rng.uniform(0.7, 1.2))
        now += rng.uniform(3.0, 7.0)
    overlays = pastime(time, time[0] - 2.0, time[-1] + 2.0, rng)
    return Conduct(np.zeros(len(time)), turn, Changes.none(len(time)), overlays)


def meet(time: Floats, start: float, stop: float, rng: np.random.Generator) -> Conduct:
    """Walks up to somebody, stands from ``start`` to ``stop``, then walks past or turns back; the other does it mirrored."""
    standing = window(time, start, stop, 0.05)
    turn = np.zeros(len(time))
    if rng.random() < 0.5:
        turn = rng.choice([-np.pi, np.pi]) * ease((time - stop) / rng.uniform(1.2, 2.0))
    speed = settle(cruise(time, rng) * (1.0 - standing), 0.9) * np.cos(turn)
    return Conduct(speed, turn, Changes.none(len(time)))


def chat(time: Floats, start: float, stop: float, rng: np.random.Generator) -> Conduct:
    """Meets somebody and talks."""
    return meet(time, start, stop, rng).adding(*pastime(time, start, stop, rng)[:1], *talk(time, start, stop, rng))


def anything(time: Floats, middle: float, rng: np.random.Generator) -> Conduct:
    """One of the above, alone: most people just walk."""
    choice = rng.random()
    if choice < 0.60:
        return stroll(time, rng)
    if choice < 0.75:
        return pause(time, middle, rng)
    if choice < 0.85:
        return turn_back(time, middle, rng)
    return stand(time, rng)
