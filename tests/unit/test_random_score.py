"""Random scores: uniform, a window's own, and the seed's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from made_tracks import made_windows
from posed_windows import reloaded, scores
from scipy.stats import kstest, spearmanr

from vadbench.api import Clip, Context, NoConfig, WindowRule
from vadbench_baselines.random_score import RandomScore

PEOPLE = {person: range(200) for person in range(8)}
WINDOWS = made_windows(PEOPLE, PEOPLE, {0: range(150)}, rule=WindowRule(8))


def detector(seed: int = 3) -> RandomScore:
    made = RandomScore(NoConfig(), WINDOWS.shape)
    made.fit(WINDOWS, Context(seed=seed))
    return made


def test_scores_are_uniform() -> None:
    found = scores(detector(), WINDOWS)
    assert len(found) > 3000
    assert kstest(found, "uniform").pvalue > 0.01
    assert len(np.unique(found)) == len(found)


def test_neighbours_people_and_clips_have_nothing_in_common() -> None:
    found = scores(detector(), WINDOWS)
    assert abs(spearmanr(found[:-1], found[1:]).statistic) < 0.05
    same = (WINDOWS.clip == 0).sum()
    assert abs(spearmanr(found[:same], found[same : 2 * same]).statistic) < 0.08


def test_another_seed_gives_other_scores_and_the_same_seed_the_same() -> None:
    first, same, other = (scores(detector(seed), WINDOWS) for seed in (3, 3, 4))
    assert np.array_equal(first, same)
    assert abs(spearmanr(first, other).statistic) < 0.05


def test_a_window_keeps_its_score_whatever_else_is_there_and_whatever_its_clip_is_called() -> None:
    everything = scores(detector(), WINDOWS)
    order = np.random.default_rng(0).permutation(len(WINDOWS))[:500]
    assert np.array_equal(scores(detector(), WINDOWS.select(order)), everything[order])
    # Alone in the data set, a clip has another place in it.
    last = WINDOWS.clip == 2
    rows = WINDOWS.tracks.clip == 2
    tracks = replace(
        WINDOWS.tracks,
        clips=WINDOWS.tracks.clips[2:],
        keypoints=WINDOWS.tracks.keypoints[rows],
        **{name: getattr(WINDOWS.tracks, name)[rows] for name in ("person", "frame", "score")},
        clip=np.zeros(rows.sum(), dtype=np.int32),
    )
    alone = replace(WINDOWS, tracks=tracks, first=WINDOWS.first[last] - np.flatnonzero(rows)[0], view=WINDOWS.view[last])
    assert np.array_equal(scores(detector(), alone), everything[last])
    renamed = replace(tracks, clips=(Clip("other", "s", 200, (856, 480)),))
    assert np.array_equal(scores(detector(), replace(alone, tracks=renamed)), everything[last])
    moved = replace(tracks, keypoints=tracks.keypoints + np.float32(1))
    assert not np.isin(scores(detector(), replace(alone, tracks=moved)), everything).any()


def test_views_of_a_window_have_scores_of_their_own() -> None:
    windows = made_windows({0: range(100)}, rule=WindowRule(8), views=["flip"])
    found = scores(detector(), windows)
    assert len(np.unique(found)) == len(windows)


def test_loaded_weights_score_alike() -> None:
    fresh = reloaded(detector(), RandomScore(NoConfig(), WINDOWS.shape))
    assert np.array_equal(scores(fresh, WINDOWS), scores(detector(), WINDOWS))
