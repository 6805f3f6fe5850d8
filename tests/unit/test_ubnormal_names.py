"""The two names of a UBnormal clip, exact in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import DataError
from vadbench_datasets.hr_ubnormal import EXCLUDED
from vadbench_datasets.ubnormal_names import clip_called, clip_number

PAIRS = [
    ("abnormal_scene_1_scenario_1", "001_0100"),
    ("abnormal_scene_2_scenario_2", "002_0200"),
    ("normal_scene_3_scenario_3", "103_0300"),
    ("abnormal_scene_4_scenario_10_fire", "004_1052"),
    ("abnormal_scene_12_scenario_1_smoke", "012_0153"),
    ("normal_scene_13_scenario_1_fog", "113_0151"),
    ("normal_scene_17_scenario_3_1", "117_0301"),
    ("normal_scene_11_scenario_6_1", "111_0601"),
    ("normal_scene_1_scenario1_10", "101_0110"),
    ("normal_scene_1_scenario3_2", "101_0302"),
]


@pytest.mark.parametrize(("name", "number"), PAIRS)
def test_pairs(name, number):
    assert clip_number(name) == number
    assert clip_called(number) == name


def test_every_test_training_and_validation_clip_of_the_release(shared_data):
    names = [path.name.removesuffix("_tracks.txt") for path in (shared_data / "ubnormal-gt").glob("*_tracks.txt")]
    assert len(names) == 331
    numbers = {clip_number(name) for name in names}
    # Of abnormal clips, the splits share no number either: they are told apart by nothing else in the CSV family.
    assert len(numbers) == 331
    assert sorted(map(clip_called, numbers)) == sorted(names)


def test_clips_with_frames_that_do_not_count():
    assert {clip_called(clip_number(clip)) for clip in EXCLUDED} == set(EXCLUDED)


@given(st.integers(0, 1), st.integers(1, 29), st.integers(1, 99), st.integers(0, 53))
def test_every_number_has_a_name_of_its_own(kind, scene, scenario, last):
    number = f"{kind}{scene:02d}_{scenario:02d}{last:02d}"
    assert clip_number(clip_called(number)) == number


@pytest.mark.parametrize("number", ["4_1052", "004-1052", "204_0100", "004_01", "004_0154", "004_01000", "x", ""])
def test_numbers_that_are_none(number):
    with pytest.raises(DataError, match="is not the number of a UBnormal clip") as caught:
        clip_called(number)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "name",
    [
        "normal_scene_1_scenario_1",
        "abnormal_scene_1_scenario1_1",
        "normal_scene_02_scenario_1",
        "normal_scene_2_scenario_1_rain",
        "normal_scene_2_scenario_1_51",
        "01_0014",
        "",
    ],
)
def test_names_that_are_none(name):
    with pytest.raises(DataError, match="is not the name of a UBnormal clip") as caught:
        clip_number(name)
    assert caught.value.remedy
