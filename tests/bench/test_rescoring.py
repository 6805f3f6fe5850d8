"""How long scores of ShanghaiTech's size take under each protocol, every metric included: ``make bench``."""

from __future__ import annotations

import numpy as np
import pytest

from vadbench.api import FrameLabels, WindowScores
from vadbench.evaluation.published_protocols import PROTOCOLS
from vadbench.evaluation.report import evaluate

CLIPS, FRAMES, WINDOWS, LENGTH, SCENES = 107, 40_791, 140_000, 24, 12


@pytest.fixture(scope="module")
def labels() -> FrameLabels:
    rng = np.random.default_rng(0)
    cuts = np.sort(rng.choice(np.arange(1, FRAMES // 100), CLIPS - 1, replace=False)) * 100
    lengths = np.diff([0, *cuts, FRAMES])
    abnormal = []
    for n in lengths.tolist():
        line = np.zeros(n, dtype=bool)
        line[n // 3 : n // 3 + int(0.43 * n)] = True
        abnormal.append(line)
    names = tuple(f"{i % SCENES + 1:02d}_{i:04d}" for i in range(CLIPS))
    return FrameLabels(names, tuple(abnormal), tuple(np.ones(len(line), dtype=bool) for line in abnormal))


@pytest.fixture(scope="module")
def scores(labels) -> WindowScores:
    rng = np.random.default_rng(1)
    clip, person, start = [], [], []
    track = 0
    while len(clip) < WINDOWS:
        i = int(rng.choice(CLIPS, p=np.array([len(line) for line in labels.abnormal]) / FRAMES))
        rows = int(min(len(labels.abnormal[i]), rng.integers(LENGTH + 1, 400)))
        first = int(rng.integers(0, len(labels.abnormal[i]) - rows + 1))
        clip += [labels.clips[i]] * (rows - LENGTH)
        person += [track] * (rows - LENGTH)
        start += range(first, first + rows - LENGTH)
        track += 1
    columns = np.array(clip)[:WINDOWS], np.array(person)[:WINDOWS], np.array(start)[:WINDOWS]
    return WindowScores(*columns, rng.normal(size=WINDOWS), LENGTH)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_scores_to_every_metric(benchmark, scores, labels, name):
    scenes = {clip: clip[:2] for clip in labels.clips}
    pipeline = PROTOCOLS[name].on("shanghaitech")
    benchmark.pedantic(evaluate, args=(scores, labels, scenes, pipeline, 24.0), rounds=3, warmup_rounds=1)
    benchmark.extra_info["windows"] = len(scores)
