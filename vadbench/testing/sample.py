"""A small sample of normal poses, built in memory: people who walk past. The same at every call, and made from no file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from vadbench.api import COCO_17, COCO_18, Clip, SkeletonLayout, TokenShape, Tracks, WindowRule, Windows
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLIPS: Final = 3
WALKERS: Final = 4
"""People a clip."""
FRAMES: Final = 76
"""Frames a clip; three windows of 24 frames follow one another on a track, so that histories exist."""

TOKENS: Final = TokenShape(codebook_size=12, tokens=4, width=8)
"""What the sample's token sequences and conditions look like."""
HISTORY: Final = 2 * TOKENS.tokens
"""H of a prior under test: the tokens of two windows."""

# A figure that stands, seen from the side: x and y of the COCO-17 joints in units of its height, y downwards, hips at 0.
_STANDING: Final = np.array(
    [
        *((0.03, -0.43), (0.04, -0.45), (0.02, -0.45), (0.0, -0.44), (-0.01, -0.44)),  # nose, eyes, ears
        *((0.04, -0.32), (-0.04, -0.32), (0.05, -0.16), (-0.05, -0.16), (0.05, 0), (-0.05, 0)),  # shoulders, elbows, wrists
        *((0.03, 0), (-0.03, 0), (0.03, 0.24), (-0.03, 0.24), (0.03, 0.48), (-0.03, 0.48)),  # hips, knees, ankles
    ]
)
# How far each joint swings forwards and back, and how far it is lifted, in the same units; left and right in opposition.
_SWING: Final = np.array([0, 0, 0, 0, 0, 0.03, -0.03, -0.12, 0.12, -0.27, 0.27, 0, 0, 0.15, -0.15, 0.32, -0.32])
_LIFT: Final = np.array([0, 0, 0, 0, 0, 0, 0, 0.03, -0.03, 0.08, -0.08, 0, 0, 0.04, -0.04, 0.1, -0.1])


@dataclass(frozen=True, slots=True)
class TokenSample:
    """Token sequences with a structure that a prior can learn.

    Args:
        sequences: Of whole tracks, each (n,) int64, n a multiple of L: what a prior is fitted on.
        codes: (B, L) int64, windows out of the middle of those sequences.
        history: (B, H) int64, the tokens before them; some are padded on the left with -1.
        random: (B, L) int64, codes drawn uniformly.
    """

    sequences: list[torch.Tensor]
    codes: torch.Tensor
    history: torch.Tensor
    random: torch.Tensor


def sample_tracks(layout: SkeletonLayout = COCO_18, *, seed: int = 17) -> Tracks:
    """Twelve people who walk, four in each of three clips, with noise and now and then a joint that is not found.

    Args:
        layout: COCO-17 or COCO-18.
        seed: Another one gives other people.
    """
    rows = CLIPS * WALKERS * FRAMES
    tracks = Tracks(
        clips=tuple(Clip(f"sample_{number + 1:02d}", f"scene_{number % 2 + 1}", FRAMES, (856, 480)) for number in range(CLIPS)),
        layout=COCO_17,
        keypoints=_poses(seed).copy(),
        clip=np.repeat(np.arange(CLIPS, dtype=np.int32), WALKERS * FRAMES),
        person=np.tile(np.repeat(np.arange(1, WALKERS + 1, dtype=np.int32), FRAMES), CLIPS),
        frame=np.tile(np.arange(FRAMES, dtype=np.int32), CLIPS * WALKERS),
        score=np.full(rows, 0.9, dtype=np.float32),
    )
    return convert_layout(tracks, layout.name)


def sample_windows(length: int = 24, *, stride: int = 3, layout: SkeletonLayout = COCO_18, seed: int = 17) -> Windows:
    """Every window of the sample's tracks: 216 of them as it stands, normalised as STG-NF does."""
    return cut_windows(sample_tracks(layout, seed=seed), WindowRule(length, stride), STG_NF)


def sample_batch() -> torch.Tensor:
    """(B, C, T, J): the windows of `sample_windows` as a tensor of one's own."""
    return _batch().clone()


def absurd_windows(windows: Windows) -> Windows:
    """The same windows of the same tracks, with the joints of every pose exchanged at random: no body moves so."""
    rng = np.random.default_rng(23)
    keypoints = windows.tracks.keypoints
    order = rng.permuted(np.tile(np.arange(keypoints.shape[1]), (len(keypoints), 1)), axis=1)
    shuffled = np.take_along_axis(keypoints, order[..., None], axis=1)
    return replace(windows, tracks=replace(windows.tracks, keypoints=shuffled))


def sample_condition(x: torch.Tensor) -> torch.Tensor:
    """Code vectors (B, L, D) for windows (B, C, T, J), as `TOKENS` has them: each a fixed function of its frames."""
    generator = torch.Generator().manual_seed(29)
    stretches = x.unflatten(2, (TOKENS.tokens, -1)).transpose(1, 2).flatten(2)
    mixing = torch.randn(stretches.shape[2], TOKENS.width, generator=generator, dtype=torch.float64)
    return torch.tanh(stretches @ (mixing / stretches.shape[2] ** 0.5).to(x.dtype))


def sample_tokens() -> TokenSample:
    """Tracks that count through the codebook in steps of one or three, with one token in twenty replaced at random."""
    rng = np.random.default_rng(31)
    sequences = [_counted(rng, windows=6) for _ in range(40)]
    length = TOKENS.tokens
    codes = torch.stack([sequence[3 * length : 4 * length] for sequence in sequences])
    history = torch.stack([sequence[3 * length - HISTORY : 3 * length] for sequence in sequences])
    history[::3, :length] = -1
    return TokenSample(sequences, codes, history, torch.from_numpy(rng.integers(TOKENS.codebook_size, size=codes.shape)))


def sample_terms(rows: int = 200) -> dict[str, NDArray[np.float64]]:
    """Terms of normal windows, by the names that a composition gives them, in the size and with the sign they commonly have.

    A density may be far above 1, and that of a window of many numbers is: its negative logarithm is below 0.
    """
    rng = np.random.default_rng(37)
    return {
        "semantic": rng.gamma(4.0, 2.0, rows),
        "detail": rng.normal(-900.0, 120.0, rows),
        "reconstruction": rng.gamma(3.0, 0.01, rows),
    }


@cache
def _batch() -> torch.Tensor:
    return torch.from_numpy(sample_windows().batch(slice(None)).x)


@cache
def _poses(seed: int) -> NDArray[np.float32]:
    """(rows, 17, 3): every pose of the sample, person after person."""
    rng = np.random.default_rng(seed)
    poses = np.stack([_walk(rng) for _ in range(CLIPS * WALKERS)])
    lost = rng.random(poses.shape[:3]) < 0.01
    poses[lost] = (np.nan, np.nan, 0)
    return poses.reshape(-1, len(COCO_17), 3).astype(np.float32)


def _walk(rng: np.random.Generator) -> NDArray[np.float64]:
    """(FRAMES, 17, 3): one person who walks to the right or to the left, in pixels, with confidence."""
    frame = np.arange(FRAMES)[:, None]
    height, direction = rng.uniform(60, 140), rng.choice([-1.0, 1.0])
    phase = rng.uniform(0, 2 * np.pi) + frame * rng.uniform(0.22, 0.34)
    poses = np.empty((FRAMES, len(_STANDING), 3))
    forwards = _STANDING[:, 0] + _SWING * np.sin(phase)
    walked = rng.uniform(0.025, 0.04) * frame - 1.2  # about 1.4 m/s at 24 frames a second
    poses[..., 0] = rng.uniform(350, 500) + direction * height * (forwards + walked)
    poses[..., 1] = rng.uniform(180, 300) + height * (_STANDING[:, 1] - _LIFT * np.cos(phase))
    poses[..., :2] += rng.normal(0, 0.4, poses[..., :2].shape)
    poses[..., 2] = rng.uniform(0.6, 1.0, poses.shape[:2])
    return poses


def _counted(rng: np.random.Generator, windows: int) -> torch.Tensor:
    step, start = rng.choice([1, 3]), rng.integers(TOKENS.codebook_size)
    tokens = (start + step * np.arange(windows * TOKENS.tokens)) % TOKENS.codebook_size
    odd = rng.random(tokens.shape) < 0.05
    return torch.from_numpy(np.where(odd, rng.integers(TOKENS.codebook_size, size=tokens.shape), tokens))
