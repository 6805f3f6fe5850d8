"""The simplest component of each kind that keeps its contract; the broken ones differ from these in one thing each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from vadbench.api import (
    COCO_17,
    Context,
    DataError,
    DatasetInfo,
    Finding,
    FrameLabels,
    Inspection,
    PoseShape,
    Split,
    Terms,
    Tokens,
    TokenShape,
    Tracks,
    Windows,
)
from vadbench.testing.sample import sample_tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES = 4
CODES = 24


class SoundTokenizer:
    """The nearest of some stretches of training windows."""

    def __init__(self, config: object, poses: PoseShape) -> None:
        self.poses = poses
        self.shape = TokenShape(CODES, poses.frames // FRAMES, poses.channels * FRAMES * poses.joints)
        self.codebook = torch.zeros(CODES, poses.channels * FRAMES * poses.joints)

    def fit(self, windows: Windows, context: Context) -> None:
        pieces = self._pieces(context.tensor(windows.batch(slice(None)).x)).flatten(0, 1)
        self.codebook = pieces[context.rng().choice(len(pieces), CODES, replace=False)]

    def encode(self, x: torch.Tensor) -> Tokens:
        codes = (self._pieces(x)[:, :, None] - self.codebook).square().sum(dim=-1).argmin(dim=2)
        return Tokens(codes, self.codebook[codes])

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        pieces = self.codebook[codes].unflatten(2, (self.poses.channels, FRAMES, self.poses.joints))
        return pieces.transpose(1, 2).flatten(2, 3)

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {"codebook": self.codebook}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.codebook = state["codebook"]

    def _pieces(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(2, (-1, FRAMES)).transpose(1, 2).flatten(2)


class SoundPrior:
    """Counts of pairs of tokens, plus a half."""

    def __init__(self, config: object, tokens: TokenShape, history: int) -> None:
        self.size = tokens.codebook_size
        self.pairs = torch.zeros(self.size + 1, self.size)

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        for sequence in sequences:
            before = torch.cat([sequence.new_full((1,), -1), sequence[:-1]])
            self.pairs.index_put_((before, sequence), torch.ones(len(sequence)), accumulate=True)
        self.pairs = self.pairs.to(context.device)

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        return self.table()[self.before(codes, history), codes].log()

    def table(self) -> torch.Tensor:
        """(size + 1, size): the probability of each code after each other; the last row is for the beginning."""
        counts = self.pairs + 0.5
        return counts / counts.sum(dim=1, keepdim=True)

    def before(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L): the token before each, -1 where there is none."""
        last = codes.new_full((len(codes), 1), -1) if history is None else history[:, -1:]
        return torch.cat([last, codes[:, :-1]], dim=1)

    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        sequence = history
        for _ in range(tokens):
            drawn = torch.multinomial(self.table()[sequence[:, -1]], 1, generator=generator)
            sequence = torch.cat([sequence, drawn], dim=1)
        return sequence[:, history.shape[1] :]

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {"pairs": self.pairs}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.pairs = state["pairs"]


class SoundFlow:
    """Each number by itself: its mean, moved by the condition, and its standard deviation."""

    def __init__(self, config: object, poses: PoseShape, condition: TokenShape | None) -> None:
        shape = (poses.channels, poses.frames, poses.joints)
        self.conditioned = condition is not None
        self.mean, self.log_scale = torch.zeros(shape), torch.zeros(shape)

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        x = context.tensor(windows.batch(slice(None)).x)
        # A joint that is never seen stands still.
        self.mean, self.log_scale = x.mean(dim=0), -x.std(dim=0).clamp(min=0.01).log()

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        log_scale = self._log_scale(x, condition)
        return (x - self.mean) * log_scale.exp(), log_scale.sum(dim=(1, 2, 3))

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return z * (-self._log_scale(z, condition)).exp() + self.mean

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        z, log_det = self.forward(x, condition)
        return log_det - 0.5 * (z.square() + np.log(2 * np.pi)).sum(dim=(1, 2, 3))

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {"mean": self.mean, "log_scale": self.log_scale}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.mean, self.log_scale = state["mean"], state["log_scale"]

    def _log_scale(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        moved = 0.0 if condition is None else 0.1 * condition.mean(dim=(1, 2))[:, None, None, None]
        return (self.log_scale + moved).expand(x.shape)


class SoundFlowWithoutGradients(SoundFlow):
    """The same; its derivatives have to be found numerically."""

    @torch.no_grad()
    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        return super().forward(x, condition)


class SoundScorer:
    """Sum of standardised terms."""

    def __init__(self, config: object) -> None:
        self.statistics: dict[str, tuple[float, float]] = {}

    def fit(self, terms: Terms) -> None:
        self.statistics = {name: (float(values.mean()), float(values.std()) or 1.0) for name, values in terms.items()}

    def score(self, terms: Terms) -> NDArray[np.float64]:
        return np.sum(list(self.standardised(terms).values()), axis=0)

    def standardised(self, terms: Terms) -> dict[str, NDArray[np.float64]]:
        return {name: (values - self.statistics[name][0]) / self.statistics[name][1] for name, values in terms.items()}

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {name: torch.tensor(pair, dtype=torch.float64) for name, pair in self.statistics.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.statistics = {name: (float(pair[0]), float(pair[1])) for name, pair in state.items()}


class SoundDetector:
    """Mean standardised distance from the mean training window."""

    def __init__(self, config: object, poses: PoseShape) -> None:
        self.mean = self.sd = np.zeros(1)

    def fit(self, windows: Windows, context: Context) -> None:
        x = windows.batch(slice(None)).x
        self.mean, self.sd = x.mean(axis=0), x.std(axis=0) + 0.01

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        x = windows.batch(slice(None)).x
        return np.abs((x - self.mean) / self.sd).mean(axis=(1, 2, 3)).astype(np.float64)

    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean, "sd": self.sd}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.mean, self.sd = np.asarray(state["mean"]), np.asarray(state["sd"])


class SoundFrameDetector(SoundDetector):
    """The same, frame by frame."""

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        x = windows.batch(slice(None)).x
        return np.abs((x - self.mean) / self.sd).mean(axis=(1, 3)).astype(np.float64)


class SoundTermDetector(SoundDetector):
    """The same, with its score as a term."""

    def score_terms(self, windows: Windows, context: Context) -> Terms:
        return {"distance": super().score(windows, context)}

    def fuse(self, terms: Terms) -> NDArray[np.float64]:
        return terms["distance"]

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        return self.fuse(self.score_terms(windows, context))


class SoundUncopiableDetector(SoundDetector):
    """The same; it holds what cannot be copied."""

    def __init__(self, config: object, poses: PoseShape) -> None:
        super().__init__(config, poses)
        self.held: Callable[[], object] = (number for number in range(3)).__next__


class SoundSinglePrecisionDetector(SoundDetector):
    """The same in float32, and about a million: the last digits are rounding."""

    def score(self, windows: Windows, context: Context) -> Any:
        return super().score(windows, context).astype(np.float32) + np.float32(1e6)


class SoundCrowdDetector(SoundDetector):
    """The same, times the number of people in the clip when the window begins."""

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        tracks = windows.tracks
        begins = zip(windows.clip, windows.start, strict=True)
        people = np.array([((tracks.clip == clip) & (tracks.frame == start)).sum() for clip, start in begins], dtype=np.float64)
        return people * super().score(windows, context)


class SoundDataset:
    """People who walk; in the test split, some frames pass for abnormal."""

    def __init__(self, config: object, data_root: Path | None) -> None:
        self.data_root = data_root

    @property
    def info(self) -> DatasetInfo:
        return DatasetInfo("sound", "Sound", "coco-17", 24.0, "Apache-2.0", "none", "made in memory")

    def tracks(self, split: Split) -> Tracks:
        if split not in ("train", "test"):
            raise DataError(f"there is no split {split}", remedy="use train or test")
        return sample_tracks(COCO_17, seed=1 if split == "train" else 2)

    def labels(self, split: Split) -> FrameLabels:
        clips = self.tracks(split).clips
        return FrameLabels(
            tuple(clip.name for clip in clips),
            tuple((np.arange(clip.n_frames) > 60) & (split == "test") for clip in clips),
            tuple(np.ones(clip.n_frames, dtype=bool) for clip in clips),
        )


class SoundFiles(SoundDataset):
    """The same; it says whether its files are there, what to do if they are not, which they are, and what is wrong with them."""

    def sources(self, split: Split) -> Mapping[str, tuple[Path, ...]]:
        return {"": (Path(__file__),)} | {clip.name: (Path(__file__),) for clip in self.tracks(split).clips}

    def inspect(self, split: Split) -> Inspection:
        tracks = self.tracks(split)
        files = {clip.name: Path(__file__) for clip in tracks.clips}
        hint = Finding("made", "note", "the poses are made in memory", split, "nothing to do")
        return Inspection(tracks, self.labels(split), files, (hint,))

    def available(self) -> bool:
        return self.data_root is None

    def tracks(self, split: Split) -> Tracks:
        if not self.available():
            raise DataError("the files are missing", remedy="get them")
        return super().tracks(split)


def shifted(tracks: Tracks, pixels: float) -> Tracks:
    """The same poses, to the right."""
    return replace(tracks, keypoints=tracks.keypoints + np.array([pixels, 0, 0], dtype=np.float32))


SOUND = {
    "tokenizer": (SoundTokenizer,),
    "prior": (SoundPrior,),
    "flow": (SoundFlow, SoundFlowWithoutGradients),
    "scorer": (SoundScorer,),
    "detector": (
        SoundDetector,
        SoundFrameDetector,
        SoundTermDetector,
        SoundUncopiableDetector,
        SoundSinglePrecisionDetector,
        SoundCrowdDetector,
    ),
    "dataset": (SoundDataset, SoundFiles),
}
