"""Examples that are held out of training, whole tracks at a time, and their loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from vadbench.api import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Context


def split_examples(
    examples: int, share: float, groups: NDArray[Any] | torch.Tensor | None, context: Context
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which examples are trained on and which are held out, both ascending; drawn from the context's seed.

    Args:
        examples: Number of examples.
        share: Share of the groups that is held out, in (0, 1): at least one group, and never all.
        groups: (N,) the group of each example; None where each is its own.
        context: Of the component that trains.

    Raises:
        DataError: if there are fewer than two groups, or not one group for each example.
    """
    member = torch.arange(examples) if groups is None else torch.as_tensor(groups)
    if member.shape != (examples,):
        raise DataError(f"groups have shape {tuple(member.shape)}, for {examples} examples", where=context.name)
    kinds, member = member.unique(return_inverse=True)
    count = len(kinds)
    if count < 2:
        raise DataError(
            f"nothing can be held out: there is {count} {'example' if groups is None else 'track'}",
            where=context.name,
            remedy="train on more tracks, or set held_out to 0",
        )
    out = torch.zeros(count, dtype=torch.bool)
    drawn = torch.randperm(count, generator=context.child("held-out").generator())
    out[drawn[: min(max(round(share * count), 1), count - 1)]] = True
    held = out[member.cpu()]
    return (~held).nonzero().flatten(), held.nonzero().flatten()


@torch.no_grad()
def held_out_loss(
    module: torch.nn.Module,
    loss: Callable[[torch.Tensor], torch.Tensor],
    batches: Sequence[torch.Tensor],
    generators: Sequence[torch.Generator],
    seed: int,
) -> float:
    """Mean loss over the held-out examples, in evaluation mode; training goes on as if it had not been computed.

    What the loss draws at random is the same after each epoch, so that epochs differ by their weights alone.

    Args:
        module: In training mode, and left so.
        loss: Of the examples of some indices (B,).
        batches: Indices.
        generators: Those that the loss draws from.
        seed: For what it draws.
    """
    module.eval()
    total = 0.0
    with _lent(generators, seed):
        for index in batches:
            total += float(loss(index)) * len(index)
    module.train()
    return total / sum(len(index) for index in batches)


def best_epoch(held: Sequence[float]) -> int:
    """The first epoch, from 0, of the lowest held-out loss; -1 before the first."""
    return min(range(len(held)), key=held.__getitem__, default=-1)


def is_exhausted(held: Sequence[float], patience: int) -> bool:
    """Whether the held-out loss has not come down for ``patience`` epochs; never, if that is 0."""
    return 0 < patience <= len(held) - 1 - best_epoch(held)


@contextmanager
def _lent(generators: Sequence[torch.Generator], seed: int) -> Iterator[None]:
    """The generators, torch's own among them, started from a seed inside the block, and as they were after it."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    before = [generator.get_state() for generator in generators]
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        for generator in generators:
            generator.manual_seed(seed)
        try:
            yield
        finally:
            for generator, state in zip(generators, before, strict=True):
                generator.set_state(state)
