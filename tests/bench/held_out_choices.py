"""How settings are chosen without a test label: by training clips that were held out. No test split is read.

    python tests/bench/held_out_choices.py msgflow --dataset synthetic-campus --variant full --variant codebook-256

A fifth of the training clips is held out. Each variant of the method's ablation grid is trained on the rest, parts that
variants have in common once. Then, on the held-out clips:

    nats/token   surprise of the prior: lower is a better model of normal motion
    bits/dim     surprise of the flow, per dimension: likewise
    semantic, detail, reconstruction, fused: AUROC in percent of the term, and of the score, between the windows as they are
                 and the same windows made odd (tests/bench/pseudo_anomalies.py), mean of the kinds

Likelihood says how well normal motion is known; the second figure says whether that shows in what is not normal. Comparable
only between variants of one data set and seed; nats a token, only between variants of one tokenizer.
"""

from __future__ import annotations

import logging
import math
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from pseudo_anomalies import oddities
from sklearn.metrics import roc_auc_score

from vadbench.api import Context, DataError, TermDetector, UsageError, Windows
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import fit_normaliser
from vadbench.data.windowing import cut_windows
from vadbench.engine.ablation.grid import grid_of
from vadbench.engine.build import build_detector
from vadbench.engine.composing.composition import Composition
from vadbench.engine.composing.part_store import PartStore
from vadbench.engine.config import resolve
from vadbench.engine.datasets import open_dataset
from vadbench.engine.device import cpu_threads
from vadbench.engine.inputs import window_rule
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import load_preset
from vadbench.engine.provenance import code_digest
from vadbench.engine.training.trainer import seeded, train

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Tracks
    from vadbench.engine.config import ResolvedMethod

HELD_OUT = 5
"""One clip in so many is held out."""


@click.command()
@click.argument("method")
@click.option("--dataset", default="synthetic-campus", show_default=True, help="Data set or folder.")
@click.option("--data-root", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True)
@click.option("--variant", "variants", multiple=True, help="Of its ablation grid; repeatable. Default: the method itself.")
@click.option("--set", "changes", multiple=True, help="A change to all of them.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder in which trained parts are kept for the next call.")
def main(  # noqa: PLR0917 - click passes them by name
    method: str,
    dataset: str,
    data_root: Path | None,
    seed: int,
    variants: tuple[str, ...],
    changes: tuple[str, ...],
    keep: Path | None,
) -> None:
    """Print what the held-out training clips say of METHOD's variants."""
    registry = load_plugins().registry
    data = open_dataset(dataset, registry, root=data_root, settings={})
    tracks = data.tracks("train")
    preset = load_preset(method, registry)
    plain = ("plain", {}, ())
    chosen: list[tuple[str, Any, tuple[str, ...]]] = [plain]
    if variants:
        grid = grid_of(method, None, registry)
        named = [grid.named(name) for name in variants]
        if readings := [variant.name for variant in named if variant.reading is not None]:
            raise UsageError(f"only readings of stored scores: {', '.join(readings)}", remedy="name variants that are trained")
        chosen = [(variant.name, variant.swaps, tuple(variant.set)) for variant in named]
    with tempfile.TemporaryDirectory() as folder, cpu_threads(1):
        for name, swaps, own in chosen:
            resolved = resolve(preset, registry, dataset=data.info.name, swaps=swaps, changes=[*changes, *own])
            try_out(name, resolved, tracks, seed, keep or Path(folder))


def try_out(name: str, resolved: ResolvedMethod, tracks: Tracks, seed: int, folder: Path) -> None:
    """Trains one variant on four fifths of the clips, and prints what the others say."""
    config = resolved.method.windows
    seen = convert_layout(tracks, config.layout)
    windows = cut_windows(
        seen, window_rule(config, config.train_stride), fit_normaliser(config.normalisation, seen), config.augment
    )
    if len(tracks.clips) < HELD_OUT:
        raise DataError(f"{len(tracks.clips)} training clips are too few to hold one in {HELD_OUT} out")
    held = np.random.default_rng(seed).permutation(len(tracks.clips))[: len(tracks.clips) // HELD_OUT]
    out = np.isin(windows.clip, held)
    known, fresh = windows.select(~out), windows.select(out & (windows.view == 0))
    began = time.perf_counter()
    context = Context(seed=seed, name=resolved.method.name, trainer=train, logger=logging.getLogger("held-out"))
    code = {package: code_digest(package) for package in ("vadbench", *sorted(_packages(resolved)))}
    identity = {"poses": tracks.fingerprint(), "windows": resolved.settings["windows"], "seed": seed, "code": code}
    store = PartStore(folder, identity)
    detector = build_detector(resolved, known.shape, context, parts=store)
    with seeded(context.child("fit").seed):
        detector.fit(known, context)
    told = [f"{key} {value:.3f}" for key, value in _likelihoods(detector, fresh, context).items()]
    told += [f"{key} {100 * value:.1f}" for key, value in _oddities_found(detector, known, fresh, context).items()]
    if isinstance(detector, Composition):
        told += [f"{key.partition('.')[2]} {value:.3g}" for key, value in detector.diagnostics().items()]
    click.echo(f"{name}: {', '.join(told)} ({time.perf_counter() - began + store.reused_s:.0f} s)")


def _packages(resolved: ResolvedMethod) -> set[str]:
    return {part.entry.target.partition(":")[0].partition(".")[0] for part in resolved.components.values()}


def _likelihoods(detector: Any, fresh: Windows, context: Context) -> dict[str, float]:
    if not isinstance(detector, Composition):
        return {}
    terms, shape = detector.score_terms(fresh, context), fresh.shape
    found = {}
    if "semantic" in terms and detector.parts.tokenizer is not None:
        found["nats/token"] = terms["semantic"].mean() / detector.parts.tokenizer.shape.tokens
    if "detail" in terms:
        found["bits/dim"] = terms["detail"].mean() / (math.log(2) * shape.channels * shape.frames * shape.joints)
    return {key: float(value) for key, value in found.items()}


def _oddities_found(detector: Any, known: Windows, fresh: Windows, context: Context) -> dict[str, float]:
    views = oddities(known.select(known.view == 0), fresh.tracks.layout)
    normal = _scores(detector, fresh, context)
    found: dict[str, list[float]] = {key: [] for key in normal}
    for number in range(1, len(views) + 1):
        odd = _scores(detector, replace(fresh, views=views, view=np.full(len(fresh), number, dtype=np.int64)), context)
        for key, values in normal.items():
            truth = np.repeat([0, 1], [len(values), len(odd[key])])
            found[key].append(float(roc_auc_score(truth, np.concatenate([values, odd[key]]))))
    kinds = {f"[{view.name}]": figure for view, figure in zip(views, found["fused"], strict=True)}
    return {key: float(np.mean(figures)) for key, figures in found.items()} | kinds


def _scores(detector: Any, windows: Windows, context: Context) -> dict[str, NDArray[np.float64]]:
    if isinstance(detector, TermDetector):
        terms = dict(detector.score_terms(windows, context))
        return {**terms, "fused": detector.fuse(terms)}
    scores = np.asarray(detector.score(windows, context))
    return {"fused": scores if scores.ndim == 1 else scores.max(axis=1)}


if __name__ == "__main__":
    main()
