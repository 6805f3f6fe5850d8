"""A training that dies and is taken up again ends with the very weights of one that nothing disturbed."""

from __future__ import annotations

import itertools
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vadbench.api import Context, TrainingPlan
from vadbench.engine.training.checkpoints import ASIDE, Checkpoints, read_checkpoint, write_checkpoint
from vadbench.engine.training.trainer import Training, seeded

X = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
Y = X.square().sum(dim=1)
GROUPS = np.repeat(np.arange(6), 5)
PLAN = TrainingPlan(4, 7, 1e-2, decay=0.9, clip_norm=1.0, weight_decay=0.1)
STEPS = 5
LOGGER = logging.getLogger("vadbench.test")


class Killed(BaseException):
    """What a test kills a training with."""


class Part(torch.nn.Module):
    """Everything that has a state: dropout, batch normalisation, a moving average, a buffer that no state dict holds, noise."""

    average: torch.Tensor
    hidden: torch.Tensor

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.3), torch.nn.ReLU(), torch.nn.Linear(8, 1)
        )
        self.frozen = torch.nn.Parameter(torch.ones(2), requires_grad=False)
        self.register_buffer("average", torch.zeros(()))
        self.register_buffer("hidden", torch.zeros(()), persistent=False)
        self.generator = generator

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(x.shape, generator=self.generator)
        out: torch.Tensor = self.layers(x + 0.1 * noise)[:, 0]
        if self.training:
            self.average.mul_(0.9).add_(0.1 * out.detach().mean())
            self.hidden += 1
            out = out + 0.01 * self.average + 0.01 * self.hidden
        return out


@dataclass
class Trained:
    """What came of a training: everything that must be the same, and how often the loss was called."""

    tensors: dict[str, torch.Tensor]
    history: list[float]
    choices: list
    calls: int
    training: Training


def trained(
    folder: Path | None,
    *,
    plan: TrainingPlan = PLAN,
    dies_at: int = 10**9,
    every: int = 0,
    trainings: int = 1,
    seed: int = 0,
    run: str = "",
) -> Trained:
    """Trains; the loss raises when it is called for the ``dies_at``-th time. ``every``: steps between checkpoints."""
    ticks = itertools.count()
    checkpoints = None if folder is None else Checkpoints(folder, every, run, clock=lambda: float(next(ticks)))
    training, calls = Training(checkpoints), 0
    context = Context(name="m.part", seed=seed, trainer=training, logger=LOGGER)
    with seeded(seed):
        generator = context.generator()
        torch.randn(3, generator=generator)  # as a component may draw before it trains
        part, history = Part(generator), []

        def loss(batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
            nonlocal calls
            calls += 1
            if calls == dies_at:
                part.average += 1  # dies in the middle of something
                raise Killed
            x, y = batch
            return (part(x) - y).square().mean()

        for _ in range(trainings):
            history += context.train(
                part,
                loss,
                examples=30,
                plan=plan,
                prepare=lambda index: (X[index], Y[index]),
                groups=GROUPS,
                generators=(generator,),
            )
        tensors = {**dict(part.named_parameters()), **dict(part.named_buffers())}
        tensors = {name: value.detach().clone() for name, value in tensors.items()}
        tensors |= {"generator": generator.get_state(), "global": torch.get_rng_state()}
        assert not part.training
    return Trained(tensors, history, context.choices, calls, training)


def assert_same(one: Trained, other: Trained) -> None:
    assert one.history == other.history
    assert one.choices == other.choices
    assert one.tensors.keys() == other.tensors.keys()
    for name, value in one.tensors.items():
        assert torch.equal(value, other.tensors[name]), name


HELD_OUT = TrainingPlan(4, 7, 1e-2, held_out=0.3, patience=2, schedule="cosine")


@cache
def undisturbed(plan: TrainingPlan = PLAN) -> Trained:
    return trained(None, plan=plan)


def test_a_training_with_checkpoints_is_the_same_as_one_without(tmp_path):
    assert_same(trained(tmp_path, every=3), undisturbed())


@pytest.mark.parametrize("dies_at", range(1, 4 * STEPS + 1))
def test_killed_at_any_step_with_a_checkpoint_after_each(tmp_path, dies_at):
    with pytest.raises(Killed):
        trained(tmp_path, dies_at=dies_at)
    again = trained(tmp_path)
    assert_same(again, undisturbed())
    assert again.calls == 4 * STEPS - (dies_at - 1), "no step is done again"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deaths=st.lists(st.integers(1, 25), max_size=4),
    every=st.integers(0, 12),
    held_out=st.booleans(),
    optimiser=st.sampled_from(["adamw", "adamax"]),
)
@example(deaths=[STEPS + 1, 1, 1], every=0, held_out=False, optimiser="adamw")
@example(deaths=[6, 7], every=1, held_out=True, optimiser="adamax")
def test_killed_again_and_again(tmp_path_factory, deaths, every, held_out, optimiser):
    given_plan = {"held_out": 0.3, "patience": 2, "schedule": "cosine", "warmup": 1.5} if held_out else {"decay": 0.9}
    plan = TrainingPlan(4, 7, 1e-2, optimiser=optimiser, **given_plan)
    folder = tmp_path_factory.mktemp("checkpoints")
    for dies_at in deaths:
        with suppress(Killed):
            trained(folder, plan=plan, dies_at=dies_at, every=every)
    assert_same(trained(folder, plan=plan, every=every), trained(None, plan=plan))


def test_a_finished_training_is_not_done_again(tmp_path):
    trained(tmp_path, plan=HELD_OUT, every=10**6)
    again = trained(tmp_path, plan=HELD_OUT, every=10**6)
    assert again.calls == 0
    assert_same(again, undisturbed(HELD_OUT))
    assert again.training.resumed_s > 0


def test_the_second_of_two_trainings_is_taken_up(tmp_path):
    undisturbed = trained(None, trainings=2)
    with pytest.raises(Killed):
        trained(tmp_path, trainings=2, dies_at=4 * STEPS + 8)
    again = trained(tmp_path, trainings=2)
    assert_same(again, undisturbed)
    assert again.calls == 4 * STEPS - 7
    assert {path.name for path in tmp_path.iterdir()} == {"m.part-0.safetensors", "m.part-1.safetensors"}


def test_seconds_add_up(tmp_path):
    with pytest.raises(Killed):
        trained(tmp_path, dies_at=9)
    (path,) = tmp_path.iterdir()
    first = read_checkpoint(path).facts["position"]["seconds"]
    again = trained(tmp_path)
    assert again.training.resumed_s == first > 0
    assert read_checkpoint(path).facts["position"]["seconds"] > first


def test_the_log_says_where_it_goes_on(tmp_path, caplog):
    with pytest.raises(Killed):
        trained(tmp_path, dies_at=9)
    with caplog.at_level(logging.INFO, "vadbench.test"):
        trained(tmp_path)
    told = [record.message.split(", loss")[0] for record in caplog.records]
    assert told == [
        "m.part: taken up again in epoch 2 of 4, after step 3 of 5",
        *(f"m.part: epoch {epoch} of 4" for epoch in (2, 3, 4)),
    ]


def test_progress_begins_where_it_is(tmp_path, monkeypatch):
    from contextlib import nullcontext

    from vadbench.api import Silent

    told = []
    with pytest.raises(Killed):
        trained(tmp_path, dies_at=9)
    monkeypatch.setattr(Silent, "task", lambda self, description, total: nullcontext(told.append))
    trained(tmp_path)
    assert told == [8, *[1] * 12]


class TestNotTakenUp:
    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"plan": TrainingPlan(5, 7, 1e-2)}, "plan"),
            ({"seed": 1}, "seed"),
            ({"run": "edited code"}, "run"),
        ],
    )
    def test_of_another_training(self, tmp_path, caplog, changed, told):
        with pytest.raises(Killed):
            trained(tmp_path, dies_at=9)
        with caplog.at_level(logging.WARNING, "vadbench.test"):
            again = trained(tmp_path, **changed)
        assert f"of another training: {told}" in caplog.text
        changed.pop("run", None)
        assert_same(again, trained(None, **changed))
        assert (tmp_path / f"m.part-0.safetensors{ASIDE}").is_file()

    def test_of_a_module_of_other_shapes(self, tmp_path, caplog, monkeypatch):
        with pytest.raises(Killed):
            trained(tmp_path, dies_at=9)
        monkeypatch.setattr(
            Part,
            "__init__",
            lambda self, generator, made=Part.__init__: (made(self, generator), self.register_buffer("more", X[0]))[0],
        )
        with caplog.at_level(logging.WARNING, "vadbench.test"):
            again = trained(tmp_path)
        assert "of another training: shapes" in caplog.text
        assert again.calls == 4 * STEPS

    @pytest.mark.parametrize("content", [b"", b"\0" * 1000])
    def test_damaged(self, tmp_path, caplog, content):
        with pytest.raises(Killed):
            trained(tmp_path, dies_at=9)
        (tmp_path / "m.part-0.safetensors").write_bytes(content)
        with caplog.at_level(logging.WARNING, "vadbench.test"):
            assert_same(trained(tmp_path), undisturbed())
        assert "is damaged" in caplog.text

    @pytest.mark.parametrize("lost", ["order", "random.0", "random.cpu", "module.frozen"])
    def test_one_that_lacks_something(self, tmp_path, caplog, lost):
        with pytest.raises(Killed):
            trained(tmp_path, dies_at=9)
        path = tmp_path / "m.part-0.safetensors"
        saved = read_checkpoint(path)
        del saved.tensors[lost]
        write_checkpoint(path, saved)
        with caplog.at_level(logging.WARNING, "vadbench.test"):
            assert_same(trained(tmp_path), undisturbed())
        assert "cannot be used" in caplog.text
