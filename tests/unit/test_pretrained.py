"""Weights on other training poses than their own: zero-shot whatever the data set is called, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from vadbench.api import ConfigError
from vadbench.engine.composing.validation import chooses_by_validation
from vadbench.engine.config import digest_of, resolve
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import load_preset
from vadbench.engine.weights import Pretrained
from vadbench.store.model_card import ModelCard

REGISTRY = load_plugins().registry


def method(name: str):
    return resolve({**load_preset(name, REGISTRY), "weights": "0" * 64}, REGISTRY, dataset="campus", swaps={}, changes=())


def weights(name: str, poses: str | None) -> Pretrained:
    card = ModelCard(
        method=name,
        track="one-class",
        config=dict(method(name).settings),
        channels=2,
        frames=24,
        parameters=1,
        trained_on="campus",
        poses=poses,
        licence="none",
        source="a test",
        vadbench="0",
        created="2026-01-01T00:00:00+00:00",
    )
    return Pretrained(Path("w.safetensors"), card)


def test_on_their_own_poses_the_track_is_theirs():
    resolved = method("knn")
    assert weights("knn", "abc").on_poses(resolved, "abc") is resolved


def test_on_other_poses_of_the_same_name_it_is_zero_shot():
    resolved = method("knn")
    found = weights("knn", "abc").on_poses(resolved, "def")
    assert found.method.track == found.settings["track"] == "zero-shot"
    assert found.digest == digest_of(found.settings) != resolved.digest
    assert resolved.method.track == "one-class"


def test_weights_have_their_choice_by_validation_in_them():
    preset = load_preset("msgflow", REGISTRY)
    swaps = {"scorer": "learned-on-validation"}
    trained = resolve(preset, REGISTRY, dataset="campus", swaps=swaps, changes=())
    taken = resolve({**preset, "weights": "0" * 64}, REGISTRY, dataset="campus", swaps=swaps, changes=())
    assert chooses_by_validation(trained)
    assert not chooses_by_validation(taken)


def test_of_a_release_nobody_knows_the_poses_and_its_name_decides():
    resolved = method("stg-nf")
    assert weights("stg-nf", None).on_poses(resolved, "def") is resolved


@pytest.mark.parametrize("poses", ["abc", None])
def test_a_normalisation_that_was_fitted_to_other_poses_is_refused(poses):
    with pytest.raises(ConfigError, match="robust is fitted to the training poses") as caught:
        weights("mocodad", poses).on_poses(method("mocodad"), "def")
    assert caught.value.where == "w.safetensors"
    assert weights("mocodad", "def").on_poses(method("mocodad"), "def").method.track == "one-class"
