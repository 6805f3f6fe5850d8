"""What tokenizers lose of a window, beside PCA with as many numbers and with as many bits. No test clip, and no label, is read.

    python tests/bench/tokenizer_reconstruction.py --dataset synthetic-campus

A fifth of the training clips is held out. Every tokenizer is trained on the rest with its default settings, and so is PCA; what
they lose is the squared error on the held-out windows, as a share of their squared distance to their mean window.

A window of L tokens, each one of K codes with a vector of D numbers, is described by L * D numbers, but they can take K values
a token only: the window has L * log2 K bits. So PCA is asked twice. With as many numbers, it keeps L * D coordinates as they
are, and is given far more to say than the tokenizer. With as many bits, each coordinate is rounded to one of 2^b values, learned
by k-means; the bits are dealt out one by one, each to the coordinate that gains most by it on the training windows.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from vadbench.api import Context, Diagnosed, Entry, Tokenizer, WindowRule, Windows
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows
from vadbench.engine.config import validated_config
from vadbench.engine.datasets import open_dataset
from vadbench.engine.plugins import load_plugins
from vadbench.engine.training.trainer import seeded, train
from vadbench_msgflow.codebook_usage import codebook_usage
from vadbench_msgflow.reconstruction import variance_lost

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 20_000
"""Training windows that PCA learns from at most."""
BATCH = 2048
MOST_BITS = 8
"""Of one coordinate."""


@dataclass(frozen=True, slots=True)
class PrincipalComponents:
    """PCA of training windows, and how well their coordinates can be rounded.

    Args:
        pca: Fitted with all components.
        coordinates: (N, components) of the training windows.
    """

    pca: PCA
    coordinates: NDArray[np.float64]

    @classmethod
    def of(cls, x: NDArray[np.float32]) -> PrincipalComponents:
        """Of windows (N, C, T, J)."""
        flat = x.reshape(len(x), -1).astype(np.float64)
        pca = PCA(svd_solver="covariance_eigh").fit(flat)
        return cls(pca, pca.transform(flat))

    def by_numbers(self, x: torch.Tensor, numbers: int) -> torch.Tensor:
        """Windows from their first ``numbers`` coordinates."""
        coordinates = self.pca.transform(x.flatten(1).double().numpy())
        coordinates[:, numbers:] = 0
        return torch.from_numpy(self.pca.inverse_transform(coordinates)).view_as(x)

    def by_bits(self, x: torch.Tensor, bits: int) -> torch.Tensor:
        """Windows from coordinates rounded to values that take ``bits`` bits altogether."""
        coordinates = self.pca.transform(x.flatten(1).double().numpy())
        rounded = np.zeros_like(coordinates)
        for number, values in enumerate(self._dealt(bits)):
            nearest = np.abs(coordinates[:, number, None] - values).argmin(axis=1)
            rounded[:, number] = values[nearest]
        return torch.from_numpy(self.pca.inverse_transform(rounded)).view_as(x)

    def _dealt(self, bits: int) -> list[NDArray[np.float64]]:
        """The values of each coordinate, after every bit went where it gains most."""
        values = [np.zeros(1) for _ in range(min(bits, self.coordinates.shape[1]))]
        options = [self._finer(number, 1) for number in range(len(values))]
        error = [float(np.square(self.coordinates[:, number]).mean()) for number in range(len(values))]
        for _ in range(bits):
            best = max(range(len(values)), key=lambda number: error[number] - options[number][1])
            values[best], error[best] = options[best]
            count = round(math.log2(len(values[best]))) + 1
            options[best] = self._finer(best, count) if count <= MOST_BITS else (values[best], error[best])
        return values

    def _finer(self, number: int, bits: int) -> tuple[NDArray[np.float64], float]:
        """The 2^bits best values of a coordinate, and the mean squared error that they leave."""
        some = self.coordinates[: SAMPLE // 4, number, None]
        means = KMeans(min(2**bits, len(some)), n_init=1, init=np.quantile(some, (np.arange(2**bits) + 0.5) / 2**bits, axis=0))
        fitted = means.fit(some)
        return fitted.cluster_centers_[:, 0], float(fitted.inertia_) / len(some)


@dataclass(frozen=True, slots=True)
class Clips:
    """Training clips that tokenizers and PCA may learn from, and those held out.

    Args:
        seen: To learn from.
        plain: (N, C, T, J) those of them that are seen as they are, `SAMPLE` at most.
        unseen: (B, C, T, J) windows of the others.
        components: PCA of windows of ``seen``.
        seed: Of every tokenizer.
    """

    seen: Windows
    plain: NDArray[np.float32]
    unseen: torch.Tensor
    components: PrincipalComponents
    seed: int


@click.command()
@click.option("--dataset", default="synthetic-campus", show_default=True, help="Data set or folder.")
@click.option("--data-root", type=click.Path(path_type=Path))
@click.option("--tokenizer", "names", multiple=True, help="Tokenizer to try; all by default. May be given several times.")
@click.option("--epochs", type=int, help="Epochs of those that have them, instead of their defaults.")
@click.option("--seed", default=0, show_default=True)
def main(dataset: str, data_root: Path | None, names: tuple[str, ...], epochs: int | None, seed: int) -> None:
    """Print what each tokenizer loses on held-out training clips."""
    registry = load_plugins().registry
    tracks = open_dataset(dataset, registry, root=data_root, settings={}).tracks("train")
    windows = cut_windows(convert_layout(tracks, "coco-18"), WindowRule(24, 6), STG_NF, ["flip"])
    held = np.random.default_rng(seed).permutation(len(tracks.clips))[: len(tracks.clips) // 5]
    out = np.isin(windows.clip, held)
    seen, unseen = windows.select(~out), windows.select(out & (windows.view == 0))
    picked = np.sort(np.random.default_rng(seed).permutation(len(seen))[:SAMPLE])
    x = torch.from_numpy(unseen.batch(slice(None)).x)
    plain = seen.select(seen.view == 0)
    clips = Clips(seen, plain.batch(slice(SAMPLE)).x, x, PrincipalComponents.of(seen.batch(picked).x), seed)
    click.echo(f"{dataset}: {len(seen)} training windows, {len(unseen)} held out; share of their variance that is lost")
    for name in names or [entry.name for entry in registry.entries("tokenizer")]:
        click.echo(report(registry.get("tokenizer", name), clips, epochs))


def report(entry: Entry, clips: Clips, epochs: int | None) -> str:
    """Three lines on one tokenizer, trained on some clips and asked about others."""
    has_epochs = epochs is not None and "epochs" in entry.load_config().model_fields
    config = validated_config(entry, {"epochs": epochs} if has_epochs else {})
    with seeded(clips.seed):
        began = time.perf_counter()
        tokenizer: Tokenizer = entry.load()(config, clips.seen.shape)
        tokenizer.fit(clips.seen, Context(seed=clips.seed, name=entry.name, trainer=train))
        spent = time.perf_counter() - began
    x, shape = clips.unseen, tokenizer.shape
    with torch.no_grad():
        codes = tokenizer.encode(x).codes
        lost = variance_lost(x, tokenizer.decode(codes))
    numbers, bits = shape.tokens * shape.width, math.floor(shape.tokens * math.log2(shape.codebook_size))
    by_numbers, by_bits = clips.components.by_numbers(x, numbers), clips.components.by_bits(x, bits)
    used = codebook_usage(torch.bincount(codes.flatten(), minlength=shape.codebook_size))
    told = tokenizer.diagnostics() if isinstance(tokenizer, Diagnosed) else {}
    with torch.no_grad():
        known = torch.cat([tokenizer.encode(part).codes for part in torch.split(torch.from_numpy(clips.plain), BATCH)])
    place, most = place_information(known), math.log(shape.tokens)
    return (
        f"{entry.name:12} {lost:6.2%} lost; PCA with {numbers} numbers {variance_lost(x, by_numbers):.2%}, "
        f"with {bits} bits {variance_lost(x, by_bits):.2%}\n"
        f"{'':12} {shape.codebook_size} codes: perplexity {told.get('perplexity', math.nan):.0f}, "
        f"{told.get('dead_codes', math.nan):.0f} dead; held out {used['perplexity']:.0f}, {used['dead_codes']:.0f}\n"
        f"{'':12} {spent:.0f} s; a code tells {place:.2f} of {most:.2f} nats of its place in the window"
    )


def place_information(codes: torch.Tensor) -> float:
    """Mutual information between a code and its place, nats, of codes (N, L): 0 if codes say nothing of where they stand.

    A code that stood at one place alone would tell log L. Estimated from counts, it is above 0 by (K - 1) (L - 1) / (2 N L) where
    the truth is 0.
    """
    table = torch.stack([torch.bincount(place, minlength=int(codes.max()) + 1) for place in codes.T]).double()
    share = table / table.sum()
    alone = share.sum(dim=0, keepdim=True) * share.sum(dim=1, keepdim=True)
    return float((share * (share / alone).clamp(min=1e-300).log()).nan_to_num(0.0).sum())


if __name__ == "__main__":
    main()
