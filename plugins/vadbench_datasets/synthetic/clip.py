"""One clip: who is there, what they do, and what the detector reports of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench_datasets.synthetic.anomalies import Span
from vadbench_datasets.synthetic.conduct import anything, chat
from vadbench_datasets.synthetic.curves import seconds
from vadbench_datasets.synthetic.detector import detect
from vadbench_datasets.synthetic.occlusion import View
from vadbench_datasets.synthetic.paths import across
from vadbench_datasets.synthetic.person import Person

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench_datasets.synthetic.anomalies import Kind
    from vadbench_datasets.synthetic.camera import Camera
    from vadbench_datasets.synthetic.conduct import Conduct
    from vadbench_datasets.synthetic.curves import Flags, Floats
    from vadbench_datasets.synthetic.detector import Faults

_PAIRS: Final = 0.12
"""Share of the normal arrivals that are two people who meet."""
_CUT: Final = 0.3
"""Largest share of an anomaly that may lie before the first or after the last frame of a clip."""


@dataclass(frozen=True, slots=True)
class Footage:
    """The poses of one clip, and what is abnormal in it.

    Args:
        keypoints: (n, 17, 3) float32, pixels and confidence, sorted by (person, frame).
        person: (n,) int32, track numbers from 1.
        frame: (n,) int32.
        score: (n,) float32.
        acting: (T,) whether somebody who is in view does something abnormal.
        actors: Track numbers under which abnormal people are seen while they are abnormal.
    """

    keypoints: NDArray[np.float32]
    person: NDArray[np.int32]
    frame: NDArray[np.int32]
    score: NDArray[np.float32]
    acting: Flags
    actors: tuple[int, ...]


class _Cast:
    """Collects the people of a clip."""

    def __init__(self, camera: Camera, time: Floats, rng: np.random.Generator) -> None:
        self.camera, self.time, self.rng = camera, time, rng
        self.joints: list[Floats] = []
        self.stature: list[float] = []

    def alone(self, person: Person, conduct: Conduct, when: float, share: float) -> None:
        """Somebody on a path of their own, at a ``share`` of its length at the time ``when``."""
        path = across(self.camera, self.rng)
        self._add(person, person.joints(conduct, path, (when, share * path.length), self.rng))

    def pair(self, people: list[Person], conducts: list[Conduct], when: float, share: float, gap: float) -> None:
        """Two people who stand face to face, ``gap`` metres apart, at the time ``when``."""
        path = across(self.camera, self.rng)
        place = share * path.length
        other = path.back(aside=self.rng.uniform(0.15, 0.4))
        self._add(people[0], people[0].joints(conducts[0], path, (when, place - gap / 2), self.rng))
        self._add(people[1], people[1].joints(conducts[1], other, (when, path.length - place - gap / 2), self.rng))

    def _add(self, person: Person, joints: Floats) -> None:
        self.joints.append(joints)
        self.stature.append(person.body.stature)


def film(camera: Camera, frames: int, rng: np.random.Generator, *, kind: Kind | None, crowd: float, faults: Faults) -> Footage:
    """Makes one clip.

    In every clip, somebody is near the middle of the picture for a while: the abnormal person, or else a normal one.

    Args:
        camera: Of the scene.
        frames: T.
        rng: Where everything random comes from.
        kind: Of the anomaly; None for a normal clip.
        crowd: Mean number of other people who pass.
        faults: Of the detector.
    """
    time = seconds(frames)
    cast = _Cast(camera, time, rng)
    active = np.zeros(frames, dtype=np.bool_)
    acting_people = 0
    share = rng.uniform(0.35, 0.65)
    if kind is None:
        _normal(cast, time[-1] * rng.uniform(0.35, 0.65), share)
    else:
        length = min(rng.uniform(*kind.seconds), 0.7 * time[-1])
        # A clip is cut out of a longer video, so it may begin or end during an anomaly.
        start = rng.uniform(-_CUT * length, time[-1] - (1.0 - _CUT) * length)
        span, when = Span(time, start, start + length), start + length / 2
        people = [Person.draw(rng) for _ in range(kind.people)]
        conducts = [kind.make(span, person.body, rng) for person in people]
        if kind.people == 2:
            cast.pair(people, conducts, when, share, gap=1.0)
        else:
            cast.alone(people[0], conducts[0], when, share)
        active, acting_people = (time >= span.start) & (time < span.stop), kind.people
    for _ in range(int(rng.poisson(crowd))):
        _normal(cast, rng.uniform(0.0, time[-1]), rng.uniform(0.0, 1.0))
    # Shuffled, so that nothing about a track's number tells who it is.
    order = rng.permutation(len(cast.joints))
    view = View.of(camera, np.stack(cast.joints)[order], np.array(cast.stature)[order])
    report = detect(view, faults, rng)
    acting = active & view.in_view & (order < acting_people)[:, None]
    seen = acting & report.found
    who, when_seen = np.nonzero(report.found)
    sorting = np.lexsort((when_seen, report.track[who, when_seen]))
    who, when_seen = who[sorting], when_seen[sorting]
    return Footage(
        keypoints=report.keypoints[who, when_seen].astype(np.float32),
        person=report.track[who, when_seen],
        frame=when_seen.astype(np.int32),
        score=report.score[who, when_seen].astype(np.float32),
        acting=np.asarray(acting.any(axis=0)),
        actors=tuple(int(number) for number in np.unique(report.track[seen])),
    )


def _normal(cast: _Cast, when: float, share: float) -> None:
    rng, time = cast.rng, cast.time
    if rng.random() < _PAIRS:
        half = rng.uniform(1.5, 5.0)
        people = [Person.draw(rng), Person.draw(rng)]
        conducts = [chat(time, when - half, when + half, rng) for _ in people]
        cast.pair(people, conducts, when, share, gap=rng.uniform(0.8, 1.2))
    else:
        cast.alone(Person.draw(rng), anything(time, when, rng), when, share)
