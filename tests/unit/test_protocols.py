"""Protocols as values: what a digest covers, what holds on which data set, and that published ones never change."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from vadbench.api import ConfigError, UsageError
from vadbench.evaluation.protocol import Pipeline, Protocol, in_words
from vadbench.evaluation.published_protocols import PROTOCOLS, STANDARD_V1, protocol_named

DIGESTS = {
    "standard-v1": "2583a420e6ba",
    "mocodad": "31202d39f481",
    "coskad": "0a045eb29fc6",
    "gepc": "0b5f08083edd",
    "gepc-fixed": "3898b66540ee",
    "mped-rnn": "47f01d340932",
    "trajrec": "6376c1fbc4ca",
    "sparta": "8b17f7eaacb6",
    "seeker": "51bfd70b13ed",
}
ANOTHER = {
    "origin": "non-negative",
    "branches": (("a", 0),),
    "short_tracks": "leave-out",
    "placement": "every",
    "target_frames": 3,
    "backfill": True,
    "overlap": "mean",
    "absence_pad": 2,
    "absent": "zero",
    "persons": "min",
    "fill": "zero",
    "frames_leave": "before-smoothing",
    "shift": 4,
    "vacated": "minimum",
    "smoothing": (2.5,),
    "smoothing_over": "test-set",
    "scenes": "quantile",
    "metric": "macro-auroc",
}


def test_published_protocols_are_pinned():
    # A figure is tied to the digest of its protocol. Where this fails a rule was changed: make it a new version instead.
    assert {name: each.digest() for name, each in PROTOCOLS.items()} == DIGESTS


def test_the_rule_is_pinned_where_papers_give_numbers():
    def smoothing(name: str, data: str) -> tuple[object, ...]:
        steps = protocol_named(name).on(data)
        return (steps.shift, *steps.smoothing)

    assert smoothing("standard-v1", "hr-ubnormal") == (0, 1, 2, 3, 4, 5, 6)
    assert smoothing("mocodad", "hr-shanghaitech") == (9, 15)
    assert smoothing("mocodad", "ubnormal") == smoothing("mocodad", "hr-ubnormal") == (18, 30)
    assert smoothing("mocodad", "hr-avenue") == (6, 30)
    assert smoothing("coskad", "hr-ubnormal") == (11, 30)
    assert protocol_named("gepc").on("shanghaitech").shift_frames(12) == 17
    assert smoothing("seeker", "ubnormal") == (0, 1)
    assert smoothing("trajrec", "avenue") == smoothing("mped-rnn", "avenue") == (0,)


class TestDigest:
    def test_every_step_counts(self):
        assert set(ANOTHER) == {each.name for each in fields(Pipeline)}
        plain = Protocol("mine", 1, Pipeline(), "")
        digests = {plain.digest()}
        for name, value in ANOTHER.items():
            together = {"placement": "target"} if name == "target_frames" else {}
            digests.add(replace(plain, pipeline=Pipeline(**{name: value, **together})).digest())
        assert len(digests) == 1 + len(ANOTHER)

    def test_name_version_and_data_sets_count(self):
        plain = Protocol("mine", 1, Pipeline(), "")
        others = [
            replace(plain, name="other"),
            replace(plain, version=2),
            replace(plain, per_dataset=(("a", Pipeline(shift=2)),)),
            replace(plain, per_dataset=(("b", Pipeline(shift=2)),)),
        ]
        assert len({plain.digest(), *(each.digest() for each in others)}) == 5

    def test_words_about_it_do_not(self):
        plain = Protocol("mine", 1, Pipeline(), "")
        assert replace(plain, source="elsewhere", notes=("A note.",)).digest() == plain.digest()


class TestDatasets:
    def test_the_subset_has_the_steps_of_the_whole(self):
        for each in PROTOCOLS.values():
            for name in ("shanghaitech", "ubnormal", "avenue"):
                assert each.on(f"hr-{name}") == each.on(name)

    def test_what_nobody_published_is_known_to_be_so(self):
        mocodad = protocol_named("mocodad")
        assert mocodad.knows("hr-avenue")
        assert not mocodad.knows("synthetic-campus")
        assert mocodad.on("synthetic-campus") == mocodad.on("shanghaitech")

    def test_one_rule_for_all_needs_no_values_of_a_data_set(self):
        assert STANDARD_V1.knows("anything")


@pytest.mark.parametrize(
    ("step", "value"),
    [
        ("smoothing", (-1.0,)),
        ("smoothing", (float("nan"),)),
        ("shift", -1),
        ("absence_pad", -1),
        ("target_frames", 3),
        ("branches", (("a", -1),)),
    ],
)
def test_a_value_that_no_step_can_take(step, value):
    with pytest.raises(ConfigError, match="cannot be used") as caught:
        Pipeline(**{step: value})
    assert caught.value.where == f"protocol, {step}"


def test_target_without_a_number_of_frames():
    with pytest.raises(ConfigError):
        Pipeline(placement="target")


def test_protocols_are_frozen():
    with pytest.raises(FrozenInstanceError):
        STANDARD_V1.version = 2
    with pytest.raises(TypeError):
        PROTOCOLS["mine"] = STANDARD_V1
    assert hash(STANDARD_V1) == hash(replace(STANDARD_V1))


def test_an_unknown_name():
    with pytest.raises(UsageError, match="mocodat") as caught:
        protocol_named("mocodat")
    assert "'mocodad'" in caught.value.remedy


def test_steps_in_words_tell_protocols_apart():
    words = {in_words(each.pipeline) for each in PROTOCOLS.values()}
    assert len(words) == len(PROTOCOLS)
    assert in_words(STANDARD_V1.pipeline) == (
        "middle frame of the window; max over persons; empty frames get the minimum; sigma 1, 2, 3, 4, 5, 6 one after another"
    )
    plain = in_words(Pipeline())
    shown = {name for name, value in ANOTHER.items() if name != "target_frames" and in_words(Pipeline(**{name: value})) != plain}
    # The two that stay unseen say nothing by themselves: several windows on a frame, and what a shift of 0 leaves vacant.
    assert shown == set(ANOTHER) - {"target_frames", "overlap", "vacated", "smoothing_over"}


def test_listing_protocols_imports_no_numerical_library():
    heavy = "{'numpy', 'scipy', 'sklearn', 'torch'}"
    code = f"import sys, vadbench.evaluation.published_protocols; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
