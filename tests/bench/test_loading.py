"""Reading poses at ShanghaiTech's size: ``make bench``. `loading.py` prints the same with peak memory and beside a plain loop."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from loading import measured
from shanghaitech_scale import make

from vadbench.api import WindowRule
from vadbench.data.cache.track_cache import TrackCache
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import NORMALISATIONS, fit_normaliser
from vadbench.data.windowing import cut_windows
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig


@pytest.fixture(scope="module")
def folder():
    return make(Path(tempfile.gettempdir()) / "vadbench-shanghaitech-scale")


@pytest.fixture(scope="module")
def dataset(folder):
    return PoseFolder(PoseFolderConfig(root=folder), None)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return TrackCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def tracks(dataset, cache):
    return convert_layout(cache.tracks(dataset, "test", reading="bench")[0], "coco-18")


@pytest.fixture(scope="module")
def windows(tracks):
    return cut_windows(tracks, WindowRule(24), fit_normaliser("stg-nf", tracks))


def test_parse(benchmark, dataset):
    found = benchmark.pedantic(dataset.tracks, ("test",), rounds=3)
    benchmark.extra_info["poses"] = len(found)


def test_parse_and_fill_the_cache(benchmark, dataset, cache):
    empty = TrackCache(cache.folder / "empty")
    benchmark.pedantic(
        empty.tracks,
        (dataset, "test"),
        {"reading": "bench"},
        setup=lambda: shutil.rmtree(empty.folder, ignore_errors=True),
        rounds=3,
    )


def test_open_the_cache(benchmark, dataset, cache, tracks):
    benchmark(cache.tracks, dataset, "test", reading="bench")


def test_convert_layout(benchmark, dataset, cache):
    found, _ = cache.tracks(dataset, "test", reading="bench")
    benchmark(convert_layout, found, "coco-18")


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_one_pass_over_all_windows(benchmark, tracks, name):
    windows = cut_windows(tracks, WindowRule(24), fit_normaliser(name, tracks))

    def every():
        for begin in range(0, len(windows), 1024):
            windows.batch(slice(begin, begin + 1024))

    benchmark.pedantic(every, rounds=3, warmup_rounds=1)
    benchmark.extra_info["windows"] = len(windows)
    benchmark.extra_info["windows_per_s"] = len(windows) / benchmark.stats.stats.median


def test_random_batches(benchmark, windows):
    order = np.random.default_rng(0).permutation(len(windows))

    def every():
        for begin in range(0, len(windows), 256):
            windows.batch(order[begin : begin + 256])

    benchmark.pedantic(every, rounds=3, warmup_rounds=1)
    benchmark.extra_info["windows_per_s"] = len(windows) / benchmark.stats.stats.median


@pytest.mark.parametrize("stage", ["cold", "warm"])
def test_process_from_files_to_the_last_window(benchmark, folder, tmp_path, stage):
    """A process of its own, imports included; its peak memory is in the extra figures."""
    if stage == "warm":
        measured("cold", folder, tmp_path / "cache")
    told = benchmark.pedantic(measured, (stage, folder, tmp_path / "cache"), rounds=3)
    benchmark.extra_info["peak_mb"] = told["peak_mb"]
