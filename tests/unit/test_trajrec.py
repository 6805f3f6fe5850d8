"""TrajREC: what is hidden stays hidden, errors against numpy, the weights of the tasks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vadbench.api import COCO_17, ConfigError, Context, DataError, PoseShape
from vadbench.testing.sample import sample_windows
from vadbench.testing.trial import trial_context
from vadbench_baselines.trajrec import TrajREC, TrajRECConfig

POSES = PoseShape(2, 18, COCO_17)
HIDDEN = {"past": range(6), "present": range(6, 12), "future": range(12, 18)}
TASKS = list(HIDDEN)


def detector(**settings: object) -> TrajREC:
    """Untrained, but with a head that says something."""
    torch.manual_seed(3)
    made = TrajREC(TrajRECConfig(**{"width": 8, "heads": 2, **settings}), POSES).eval()
    with torch.no_grad():
        made.network.head.weight.normal_(std=0.3)
    return made


def some_windows(count: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows in which some joints are missing, in a few of them in every frame."""
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(count, 2, 18, 17, generator=generator) + torch.linspace(0, 2, 18)[:, None]
    seen = (torch.rand(count, 18, 17, generator=generator) > 0.1).float()
    seen[0, :, 3] = 0
    return x, seen


def every(task: str, count: int) -> torch.Tensor:
    return torch.full((count,), TASKS.index(task))


def test_frames_of_the_tasks_are_those_of_the_paper() -> None:
    made = detector()
    for number, task in enumerate(TASKS):
        assert made.hidden[number].tolist() == list(HIDDEN[task])
        assert made.observed[number].tolist() == [frame for frame in range(18) if frame not in HIDDEN[task]]


@pytest.mark.parametrize("task", TASKS)
def test_predictions_have_no_gradient_of_hidden_frames(task: str) -> None:
    made, (x, seen) = detector(), some_windows()
    x.requires_grad_()
    number = every(task, len(x))
    given = made.given(x, seen, number)
    predicted = made.predicted(given, number) * given.size + given.centre
    (gradient,) = torch.autograd.grad(predicted.square().sum(), x)
    hidden = list(HIDDEN[task])
    shown = [frame for frame in range(18) if frame not in hidden]
    assert gradient[:, :, hidden].abs().max() == 0
    at_work = gradient[:, :, shown].abs().sum(dim=1)
    assert (at_work[seen[:, shown] > 0] > 0).all()
    # Nor of joints that were not seen, which the harness puts where they are on average in all of the window.
    assert at_work[seen[:, shown] == 0].max() == 0


@pytest.mark.parametrize("task", TASKS)
@torch.no_grad()
def test_other_hidden_frames_and_confidences_change_no_prediction(task: str) -> None:
    made, (x, seen) = detector(), some_windows()
    other, other_seen = x.clone(), seen.clone()
    hidden = list(HIDDEN[task])
    other[:, :, hidden] = 100.0
    other_seen[:, hidden] = 0.0
    number = every(task, len(x))
    first, second = (made.predicted(made.given(*pair, number), number) for pair in ((x, seen), (other, other_seen)))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


@torch.no_grad()
def test_errors_are_those_of_numpy() -> None:
    made, (x, seen) = detector(), some_windows()
    for task, frames in HIDDEN.items():
        number = every(task, len(x))
        given = made.given(x, seen, number)
        predicted = made.predicted(given, number).numpy()
        found = made.errors(x, seen, number).numpy()
        for window in range(len(x)):
            there = np.array([frame for frame in range(18) if frame not in frames])
            at = seen[window, there].numpy() > 0
            places = x[window][:, there].numpy()
            centre = np.array([plane[at].mean() for plane in places])
            size = places[1][at].std()
            for place, frame in enumerate(frames):
                wanted = (x[window, :, frame].numpy() - centre[:, None]) / size
                known = seen[window, frame].numpy() > 0
                error = ((predicted[window, place] - wanted) ** 2)[:, known].mean()
                assert found[window, place] == pytest.approx(error, rel=1e-4)


@torch.no_grad()
def test_a_frame_without_any_joint_has_no_error() -> None:
    made, (x, seen) = detector(), some_windows()
    seen[1, 14] = 0
    assert made.errors(x, seen, every("future", 5))[1, 2] == 0
    seen[:] = 0
    assert made.errors(x, seen, every("past", 5)).abs().max() == 0


@torch.no_grad()
def test_before_training_the_guess_is_the_nearest_frame_or_the_line_between_two() -> None:
    made = TrajREC(TrajRECConfig(), POSES).eval()
    x, seen = some_windows()
    seen[:] = 1
    wanted = {
        "past": x[:, :, 6:7].expand(-1, -1, 6, -1),
        "future": x[:, :, 11:12].expand(-1, -1, 6, -1),
        "present": torch.stack([x[:, :, 5] + (x[:, :, 12] - x[:, :, 5]) * step / 7 for step in range(1, 7)], dim=2),
    }
    for task, places in wanted.items():
        number = every(task, len(x))
        given = made.given(x, seen, number)
        found = (made.predicted(given, number) * given.size + given.centre).transpose(1, 2)
        torch.testing.assert_close(found, places, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_errors_do_not_change_with_place_and_size() -> None:
    made, (x, seen) = detector(), some_windows()
    task = torch.tensor([0, 1, 2, 2, 1])
    torch.testing.assert_close(made.errors(3 * x + 7, seen, task), made.errors(x, seen, task), rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_tasks_of_one_batch_do_not_mix() -> None:
    made, (x, seen) = detector(), some_windows()
    task = torch.tensor([0, 1, 2, 0, 1])
    together = made.errors(x, seen, task)
    for window in range(5):
        one = slice(window, window + 1)
        torch.testing.assert_close(together[one], made.errors(x[one], seen[one], task[one]), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_scores_of_each_task() -> None:
    x, seen = some_windows()
    errors = {task: detector().errors(x, seen, every(task, 5)).numpy() for task in TASKS}
    for task, frames in HIDDEN.items():
        found = detector(task=task).surprise(x, seen).numpy()
        assert found.shape == (5, 18)
        for frame in range(18):
            wanted = errors[task][:, frame - frames.start] if frame in frames else errors[task].mean(axis=1)
            np.testing.assert_allclose(found[:, frame], wanted, rtol=1e-5)
    whole = detector(task="mean").surprise(x, seen).numpy()
    np.testing.assert_allclose(whole, np.mean([each.mean(axis=1) for each in errors.values()], axis=0), rtol=1e-5)


@pytest.mark.parametrize("weights", [(3.0, 3.0, 5.0), (0.0, 1.0, 0.0)])
@torch.no_grad()
def test_loss_weighs_the_tasks(weights: tuple[float, float, float]) -> None:
    made, (x, seen) = detector(weights=weights), some_windows(6)
    errors = [float(made.errors(x, seen, every(task, 6)).mean()) for task in TASKS]
    assert float(made.loss(x, seen)) == pytest.approx(np.average(errors, weights=weights), rel=1e-5)
    made.train()
    turns = [float(made.errors(x[k::3], seen[k::3], every(TASKS[k], 2)).mean()) for k in range(3)]
    assert float(made.loss(x, seen)) == pytest.approx(np.average(turns, weights=weights), rel=1e-5)


def test_a_step_without_a_weighted_task_teaches_nothing() -> None:
    made, (x, seen) = detector(weights=(0.0, 0.0, 1.0)).train(), some_windows(1)
    loss = made.loss(x, seen)
    loss.backward()
    assert loss.item() == 0
    assert all(value.grad is None or value.grad.abs().max() == 0 for value in made.parameters())


def test_every_parameter_is_trained() -> None:
    made, (x, seen) = detector(), some_windows()
    made.loss(x, seen).backward()
    still = [name for name, value in made.named_parameters() if value.grad is None or not value.grad.abs().max() > 0]
    assert still == []


def test_it_learns_more_than_the_simplest_guess() -> None:
    windows, context = sample_windows(18), trial_context()
    torch.manual_seed(1)
    made = TrajREC(TrajRECConfig(epochs=15, batch_size=32, width=32), windows.shape).eval()
    before = made.score(windows, context).mean()
    made.fit(windows, context)
    assert made.score(windows, context).mean() < 0.7 * before


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"target_frames": 17}, "17 hidden frames"),
        ({"target_frames": 30}, "30 hidden frames"),
        ({"width": 10, "heads": 4}, "4 heads"),
        ({"weights": (-1.0, 1.0, 1.0)}, "weights"),
        ({"weights": (0.0, 0.0, 0.0)}, "weights"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], what: str) -> None:
    with pytest.raises(ConfigError, match=what) as error:
        TrajREC(TrajRECConfig(**settings), POSES)
    assert error.value.where == f"detector.{next(iter(settings))}"
    assert error.value.remedy


def test_no_windows_to_learn_from() -> None:
    windows = sample_windows(18)
    nothing = replace(windows, first=windows.first[:0], view=windows.view[:0])
    with pytest.raises(DataError, match="no window"):
        TrajREC(TrajRECConfig(), windows.shape).fit(nothing, Context())
