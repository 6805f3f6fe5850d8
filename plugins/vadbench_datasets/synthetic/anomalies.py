"""What abnormal people do: twelve kinds, semantic ones (another action, or normal actions in an unusual order) and details.

Every abnormal person walks normally before and after, as far as the clip shows it. A kind is a function from the time of
the clip and the interval of the anomaly to a `Conduct`; the interval is what gets the label 1, from half-way into it to
half-way out of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from vadbench_datasets.synthetic.actions import crawling, falling, fighting, jumping
from vadbench_datasets.synthetic.conduct import Conduct, cruise, meet
from vadbench_datasets.synthetic.curves import ease, settle, window
from vadbench_datasets.synthetic.gait import Changes
from vadbench_datasets.synthetic.gestures import habit

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.body import Body
    from vadbench_datasets.synthetic.curves import Floats

Level = Literal["action", "order", "detail"]


@dataclass(frozen=True, slots=True)
class Span:
    """When an anomaly happens.

    Args:
        time: (T,) seconds, of each frame of the clip.
        start: Beginning of the anomaly, seconds.
        stop: End of it, seconds.
    """

    time: Floats
    start: float
    stop: float

    def weight(self, ramp: float) -> Floats:
        """(T,) 1 within, 0 without, one half at both ends."""
        return window(self.time, self.start, self.stop, ramp)


Maker: TypeAlias = Callable[[Span, "Body", np.random.Generator], Conduct]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of anomaly.

    Args:
        name: In results.
        level: ``action`` (a body does something else), ``order`` (normal actions, unusually arranged) or ``detail``
            (a normal action, done differently).
        seconds: Shortest and longest duration.
        people: How many people it takes.
        make: One person's conduct.
    """

    name: str
    level: Level
    seconds: tuple[float, float]
    make: Maker
    people: int = 1


def _run(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    weight = span.weight(0.7)
    speed = (1.0 - weight) * cruise(span.time, rng) + weight * rng.uniform(2.6, 3.8)
    changes = replace(Changes.none(len(span.time)), run=weight)
    return Conduct(speed, np.zeros(len(weight)), changes)


def _jump(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    onward = rng.choice([0.0, 0.0, 0.6])
    keep = settle(1.0 - window(span.time, span.start - 0.2, span.stop + 0.2, 0.05), 0.8)
    speed = cruise(span.time, rng) * np.maximum(keep, onward * span.weight(0.4))
    return _plain(speed, span).adding(*jumping(span.time, span.start, span.stop, rng))


def _fall(span: Span, body: Body, rng: np.random.Generator) -> Conduct:
    keep = settle(1.0 - window(span.time, span.start + 0.2, span.stop + 0.4, 0.05), 0.8)
    return _plain(cruise(span.time, rng) * keep, span).adding(*falling(span.time, span.start, span.stop, body, rng))


def _crawl(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    rate = rng.uniform(0.7, 1.1)
    inside = span.weight(0.9)
    # Each knee goes forward 0.24 m with the thigh's swing of 0.3 rad to either side, twice that a stride.
    speed = cruise(span.time, rng) * settle(1.0 - window(span.time, span.start - 0.3, span.stop + 0.3, 0.1), 0.8)
    crawl = 0.48 * rate * window(span.time, span.start + 0.5, span.stop - 0.5, 0.6)
    return _plain(speed * (1 - inside) + crawl, span).adding(*crawling(span.time, span.start, span.stop, rate, rng))


def _fight(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    conduct = meet(span.time, span.start - 0.4, span.stop + 0.4, rng)
    return conduct.adding(*fighting(span.time, span.start, span.stop, 1.0, rng))


def _reverse(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    """Turns round within 0.35 to 0.5 seconds at full speed, again and again."""
    turn = _turns(span, (0.9, 1.6), (0.35, 0.5), rng)
    weight = span.weight(0.8)
    speed = (1.0 - weight) * cruise(span.time, rng) + weight * rng.uniform(1.4, 2.1)
    return Conduct(speed * np.cos(turn), turn, Changes.none(len(turn)), habit(span.time, rng))


def _stop_and_go(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    """Stops and walks on about as others do, but every 1.4 to 2.2 seconds."""
    go = np.ones(len(span.time))
    now = span.start
    while now < span.stop - 0.5:
        still = rng.uniform(0.7, 1.1)
        go -= window(span.time, now, min(now + still, span.stop), 0.05)
        now += still + rng.uniform(0.7, 1.1)
    speed = settle(cruise(span.time, rng) * np.clip(go, 0.0, 1.0), 0.7)
    return Conduct(speed, np.zeros(len(go)), Changes.none(len(go)), habit(span.time, rng))


def _pace(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    """Walks to and fro: turns about as others do who turn back, but again and again."""
    turn = _turns(span, (1.7, 2.5), (1.0, 1.5), rng)
    return Conduct(cruise(span.time, rng) * np.cos(turn), turn, Changes.none(len(turn)), habit(span.time, rng))


def _spin(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    """Turns on the spot, hardly faster than others turn round at their fastest, but all the way and on."""
    length = span.stop - span.start
    rounds = max(1, round(length * rng.uniform(2.5, 4.0) / (2 * np.pi)))
    turn = rng.choice([-1.0, 1.0]) * 2 * np.pi * rounds * settle(np.clip((span.time - span.start) / length, 0.0, 1.0), 0.8)
    keep = settle(1.0 - window(span.time, span.start - 0.3, span.stop + 0.3, 0.05), 0.8)
    return Conduct(cruise(span.time, rng) * keep, turn, Changes.none(len(turn)))


def _limp(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    weight = span.weight(0.8) * rng.uniform(0.85, 1.0)
    changes = replace(Changes.none(len(span.time)), limp=weight, sore=int(rng.integers(2)))
    speed = cruise(span.time, rng) * (1.0 - 0.15 * weight)
    return Conduct(speed, np.zeros(len(weight)), changes, habit(span.time, rng))


def _stiff_arms(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    weight = span.weight(0.8)
    return Conduct(cruise(span.time, rng), np.zeros(len(weight)), replace(Changes.none(len(weight)), stiff=weight))


def _glide(span: Span, _body: Body, rng: np.random.Generator) -> Conduct:
    weight = span.weight(0.8)
    speed = (1.0 - weight) * cruise(span.time, rng) + weight * rng.uniform(1.2, 2.0)
    changes = replace(Changes.none(len(weight)), glide=weight)
    return Conduct(speed, np.zeros(len(weight)), changes, habit(span.time, rng))


KINDS: Final = (
    Kind("run", "action", (3.0, 5.0), _run),
    Kind("jump", "action", (4.0, 8.0), _jump),
    Kind("fall", "action", (4.5, 8.0), _fall),
    Kind("fight", "action", (4.0, 8.0), _fight, people=2),
    Kind("crawl", "action", (5.0, 9.0), _crawl),
    Kind("reversal", "action", (4.0, 8.0), _reverse),
    Kind("stop_and_go", "order", (6.0, 10.0), _stop_and_go),
    Kind("pacing", "order", (6.0, 10.0), _pace),
    Kind("spinning", "order", (5.0, 9.0), _spin),
    Kind("limp", "detail", (5.0, 9.0), _limp),
    Kind("stiff_arms", "detail", (5.0, 9.0), _stiff_arms),
    Kind("gliding", "detail", (4.0, 8.0), _glide),
)
"""Every kind of anomaly."""


def _plain(speed: Floats, span: Span) -> Conduct:
    frames = len(span.time)
    return Conduct(speed, np.zeros(frames), Changes.none(frames))


def _turns(span: Span, every: tuple[float, float], lasting: tuple[float, float], rng: np.random.Generator) -> Floats:
    """(T,) radians: turns by pi to alternate sides between start and stop, an even number of them where there is room."""
    turn = np.zeros(len(span.time))
    duration = rng.uniform(*lasting)
    now, sign = span.start + 0.5 * duration, 1.0
    while now + 0.5 * duration <= span.stop:
        turn += sign * np.pi * ease((span.time - now) / duration + 0.5)
        now, sign = now + rng.uniform(*every), -sign
    return turn
