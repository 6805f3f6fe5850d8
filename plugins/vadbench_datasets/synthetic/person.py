"""A person in the world: body, gait, conduct and path put together into 3D joints over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench_datasets.synthetic.body import Body, pose, turned
from vadbench_datasets.synthetic.curves import FRAME_RATE
from vadbench_datasets.synthetic.gait import Traits, walk

if TYPE_CHECKING:
    from vadbench_datasets.synthetic.conduct import Conduct
    from vadbench_datasets.synthetic.curves import Floats
    from vadbench_datasets.synthetic.paths import Path


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody: a body and a way of walking."""

    body: Body
    traits: Traits

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Person:
        """A random adult, 1.71 m tall with a standard deviation of 0.09 m, or (6 in 100) a child."""
        stature = rng.uniform(1.25, 1.5) if rng.random() < 0.06 else float(np.clip(rng.normal(1.71, 0.09), 1.48, 1.98))
        body = Body.of(stature, legs=float(np.clip(rng.normal(1.0, 0.02), 0.95, 1.05)), girth=rng.uniform(0.9, 1.15))
        return cls(body, Traits.draw(rng))

    def joints(self, conduct: Conduct, path: Path, anchor: tuple[float, float], rng: np.random.Generator) -> Floats:
        """Where the joints are.

        Args:
            conduct: What the person does in the clip's T frames.
            path: Along which.
            anchor: ``(second, metres)``: how far along the path the person is at that time.
            rng: For the variation from stride to stride.

        Returns:
            (T, 17, 3) metres in the world.
        """
        along = conduct.along
        frame = int(np.clip(round(anchor[0] * FRAME_RATE), 0, len(along) - 1))
        place, direction = path.at(along - along[frame] + anchor[1])
        heading = direction + conduct.turn
        turn_rate = np.gradient(heading) * FRAME_RATE
        motion = walk(self.body, self.traits, np.abs(conduct.speed), turn_rate, changes=conduct.changes, rng=rng)
        for overlay in conduct.overlays:
            overlay.onto(motion)
        return turned(pose(self.body, motion), heading, place)
