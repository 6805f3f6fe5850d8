"""The data set: contract, determinism, labels, gaps and track breaks."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from vadbench.api import COCO_17, DataError, Dataset
from vadbench_datasets.synthetic.anomalies import KINDS
from vadbench_datasets.synthetic.campus import SyntheticCampus, SyntheticCampusConfig

SMALL = {"train_clips": 6, "test_clips": 6, "frames_min": 96, "frames_max": 130}


def campus(**settings):
    return SyntheticCampus(SyntheticCampusConfig(**(SMALL | settings)), None)


@pytest.fixture(scope="module")
def small():
    return campus()


@pytest.fixture(scope="module")
def every_kind():
    """A test split in which each kind of anomaly occurs."""
    return campus(train_clips=1, test_clips=24, abnormal_share=1.0, frames_min=200, frames_max=260)


def test_it_is_a_dataset_and_a_stand_in(small):
    assert isinstance(small, Dataset)
    assert small.info.stand_in
    assert small.info.splits == ("train", "validation", "test")
    assert "Apache-2.0" in small.info.licence
    assert any("never a result" in note for note in small.info.notes)


def test_default_config_is_valid_and_generates_nothing_by_itself():
    config = SyntheticCampusConfig()
    assert (config.train_clips, config.test_clips, config.scenes) == (48, 32, 6)
    assert SyntheticCampus(config, None).info.layout == "coco-17"


@pytest.mark.parametrize("split", ["train", "test"])
def test_contract(small, split):
    tracks, labels = small.tracks(split), small.labels(split)
    assert tracks.layout == COCO_17
    assert tracks.keypoints.dtype == np.float32
    assert tracks.person.dtype == tracks.frame.dtype == tracks.clip.dtype == np.int32
    assert labels.clips == tuple(clip.name for clip in tracks.clips) == tuple(sorted(labels.clips))
    assert [len(mask) for mask in labels.abnormal] == [clip.n_frames for clip in tracks.clips]
    assert all(mask.all() for mask in labels.keep)
    xy, confidence = tracks.keypoints[..., :2], tracks.keypoints[..., 2]
    assert xy.min() >= 0
    assert (xy <= np.array([855, 479])).all()
    assert 0 < confidence.min() < confidence.max() < 1
    assert 0 < tracks.score.min() < tracks.score.max() <= 1
    assert tracks.person.min() == 1
    for clip in tracks.clips:
        assert clip.name.startswith(clip.scene + "_")
        assert clip.resolution == (856, 480)
        assert 96 <= clip.n_frames <= 130


def test_train_is_normal(small):
    assert small.labels("train").n_abnormal == 0
    assert small.events("train") == ()


def test_same_config_same_bytes(small):
    again = campus()
    for split in ("train", "test"):
        assert small.tracks(split).fingerprint() == again.tracks(split).fingerprint()
        assert small.labels(split).fingerprint() == again.labels(split).fingerprint()
    assert small.events("test") == again.events("test")


def test_generating_leaves_the_global_generator_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - that is what must not change
    campus(train_clips=1).tracks("train")
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_another_seed_gives_other_data(small):
    assert campus(seed=1).tracks("train").fingerprint() != small.tracks("train").fingerprint()


def test_train_and_test_do_not_depend_on_each_other(small):
    assert campus(test_clips=2, abnormal_share=0.1).tracks("train").fingerprint() == small.tracks("train").fingerprint()
    assert campus(train_clips=2).tracks("test").fingerprint() == small.tracks("test").fingerprint()


def test_more_test_clips_leave_the_first_ones_as_they_were(small):
    more = campus(test_clips=9)
    few = small.tracks("test")
    names = {clip.name: index for index, clip in enumerate(more.tracks("test").clips)}
    for index, clip in enumerate(few.clips):
        mine, theirs = few.clip == index, more.tracks("test").clip == names[clip.name]
        np.testing.assert_array_equal(few.keypoints[mine], more.tracks("test").keypoints[theirs])
    assert set(small.events("test")) <= set(more.events("test"))


def test_every_kind_occurs(every_kind):
    events = every_kind.events("test")
    assert {event.kind for event in events} == {kind.name for kind in KINDS}
    assert {event.level for event in events} == {"action", "order", "detail"}
    share = every_kind.labels("test").n_abnormal / every_kind.labels("test").n_frames
    assert 0.25 < share < 0.7


def test_labels_are_the_events_in_view(every_kind):
    tracks, labels = every_kind.tracks("test"), every_kind.labels("test")
    number = {name: index for index, name in enumerate(labels.clips)}
    event_of = {event.clip: event for event in every_kind.events("test")}
    for name, abnormal in zip(labels.clips, labels.abnormal, strict=True):
        if name not in event_of:
            assert not abnormal.any()
            continue
        event = event_of[name]
        assert abnormal[event.start]
        assert abnormal[event.stop - 1]
        assert not abnormal[: event.start].any()
        assert not abnormal[event.stop :].any()
        assert event.persons
        mine = (tracks.clip == number[name]) & np.isin(tracks.person, event.persons)
        seen = np.zeros(len(abnormal), dtype=bool)
        seen[tracks.frame[mine]] = True
        inside = slice(event.start, event.stop)
        # An abnormal person who is detected is in view; one in view may go undetected for some frames.
        assert abnormal[inside][seen[inside]].all()
        assert seen[inside][abnormal[inside]].mean() > 0.5


def test_the_number_of_a_track_does_not_tell_who_is_abnormal(every_kind):
    first = [1 in event.persons for event in every_kind.events("test")]
    assert 0 < sum(first) < len(first)


def test_kinds_can_be_chosen():
    data = campus(kinds=("limp", "gliding"), abnormal_share=1.0)
    assert {event.kind for event in data.events("test")} == {"limp", "gliding"}


def test_a_test_split_without_anomalies():
    assert campus(abnormal_share=0.0).labels("test").n_abnormal == 0


def test_there_are_gaps_and_track_breaks():
    bad, good = (campus(train_clips=8, dropouts=rate).tracks("train") for rate in (4.0, 0.0))

    def gaps(tracks):
        same = np.diff(tracks.person) == 0
        return int((np.diff(tracks.frame)[same & (np.diff(tracks.clip) == 0)] > 1).sum())

    assert gaps(bad) > 2 * gaps(good) + 20
    assert len(bad.track_bounds()) > len(good.track_bounds())


def test_noise_grows_with_the_noise_setting():
    def shake(noise):
        tracks = campus(train_clips=3, noise=noise, dropouts=0.0, crowd=1.0).tracks("train")
        together = (np.diff(tracks.frame) == 1) & (np.diff(tracks.person) == 0)
        return np.median(np.abs(np.diff(tracks.keypoints[:, 5, 1].astype(float)))[together])

    assert shake(0.0) < shake(1.0) < shake(4.0)


def test_confidence_falls_with_the_error():
    exact, noisy = (campus(train_clips=4, noise=noise, dropouts=0.0).tracks("train") for noise in (0.0, 6.0))
    assert noisy.keypoints[..., 2].mean() < exact.keypoints[..., 2].mean()


@pytest.mark.parametrize("crowd", [0.0, 6.0])
def test_empty_and_crowded_places(crowd):
    data = campus(crowd=crowd, scenes=1)
    assert {clip.scene for clip in data.tracks("test").clips} == {"01"}
    assert len(data.tracks("train")) > 0


def test_an_unknown_split_is_an_error_that_says_what_to_do(small):
    for call in (small.tracks, small.labels, small.events):
        with pytest.raises(DataError, match="'dev'") as caught:
            call("dev")
        assert "train, validation, test" in str(caught.value)


def test_validation_has_anomalies_of_its_own(small):
    names = {split: [event.kind for event in small.events(split)] for split in ("validation", "test")}
    assert names["validation"]
    assert any(part.any() for part in small.labels("validation").abnormal)
    assert small.tracks("validation").fingerprint() != small.tracks("test").fingerprint()
    assert campus(validation_clips=3).tracks("test").fingerprint() == small.tracks("test").fingerprint()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"train_clips": 0}, "train_clips"),
        ({"test_clips": 0}, "test_clips"),
        ({"frames_min": 10}, "frames_min"),
        ({"frames_min": 300, "frames_max": 200}, "frames_max"),
        ({"scenes": 7}, "scenes"),
        ({"scenes": 0}, "scenes"),
        ({"abnormal_share": 1.5}, "abnormal_share"),
        ({"noise": float("nan")}, "noise"),
        ({"dropouts": -0.1}, "dropouts"),
        ({"kinds": ()}, "kinds"),
        ({"kinds": ("limp", "limp")}, "twice"),
        ({"kinds": ("limping",)}, "did you mean 'limp'"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_config_errors(settings, message):
    with pytest.raises(ValidationError, match=message):
        SyntheticCampusConfig(**settings)
