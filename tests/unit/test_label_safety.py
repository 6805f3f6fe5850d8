"""Labels stay away from plug-ins: nothing they are given leads to labels, and no score depends on them."""

from __future__ import annotations

import logging
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from everything_reachable import everything_reachable
from fixtures import TEST_CLIPS, TRAIN_CLIPS, write_mask, write_pose_folder
from modules_on_disk import entry_point
from tiny_methods import TINY_KNN, TINY_MSGFLOW, plugins_with_recorded

from vadbench.api import Clip, Context, Dataset, FrameLabels, Tracks, Windows
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import run_job
from vadbench.store.folders import file_digest


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=40)


def forbidden(roots: tuple[object, ...], data: Path) -> list[str]:
    """What can be reached and must not be: labels, data sets, names of clips, paths of the data."""
    found = []
    for thing in everything_reachable(*roots):
        if isinstance(thing, FrameLabels | Dataset):
            found.append(type(thing).__name__)
        elif isinstance(thing, str | Path):
            text = str(thing)
            found += [text] if str(data) in text or any(name in text for name in (*TRAIN_CLIPS, *TEST_CLIPS)) else []
    return found


@pytest.fixture
def watched(data, tmp_path, monkeypatch):
    """Runs the detector of `leaking_plugin` and walks all that it is given, when it is made, fitted, and asked to score."""
    import leaking_plugin

    found: dict[str, list[str]] = {}
    walked: dict[str, set[type]] = {}
    plugins = load_plugins([*metadata.entry_points(group="vadbench"), entry_point("leaking_plugin")])

    def watch(name: str) -> None:
        original = getattr(leaking_plugin.Leaking, name)

        def call(self, *given):
            found[name] = forbidden((self, *given), data)
            walked[name] = {type(thing) for thing in everything_reachable(*given)}
            return original(self, *given)

        monkeypatch.setattr(leaking_plugin.Leaking, name, call)

    for name in ("__init__", "fit", "score"):
        watch(name)

    def run(*changes: str, force: bool = False):
        (job,) = make_plan("leaking", plugins, datasets=[str(data)], changes=["windows.length=8", *changes]).jobs
        run_job(job, plugins, out=tmp_path / "runs", force=force)
        return found, walked

    return run


class TestReach:
    def test_nothing_a_plugin_is_given_leads_to_labels_names_of_clips_or_data(self, watched):
        found, walked = watched()
        assert found == {"__init__": [], "fit": [], "score": []}
        for step in ("fit", "score"):
            assert {Windows, Tracks, Clip, Context, logging.Logger, np.ndarray} <= walked[step], "the walk saw little"

    def test_nor_in_a_run_that_is_made_again_from_cached_poses_after_labels_were_read(self, watched):
        watched('windows.normalisation="robust"', 'windows.augment=["flip"]')
        found, _ = watched('windows.normalisation="robust"', 'windows.augment=["flip"]', force=True)
        assert found == {"__init__": [], "fit": [], "score": []}

    @pytest.mark.parametrize("hide", ["attribute", "closure", "method", "logger", "array", "choices"])
    def test_the_walk_finds_labels_wherever_they_are_hidden(self, data, hide):
        labels = FrameLabels(("c",), (np.zeros(1, bool),), (np.ones(1, bool),))
        context = Context(logger=logging.Logger("own"))

        class Holder:
            held = None

            def method(self) -> None: ...

        holder = Holder()
        holder.held = labels
        match hide:
            case "attribute":
                given = holder
            case "closure":
                given = lambda: labels  # noqa: E731 - a closure is what is tested
            case "method":
                given = holder.method
            case "logger":
                context.logger.addFilter(holder.method)
                given = context
            case "array":
                given = np.array([holder, None], dtype=object)[:1]
            case "choices":
                context.child("part").choices.append(labels)
                given = context
        assert forbidden((given,), data) == ["FrameLabels"]

    def test_the_walk_finds_data_sets_paths_and_names(self, data):
        (job,) = make_plan("knn", load_plugins(), datasets=[str(data)], changes=TINY_KNN).jobs
        told = forbidden((job.dataset,), data)
        assert "PoseFolder" in told
        assert any(str(data) in text for text in told)
        assert forbidden((job.dataset.tracks("test"),), data)


class TestLabels:
    def test_are_read_after_the_scores_are_final(self, tmp_path, monkeypatch):
        from recorded_plugin import CALLS

        from vadbench.engine import run as engine_run

        plugins = plugins_with_recorded()
        (job,) = make_plan("recorded", plugins, datasets=["recorded"]).jobs
        made = engine_run.score_windows

        def scored(*given):
            scores = made(*given)
            CALLS.append("scores are final")
            return scores

        monkeypatch.setattr(engine_run, "score_windows", scored)
        CALLS.clear()
        run_job(job, plugins, out=tmp_path)
        assert CALLS.index("scores are final") < CALLS.index("labels test")
        assert CALLS.count("labels test") == 1

    @pytest.mark.parametrize(("method", "tiny"), [("knn", TINY_KNN), ("msgflow", TINY_MSGFLOW)])
    def test_permuting_them_changes_no_byte_of_the_scores(self, tmp_path, method, tiny):
        plugins, runs = load_plugins(), []
        rng = np.random.default_rng(3)
        for place in ("as they are", "permuted"):
            folder = write_pose_folder(tmp_path / place / "campus", n_frames=40)
            if place == "permuted":
                for name in TEST_CLIPS:
                    write_mask(folder, name, rng.permutation(np.arange(40) < 13).astype(np.uint8))
            (job,) = make_plan(method, plugins, datasets=[str(folder)], changes=tiny).jobs
            runs.append(run_job(job, plugins, out=tmp_path / "runs" / place).run)
        one, other = runs
        for name in ("scores.npz", "weights.safetensors"):
            assert file_digest(one.path / name) == file_digest(other.path / name), name
        assert one.record.id == other.record.id
        assert one.record.dataset.labels != other.record.dataset.labels
        assert one.record.metrics != other.record.metrics
