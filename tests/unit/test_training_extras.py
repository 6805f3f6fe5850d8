"""Events for TensorBoard and compiled losses: they change nothing, and say what is missing where they cannot be had."""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest
import torch

from vadbench.api import Context, TrainingPlan, UsageError
from vadbench.engine.training import compilation
from vadbench.engine.training.checkpoints import Checkpoints
from vadbench.engine.training.compilation import check_compiler, compiled_for_scoring
from vadbench.engine.training.events import TensorBoardEvents
from vadbench.engine.training.optimisation import learning_rate
from vadbench.engine.training.trainer import Training, seeded

X = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
PLAN = TrainingPlan(3, 8, 0.01, decay=0.5, held_out=0.2)
STEPS = 2


def trained(training: Training, loss_of=None, name: str = "m.part") -> torch.nn.Module:
    with seeded(0):
        module = torch.nn.Linear(3, 1)

        def loss(index: torch.Tensor) -> torch.Tensor:
            return (module(X[index])[:, 0] - 1).square().mean()

        training(module, loss_of(module, loss) if loss_of else loss, examples=20, plan=PLAN, context=Context(name=name))
    return module


class Writer:
    """Stands in for ``torch.utils.tensorboard.SummaryWriter``."""

    made: list[Writer]

    def __init__(self, log_dir: str, purge_step: int) -> None:
        self.log_dir, self.purge_step, self.closed = log_dir, purge_step, False
        self.scalars: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self.made.append(self)

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        assert not self.closed
        self.scalars[tag].append((step, value))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def writers(monkeypatch) -> list[Writer]:
    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer
    Writer.made = []
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    return Writer.made


class TestEvents:
    def test_what_is_written(self, writers, tmp_path):
        trained(Training(events=TensorBoardEvents(tmp_path).below(Path("run"))))
        (writer,) = writers
        assert (writer.log_dir, writer.purge_step, writer.closed) == (str(tmp_path / "run" / "m.part"), 0, True)
        assert set(writer.scalars) == {"loss/step", "loss/epoch", "loss/held_out", "learning_rate", "gradient_norm"}
        for tag in ("loss/step", "learning_rate", "gradient_norm"):
            assert [step for step, _ in writer.scalars[tag]] == list(range(3 * STEPS))
        for tag in ("loss/epoch", "loss/held_out"):
            assert [step for step, _ in writer.scalars[tag]] == [1, 3, 5]
        rates = [learning_rate(PLAN, epoch, step, STEPS) for epoch in range(3) for step in range(STEPS)]
        assert [value for _, value in writer.scalars["learning_rate"]] == rates
        assert all(value > 0 for tag in ("loss/step", "gradient_norm") for _, value in writer.scalars[tag])

    def test_they_change_nothing(self, writers, tmp_path):
        assert torch.equal(trained(Training(events=TensorBoardEvents(tmp_path))).weight, trained(Training()).weight)

    def test_each_training_has_its_folder(self, writers, tmp_path):
        training = Training(events=TensorBoardEvents(tmp_path))
        for name in ("m.a", "m.a", "m.b"):
            trained(training, name=name)
        assert [Path(writer.log_dir).name for writer in writers] == ["m.a", "m.a-1", "m.b"]

    def test_a_training_that_is_taken_up_writes_on(self, writers, tmp_path):
        def dying(module, loss):
            called = []

            def dies(index):
                called.append(index)
                if len(called) == 5:
                    raise KeyboardInterrupt
                return loss(index)

            return dies

        checkpoints = Checkpoints(tmp_path / "checkpoints", 0)
        with pytest.raises(KeyboardInterrupt):
            trained(Training(checkpoints, events=TensorBoardEvents(tmp_path)), dying)
        trained(Training(checkpoints, events=TensorBoardEvents(tmp_path)))
        trained(Training(checkpoints, events=TensorBoardEvents(tmp_path)))
        first, second = writers  # none for the third, which has nothing left to do
        assert first.closed
        done = len(first.scalars["loss/step"])
        assert second.purge_step == done
        assert [step for step, _ in second.scalars["loss/step"]] == list(range(done, 3 * STEPS))

    def test_the_package_is_missing(self, monkeypatch, tmp_path):
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
        with pytest.raises(UsageError) as caught:
            TensorBoardEvents(tmp_path)
        assert caught.value.where == "--tensorboard"
        assert caught.value.remedy == "pip install 'vadbench[tensorboard]'"


class TestCompilation:
    def test_no_compiler(self, monkeypatch):
        monkeypatch.delenv("CXX", raising=False)
        monkeypatch.setattr(compilation.shutil, "which", lambda name: None)
        with pytest.raises(UsageError, match=r"no C\+\+ compiler") as caught:
            check_compiler()
        assert caught.value.where == "--compile"
        assert "apt install g++" in caught.value.remedy

    def test_the_compiler_that_is_named(self, monkeypatch):
        monkeypatch.setenv("CXX", "no-such-compiler")
        with pytest.raises(UsageError, match="no-such-compiler"):
            check_compiler()
        monkeypatch.setenv("CXX", sys.executable)
        check_compiler()

    @pytest.mark.parametrize("fails_at", ["first call", "other size", "backward"])
    def test_where_it_cannot_the_loss_is_as_it_was_and_nothing_has_happened(self, monkeypatch, caplog, fails_at):
        class Spoilt(torch.autograd.Function):
            @staticmethod
            def forward(context, x):
                return x.clone()

            @staticmethod
            def backward(context, gradient):
                raise AssertionError("incorrect out shape\nand more")

        def fake(loss, dynamic):
            def called(index):
                value = loss(index)  # with all its side effects
                if fails_at == "first call" or (fails_at == "other size" and len(index) < 8):
                    raise AssertionError("incorrect out shape\nand more")
                return Spoilt.apply(value) if fails_at == "backward" else value

            return called

        monkeypatch.setattr(torch, "compile", fake)
        plain = noisy(Training())
        with caplog.at_level(logging.WARNING, "vadbench"):
            module, *rest = noisy(Training(compiled=True))
        assert "m: its loss is not compiled: AssertionError: incorrect out shape" in caplog.text
        assert "and more" not in caplog.text
        assert torch.equal(module.weight, plain[0].weight)
        assert torch.equal(module.average, plain[0].average)
        assert rest[0] == plain[1]
        assert torch.equal(rest[1], plain[2])

    @pytest.mark.slow
    def test_side_effects_and_generators_stay_right(self, caplog):
        torch._dynamo.reset()
        with caplog.at_level(logging.WARNING, "vadbench"):
            one, history, state = noisy(Training(compiled=True))
        assert not [record for record in caplog.records if record.name.startswith("vadbench")]
        other, history_plain, state_plain = noisy(Training())
        assert torch.equal(state, state_plain)
        # Sums are rounded in another order, and AdamW divides by what is nearly nothing.
        assert history == pytest.approx(history_plain, rel=1e-3)
        assert torch.allclose(one.average, other.average, rtol=1e-3)
        assert torch.allclose(one.weight, other.weight, rtol=1e-2)


def noisy(training: Training) -> tuple[torch.nn.Module, list[float], torch.Tensor]:
    """A training whose loss follows a moving average in a buffer, and draws from a generator of its own."""
    with seeded(0):
        module = torch.nn.Linear(3, 1)
        module.register_buffer("average", torch.zeros(()))
        generator = torch.Generator().manual_seed(1)

        def loss(index: torch.Tensor) -> torch.Tensor:
            noise = torch.randn(len(index), 3, generator=generator)
            out = module(X[index] + 0.1 * noise)[:, 0]
            if module.training:
                module.average.mul_(0.9).add_(0.1 * out.detach().mean())
            return (out - 1 + module.average).square().mean()

        plan = TrainingPlan(3, 8, 0.01, decay=0.5)
        history = training(module, loss, examples=20, plan=plan, context=Context(name="m"), generators=[generator])
    return module, history, generator.get_state()


class TestCompiledScoring:
    def test_nothing_is_compiled_unless_the_user_asks(self):
        function = torch.sin
        assert Context().compiled(function) is function

    def test_batches_of_any_size_go_through_what_was_compiled(self, monkeypatch):
        asked = []

        def fake(function, dynamic):
            asked.append(dynamic)
            return lambda x: function(x) + 1

        monkeypatch.setattr(torch, "compile", fake)
        scored = Context(compiler=compiled_for_scoring).compiled(torch.zeros_like)
        assert [float(scored(torch.zeros(size)).sum()) for size in (3, 5)] == [3, 5]
        assert asked == [True]

    def test_where_it_cannot_it_scores_as_it_is_and_says_so_once(self, monkeypatch, caplog):
        def fake(function, dynamic):
            def called(x):
                raise AssertionError("incorrect out shape\nand more")

            return called

        monkeypatch.setattr(torch, "compile", fake)
        scored = Context(name="stg-nf", compiler=compiled_for_scoring).compiled(torch.ones_like)
        with caplog.at_level("WARNING"):
            assert [float(scored(torch.zeros(size)).sum()) for size in (3, 5)] == [3, 5]
        assert [record.getMessage() for record in caplog.records] == [
            "stg-nf: what it scores with is not compiled: AssertionError: incorrect out shape"
        ]

    def test_an_error_of_the_function_itself_is_raised(self, monkeypatch):
        monkeypatch.setattr(torch, "compile", lambda function, dynamic: function)

        def broken(x):
            raise ValueError("a fault of its own")

        with pytest.raises(ValueError, match="a fault of its own"):
            Context(compiler=compiled_for_scoring).compiled(broken)(torch.zeros(1))
