"""How long each stage takes on generated data: ``make bench``. Figures to look at and compare; nothing is asserted of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fixtures import write_pose_folder

from vadbench.api import WindowRule, WindowScores
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.evaluation.report import evaluate
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig
from vadbench_datasets.synthetic.campus import SyntheticCampus, SyntheticCampusConfig
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow


@pytest.fixture(scope="module")
def campus():
    return SyntheticCampus(SyntheticCampusConfig(), None)


@pytest.fixture(scope="module")
def tracks(campus):
    return convert_layout(campus.tracks("test"), "coco-18")


@pytest.fixture(scope="module")
def windows(tracks):
    return cut_windows(tracks, WindowRule(24), STG_NF)


def test_generate_synthetic_campus(benchmark):
    benchmark(lambda: SyntheticCampus(SyntheticCampusConfig(), None).tracks("test"))


def test_read_pose_folder(benchmark, tmp_path):
    root = write_pose_folder(tmp_path, n_frames=1000, n_persons=10)
    tracks = benchmark(PoseFolder(PoseFolderConfig(root=root), None).tracks, "train")
    benchmark.extra_info["poses"] = len(tracks)


def test_cut_windows(benchmark, tracks):
    found = benchmark(cut_windows, tracks, WindowRule(24), STG_NF)
    benchmark.extra_info["windows"] = len(found)


def test_gather_and_normalise_batch(benchmark, windows):
    index = np.random.default_rng(0).permutation(len(windows))[:256]
    benchmark(windows.batch, index)


def test_link_windows(benchmark, windows):
    benchmark(windows.linked)


def test_score_flow(benchmark, windows):
    flow = STGCNCouplingFlow(STGCNCouplingConfig(), windows.shape, None).eval()
    x = torch.from_numpy(windows.batch(slice(0, 2048)).x)
    with torch.inference_mode():
        benchmark(flow.log_prob, x, None)
    benchmark.extra_info["windows"] = len(x)


def test_windows_to_auroc(benchmark, campus, tracks, windows):
    names = np.array([clip.name for clip in tracks.clips])
    score = np.random.default_rng(0).normal(size=len(windows))
    scores = WindowScores(names[windows.clip], windows.person.astype(int), windows.start.astype(int), score, 24)
    scenes = {clip.name: clip.scene for clip in tracks.clips}
    benchmark(evaluate, scores, campus.labels("test"), scenes, STANDARD_V1.on("synthetic-campus"))
