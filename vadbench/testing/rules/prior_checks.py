"""The contract of a prior, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import torch

from vadbench.api import Context, Predictive, Prior
from vadbench.testing.conformance import CheckSkipped, expect, expect_same, is_finite
from vadbench.testing.rules import conduct_checks, device_checks, foundation_checks, learning_checks
from vadbench.testing.sample import HISTORY, TOKENS, sample_tokens
from vadbench.testing.trial import LearningTrial

if TYPE_CHECKING:
    from collections.abc import Callable

    from vadbench.api import TokenShape

_CONTRACT: Final = "Prior"
_SUM_TOLERANCE: Final = 1e-3
_DRAWS: Final = 3000
_DRAWN_TOLERANCE: Final = 0.1
"""Total variation that the frequencies of so many draws may have from what they are drawn from; by chance it is about 0.03."""


class PriorTrial(LearningTrial[Prior]):
    """A prior on trial.

    Args:
        make: ``make(tokens, history)`` gives an untrained prior.
        memory: See `LearningTrial`.
    """

    contract = _CONTRACT

    def __init__(self, make: Callable[[TokenShape, int], Prior], memory: dict[str, Any] | None = None) -> None:
        super().__init__(make, memory)
        self.tokens = sample_tokens()

    def build(self) -> Prior:
        """A prior over the sample's tokens."""
        return self.make(TOKENS, HISTORY)

    def teach(self, component: Prior, context: Context) -> None:
        """Fits it on every sequence."""
        component.fit(self.tokens.sequences, context)

    def outputs(self, component: Prior) -> Mapping[str, Any]:
        """Log-probabilities with and without history, and a sample."""
        codes, history = self.tokens.codes, self.tokens.history
        found = {
            "log-probabilities": self.log_prob(component, codes, history),
            "log-probabilities without history": self.log_prob(component, codes, None),
        }
        # Samples are drawn with a generator of the CPU, for people to look at, and never on another device.
        return found if self.device != "cpu" else {**found, "sample": self.sampled(component, history)}

    def inputs(self) -> Mapping[str, Any]:
        """Codes, histories and training sequences."""
        sequences = torch.stack(self.tokens.sequences)
        return {"codes": self.tokens.codes, "history": self.tokens.history, "sequences": sequences}

    def use_device(self, device: str) -> None:
        """Codes and histories lie there; the sequences that it is fitted on stay on the CPU."""
        self.device = device
        moved = {name: getattr(self.tokens, name).to(device) for name in ("codes", "history", "random")}
        self.tokens = replace(self.tokens, **moved)

    @torch.no_grad()
    def log_prob(self, prior: Prior, codes: torch.Tensor, history: torch.Tensor | None) -> torch.Tensor:
        """(B, L) nats."""
        return prior.log_prob(codes, history)

    @torch.no_grad()
    def sampled(self, prior: Prior, history: torch.Tensor, seed: int = 7) -> torch.Tensor:
        """A window more for each history."""
        return prior.sample(history, TOKENS.tokens, torch.Generator().manual_seed(seed))


def check_log_prob(trial: PriorTrial) -> None:
    """``log_prob`` is (B, L) float32, finite and at most 0, also for codes that training never showed."""
    prior = trial.trained()
    for codes in (trial.tokens.codes, trial.tokens.random):
        values = trial.log_prob(prior, codes, trial.tokens.history)
        expect(values.shape == codes.shape, f"log_prob of shape (B, L) = {tuple(codes.shape)}", tuple(values.shape), _CONTRACT)
        expect(values.dtype == torch.float32, "log_prob of type float32", values.dtype, _CONTRACT)
        expect(is_finite(values), "finite log-probabilities", "NaN or infinity", _CONTRACT)
        # Rounding may put the logarithm of a certain event just above 0.
        expect(values.max() <= 1e-6, "log-probabilities of at most 0", f"{float(values.max()):.3g}", _CONTRACT)


def check_probabilities_sum_to_one(trial: PriorTrial) -> None:
    """After any prefix, common or never seen, with a history or without, the probabilities of all codes sum to one."""
    prior = trial.trained()
    size, some = TOKENS.codebook_size, slice(0, 6)
    own = trial.tokens.history[some].repeat_interleave(size, dim=0)
    for prefix, history in ((trial.tokens.codes, own), (trial.tokens.random, own), (trial.tokens.codes, None)):
        for place in range(TOKENS.tokens):
            codes = prefix[some].repeat_interleave(size, dim=0)
            codes[:, place] = torch.arange(size).repeat(len(codes) // size)
            sums = trial.log_prob(prior, codes, history)[:, place].double().exp().view(-1, size).sum(dim=1)
            worst = float(sums[(sums - 1).abs().argmax()])
            wanted = f"probabilities of the {size} codes that sum to 1 at token {place}"
            expect(abs(worst - 1) <= _SUM_TOLERANCE, wanted, f"a sum of {worst:.5f}", _CONTRACT)


def check_later_tokens_do_not_matter(trial: PriorTrial) -> None:
    """A token's log-probability depends on the tokens before it and on no later one."""
    prior, codes = trial.trained(), trial.tokens.codes
    for history in (trial.tokens.history, None):
        before = trial.log_prob(prior, codes, history)
        for place in range(1, TOKENS.tokens):
            changed = codes.clone()
            changed[:, place:] = (changed[:, place:] + 5) % TOKENS.codebook_size
            got = trial.log_prob(prior, changed, history)[:, :place]
            what = f"log-probabilities that tokens from number {place} on do not change"
            expect_same(got, before[:, :place], what, _CONTRACT)


def check_no_history(trial: PriorTrial) -> None:
    """A history of None is no history: the same as one of nothing but -1."""
    prior, codes = trial.trained(), trial.tokens.codes
    absent = torch.full_like(trial.tokens.history, -1)
    got = trial.log_prob(prior, codes, None)
    expect(is_finite(got), "finite log-probabilities without a history", "NaN or infinity", _CONTRACT)
    expect_same(got, trial.log_prob(prior, codes, absent), "None and a history of -1 alone to mean the same", _CONTRACT)


def check_short_history(trial: PriorTrial) -> None:
    """A history that begins with -1, as a young track's does, has probabilities like any other."""
    prior, codes = trial.trained(), trial.tokens.codes
    for absent in range(1, HISTORY):
        history = trial.tokens.history.clone()
        history[:, :absent] = -1
        values = trial.log_prob(prior, codes, history)
        fine = is_finite(values) and bool((values <= 1e-6).all())
        expect(fine, f"finite log-probabilities with {absent} of {HISTORY} tokens of history absent", "others", _CONTRACT)


def check_batches_do_not_matter(trial: PriorTrial) -> None:
    """A window's log-probabilities are the same in whatever batch it is asked for."""
    prior, codes, history = trial.trained(), trial.tokens.codes, trial.tokens.history
    sizes = [1, 7, len(codes) - 8]
    pieces = zip(torch.split(codes, sizes), torch.split(history, sizes), strict=True)
    got = torch.cat([trial.log_prob(prior, *piece) for piece in pieces])
    expect_same(got, trial.log_prob(prior, codes, history), "log_prob of a batch to be that of its pieces", _CONTRACT)


def check_order_does_not_matter(trial: PriorTrial) -> None:
    """Windows in another order have the same log-probabilities, in that order."""
    prior, codes, history = trial.trained(), trial.tokens.codes, trial.tokens.history
    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(3))
    got = trial.log_prob(prior, codes[order], history[order])
    expect_same(got, trial.log_prob(prior, codes, history)[order], "log_prob that follows the order of the windows", _CONTRACT)


def check_one_window(trial: PriorTrial) -> None:
    """One window is a batch as well."""
    _check_count(trial, 1)


def check_no_windows(trial: PriorTrial) -> None:
    """No windows have no log-probabilities, in the right shape."""
    _check_count(trial, 0)


def check_sample(trial: PriorTrial) -> None:
    """``sample`` gives (B, tokens) int64 codes in [0, codebook_size), also of more tokens than a window has."""
    prior, history = trial.trained(), trial.tokens.history
    for tokens in (1, TOKENS.tokens, 2 * TOKENS.tokens + 1):
        with torch.no_grad():
            drawn = prior.sample(history, tokens, torch.Generator().manual_seed(7))
        wanted = (len(history), tokens)
        expect(drawn.shape == wanted, f"a sample of shape (B, tokens) = {wanted}", tuple(drawn.shape), _CONTRACT)
        expect(drawn.dtype == torch.int64, "a sample of type int64", drawn.dtype, _CONTRACT)
        inside = bool(((drawn >= 0) & (drawn < TOKENS.codebook_size)).all())
        expect(inside, f"samples from 0 to {TOKENS.codebook_size - 1}", f"{int(drawn.min())} to {int(drawn.max())}", _CONTRACT)


def check_sample_follows_generator(trial: PriorTrial) -> None:
    """The generator decides a sample: in the same state the same one, in another state another one."""
    prior, history = trial.trained(), trial.tokens.history
    drawn = trial.sampled(prior, history)
    what = "the same sample from a generator in the same state"
    expect_same(trial.sampled(prior, history), drawn, what, _CONTRACT)
    again = [trial.sampled(prior, history, seed) for seed in range(20, 24)]
    alike = all(torch.equal(other, drawn) for other in again)
    expect(not alike, "another sample from a generator in another state", "the same one at five seeds", _CONTRACT)


def check_sample_follows_log_prob(trial: PriorTrial) -> None:
    """Codes are drawn as often as ``log_prob`` says that they are likely."""
    prior, size = trial.trained(), TOKENS.codebook_size
    history = trial.tokens.history[1:2]
    with torch.no_grad():
        drawn = prior.sample(history.repeat(_DRAWS, 1), 1, torch.Generator().manual_seed(7))
    found = drawn[:, 0].bincount(minlength=size).double() / _DRAWS
    codes = torch.zeros(size, TOKENS.tokens, dtype=torch.int64)
    codes[:, 0] = torch.arange(size)
    said = trial.log_prob(prior, codes, history.repeat(size, 1))[:, 0].double().exp()
    apart = float((found - said).abs().sum() / 2)
    wanted = f"samples distributed as log_prob says, within a total variation of {_DRAWN_TOLERANCE:g}"
    expect(apart <= _DRAWN_TOLERANCE, wanted, f"{apart:.3f} over {_DRAWS} draws", _CONTRACT)


def check_distribution(trial: PriorTrial) -> None:
    """Where it has ``distribution``, that is over all codes what ``log_prob`` is for one."""
    prior, codes, history = trial.trained(), trial.tokens.codes, trial.tokens.history
    if not isinstance(prior, Predictive):
        raise CheckSkipped("the prior does not give the whole distribution of a token")
    with torch.no_grad():
        values = prior.distribution(codes, history)
    wanted = (*codes.shape, TOKENS.codebook_size)
    found = tuple(values.shape)
    expect(found == wanted, f"distribution of shape (B, L, codebook_size) = {wanted}", found, "Predictive")
    got = values.gather(2, codes[..., None])[..., 0]
    expect_same(got, trial.log_prob(prior, codes, history), "distribution at the codes to be log_prob", "Predictive")


def check_learned(trial: PriorTrial) -> None:
    """Once fitted, it finds the sequences that it was shown likelier than random codes, unless it says ``learns = False``."""
    prior, history = trial.trained(), trial.tokens.history
    if not getattr(prior, "learns", True):
        raise CheckSkipped("the prior declares learns = False")
    shown = float(trial.log_prob(prior, trial.tokens.codes, history).mean())
    uniform = float(trial.log_prob(prior, trial.tokens.random, history).mean())
    wanted = f"a mean log-probability of training tokens above {uniform:.3f} nats, that of random ones"
    expect(shown > uniform, wanted, f"{shown:.3f}", _CONTRACT)


def _check_count(trial: PriorTrial, count: int) -> None:
    values = trial.log_prob(trial.trained(), trial.tokens.codes[:count], trial.tokens.history[:count])
    wanted = (count, TOKENS.tokens)
    expect(values.shape == wanted, f"log_prob of shape {wanted} for {count} windows", tuple(values.shape), _CONTRACT)


CHECKS: Final = (
    *foundation_checks.CHECKS,
    check_log_prob,
    check_probabilities_sum_to_one,
    check_later_tokens_do_not_matter,
    check_no_history,
    check_short_history,
    check_batches_do_not_matter,
    check_order_does_not_matter,
    check_one_window,
    check_no_windows,
    check_sample,
    check_sample_follows_generator,
    check_sample_follows_log_prob,
    check_distribution,
    check_learned,
    *device_checks.CHECKS,
    *learning_checks.CHECKS,
    *conduct_checks.CHECKS,
)
"""Every check of a prior."""
