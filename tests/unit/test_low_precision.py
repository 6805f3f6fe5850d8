"""Every component trains where low precision is on: by a plan that says no, or because what it computes is right in it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_tracks import made_windows

from vadbench.api import Context, TokenSequences, TokenShape
from vadbench.engine.plugins import load_plugins
from vadbench.engine.training.optimisation import Amp
from vadbench.engine.training.trainer import seeded, train

TOKENS = TokenShape(codebook_size=8, tokens=2, width=4)
SMALL = {
    "vq-vae": {"codebook_size": 8, "width": 4, "hidden": 8, "epochs": 1},
    "fsq": {"levels": [4, 2], "hidden": 8, "epochs": 1},
    "residual-vq": {"codebook_sizes": [4, 2], "width": 4, "hidden": 8, "epochs": 1},
    "transformer": {"width": 8, "heads": 2, "layers": 1, "epochs": 1},
    "lstm": {"width": 8, "epochs": 1},
    "stgcn-coupling": {"steps": 2, "epochs": 1, "covariance": "full"},
    "zuko-nsf": {"components": 4, "transforms": 1, "hidden": 8, "epochs": 1},
}


@pytest.fixture
def low_precision(monkeypatch):
    """As on a GPU that computes in bfloat16: autocast wherever a plan allows it."""
    plain = Amp.__init__

    def on(self, device, plan):
        plain(self, device, plan)
        self.on, self.dtype = plan.amp, torch.bfloat16

    monkeypatch.setattr(Amp, "__init__", on)


def made(kind: str, name: str, *shapes):
    entry = load_plugins().registry.get(kind, name)
    with seeded(0):
        return entry.load()(entry.load_config()(**SMALL[name]), *shapes)


@pytest.fixture(scope="module")
def windows():
    return made_windows({1: range(80), 2: range(60)})


@pytest.mark.usefixtures("low_precision")
class TestUnderAutocast:
    @pytest.mark.parametrize("name", ["vq-vae", "fsq", "residual-vq"])
    def test_tokenizer(self, name, windows):
        tokenizer = made("tokenizer", name, windows.shape)
        tokenizer.fit(windows, Context(trainer=train))
        assert torch.isfinite(tokenizer.decode(tokenizer.encode(torch.from_numpy(windows.batch(slice(9)).x)).codes)).all()

    @pytest.mark.parametrize("name", ["transformer", "lstm"])
    def test_prior(self, name):
        generator = torch.Generator().manual_seed(0)
        sequences = TokenSequences([torch.randint(8, (12,), generator=generator) for _ in range(9)], np.arange(9))
        prior = made("prior", name, TOKENS, 4)
        prior.fit(sequences, Context(trainer=train))
        assert torch.isfinite(prior.log_prob(sequences[0][:2][None], None)).all()

    @pytest.mark.parametrize("name", ["stgcn-coupling", "zuko-nsf"])
    def test_flow(self, name, windows):
        flow = made("flow", name, windows.shape, None)
        flow.fit(windows, None, Context(trainer=train))
        assert torch.isfinite(flow.log_prob(torch.from_numpy(windows.batch(slice(9)).x), None)).all()


def test_the_fixture_turns_it_on(low_precision):
    seen = []
    layer = torch.nn.Linear(3, 1)

    def loss(index):
        seen.append(layer(torch.ones(len(index), 3)).dtype)
        return layer(torch.ones(len(index), 3)).float().square().mean()

    from vadbench.api import TrainingPlan

    train(layer, loss, examples=4, plan=TrainingPlan(1, 4, 0.1), context=Context())
    assert seen == [torch.bfloat16]
