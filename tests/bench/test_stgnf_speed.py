"""Windows a second of STG-NF, scoring and training, beside the model as its paper draws it: ``make bench``.

The same windows for all, the first training windows of the stand-in at stride 6, cut and normalised as in a run. In a step of
training a batch is evaluated, its gradient clipped, and the parameters are moved, for both by the same calls. The ratio to the
unfolded model, in the extra figures, is that of the medians of one session; it means something on an otherwise idle machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from unfolded_stgnf import UnfoldedSTGNF

from vadbench.api import COCO_18, PoseShape, UsageError, WindowRule
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows
from vadbench.engine.training.compilation import check_compiler
from vadbench.engine.training.trainer import seeded
from vadbench_datasets.synthetic.campus import SyntheticCampus, SyntheticCampusConfig
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow

BATCH = 256
BATCHES = 16
ROUNDS = 5
MODELS = ("unfolded", "folded")
Model = UnfoldedSTGNF | STGCNCouplingFlow


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    """(4096, 2, 24, 18), the windows."""
    tracks = convert_layout(SyntheticCampus(SyntheticCampusConfig(), None).tracks("train"), "coco-18")
    windows = cut_windows(tracks, WindowRule(24, 6), STG_NF)
    return torch.from_numpy(windows.batch(np.arange(BATCH * BATCHES)).x)


@pytest.fixture(scope="module")
def medians() -> dict[tuple[str, str], float]:
    """Seconds of what was timed so far in this session: (what, model) to the median."""
    return {}


def made(model: str, x: torch.Tensor) -> Model:
    """A model with the weights of a flow whose ActNorm has seen a batch, in training mode or not as it is then set."""
    with seeded(0):
        unfolded = UnfoldedSTGNF(x.shape[2])
    unfolded.train().start(x[:BATCH])
    if model == "unfolded":
        return unfolded
    with seeded(0):
        flow = STGCNCouplingFlow(STGCNCouplingConfig(), PoseShape(2, x.shape[2], COCO_18), None)
    own, state = flow.state_dict(), unfolded.state_dict()
    flow.load_state_dict({name: state[name].reshape(value.shape) for name, value in own.items()})
    return flow


def log_prob(model: Model, x: torch.Tensor) -> torch.Tensor:
    return model.log_prob(x) if isinstance(model, UnfoldedSTGNF) else model.log_prob(x, None)


def timed(benchmark, medians, what: str, model: str, run: Callable[[], object]) -> None:
    benchmark.pedantic(run, rounds=ROUNDS, warmup_rounds=1)
    medians[what, model] = median = benchmark.stats.stats.median
    benchmark.extra_info["windows"] = BATCH * BATCHES
    benchmark.extra_info["threads"] = torch.get_num_threads()
    benchmark.extra_info["windows_per_s"] = BATCH * BATCHES / median
    if (what, "unfolded") in medians:
        benchmark.extra_info["times_as_fast_as_unfolded"] = medians[what, "unfolded"] / median


def scoring(model: Model, ask: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> Callable[[], list[torch.Tensor]]:
    """All windows, batch by batch, by a model that is not in training."""
    model.eval()

    @torch.inference_mode()
    def run() -> list[torch.Tensor]:
        return [ask(part) for part in x.split(BATCH)]

    return run


@pytest.mark.parametrize("model", MODELS)
def test_score(benchmark, medians, x, model):
    built = made(model, x)
    timed(benchmark, medians, "score", model, scoring(built, lambda part: log_prob(built, part), x))


def test_score_compiled(benchmark, medians, x):
    try:
        check_compiler()
    except UsageError as error:
        pytest.skip(f"needs what torch.compile needs: {error.what}")
    flow = made("folded", x)
    compiled = torch.compile(lambda part: log_prob(flow, part), dynamic=False)
    timed(benchmark, medians, "score", "compiled", scoring(flow, compiled, x))
    with torch.inference_mode():
        torch.testing.assert_close(compiled(x[:BATCH]), log_prob(flow, x[:BATCH]), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("model", MODELS)
def test_train(benchmark, medians, x, model):
    built = made(model, x).train()
    parameters = [parameter for parameter in built.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adamax(parameters, lr=5e-4, foreach=True)

    def epoch() -> None:
        for part in x.split(BATCH):
            optimiser.zero_grad()
            loss = -log_prob(built, part).mean() / (math.log(2) * part[0].numel())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 100.0, foreach=True)
            optimiser.step()

    timed(benchmark, medians, "train", model, epoch)


def test_both_are_the_same_model(x):
    """What is compared is the same: not timed."""
    given = x[:BATCH]
    with torch.no_grad():
        ours, theirs = (log_prob(made(model, x).eval(), given) for model in MODELS)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-2)
