"""Windows over poses that a test has drawn itself, and detectors fitted to the sample of the conformance checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import COCO_18, Clip, Context, Normaliser, Tracks, WindowRule, Windows
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows
from vadbench.testing.sample import sample_windows
from vadbench.testing.trial import trial_context

if TYPE_CHECKING:
    from numpy.typing import NDArray


def posed_windows(
    poses: NDArray[Any],
    *,
    length: int = 8,
    frames: Sequence[int] | None = None,
    normaliser: Normaliser = STG_NF,
    views: Sequence[str] = (),
    missing: int = 2,
) -> Windows:
    """Windows over one person a row of poses (P, F, 18, 2 or 3), in pixels; NaN is a missing joint.

    Without a third number, joints that are there have confidence 1. ``frames`` are the numbers of the F frames.
    """
    people, count, joints = poses.shape[:3]
    keypoints = np.ones((people, count, joints, 3))
    keypoints[..., : poses.shape[3]] = poses
    keypoints[np.isnan(keypoints[..., :2]).any(axis=-1)] = (np.nan, np.nan, 0)
    numbers = np.arange(count) if frames is None else np.asarray(frames)
    tracks = Tracks(
        clips=(Clip("posed", "scene", int(numbers.max()) + 1, (856, 480)),),
        layout=COCO_18,
        keypoints=keypoints.reshape(-1, joints, 3).astype(np.float32),
        clip=np.zeros(people * count, dtype=np.int32),
        person=np.repeat(np.arange(people, dtype=np.int32), count),
        frame=np.tile(numbers, people).astype(np.int32),
        score=np.ones(people * count, dtype=np.float32),
    )
    return cut_windows(tracks, WindowRule(length, missing=missing, keep_last=True), normaliser, views)


def standing(count: int, *, people: int = 1, height: float = 100.0, seed: int = 0) -> NDArray[np.float64]:
    """(people, count, 18, 2): people who do not move, ``height`` pixels from the highest joint to the lowest."""
    rng = np.random.default_rng(seed)
    body = rng.uniform((0, 0), (0.3, 1), (people, 18, 2))
    body[:, 0, 1], body[:, 1, 1] = 0, 1
    return np.repeat((np.array([300, 200]) + height * body)[:, None], count, axis=1)


def fitted(detector: Any) -> Any:
    """The detector, fitted to the sample's people."""
    detector.fit(sample_windows(), trial_context())
    return detector


def others() -> Windows:
    """Windows of other people of the sample."""
    return sample_windows(seed=19)


def scores(detector: Any, windows: Windows) -> NDArray[np.float64]:
    """(W,) scores."""
    found: NDArray[np.float64] = detector.score(windows, Context())
    return found


def rows(windows: Windows) -> NDArray[np.float32]:
    """(W, N): flattened windows."""
    x = windows.batch(slice(None)).x
    return x.reshape(len(x), -1)


def reloaded(detector: Any, fresh: Any) -> Any:
    """``fresh`` with what ``detector`` learned."""
    fresh.load_state_dict({name: tensor.clone() for name, tensor in detector.state_dict().items()})
    return fresh
