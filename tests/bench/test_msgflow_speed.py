"""Windows a second for fit and score of each part of MSG-Flow, and of the whole, beside the flow alone: ``make bench``.

The data are the stand-in's: training windows at stride 6, test windows at stride 1, of 24 frames. How many there are stands in
the extra figures, as do windows a second. Fitting takes one epoch, after which methods are scored as they are: how well they were
trained does not change how fast they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from vadbench.api import Context, Tokens, WindowRule, Windows
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows
from vadbench.engine.composing.composition import Composition, Parts
from vadbench.engine.composing.token_chains import token_history, track_sequences
from vadbench.engine.config import CompositionConfig
from vadbench.engine.training.trainer import seeded, train
from vadbench_datasets.synthetic.campus import SyntheticCampus, SyntheticCampusConfig
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow
from vadbench_msgflow.prior import TransformerConfig, TransformerPrior
from vadbench_msgflow.scorer import Standardised, StandardisedConfig
from vadbench_msgflow.tokenizer import VQVAE, VQVAEConfig

HISTORY = 2
TRAINED, TIMED = 2048, 4096
"""Windows that a part is fitted on, and that it scores."""
CONTEXT = Context(trainer=train)


@dataclass(frozen=True)
class Fitted:
    """Parts after an epoch, and what they are asked about."""

    tokenizer: VQVAE
    prior: TransformerPrior
    flow: STGCNCouplingFlow
    alone: STGCNCouplingFlow
    x: torch.Tensor
    tokens: Tokens
    history: torch.Tensor


@pytest.fixture(scope="module")
def campus() -> SyntheticCampus:
    return SyntheticCampus(SyntheticCampusConfig(), None)


@pytest.fixture(scope="module")
def training(campus) -> Windows:
    """The first training windows; what a track did before is among them."""
    return cut_windows(convert_layout(campus.tracks("train"), "coco-18"), WindowRule(24, 6), STG_NF).select(np.arange(TRAINED))


@pytest.fixture(scope="module")
def asked(campus) -> Windows:
    return cut_windows(convert_layout(campus.tracks("test"), "coco-18"), WindowRule(24), STG_NF)


@pytest.fixture(scope="module")
def fitted(training, asked) -> Fitted:
    tokenizer = fit_tokenizer(training)
    prior, (flow, alone) = fit_prior(tokenizer, training), (fit_flow(tokenizer, training, given) for given in (True, False))
    linked, previous = asked.select(np.arange(TIMED)).linked()
    with torch.inference_mode():
        x = torch.from_numpy(linked.batch(slice(None)).x)
        tokens = tokenizer.encode(x)
        history = token_history(tokens.codes, torch.from_numpy(previous), HISTORY)
    return Fitted(tokenizer, prior, flow, alone, x, tokens, history)


def fit_tokenizer(windows: Windows) -> VQVAE:
    with seeded(0):
        tokenizer = VQVAE(VQVAEConfig(epochs=1), windows.shape)
        tokenizer.fit(windows, CONTEXT)
    return tokenizer


@torch.no_grad()
def vectors_of(tokenizer: VQVAE, windows: Windows) -> Tokens:
    return tokenizer.encode(torch.from_numpy(windows.batch(slice(None)).x))


def fit_prior(tokenizer: VQVAE, windows: Windows) -> TransformerPrior:
    linked, previous = windows.linked()
    sequences = track_sequences(vectors_of(tokenizer, linked).codes, previous, linked.clip)
    with seeded(0):
        prior = TransformerPrior(TransformerConfig(epochs=1), tokenizer.shape, HISTORY * tokenizer.shape.tokens)
        prior.fit(sequences, CONTEXT)
    return prior


def fit_flow(tokenizer: VQVAE, windows: Windows, conditioned: bool) -> STGCNCouplingFlow:
    condition = vectors_of(tokenizer, windows).vectors if conditioned else None
    with seeded(0):
        # Conditioned it is the preset's, alone it is STG-NF's.
        config = STGCNCouplingConfig(epochs=1, covariance="full" if conditioned else "identity")
        flow = STGCNCouplingFlow(config, windows.shape, tokenizer.shape if conditioned else None)
        flow.fit(windows, condition, CONTEXT)
    return flow


def timed(benchmark, run, windows: int, rounds: int = 3) -> None:
    with torch.inference_mode(rounds > 1):
        benchmark.pedantic(run, rounds=rounds, warmup_rounds=int(rounds > 1))
    benchmark.extra_info["windows"] = windows
    benchmark.extra_info["threads"] = torch.get_num_threads()
    benchmark.extra_info["windows_per_s"] = windows / benchmark.stats.stats.median


@pytest.mark.parametrize("part", ["tokenizer", "prior", "conditioned flow", "flow alone"])
def test_fit_an_epoch(benchmark, training, fitted, part):
    fit = {
        "tokenizer": lambda: fit_tokenizer(training),
        "prior": lambda: fit_prior(fitted.tokenizer, training),
        "conditioned flow": lambda: fit_flow(fitted.tokenizer, training, True),
        "flow alone": lambda: fit_flow(fitted.tokenizer, training, False),
    }[part]
    timed(benchmark, fit, len(training), rounds=1)


@pytest.mark.parametrize("part", ["encode", "decode", "prior", "conditioned flow", "flow alone"])
def test_score_with_a_part(benchmark, fitted, part):
    def batches(*tensors):
        return list(zip(*(torch.split(tensor, 1024) for tensor in tensors), strict=True))

    codes, vectors = fitted.tokens.codes, fitted.tokens.vectors
    given, ask = {
        "encode": (batches(fitted.x), fitted.tokenizer.encode),
        "decode": (batches(codes), fitted.tokenizer.decode),
        "prior": (batches(codes, fitted.history), fitted.prior.log_prob),
        "conditioned flow": (batches(fitted.x, vectors), fitted.flow.log_prob),
        "flow alone": (batches(fitted.x), lambda x: fitted.alone.log_prob(x, None)),
    }[part]
    timed(benchmark, lambda: [ask(*batch) for batch in given], len(fitted.x))


@pytest.mark.parametrize("method", ["msgflow", "msgflow, predicted condition", "flow alone"])
def test_score_at_stride_1(benchmark, fitted, asked, method):
    """All test windows, from tracks to scores: gathered, normalised, linked, encoded, asked of prior and flow, fused."""
    scorer = Standardised(StandardisedConfig())
    if method == "flow alone":
        parts, condition = Parts(scorer=scorer, flow=fitted.alone), "none"
    else:
        parts = Parts(scorer=scorer, tokenizer=fitted.tokenizer, prior=fitted.prior, flow=fitted.flow)
        condition = "predicted" if "predicted" in method else "own"
    composition = Composition(parts, CompositionConfig(terms=("semantic", "detail"), history=HISTORY, condition=condition))
    windows = asked.select(np.arange(min(len(asked), 20_000)))
    scorer.fit(composition.score_terms(asked.select(np.arange(500)), CONTEXT))
    timed(benchmark, lambda: composition.score(windows, CONTEXT), len(windows))
