"""Every kind of anomaly, and every kind of normal conduct, as motions without a camera."""

from __future__ import annotations

import numpy as np
import pytest

from vadbench.api import COCO_17
from vadbench_datasets.synthetic import conduct
from vadbench_datasets.synthetic.anomalies import KINDS, Span
from vadbench_datasets.synthetic.curves import FRAME_RATE, drift, seconds, settle, window
from vadbench_datasets.synthetic.paths import Path
from vadbench_datasets.synthetic.person import Person

TIME = seconds(288)
START, STOP = 3.5, 8.5
INSIDE = (TIME > START + 0.6) & (TIME < STOP - 0.6)
BEFORE = TIME < START - 1.0
STRAIGHT = Path.bend(np.array([-8.0, 0.0]), np.array([0.0, 0.0]), np.array([8.0, 0.0]))
BY_NAME = {kind.name: kind for kind in KINDS}


def act(name, seed=5):
    rng = np.random.default_rng(seed)
    person = Person.draw(rng)
    made = BY_NAME[name].make(Span(TIME, START, STOP), person.body, rng)
    return person, made, person.joints(made, STRAIGHT, (6.0, 8.0), rng)


def height(joints):
    return joints[:, :, 2].max(axis=1) - joints[:, :, 2].min(axis=1)


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("seed", range(4))
def test_each_kind_is_finite_moves_smoothly_and_stays_above_the_ground(name, seed):
    _, _, joints = act(name, seed)
    assert np.isfinite(joints).all()
    assert joints[:, :, 2].min() > -0.01
    # No joint is faster than a kicking foot.
    assert np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() * FRAME_RATE < 16.0


@pytest.mark.parametrize("name", BY_NAME)
def test_each_kind_begins_as_a_normal_walk(name):
    person, made, joints = act(name)
    assert 0.6 < np.abs(made.speed[BEFORE]).mean() < 2.1
    assert height(joints)[BEFORE].min() > 0.8 * person.body.stature


def test_levels_and_names():
    assert len(BY_NAME) == len(KINDS) == 12
    assert {kind.level for kind in KINDS} == {"action", "order", "detail"}


def test_runners_run():
    assert act("run")[1].speed[INSIDE].min() > 2.4


def test_jumpers_leave_the_ground():
    person, _, joints = act("jump")
    assert joints[INSIDE][:, 15:17, 2].min(axis=1).max() > 0.039 * person.body.stature + 0.1


@pytest.mark.parametrize(("name", "share"), [("fall", 0.4), ("crawl", 0.6)])
def test_who_falls_or_crawls_is_low(name, share):
    person, _, joints = act(name)
    assert height(joints)[(TIME > START + 1.3) & (TIME < STOP - 2.7)].max() < share * person.body.stature
    assert height(joints)[-12:].min() > 0.85 * person.body.stature


def test_reversals_are_sudden_and_pacing_is_not():
    def turning(name):
        return np.abs(np.gradient(act(name)[1].turn)).max() * FRAME_RATE

    assert turning("reversal") > 6.0
    assert 2.0 < turning("pacing") < 5.0


def test_pacers_come_back():
    assert np.abs(act("pacing")[1].turn).max() == pytest.approx(np.pi, abs=0.01)


def test_spinners_turn_all_the_way():
    made = act("spinning")[1]
    assert np.abs(made.turn).max() >= 2 * np.pi - 1e-6
    assert np.abs(made.speed[INSIDE]).max() < 0.2


def test_stop_and_go_stops_more_than_once():
    speed = act("stop_and_go")[1].speed
    slow = speed < 0.3 * speed[BEFORE].mean()
    assert np.count_nonzero(np.diff(slow.astype(int)) == 1) >= 2


def test_fighters_face_each_other_and_strike():
    _, made, joints = act("fight")
    assert np.abs(made.speed[INSIDE]).max() < 0.3
    wrist = joints[INSIDE, COCO_17.index("left_wrist")]
    assert np.linalg.norm(np.diff(wrist, axis=0), axis=1).max() * FRAME_RATE > 1.5


def test_stiff_arms_are_straight_and_still():
    _, _, joints = act("stiff_arms")
    for side in ("left", "right"):
        upper, fore = (
            joints[INSIDE, COCO_17.index(f"{side}_{b}")] - joints[INSIDE, COCO_17.index(f"{side}_{a}")]
            for a, b in (("shoulder", "elbow"), ("elbow", "wrist"))
        )
        cosine = (upper * fore).sum(axis=1) / np.linalg.norm(upper, axis=1) / np.linalg.norm(fore, axis=1)
        assert cosine.min() > 0.98


def test_a_limp_is_uneven():
    _, made, _ = act("limp")
    assert made.changes.limp[INSIDE].min() > 0.5
    assert made.changes.limp[BEFORE].max() == 0.0


@pytest.mark.parametrize("seed", range(12))
def test_normal_people_stay_normal(seed):
    rng = np.random.default_rng(seed)
    person = Person.draw(rng)
    made = conduct.anything(TIME, 6.0, rng)
    joints = person.joints(made, STRAIGHT, (6.0, 8.0), rng)
    assert made.speed.max() < 2.3
    assert np.abs(np.gradient(made.turn)).max() * FRAME_RATE < 4.5
    assert height(joints).min() > 0.8 * person.body.stature
    for change in (made.changes.run, made.changes.limp, made.changes.stiff, made.changes.glide):
        assert not change.any()


def test_curves():
    assert window(TIME, 3.0, 6.0, 0.5)[np.searchsorted(TIME, [3.0, 4.5, 6.0, 9.0])] == pytest.approx([0.5, 1.0, 0.5, 0.0])
    np.testing.assert_allclose(settle(np.full(50, 1.3), 0.7), 1.3)
    assert len(settle(TIME, 1.0)) == len(TIME)
    noise = drift(np.random.default_rng(0), 4000, 3, 0.3)
    assert noise.std() == pytest.approx(1.0, abs=0.1)
    assert np.abs(np.diff(noise, axis=0)).max() < 0.6
