"""MoCoDAD: its graph convolution against einsum, best of N, and what is computed once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss, smooth_l1_loss

from vadbench.api import COCO_17, ConfigError, Context, DataError, PoseShape
from vadbench.testing.sample import sample_windows
from vadbench.testing.trial import trial_context
from vadbench_baselines.mocodad import MoCoDAD, MoCoDADConfig
from vadbench_baselines.mocodad_network import Denoiser, SeparableMixing

POSES = PoseShape(2, 6, COCO_17)


def detector(**settings: object) -> MoCoDAD:
    """With noise as `fit` draws it, and weights as they begin."""
    torch.manual_seed(3)
    made = MoCoDAD(MoCoDADConfig(**{"epochs": 1, "width": 4, "condition_channels": (4, 3), **settings}), POSES).eval()
    drawn = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for generation in range(made.config.generations):
            made.noise[..., generation, 0] = torch.randn(made.noise.shape[:4], generator=drawn)
    return made


def some_windows(count: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(count, 2, 6, 17, generator=torch.Generator().manual_seed(5)), torch.ones(count, 6, 17)


def test_mixing_is_separable_in_time_and_space() -> None:
    layer = SeparableMixing(3, 5, 4, 6)
    x = torch.randn(4, 6, 3, 2, 7)
    by_time = torch.einsum("jts,sjcgb->tjcgb", layer.time, x)
    by_space = torch.einsum("tkj,tjcgb->tkcgb", layer.space, by_time)
    wanted = torch.einsum("dc,tkcgb->tkdgb", layer.channels, by_space)
    wanted = wanted + torch.einsum("dc,tkcgb->tkdgb", layer.beside, x)
    torch.testing.assert_close(layer(x), wanted)


def test_mixing_adds_what_came_in_where_the_channels_are_as_many() -> None:
    layer = SeparableMixing(3, 3, 4, 6)
    x = torch.randn(4, 6, 3, 2, 7)
    with torch.no_grad():
        layer.channels.zero_()
    torch.testing.assert_close(layer(x), x)


def test_offsets_of_a_sum_are_the_sum_of_the_offsets() -> None:
    network = Denoiser(4, 3, 17, 8)
    a, b = torch.randn(5, 8), torch.randn(5, 8)
    for together, first, second in zip(network.offsets(a + b), network.offsets(a), network.offsets(b), strict=True):
        torch.testing.assert_close(together, first + second)


def test_noise_of_all_windows_goes_through_the_network_as_each_window_s_own_would() -> None:
    network = Denoiser(4, 3, 17, 8)
    noise, offsets = torch.randn(3, 17, 2, 5, 1), network.offsets(torch.randn(6, 8))
    torch.testing.assert_close(network(noise, offsets), network(noise.expand(-1, -1, -1, -1, 6), offsets))


@torch.no_grad()
def test_generations_in_one_batch_are_those_of_a_loop() -> None:
    """The loop: one window and one generation at a time, through the definition of the reverse process."""
    made = detector(generations=3)
    x, _ = some_windows(4)
    past = x[:, :, :3].permute(2, 3, 1, 0)[:, :, :, None]
    found = made.generate(made.condition.encode(past))
    for window in range(4):
        latent = made.condition.encode(past[..., window : window + 1])
        for generation in range(3):
            noise = made.noise[..., generation : generation + 1, :]
            sample = noise[-1]
            for step in reversed(range(10)):
                predicted = made.denoiser(sample, made.denoiser.offsets(latent + made.times()[step]))
                sample = made.diffusion.previous(sample, step, predicted, noise[step - 1] if step else None)
            got = found[..., generation, window]
            torch.testing.assert_close(got, sample[..., 0, 0], rtol=1e-4, atol=1e-4 * float(got.abs().max()))


@torch.no_grad()
def test_score_is_the_smooth_l1_distance_of_the_best() -> None:
    made = detector(generations=4)
    x, seen = some_windows()
    past, future = (part.permute(2, 3, 1, 0)[:, :, :, None] for part in (x[:, :, :3], x[:, :, 3:]))
    away = np.abs((made.generate(made.condition.encode(past)) - future).numpy())
    each = np.where(away < 1, away**2 / 2, away - 0.5).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(made.surprise(x, seen).numpy(), each.min(axis=0), rtol=1e-4)


@torch.no_grad()
def test_more_generations_never_raise_a_score() -> None:
    x, seen = some_windows(20)
    scores = [detector(generations=count).surprise(x, seen) for count in (1, 2, 5, 12)]
    for fewer, more in pairwise(scores):
        assert (more <= fewer * (1 + 1e-4)).all()
    assert (scores[-1] < scores[0]).any()


def test_the_first_generations_are_the_same_however_many_are_drawn() -> None:
    windows = sample_windows(6, stride=20)
    noise = {}
    for count in (2, 5):
        made = MoCoDAD(MoCoDADConfig(epochs=1, width=2, condition_channels=(2,), generations=count), windows.shape)
        made.fit(windows, trial_context())
        noise[count] = made.noise
    torch.testing.assert_close(noise[5][..., :2, :], noise[2], rtol=0, atol=0)
    assert float(noise[5].std()) == pytest.approx(1, abs=0.05)


@torch.no_grad()
def test_the_condition_is_encoded_once_a_window_and_the_steps_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = detector(generations=6)
    encode, seen_windows = made.condition.encode, []
    monkeypatch.setattr(made.condition, "encode", lambda past: seen_windows.append(past.shape[-1]) or encode(past))
    calls = []
    made.times.register_forward_hook(lambda *_: calls.append("times"))
    columns = []
    made.denoiser.layers[0].mixing.register_forward_hook(lambda _m, given, _o: columns.append(given[0].shape[3:].numel()))
    x, seen = some_windows(9)
    made.surprise(x, seen)
    assert seen_windows == [9]
    assert calls == ["times"]
    # The first step begins with the noise alone: six columns, not six for each of nine windows.
    assert columns == [6] + [54] * 9


@torch.no_grad()
def test_the_score_depends_on_the_past_as_well() -> None:
    made = detector()
    x, seen = some_windows()
    other = x.clone()
    other[:, :, :3] += 1
    assert (made.surprise(other, seen) != made.surprise(x, seen)).all()


def test_loss_adds_the_weighted_reconstruction() -> None:
    made = detector(reconstruction_weight=0.25)
    x, _ = some_windows()
    step, noise = torch.arange(7), torch.randn(3, 17, 2, 1, 7)
    past, future = (part.permute(2, 3, 1, 0)[:, :, :, None] for part in (x[:, :, :3], x[:, :, 3:]))
    latent = made.condition.encode(past)
    kept = made.diffusion.kept[step]
    noised = kept.sqrt() * future + (1 - kept).sqrt() * noise
    predicted = made.denoiser(noised, made.denoiser.offsets(latent + made.times()[step]))
    wanted = smooth_l1_loss(predicted, noise) + 0.25 * mse_loss(made.condition.decode(latent), past)
    torch.testing.assert_close(made.loss(x, step, noise), wanted)


def test_every_parameter_is_trained() -> None:
    made = detector()
    made.loss(some_windows()[0], torch.arange(7), torch.randn(3, 17, 2, 1, 7)).backward()
    still = [name for name, value in made.named_parameters() if value.grad is None or not value.grad.abs().max() > 0]
    assert still == []


def test_training_lowers_the_loss_and_state_gives_equal_scores() -> None:
    windows = sample_windows(6, stride=6)
    losses: list[float] = []
    made = MoCoDAD(MoCoDADConfig(epochs=8, batch_size=32, width=8, condition_channels=(8,)), windows.shape)
    context = trial_context()
    keep = context.trainer

    def trainer(*args: object, **more: object) -> list[float]:
        losses.extend(keep(*args, **more))  # type: ignore[arg-type]
        return losses

    made.fit(windows, replace(context, trainer=trainer))
    assert losses[-1] < 0.85 * losses[0]
    other = MoCoDAD(made.config, windows.shape)
    other.load_state_dict(made.state_dict())
    np.testing.assert_array_equal(other.eval().score(windows, context), made.score(windows, context))


def test_half_of_the_window_is_the_condition_unless_told_otherwise() -> None:
    assert detector().past == 3
    assert detector(condition_frames=4).noise.shape == (10, 2, 17, 2, 5, 1)


@pytest.mark.parametrize(
    ("settings", "what"), [({"condition_frames": 6}, "nothing to generate"), ({"condition_channels": (4, 0)}, "0 channels")]
)
def test_settings_that_cannot_be(settings: dict[str, object], what: str) -> None:
    with pytest.raises(ConfigError, match=what) as error:
        MoCoDAD(MoCoDADConfig(**settings), POSES)
    assert error.value.where == f"detector.{next(iter(settings))}"
    assert error.value.remedy


def test_no_windows_to_learn_from() -> None:
    windows = sample_windows(6)
    with pytest.raises(DataError, match="no window"):
        MoCoDAD(MoCoDADConfig(), windows.shape).fit(windows.select(np.arange(0)), Context())
