"""What the codes of a tokenizer stand for: how each decodes, how often it is used, where it occurs, and what follows it.

A decoder sees the tokens beside a token, so a code has no picture of its own. It is shown as it is decoded where it occurs: of
the training windows that hold it at a middle place the stretch that lies nearest to the mean of all such decoded stretches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from vadbench.engine.composing.token_chains import track_sequences
from vadbench.engine.composing.window_batches import window_batches
from vadbench.engine.explaining.explanation import Poses, poses_of, spread, token_edges
from vadbench.engine.plugin_faults import method_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from vadbench.api import Windows
    from vadbench.engine.explaining.explanation import Explained

PICTURED_WINDOWS: Final = 20_000
"""Training windows, spread evenly, among which pictures and examples are looked for; usage and transitions are of all."""
EXAMPLES: Final = 2
NEAREST: Final = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A stretch of training poses.

    Args:
        clip: Number of the training clip, from 0, in the order of the data set.
        person: Track id.
        first: First frame.
        last: Last frame.
        distance: Root mean square distance to what it is an example of, in coordinates of the window.
        poses: As the data set has them.
    """

    clip: int
    person: int
    first: int
    last: int
    distance: float
    poses: Poses


@dataclass(frozen=True, slots=True)
class Primitive:
    """A code.

    Args:
        code: Its number.
        usage: Tokens of training windows that have it.
        share: The same, of all tokens.
        decoded: How it is decoded, in pixels of the window that it was taken from.
        examples: The real stretches of this code that lie nearest to its mean decoded stretch, of different tracks.
    """

    code: int
    usage: int
    share: float
    decoded: Poses
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Codebook:
    """The codes of a run.

    Args:
        size: How many there are.
        used: How many occur in training windows.
        perplexity: exp of the entropy of their usage, in [1, size].
        windows: Training windows that were encoded.
        primitives: The most used ones, the most used first.
        nearest: Those whose mean decoded stretch lies nearest to the one that was asked for, and its root mean square distance in
            coordinates of the window.
        transitions: (n, 3) int64: code, next code, how often; of training tracks, whose windows do not overlap.
    """

    size: int
    used: int
    perplexity: float
    windows: int
    primitives: tuple[Primitive, ...]
    nearest: tuple[tuple[Primitive, float], ...]
    transitions: NDArray[np.int64]

    def probabilities(self, codes: Sequence[int]) -> NDArray[np.float64]:
        """(n, n): how often each of some codes is followed by each, as a share of all that follows it (rows sum to 1 at most)."""
        source, target, times = self.transitions.T
        table = np.zeros((len(codes), len(codes)))
        place = {code: i for i, code in enumerate(codes)}
        total = np.zeros(len(codes))
        for a, b, n in zip(source.tolist(), target.tolist(), times.tolist(), strict=True):
            if a in place:
                total[place[a]] += n
                if b in place:
                    table[place[a], place[b]] += n
        return np.asarray(table / np.maximum(total, 1)[:, None])


def codebook_of(run: Explained, count: int, like: NDArray[np.float32] | None = None) -> Codebook | None:
    """The codebook of a run; None without a tokenizer.

    Args:
        run: The run.
        count: How many of its primitives are shown.
        like: (2, t, J) a stretch in coordinates of a window, t = T // L rows, whose nearest primitives are wanted.

    Raises:
        PluginError: if the tokenizer fails.
    """
    if run.tokenizer is None:
        return None
    linked, previous = run.train.linked()
    every = run.codes(linked)
    assert every is not None  # noqa: S101 - there is a tokenizer
    codes = every[: len(run.train)]
    used, usage = np.unique(codes, return_counts=True)
    share = usage / max(usage.sum(), 1)
    some = spread(len(run.train), PICTURED_WINDOWS)
    with method_step("decode windows", run.method), torch.inference_mode():
        stretches = _Stretches.of(run, run.train.select(some), codes[some])
        order = used[np.argsort(-usage, kind="stable")].tolist()
        wanted = [code for code in order if code in stretches.known][:count]
        near = [] if like is None else stretches.nearest(like, NEAREST)
        place = {code: int(np.searchsorted(used, code)) for code in (*wanted, *(code for code, _ in near))}
        shown = {code: stretches.primitive(code, int(usage[at]), float(share[at])) for code, at in place.items()}
    return Codebook(
        size=run.tokenizer.shape.codebook_size,
        used=len(used),
        perplexity=float(np.exp(-(share * np.log(share)).sum())),
        windows=len(run.train),
        primitives=tuple(shown[code] for code in wanted),
        nearest=tuple((shown[code], distance) for code, distance in near),
        transitions=_transitions(every, linked, previous, run.tokenizer.shape.codebook_size),
    )


def nearest_training(run: Explained, windows: Windows) -> list[Example]:
    """Of each window the training window that lies nearest to it, among `PICTURED_WINDOWS`."""
    some = run.train.select(spread(len(run.train), PICTURED_WINDOWS))
    wanted = torch.from_numpy(windows.batch(slice(None)).x).flatten(1)
    away = torch.cat([torch.cdist(x.flatten(1), wanted) for x in window_batches(some, "cpu")])
    best = away.argmin(dim=0)
    scale = float(np.sqrt(wanted.shape[1]))
    return [_example(some, int(at), slice(None), float(away[at, i]) / scale) for i, at in enumerate(best)]


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Decoded stretches of the codes of some windows.

    Args:
        run: The run.
        windows: Training windows.
        held: (W, M) code of each stretch: the tokens at middle places.
        begin: (M,) first row of each place.
        length: t, rows of a stretch.
        codes: (K,) codes that occur.
        means: (K, 2, t, J) mean decoded stretch of each.
        decoded: (W, M) distance of each decoded stretch from its code's mean.
        real: (W, M) distance of the real stretch from it.
    """

    run: Explained
    windows: Windows
    held: NDArray[np.int64]
    begin: NDArray[np.int64]
    length: int
    codes: NDArray[np.int64]
    means: NDArray[np.float32]
    decoded: NDArray[np.float32]
    real: NDArray[np.float32]

    @classmethod
    def of(cls, run: Explained, windows: Windows, codes: NDArray[np.int64]) -> _Stretches:
        """Two passes: the means, then the distances from them."""
        edges = token_edges(windows.rule.length, codes.shape[1])
        middle = slice(1, -1) if codes.shape[1] > 2 else slice(None)
        begin, length = edges[:-1][middle], windows.rule.length // codes.shape[1]
        held = codes[:, middle]
        known, at = np.unique(held, return_inverse=True)
        at = at.reshape(held.shape)
        joints = len(windows.tracks.layout)
        sums = np.zeros((len(known), 2, length, joints))
        for rows, decoded, _ in _decoded(run, windows, codes):
            for place, first in enumerate(begin.tolist()):
                np.add.at(sums, at[rows, place], decoded[:, :, first : first + length])
        means = (sums / np.maximum(np.bincount(at.ravel(), minlength=len(known)), 1)[:, None, None, None]).astype(np.float32)
        away = np.zeros((2, *held.shape), dtype=np.float32)
        for rows, decoded, x in _decoded(run, windows, codes):
            for place, first in enumerate(begin.tolist()):
                mean = means[at[rows, place]]
                for kind, poses in enumerate((decoded, x)):
                    away[kind, rows, place] = np.sqrt(((poses[:, :, first : first + length] - mean) ** 2).mean(axis=(1, 2, 3)))
        return cls(run, windows, held, begin, length, known, means, away[0], away[1])

    @property
    def known(self) -> set[int]:
        """The codes that occur."""
        return set(self.codes.tolist())

    def nearest(self, like: NDArray[np.float32], count: int) -> list[tuple[int, float]]:
        """Codes whose mean lies nearest to a stretch (2, t, J), and the root mean square distance."""
        away = np.sqrt(((self.means - like) ** 2).mean(axis=(1, 2, 3)))
        return [(int(self.codes[i]), float(away[i])) for i in np.argsort(away, kind="stable")[:count]]

    def primitive(self, code: int, usage: int, share: float) -> Primitive:
        """How a code looks, and where it occurs."""
        windows, places = np.nonzero(self.held == code)
        best = int(self.decoded[windows, places].argmin())
        examples: list[Example] = []
        seen = set[tuple[int, int]]()
        for i in np.argsort(self.real[windows, places], kind="stable").tolist():
            window, place = int(windows[i]), int(places[i])
            track = int(self.windows.clip[window]), int(self.windows.person[window])
            if track not in seen:
                seen.add(track)
                examples.append(_example(self.windows, window, self._rows(place), float(self.real[window, place])))
            if len(examples) == EXAMPLES:
                break
        return Primitive(code, usage, share, self._shown(int(windows[best]), int(places[best])), tuple(examples))

    def _rows(self, place: int) -> slice:
        return slice(int(self.begin[place]), int(self.begin[place]) + self.length)

    def _shown(self, window: int, place: int) -> Poses:
        at = self.windows.select(np.array([window]))
        _, decoded, _ = next(_decoded(self.run, at, None))
        xy = at.placement(slice(None)).to_pixels(decoded)[0]
        real = poses_of(at, 0, self._rows(place))
        return Poses(xy[:, self._rows(place)], np.ones_like(real.seen), real.frames)


def _decoded(
    run: Explained, windows: Windows, codes: NDArray[np.int64] | None
) -> Iterator[tuple[slice, NDArray[np.float32], NDArray[np.float32]]]:
    """Which windows, how their tokens are decoded, and what they are: both (B, 2, T, J)."""
    tokenizer, done = run.tokenizer, 0
    assert tokenizer is not None  # noqa: S101 - see codebook_of
    for x in window_batches(windows, run.context.device):
        rows = slice(done, done + len(x))
        own = tokenizer.encode(x).codes if codes is None else torch.from_numpy(codes[rows]).to(x.device)
        yield rows, tokenizer.decode(own).cpu().numpy(), x.cpu().numpy()
        done += len(x)


def _example(windows: Windows, index: int, rows: slice, distance: float) -> Example:
    poses = poses_of(windows, index, rows)
    return Example(
        clip=int(windows.clip[index]),
        person=int(windows.person[index]),
        first=int(poses.frames[0]),
        last=int(poses.frames[-1]),
        distance=distance,
        poses=poses,
    )


def _transitions(codes: NDArray[np.int64], linked: Windows, previous: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    track = np.searchsorted(linked.tracks.track_bounds(), linked.first, side="right") - 1
    pairs = [np.zeros(0, dtype=np.int64)]
    for sequence in track_sequences(torch.from_numpy(codes), previous, track):
        own = sequence.numpy()
        pairs.append(own[:-1] * size + own[1:])
    keys, times = np.unique(np.concatenate(pairs), return_counts=True)
    return np.stack([keys // size, keys % size, times], axis=1).astype(np.int64)
