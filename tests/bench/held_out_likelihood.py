"""How MSG-Flow's settings were chosen: likelihood on held-out training clips. No test clip, and no label, is read.

    python tests/bench/held_out_likelihood.py --dataset synthetic-campus

A fifth of the training clips is held out. The tokenizer is trained once; then priors and flows with the settings below are
trained on the rest and asked for the likelihood of the windows of the held-out clips.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from vadbench.api import Context, Tokens, WindowRule, Windows
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows
from vadbench.engine.composition import token_history, track_sequences
from vadbench.engine.datasets import open_dataset
from vadbench.engine.plugins import load_plugins
from vadbench.engine.trainer import seeded, train
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow
from vadbench_msgflow.ngram import NGramConfig, NGramPrior
from vadbench_msgflow.prior import TransformerConfig, TransformerPrior
from vadbench_msgflow.tokenizer import VQVAE, VQVAEConfig

PRIORS: list[tuple[int, dict[str, Any]]] = [
    (0, {}),
    (1, {}),
    (2, {}),
    (4, {}),
    (2, {"learning_rate": 1e-3}),
    (2, {"epochs": 6}),
    (2, {"corruption": 0.0}),
    (2, {"dropout": 0.0, "corruption": 0.0}),
]
"""Windows of history, and settings that differ from the defaults."""

MSGFLOW = {"learning_rate": 0.02, "decay": 0.8}
FLOWS: list[tuple[bool, dict[str, Any]]] = [
    (False, {}),
    (False, MSGFLOW),
    (True, {}),
    (True, {"learning_rate": 0.005, "decay": 0.8}),
    (True, MSGFLOW),
    (True, MSGFLOW | {"epochs": 16, "decay": 0.9}),
    (True, MSGFLOW | {"mean": False}),
    (True, MSGFLOW | {"couplings": False}),
]
"""Whether it is conditioned, and settings that differ from STG-NF's, which are the defaults."""


@click.command()
@click.option("--dataset", default="synthetic-campus", show_default=True, help="Data set or folder.")
@click.option("--data-root", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True)
def main(dataset: str, data_root: Path | None, seed: int) -> None:
    """Print held-out likelihoods of the settings above."""
    tracks = open_dataset(dataset, load_plugins().registry, root=data_root, settings={}).tracks("train")
    windows = cut_windows(convert_layout(tracks, "coco-18"), WindowRule(24, 6), STG_NF, ["flip"])
    held = np.random.default_rng(seed).permutation(len(tracks.clips))[: len(tracks.clips) // 5]
    out = np.isin(windows.clip, held)
    seen, unseen = windows.select(~out), windows.select(out & (windows.view == 0))
    context = Context(seed=seed, name="held-out", trainer=train)
    click.echo(f"{dataset}: {len(seen)} training windows, {len(unseen)} held out")
    with seeded(seed):
        tokenizer = VQVAE(VQVAEConfig(), seen.shape)
        tokenizer.fit(seen, context)
    x = torch.from_numpy(unseen.batch(slice(None)).x)
    error = (tokenizer.decode(tokenizer.encode(x).codes) - x).square().mean() / x.var()
    click.echo(f"tokenizer: {error:.2%} of the variance lost, {tokenizer.diagnostics()}")
    compare_priors(tokenizer, seen, unseen, context)
    compare_flows(tokenizer, seen, unseen, context)


def compare_priors(tokenizer: VQVAE, seen: Windows, unseen: Windows, context: Context) -> None:
    """Nats a token."""
    linked, previous = seen.linked()
    sequences = track_sequences(tokens_of(tokenizer, linked).codes, previous)
    asked, before = unseen.linked()
    codes = tokens_of(tokenizer, asked).codes
    for blocks, settings in PRIORS:
        history = token_history(codes, torch.from_numpy(before), blocks)[: len(unseen)]
        length = blocks * tokenizer.shape.tokens
        for name, make in (
            ("ngram", lambda h: NGramPrior(NGramConfig(), tokenizer.shape, h)),
            ("transformer", lambda h, s=settings: TransformerPrior(TransformerConfig(**s), tokenizer.shape, h)),
        ):
            if name == "ngram" and settings:
                continue
            with seeded(context.seed):
                began = time.perf_counter()
                prior = make(length)
                prior.fit(sequences, context)
            with torch.no_grad():
                nats = -prior.log_prob(codes[: len(unseen)], history).mean().item()
            click.echo(f"prior {name:11} history {blocks} {settings or ''} {nats:.3f} nats a token, {since(began)}")


def compare_flows(tokenizer: VQVAE, seen: Windows, unseen: Windows, context: Context) -> None:
    """Bits a dimension."""
    x = torch.from_numpy(unseen.batch(slice(None)).x)
    seen_vectors, vectors = tokens_of(tokenizer, seen).vectors, tokens_of(tokenizer, unseen).vectors
    for conditioned, settings in FLOWS:
        with seeded(context.seed):
            began = time.perf_counter()
            flow = STGCNCouplingFlow(STGCNCouplingConfig(**settings), seen.shape, tokenizer.shape if conditioned else None)
            flow.fit(seen, seen_vectors if conditioned else None, context)
        with torch.no_grad():
            nats = -flow.log_prob(x, vectors if conditioned else None).mean().item()
        bits = nats / (math.log(2) * x[0].numel())
        click.echo(
            f"flow {'conditioned' if conditioned else 'alone':11} {settings or ''} {bits:.3f} bits a dimension, {since(began)}"
        )


@torch.no_grad()
def tokens_of(tokenizer: VQVAE, windows: Windows) -> Tokens:
    """Tokens of all windows."""
    pieces = np.array_split(np.arange(len(windows)), max(len(windows) // 2048, 1))
    parts = [tokenizer.encode(torch.from_numpy(windows.batch(piece).x)) for piece in pieces]
    return Tokens(torch.cat([part.codes for part in parts]), torch.cat([part.vectors for part in parts]))


def since(began: float) -> str:
    """Seconds since a moment."""
    return f"{time.perf_counter() - began:.0f} s"


if __name__ == "__main__":
    main()
