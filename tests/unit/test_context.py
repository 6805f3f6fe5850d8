"""The context of a component: seeds that depend on seed and name and nothing else."""

from __future__ import annotations

import pytest
import torch

from vadbench.api import Context, Silent


def test_children_differ_by_name_and_by_seed():
    seeds = {Context(seed=seed).child(name).seed for seed in (0, 1, 2) for name in ("tokenizer", "prior", "flow")}
    assert len(seeds) == 9
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_children_repeat():
    assert Context(seed=3).child("flow").seed == Context(seed=3, name="other", device="meta").child("flow").seed


def test_a_child_is_the_parent_but_for_name_and_seed():
    parent = Context(seed=3, name="method", device="cuda:1")
    child = parent.child("flow").child("inner")
    assert child.name == "method.flow.inner"
    assert child.device == "cuda:1"
    assert child.trainer is parent.trainer
    assert child.seed not in (parent.seed, parent.child("flow").seed, parent.child("inner").seed)


def test_generators_start_anew_at_each_call():
    context = Context(seed=5)
    assert context.rng().integers(2**60) == context.rng().integers(2**60)
    assert context.rng().integers(2**60) != Context(seed=6).rng().integers(2**60)
    assert torch.equal(torch.rand(3, generator=context.generator()), torch.rand(3, generator=context.generator()))


def test_generators_leave_the_global_state_alone():
    before = torch.get_rng_state()
    torch.rand(3, generator=Context(seed=5).generator())
    assert torch.equal(before, torch.get_rng_state())


def test_no_trainer_outside_the_harness():
    with pytest.raises(RuntimeError, match="no trainer"):
        Context().train(torch.nn.Linear(1, 1), lambda _: torch.zeros(()), examples=1, plan=None)


def test_silence(capfd):
    with Silent().task("anything", 3) as advance:
        advance(1)
    assert capfd.readouterr() == ("", "")
