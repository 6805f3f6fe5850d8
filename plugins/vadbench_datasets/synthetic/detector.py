"""A model of a pose detector and tracker: what it reports of persons that a camera sees, with the errors it makes.

Errors grow with the person's size in the picture, with occlusion and with the speed of a joint; part of them varies slowly.
The confidence falls with the error, occlusion and small size. Frames go missing one by one and in gaps; short bursts of
gross errors exchange left and right or throw a limb about; a track breaks into a new number after long gaps, or just so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import COCO_17
from vadbench_datasets.synthetic.camera import RESOLUTION
from vadbench_datasets.synthetic.curves import FRAME_RATE, drift
from vadbench_datasets.synthetic.occlusion import hidden

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench_datasets.synthetic.curves import Flags, Floats
    from vadbench_datasets.synthetic.occlusion import View

_JITTER: Final = 0.010
"""Standard deviation of the error of an unhidden, resting joint, share of the person's height."""
_SHAKY: Final = {"nose": 0.7, "eye": 0.7, "ear": 0.8, "shoulder": 0.9, "elbow": 1.2, "wrist": 1.5, "hip": 1.1, "knee": 1.1}
_GAPS: Final = 0.05  # a second
_GROSS: Final = 0.08  # bursts a second
_BREAKS: Final = 0.010  # a second
_LONG_GAP: Final = 8  # frames after which every other track gets a new number


@dataclass(frozen=True, slots=True)
class Faults:
    """How bad the detector is: multiples of the standard detector's errors.

    Args:
        noise: Of the standard deviation of all joint errors.
        dropouts: Of the rates of missing frames, gross errors and track breaks.
    """

    noise: float = 1.0
    dropouts: float = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """What the detector reports of P persons over T frames.

    Args:
        keypoints: (P, T, 17, 3) pixels and confidence; meaningless where ``found`` is false.
        score: (P, T) of the whole pose, in [0, 1].
        found: (P, T) whether there is a pose at all.
        track: (P, T) int32, the number of the track that a pose belongs to, from 1 in the order of appearance.
    """

    keypoints: Floats
    score: Floats
    found: Flags
    track: NDArray[np.int32]


def detect(view: View, faults: Faults, rng: np.random.Generator) -> Report:
    """What the detector reports of a view."""
    hiding = hidden(view)
    error = _error(view, hiding, rng) * faults.noise
    wild, burst = _bursts(view.in_view.shape, _GROSS * faults.dropouts, 4.0, rng)
    pixels = _gross(view, wild, burst, rng) + error
    off = np.linalg.norm(pixels - view.pixels, axis=-1) / view.size[:, :, None]
    small = np.clip((75.0 - view.size) / 40.0, 0.0, 1.0)[:, :, None]
    wobble = 0.04 * rng.standard_normal(hiding.shape)
    confidence = 0.95 - 0.52 * hiding - 0.20 * np.minimum(off / 0.06, 2.0) - 0.10 * small + wobble
    confidence = np.where(view.inside, confidence, 0.35 * confidence)
    confidence = np.clip(confidence, 0.03, 0.995)
    # A joint outside the picture is reported at its border.
    pixels = np.clip(pixels, 0.0, np.array(RESOLUTION) - 1.0)
    found = view.in_view & ~_missed(view, hiding, faults.dropouts, rng)
    score = np.clip(confidence.mean(axis=2) + 0.03 * rng.standard_normal(found.shape), 0.05, 0.995)
    track = _number(found, faults.dropouts, rng)
    return Report(np.concatenate([pixels, confidence[..., None]], axis=-1), score, found, track)


def _error(view: View, hiding: Floats, rng: np.random.Generator) -> Floats:
    """(P, T, 17, 2) pixels: the detector's ordinary error."""
    persons, frames, joints = hiding.shape
    slow = drift(rng, frames, persons * joints * 2, 0.2).reshape(frames, persons, joints, 2).swapaxes(0, 1)
    mixed = 0.75 * slow + 0.66 * rng.standard_normal(slow.shape)
    shaky = np.array([_SHAKY.get(name.split("_")[-1], 1.3) for name in COCO_17.joints])
    moved = np.gradient(view.pixels, axis=1) - np.gradient(view.pixels.mean(axis=2, keepdims=True), axis=1)
    fast = np.minimum(np.linalg.norm(moved, axis=-1) / view.size[:, :, None] / 0.03, 2.0)
    # Below about 60 pixels of height, a pixel is what limits the precision.
    deviation = _JITTER * np.maximum(view.size, 60.0)[:, :, None] * shaky * (1.0 + 1.8 * hiding + 0.3 * fast)
    error: Floats = mixed * deviation[..., None]
    return error


def _gross(view: View, wild: Flags, burst: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """(P, T, 17, 2) pixels: the joints, with left and right exchanged or a limb thrown about where ``wild``."""
    pixels = view.pixels.copy()
    persons, most = len(pixels), int(burst.max()) + 1
    who = np.arange(persons)[:, None]
    kind = rng.integers(5, size=(persons, most))[who, burst]
    throw = rng.normal(0.0, 0.16, size=(persons, most, 2))[who, burst] * view.size[:, :, None]
    side = rng.integers(2, size=(persons, most))[who, burst]
    mirror = np.array(COCO_17.mirror)
    legs, arms = np.arange(11, 17), np.arange(5, 11)
    for number, part in ((0, legs), (1, arms)):
        at = wild & (kind == number)
        pixels[np.nonzero(at)[0][:, None], np.nonzero(at)[1][:, None], part] = view.pixels[at][:, mirror[part]]
    for number, left in ((2, (13, 15)), (3, (7, 9)), (4, (15,))):
        for joint in left:
            for right in (0, 1):
                at = wild & (kind == number) & (side == right)
                pixels[at, joint + right] += throw[at]
    return pixels


def _missed(view: View, hiding: Floats, rate: float, rng: np.random.Generator) -> Flags:
    """(P, T) where a person in view is not reported."""
    shape = view.in_view.shape
    single = rng.random(shape) < 0.006 * rate
    gap, _ = _bursts(shape, _GAPS * rate, 6.0, rng)
    covered = hiding.mean(axis=2) + 0.08 * drift(rng, shape[1], shape[0], 0.15).T > 0.72
    missed: Flags = single | gap | covered
    return missed


def _bursts(shape: tuple[int, ...], rate: float, length: float, rng: np.random.Generator) -> tuple[Flags, NDArray[np.int64]]:
    """Random stretches of frames: ``(within, which)``, (P, T) each; ``length`` is their mean in frames, ``rate`` a second."""
    starts = rng.random(shape) < rate / FRAME_RATE
    lengths = rng.geometric(1.0 / length, size=shape) + 1
    who, when = np.nonzero(starts)
    change = np.zeros((shape[0], shape[1] + 1), dtype=np.int64)
    np.add.at(change, (who, when), 1)
    np.add.at(change, (who, np.minimum(when + lengths[who, when], shape[1])), -1)
    return change.cumsum(axis=1)[:, :-1] > 0, np.cumsum(starts, axis=1)


def _number(found: Flags, rate: float, rng: np.random.Generator) -> NDArray[np.int32]:
    """(P, T) track numbers: each person gets a new one where the track breaks."""
    persons, frames = found.shape
    last = np.maximum.accumulate(np.where(found, np.arange(frames), -1), axis=1)
    before = np.concatenate([np.full((persons, 1), -1), last[:, :-1]], axis=1)
    again = found & (before >= 0)
    after_gap = (np.arange(frames) - before > _LONG_GAP) & (rng.random(found.shape) < 0.5)
    just_so = rng.random(found.shape) < _BREAKS * rate / FRAME_RATE
    breaks = again & (after_gap | just_so)
    piece = np.cumsum(breaks, axis=1)
    key = np.arange(persons)[:, None] * (frames + 1) + piece
    keys, first = np.unique(np.where(found, key, -1).T, return_index=True)
    order = np.argsort(first[keys >= 0], kind="stable")
    number = np.zeros(len(keys), dtype=np.int32)
    number[np.flatnonzero(keys >= 0)[order]] = np.arange(1, len(order) + 1)
    where = np.searchsorted(keys, np.where(found, key, keys[-1]))
    return np.where(found, number[where], 0).astype(np.int32)
