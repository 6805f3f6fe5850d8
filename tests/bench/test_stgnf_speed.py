"""Windows a second of STG-NF, scoring and training, beside the model as its paper draws it: ``make bench``.

The same windows for all, the first training windows of the stand-in at stride 6, cut and normalised as in a run, and scored as
many at a time as the harness does. In a step of training a batch is evaluated, its gradient clipped, and the parameters are
moved, for both by the same calls. The ratio to the unfolded model, in the extra figures, is that of the medians of one call;
it means something on an otherwise idle machine.

The unfolded model is timed twice: in this process, where the memory of one batch serves the next, as `cut_windows` sees to; and
in a process of its own, where the C library gives it back to the system each time, which is how a plain script runs.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from unfolded_stgnf import UnfoldedSTGNF

from vadbench.api import COCO_18, PoseShape, UsageError, WindowRule
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows
from vadbench.engine.composing.window_batches import BATCH as SCORED
from vadbench.engine.training.compilation import check_compiler
from vadbench.engine.training.trainer import seeded
from vadbench_datasets.synthetic.campus import SyntheticCampus, SyntheticCampusConfig
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow

BATCH = 256
"""Windows of a training step."""
BATCHES = 16
ROUNDS = 5
MODELS = ("unfolded", "folded")
ALONE = """
import json, sys, time, torch
sys.path.insert(0, sys.argv[1])
from unfolded_stgnf import UnfoldedSTGNF
torch.set_num_threads(int(sys.argv[2]))
torch.manual_seed(0)
model, x = UnfoldedSTGNF(24).train(), torch.randn(2048, 2, 24, 18)
model.start(x[:256])
optimiser = torch.optim.Adamax(model.parameters(), lr=5e-4, foreach=True)
@torch.inference_mode()
def score():
    for part in x.split(1024):
        model.log_prob(part)
def train():
    for part in x.split(256):
        optimiser.zero_grad()
        (-model.log_prob(part).mean()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 100.0, foreach=True)
        optimiser.step()
run = {"score": score, "train": train}[sys.argv[3]]
model.train(sys.argv[3] == "train")
seconds = []
for _ in range(6):
    begun = time.perf_counter()
    run()
    seconds.append(time.perf_counter() - begun)
print(json.dumps([2048 / each for each in seconds[1:]]))
"""
Model = UnfoldedSTGNF | STGCNCouplingFlow


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    """(4096, 2, 24, 18), the windows."""
    tracks = convert_layout(SyntheticCampus(SyntheticCampusConfig(), None).tracks("train"), "coco-18")
    windows = cut_windows(tracks, WindowRule(24, 6), STG_NF)
    return torch.from_numpy(windows.batch(np.arange(BATCH * BATCHES)).x)


@pytest.fixture(scope="module")
def medians() -> dict[tuple[str, str], float]:
    """Seconds of what was timed so far in this call: (what, model) to the median."""
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
        return [ask(part) for part in x.split(SCORED)]

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
        torch.testing.assert_close(compiled(x[:SCORED]), log_prob(flow, x[:SCORED]), rtol=1e-4, atol=1e-2)


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


@pytest.mark.parametrize("what", ["score", "train"])
def test_unfolded_in_a_process_of_its_own(benchmark, medians, what):
    """What is timed here is the whole process; its own figures, and how much faster the folded model was, are extra ones."""
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", ALONE, tests, str(torch.get_num_threads()), what]
    told: list[float] = benchmark.pedantic(
        lambda: json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout), rounds=1
    )
    rate = sorted(told)[len(told) // 2]
    benchmark.extra_info.update(
        {"threads": torch.get_num_threads(), "windows_per_s": rate, "slowest": min(told), "fastest": max(told)}
    )
    for model in ("folded", "compiled"):
        if (what, model) in medians:
            benchmark.extra_info[f"{model}_is_times_as_fast"] = BATCH * BATCHES / medians[what, model] / rate


def test_both_are_the_same_model(x):
    """What is compared is the same: not timed."""
    given = x[:BATCH]
    with torch.no_grad():
        ours, theirs = (log_prob(made(model, x).eval(), given) for model in MODELS)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-2)
