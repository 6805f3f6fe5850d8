"""Priors that break one rule each. ``fails``: the checks that see it; ``says``: what the first one's message holds."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from asked_again import AskedAgain
from cpu_time import spend
from sound_components import SoundPrior

if TYPE_CHECKING:
    from vadbench.api import Context, TokenShape


class DoublePrecision(SoundPrior):
    fails = ("log_prob",)
    says = "expected log_prob of type float32, got torch.float64"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(codes, history).double()


class Unnormalised(SoundPrior):
    fails = ("probabilities_sum_to_one", "sample_follows_log_prob")
    says = "expected probabilities of the 12 codes that sum to 1 at token 0, got a sum of 0.6"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(codes, history) - 0.5


class LooksAhead(SoundPrior):
    fails = ("later_tokens_do_not_matter",)
    says = "expected log-probabilities that tokens from number"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        values = super().log_prob(codes, history)
        flat = torch.full_like(values, 1 / self.size).log()
        look = codes[:, -1:].expand(codes.shape).clone()
        look[:, -1] = 0
        return torch.where(look % 2 == 0, values, flat)


class NoneIsZero(SoundPrior):
    fails = ("no_history",)
    says = "expected None and a history of -1 alone to mean the same"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(codes, codes.new_zeros(len(codes), 1) if history is None else history)


class PaddedByWindows(SoundPrior):
    fails = ("short_history",)
    says = "expected finite log-probabilities with 1 of 8 tokens of history absent"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        values = super().log_prob(codes, history)
        if history is None:
            return values
        odd = (history == -1).sum(dim=1, keepdim=True) % codes.shape[1] != 0
        return torch.where(odd, torch.nan, values)


class DependsOnBatch(SoundPrior):
    fails = ("batches_do_not_matter",)
    says = "expected log_prob of a batch to be that of its pieces"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        values = super().log_prob(codes, history)
        return values if len(codes) != 7 else torch.full_like(values, 1 / self.size).log()


class DependsOnPlace(SoundPrior):
    fails = ("order_does_not_matter", "batches_do_not_matter", "sample_follows_log_prob")
    says = "expected log_prob that follows the order of the windows"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        values = super().log_prob(codes, history)
        if len(codes) < 60:
            values[1::2] = np.log(1 / self.size)
        return values


class Squeezed(SoundPrior):
    fails = ("one_window", "batches_do_not_matter")
    says = "expected log_prob of shape (1, 4) for 1 windows, got (4,)"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(codes, history).squeeze()


class NeedsWindows(SoundPrior):
    fails = ("no_windows",)
    says = "No windows have no log-probabilities, in the right shape. Got ValueError: no codes"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        if len(codes) == 0:
            raise ValueError("no codes")
        return super().log_prob(codes, history)


class SamplesFromOne(SoundPrior):
    fails = ("sample", "sample_follows_log_prob")
    says = "expected samples from 0 to 11, got 1 to 12"

    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        return super().sample(history, tokens, generator) + 1


class SamplesOneWindowOnly(SoundPrior):
    fails = ("sample",)
    says = "expected a sample of shape (B, tokens) = (40, 1), got (40, 4)"

    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        return super().sample(history, 4, generator)


class OwnGenerator(SoundPrior):
    fails = ("sample_follows_generator",)
    says = "expected another sample from a generator in another state"

    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        return super().sample(history, tokens, torch.Generator().manual_seed(0))


class GlobalGenerator(SoundPrior):
    fails = (
        *("sample_follows_generator", "same_seed_same_outputs", "same_answer_twice", "state_round_trip"),
        "global_generators_untouched",
    )
    says = "expected the same sample from a generator in the same state"

    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        return super().sample(history, tokens, torch.default_generator)


class DrawsUniformly(SoundPrior):
    fails = ("sample_follows_log_prob",)
    says = "expected samples distributed as log_prob says, within a total variation of 0.1, got"

    def sample(self, history: torch.Tensor, tokens: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randint(self.size, (len(history), tokens), generator=generator)


class NormalisedWhereCommon(SoundPrior):
    """Codes that training never showed after one another are likelier than what is left for them."""

    fails = ("probabilities_sum_to_one", "sample_follows_log_prob")
    says = "expected probabilities of the 12 codes that sum to 1 at token 0"

    def table(self) -> torch.Tensor:
        table = super().table()
        return torch.where(self.pairs == 0, 0.2, table) if self.pairs.any() else table


class LooksAheadWithoutHistory(SoundPrior):
    fails = ("later_tokens_do_not_matter", "no_history", "probabilities_sum_to_one")
    says = "expected log-probabilities that tokens from number"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        values = super().log_prob(codes, history)
        return values if history is not None else values - codes[:, -1:] / 100


class DistributionOfAnother(SoundPrior):
    fails = ("distribution",)
    says = "expected distribution at the codes to be log_prob"

    def distribution(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        return torch.full((*codes.shape, self.size), -np.log(self.size))


class TensorAside(SoundPrior, torch.nn.Module):
    fails = ("tensors_registered",)
    says = "got tensors in pairs"

    def __init__(self, config: object, tokens: TokenShape, history: int) -> None:
        torch.nn.Module.__init__(self)
        super().__init__(config, tokens, history)


class KnowsNoOtherDevice(SoundPrior):
    fails = ("moves_to_cuda",)
    says = "Got RuntimeError: tensors on two devices"

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        if context.device != "cpu":
            raise RuntimeError("tensors on two devices")
        super().fit(sequences, context)


class TakesItsTime(SoundPrior):
    fails = ("budget",)
    says = "expected at most 0.2 s of CPU time (CPU_SECONDS), got"
    cpu_seconds = 0.2

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        super().fit(sequences, context)
        spend(0.3)


class Uniform(SoundPrior):
    fails = ("learned",)
    says = "expected a mean log-probability of training tokens above -2.485 nats"

    def table(self) -> torch.Tensor:
        return torch.full_like(self.pairs, 1 / self.size)


class AnswersOtherwiseAgain(SoundPrior):
    fails = ("same_answer_twice",)
    says = "expected the same log-probabilities when it is asked again"

    def __init__(self, config: object, tokens: TokenShape, history: int) -> None:
        super().__init__(config, tokens, history)
        self.again, self.without = AskedAgain(), False

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        # With a history, without one, and with the same once more.
        again = history is not None and self.again(codes, history) and self.without
        self.without = history is None
        return super().log_prob(codes, None if again else history)


class Unseeded(SoundPrior):
    fails = ("same_seed_same_outputs",)
    says = "expected the same seed to give the same log-probabilities"

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        super().fit(sequences, context)
        self.pairs += torch.from_numpy(np.random.default_rng().random(self.pairs.shape, dtype=np.float32))


class Forgetful(SoundPrior):
    fails = ("state_round_trip",)
    says = "expected the same log-probabilities once its state was stored and loaded"

    def load_state_dict(self, state: Any) -> None:
        self.pairs = torch.zeros_like(state["pairs"])


class Prints(SoundPrior):
    fails = ("prints_nothing",)
    says = "expected nothing on stdout"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        print(codes.shape)  # noqa: T201 - the fault
        return super().log_prob(codes, history)


class DrawsFromRandom(SoundPrior):
    fails = ("global_generators_untouched",)
    says = "expected the global generator of Python's random to be left alone"

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        super().fit(random.sample(list(sequences), len(sequences)), context)


class OverwritesHistory(SoundPrior):
    fails = ("inputs_unchanged",)
    says = "expected history to be left as it was given"

    def log_prob(self, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        if history is not None:
            history[:, 0] = 0
        return super().log_prob(codes, history)


class ChangesDirectory(SoundPrior):
    fails = ("leaves_the_process_as_it_was",)
    says = "got a change of the working directory"

    def fit(self, sequences: Sequence[torch.Tensor], context: Context) -> None:
        os.chdir("/")
        super().fit(sequences, context)


BROKEN = (
    DoublePrecision,
    Unnormalised,
    LooksAhead,
    NoneIsZero,
    PaddedByWindows,
    DependsOnBatch,
    DependsOnPlace,
    Squeezed,
    NeedsWindows,
    SamplesFromOne,
    SamplesOneWindowOnly,
    OwnGenerator,
    GlobalGenerator,
    DrawsUniformly,
    NormalisedWhereCommon,
    LooksAheadWithoutHistory,
    DistributionOfAnother,
    TensorAside,
    TakesItsTime,
    Uniform,
    AnswersOtherwiseAgain,
    Unseeded,
    Forgetful,
    Prints,
    DrawsFromRandom,
    OverwritesHistory,
    # Nobody can tell where there is no such device.
    *((KnowsNoOtherDevice,) if torch.cuda.is_available() else ()),
    ChangesDirectory,
)
