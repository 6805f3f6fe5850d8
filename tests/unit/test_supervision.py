"""The supervised track: who is given labelled windows, what a flow makes of them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module, metadata
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fixtures import write_mask, write_pose_folder
from made_parts import SignTokenizer, SumFlow, SumScorer, WeightedPrior
from made_tracks import made_tracks, made_windows
from modules_on_disk import entry_point, write_module

from vadbench.api import COCO_17, ConfigError, Context, DataError, FrameLabels, Silent, WindowRule
from vadbench.engine.composing.composition import Composition, Parts
from vadbench.engine.composing.part_store import PartStore
from vadbench.engine.config import CompositionConfig, WindowsConfig
from vadbench.engine.inputs import read_inputs
from vadbench.engine.job_inputs import inputs_of_job
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.provenance import run_identity, training_identity
from vadbench.engine.run import run_job
from vadbench.engine.supervision import check_supervision, is_supervised, learns_from_labels
from vadbench.engine.training.trainer import seeded, train
from vadbench.store.folders import file_digest
from vadbench_datasets.hr_ubnormal import HRUBnormal
from vadbench_datasets.synthetic.campus import SyntheticCampus, SyntheticCampusConfig
from vadbench_datasets.ubnormal import UBnormal, UBnormalConfig
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow

CAMPUS = ("dataset.train_clips=2", "dataset.test_clips=2", "dataset.frames_min=96", "dataset.frames_max=120")
ABNORMAL = (*CAMPUS, "dataset.abnormal_train_clips=4")
TINY = ("windows.length=8", "windows.train_stride=4", "flow.steps=2", "flow.epochs=1", "flow.base_mean=3.0")


@pytest.fixture(scope="module")
def plugins():
    return load_plugins()


def job_of(plugins, method: str, *changes: str, dataset: str = "synthetic-campus"):
    (job,) = make_plan(method, plugins, datasets=[dataset], changes=changes).jobs
    return job


def labelled(seed: int = 0):
    """Windows, a third of which are labelled abnormal, without regard to what they show."""
    windows = made_windows({1: range(60), 2: range(40)}, {3: range(30)}, rule=WindowRule(8, 3), views=("flip",))
    return replace(windows, abnormal=np.random.default_rng(seed).random(len(windows)) < 1 / 3)


class TestWindows:
    def test_selecting_takes_the_labels_along(self):
        windows = labelled()
        for index in (np.array([3, 0, 3]), np.arange(len(windows)) % 2 == 0, np.zeros(0, np.int64)):
            picked = windows.select(index)
            assert np.array_equal(picked.abnormal, windows.abnormal[index])
            assert np.array_equal(picked.first, windows.first[index])

    def test_normal_ones_are_those_that_are_not_abnormal(self):
        windows = labelled()
        normal = windows.normal()
        assert 0 < len(normal) < len(windows)
        assert not normal.abnormal.any()
        at = np.flatnonzero(~windows.abnormal)
        assert np.array_equal(normal.batch(slice(None)).x, windows.batch(at).x)

    def test_without_labels_all_are(self):
        windows = made_windows({1: range(30)})
        assert windows.abnormal is None
        assert windows.normal() is windows
        assert windows.select(np.array([1])).abnormal is None

    def test_what_a_track_did_before_is_not_labelled(self):
        """Linked windows are more than those that are labelled, and no one is to take their labels for those of others."""
        windows = labelled()
        linked, previous = windows.linked()
        assert len(linked) > len(windows)
        assert linked.abnormal is None
        plain, before = replace(windows, abnormal=None).linked()
        assert np.array_equal(linked.first, plain.first)
        assert np.array_equal(previous, before)


class TestReading:
    """Of the training windows and their labels."""

    @pytest.fixture
    def dataset(self):
        abnormal = [np.zeros(40, bool), np.zeros(40, bool)]
        abnormal[0][10:20], abnormal[1][37:] = True, True
        return FakeDataset(abnormal)

    def read(self, dataset, *, supervised: bool = True, **config: object):
        settings = {"length": 8, "train_stride": 1, "layout": "coco-18", **config}
        return read_inputs(dataset, WindowsConfig(**settings), Silent(), supervised=supervised)

    def test_a_window_has_the_label_of_the_frame_in_its_middle(self, dataset):
        windows = self.read(dataset).train
        frame = windows.start + 4
        expected = np.where(windows.clip == 0, (frame >= 10) & (frame < 20), frame >= 37)
        assert np.array_equal(windows.abnormal, expected)
        assert 0 < expected.sum() < len(expected)

    def test_views_of_a_window_have_its_label(self, dataset):
        windows = self.read(dataset, augment=("flip",)).train
        plain, flipped = windows.select(windows.view == 0), windows.select(windows.view == 1)
        assert np.array_equal(plain.first, flipped.first)
        assert np.array_equal(plain.abnormal, flipped.abnormal)

    def test_no_other_windows_are_labelled(self, dataset):
        inputs = self.read(dataset)
        assert inputs.test.abnormal is None
        assert dataset.asked == ["train"]

    def test_unasked_none_are_read(self, dataset):
        inputs = self.read(dataset, supervised=False)
        assert inputs.train.abnormal is None
        assert set(inputs.poses) == {"train", "test"}
        assert dataset.asked == []

    def test_their_fingerprint_stands_with_those_of_the_poses(self, dataset):
        first = self.read(dataset).poses
        dataset.abnormal[0][25] = True
        other = self.read(dataset).poses
        assert set(first) == {"train", "test", "train labels"}
        assert first["train labels"] != other["train labels"]
        assert (first["train"], first["test"]) == (other["train"], other["test"])

    def test_not_one_abnormal_window(self):
        dataset = FakeDataset([np.zeros(40, bool), np.zeros(40, bool)])
        with pytest.raises(DataError, match="no training window is labelled abnormal") as caught:
            self.read(dataset)
        assert "one-class" in caught.value.remedy

    def test_labels_of_other_clips(self):
        with pytest.raises(DataError, match="40 frames and its ground truth 39"):
            self.read(FakeDataset([np.ones(40, bool), np.ones(39, bool)]))


class FakeDataset:
    """Two training clips with labels, which writes down what labels it is asked for."""

    def __init__(self, abnormal: list[np.ndarray]) -> None:
        self.abnormal, self.asked = abnormal, list[str]()
        self.info = SimpleNamespace(name="fake", title="Fake", source="nowhere", supervised=True)

    def tracks(self, split):
        gap = [*range(15), *range(16, 40)]
        return made_tracks({1: range(40), 2: gap}, {1: range(40)}, layout=COCO_17, seed=len(split))

    def labels(self, split):
        self.asked.append(split)
        return FrameLabels(("c0", "c1"), tuple(self.abnormal), tuple(np.ones(len(part), bool) for part in self.abnormal))


class Seen(SumFlow):
    """Remembers the windows that it was fitted on."""

    windows = None

    def fit(self, windows, condition, context) -> None:
        super().fit(windows, condition, context)
        self.windows = windows


class Learner(Seen):
    learns_from_labels = True


class SeenTokenizer(SignTokenizer):
    def fit(self, windows, context) -> None:
        super().fit(windows, context)
        self.windows = windows


class SeenScorer(SumScorer):
    def fit(self, terms) -> None:
        self.terms = terms


class TestComposition:
    def fitted(self, flow, windows, condition: str = "own"):
        parts = Parts(scorer=SeenScorer(), tokenizer=SeenTokenizer(), prior=WeightedPrior(), flow=flow)
        config = CompositionConfig(terms=("semantic", "detail", "reconstruction"), history=1, condition=condition)
        Composition(parts, config).fit(windows, Context())
        return parts

    def test_only_a_part_that_learns_from_labels_is_given_abnormal_windows(self):
        windows = labelled()
        learner, other = self.fitted(Learner(), windows), self.fitted(Seen(), windows)
        assert np.array_equal(learner.flow.windows.abnormal, windows.abnormal)
        assert len(learner.flow.condition) == len(windows)
        assert not other.flow.windows.abnormal.any()
        assert len(other.flow.condition) == len(other.flow.windows) == len(windows.normal())
        for parts in (learner, other):
            assert not parts.tokenizer.windows.abnormal.any()
            assert len(parts.scorer.terms["detail"]) == int((~windows.abnormal & (windows.view == 0)).sum())

    def test_conditions_are_those_of_the_windows_they_are_given_with(self):
        windows = labelled()
        parts = self.fitted(Learner(), windows)
        vectors = parts.tokenizer.encode(torch.from_numpy(windows.batch(slice(None)).x)).vectors
        assert torch.equal(parts.flow.condition, vectors)

    def test_the_prior_learns_the_sequences_of_normal_windows(self):
        windows = labelled()
        with_labels, normal = self.fitted(Learner(), windows), self.fitted(Learner(), replace(windows.normal(), abnormal=None))
        assert [part.tolist() for part in with_labels.prior.sequences] == [part.tolist() for part in normal.prior.sequences]

    def test_all_others_learn_as_if_there_were_no_abnormal_windows(self):
        windows = labelled()
        one, other = self.fitted(Seen(), windows), self.fitted(Seen(), replace(windows.normal(), abnormal=None))
        assert torch.equal(one.flow.condition, other.flow.condition)
        for term, values in one.scorer.terms.items():
            assert np.array_equal(values, other.scorer.terms[term])

    def test_says_who_learns(self):
        assert learns_from_labels(Learner)
        assert learns_from_labels(Learner())
        assert learns_from_labels(STGCNCouplingFlow)
        assert not any(map(learns_from_labels, (Seen, SignTokenizer, None, SimpleNamespace(learns_from_labels=False))))


@pytest.fixture(scope="module")
def windows():
    """Windows of two people: one who sways slowly is normal, one who jitters is not."""
    windows = made_windows({1: range(200), 2: range(200)}, rule=WindowRule(8, 2))
    tracks = windows.tracks
    rng = np.random.default_rng(0)
    keypoints = tracks.keypoints.copy()
    body = keypoints[0, :, :2]
    time = tracks.frame[:, None, None] / 8
    keypoints[..., :2] = body + 10 * np.sin(time + np.arange(18)[:, None])
    jitter = (tracks.person == 2)[:, None, None] * rng.normal(0, 60, keypoints[..., :2].shape)
    keypoints[..., :2] += jitter
    made = replace(windows, tracks=replace(tracks, keypoints=keypoints.astype(np.float32)))
    return replace(made, abnormal=made.person == 2)


class TestFlow:
    CONTEXT = Context(trainer=train)

    def fitted(self, windows, condition=None, **settings):
        with seeded(0):
            flow = STGCNCouplingFlow(
                STGCNCouplingConfig(**{"steps": 4, "epochs": 6, "batch_size": 32, "learning_rate": 5e-3, **settings}),
                windows.shape,
                None,
            )
            flow.fit(windows, condition, self.CONTEXT)
        return flow.eval()

    @torch.no_grad()
    def log_prob(self, flow, windows):
        return flow.log_prob(torch.from_numpy(windows.batch(slice(None)).x), None).numpy()

    def test_abnormal_windows_are_pushed_to_the_other_side(self, windows):
        flow = self.fitted(windows)
        found = self.log_prob(flow, windows)
        normal, abnormal = found[~windows.abnormal], found[windows.abnormal]
        assert normal.mean() > abnormal.mean()
        assert (normal[:, None] > abnormal).mean() > 0.9
        with torch.no_grad():
            z = flow.forward(torch.from_numpy(windows.batch(slice(None)).x), None)[0].mean(dim=(1, 2, 3)).numpy()
        # The means of the latents draw apart, as those who learn without labels do not.
        blind = self.fitted(replace(windows, abnormal=None))
        with torch.no_grad():
            other = blind.forward(torch.from_numpy(windows.batch(slice(None)).x), None)[0].mean(dim=(1, 2, 3)).numpy()
        apart, unasked = (found[~windows.abnormal].mean() - found[windows.abnormal].mean() for found in (z, other))
        assert apart > 0.05
        assert apart > abs(unasked)

    def test_swapped_labels_swap_the_sides(self, windows):
        apart = []
        for labels in (windows.abnormal, ~windows.abnormal):
            found = self.log_prob(self.fitted(replace(windows, abnormal=labels)), windows)
            apart.append(found[~windows.abnormal].mean() - found[windows.abnormal].mean())
        assert apart[0] > apart[1]

    def test_without_abnormal_windows_the_training_is_the_same(self, windows):
        normal = windows.normal()
        told, untold = self.fitted(normal, epochs=2), self.fitted(replace(normal, abnormal=None), epochs=2)
        for name, value in told.state_dict().items():
            assert torch.equal(value, untold.state_dict()[name]), name

    def test_the_loss_is_the_likelihood_about_the_opposite_mean(self, windows):
        """That which the trainer minimises, by hand for one batch of both kinds."""
        losses, recorded = [], []

        def record(module, loss, **given):
            index = torch.arange(0, len(windows), 7)
            prepared = given["prepare"](index)
            with torch.no_grad():
                losses.append(float(loss(prepared)))
                x = torch.from_numpy(windows.batch(index.numpy()).x)
                z, log_det = module.forward(x, None)
            mean = torch.where(torch.from_numpy(windows.abnormal[index.numpy()]), -3.0, 3.0)[:, None, None, None]
            log_prob = torch.distributions.Normal(mean, 1.0).log_prob(z).sum(dim=(1, 2, 3)) + log_det
            recorded.append(float(-log_prob.mean() / (np.log(2) * x[0].numel())))

        flow = STGCNCouplingFlow(STGCNCouplingConfig(steps=2), windows.shape, None)
        flow.fit(windows, None, TrainedBy(record))
        assert losses == pytest.approx(recorded, rel=1e-5)

    def test_a_full_covariance_is_that_of_normal_windows(self, windows):
        flow = self.fitted(windows, covariance="full", epochs=1)
        normal = windows.normal()
        with torch.no_grad():
            z = flow.forward(torch.from_numpy(normal.batch(slice(None)).x), None)[0].flatten(1).double()
        torch.testing.assert_close(flow.base.gaussian_mean, z.mean(dim=0).float(), rtol=1e-4, atol=1e-4)
        found = self.log_prob(flow, windows)
        assert found[~windows.abnormal].mean() > found[windows.abnormal].mean()


class TrainedBy:
    """A context whose ``train`` is given."""

    device, name = "cpu", "flow"

    def __init__(self, record) -> None:
        self.record = record

    def tensor(self, array):
        return torch.from_numpy(array)

    def generator(self):
        return torch.Generator().manual_seed(0)

    def train(self, module, loss, **given) -> None:
        self.record(module, loss, **given)


class TestRefusals:
    def test_a_one_class_method_on_abnormal_clips(self, plugins):
        job = job_of(plugins, "stg-nf", *ABNORMAL)
        with pytest.raises(ConfigError, match="would learn that they are normal") as caught:
            check_supervision(job)
        assert caught.value.where == "track one-class"
        assert caught.value.remedy

    def test_a_supervised_method_on_normal_clips(self, plugins):
        job = job_of(plugins, "stg-nf-supervised", *CAMPUS)
        with pytest.raises(ConfigError, match="holds normal clips alone") as caught:
            check_supervision(job)
        assert "vadbench data info synthetic-campus shows its settings" in caught.value.remedy

    def test_no_component_that_learns(self, plugins, tmp_path):
        file = tmp_path / "blind.toml"
        file.write_text('track = "supervised"\n[detector]\nname = "knn"\n')
        with pytest.raises(ConfigError, match="no component of blind learns from labels: detector knn") as caught:
            check_supervision(job_of(plugins, str(file), *ABNORMAL))
        assert "learns_from_labels" in caught.value.remedy

    def test_nothing_is_read_before(self, plugins, tmp_path, monkeypatch):
        monkeypatch.setattr(SyntheticCampus, "tracks", lambda *_: pytest.fail("poses were read"))
        monkeypatch.setattr(SyntheticCampus, "labels", lambda *_: pytest.fail("labels were read"))
        for job in (job_of(plugins, "stg-nf", *ABNORMAL), job_of(plugins, "stg-nf-supervised", *CAMPUS)):
            with pytest.raises(ConfigError):
                inputs_of_job(job, Silent())
            with pytest.raises(ConfigError):
                run_job(job, plugins, out=tmp_path / "runs")
        assert not (tmp_path / "runs").exists()

    def test_what_goes_together(self, plugins):
        together = (("stg-nf", CAMPUS, False), ("stg-nf-supervised", ABNORMAL, True), ("knn", CAMPUS, False))
        for method, changes, supervised in together:
            job = job_of(plugins, method, *changes)
            check_supervision(job)
            assert is_supervised(job) == supervised

    @pytest.mark.parametrize("dataset", ["ubnormal", "hr-ubnormal"])
    def test_ubnormal(self, plugins, dataset):
        check_supervision(job_of(plugins, "stg-nf-supervised", "dataset.supervised=true", dataset=dataset))
        check_supervision(job_of(plugins, "stg-nf", dataset=dataset))
        for method, changes in (("stg-nf", ["dataset.supervised=true"]), ("stg-nf-supervised", [])):
            with pytest.raises(ConfigError):
                check_supervision(job_of(plugins, method, *changes, dataset=dataset))


class TestJob:
    def test_windows_are_labelled_for_the_supervised_track_alone(self, plugins):
        inputs = inputs_of_job(job_of(plugins, "stg-nf-supervised", *ABNORMAL, *TINY), Silent())
        assert 0 < inputs.train.abnormal.sum() < len(inputs.train)
        assert "train labels" in inputs.poses
        assert inputs.test.abnormal is None
        inputs = inputs_of_job(job_of(plugins, "stg-nf", *CAMPUS, *TINY), Silent())
        assert inputs.train.abnormal is None
        assert "train labels" not in inputs.poses

    def test_identities_change_with_the_training_labels(self, plugins, tmp_path):
        job = job_of(plugins, "stg-nf-supervised", *ABNORMAL, *TINY)
        asked = {"device": "cpu", "threads": 1}
        poses = {"train": "a", "test": "b"}
        labels = [{**poses, "train labels": text} for text in ("c", "d")]
        assert run_identity(job, plugins, poses=labels[0], **asked) != run_identity(job, plugins, poses=labels[1], **asked)
        first, second, unlabelled = (training_identity(job, plugins, poses=read, **asked) for read in (*labels, poses))
        assert first != second
        assert "train labels" not in unlabelled
        keys = {PartStore(tmp_path, identity).key("flow", {"name": "x"}, {}) for identity in (first, second, unlabelled)}
        assert len(keys) == 3

    def test_a_supervised_run(self, plugins, tmp_path):
        job = job_of(plugins, "stg-nf-supervised", *ABNORMAL, *TINY)
        record = run_job(job, plugins, out=tmp_path).run.record
        assert record.method.track == "supervised"
        assert set(record.dataset.poses) == {"train", "test", "train labels"}
        assert run_job(job_of(plugins, "stg-nf-supervised", *ABNORMAL, *TINY), plugins, out=tmp_path).reused

    def test_a_detector_that_says_that_it_learns_is_given_the_labels(self, tmp_path, monkeypatch):
        source = """
            from leaking_plugin import Leaking

            from vadbench.api import hookimpl

            class Learning(Leaking):
                learns_from_labels = True
                seen = []

                def fit(self, windows, context):
                    Learning.seen.append(windows.abnormal)
                    super().fit(windows, context)

            @hookimpl
            def vadbench_register(registry):
                registry.detector("learning", f"{__name__}:Learning", config="leaking_plugin:LeakingConfig")
        """
        name = write_module(tmp_path, monkeypatch, source)
        plugins = load_plugins([*metadata.entry_points(group="vadbench"), entry_point(name)])
        file = tmp_path / "learning.toml"
        file.write_text('track = "supervised"\n[windows]\nlength = 8\n[detector]\nname = "learning"\n')
        run_job(job_of(plugins, str(file), *ABNORMAL), plugins, out=tmp_path / "runs")
        (abnormal,) = import_module(name).Learning.seen
        assert abnormal.any()


class TestLabelSafety:
    def test_permuting_test_labels_changes_no_byte_of_a_supervised_run(self, plugins, tmp_path, monkeypatch):
        """The labels of the test split, and those alone: those of the training split change what is learned."""
        runs = {}
        made = SyntheticCampus.labels
        for place in ("as they are", "test", "train"):

            def labels(self, split, place=place):
                found = made(self, split)
                if split != place:
                    return found
                rng = np.random.default_rng(5)
                return replace(found, abnormal=tuple(rng.permutation(part) for part in found.abnormal))

            monkeypatch.setattr(SyntheticCampus, "labels", labels)
            job = job_of(plugins, "stg-nf-supervised", *ABNORMAL, *TINY)
            runs[place] = run_job(job, plugins, out=tmp_path / place).run
        plain, test, trained = runs.values()
        for name in ("scores.npz", "weights.safetensors"):
            assert file_digest(plain.path / name) == file_digest(test.path / name), name
            assert file_digest(plain.path / name) != file_digest(trained.path / name), name
        assert plain.record.id == test.record.id != trained.record.id
        assert plain.record.dataset.labels != test.record.dataset.labels
        assert plain.record.metrics != test.record.metrics

    def test_labels_of_the_training_split_are_never_read_by_others(self, plugins, tmp_path, monkeypatch):
        asked = []
        made = SyntheticCampus.labels
        monkeypatch.setattr(SyntheticCampus, "labels", lambda self, split: asked.append(split) or made(self, split))
        run_job(job_of(plugins, "stg-nf", *CAMPUS, *TINY), plugins, out=tmp_path)
        assert asked == ["test"]

    def test_pose_folders_have_no_training_labels(self, plugins, tmp_path):
        folder = write_pose_folder(tmp_path / "campus", n_frames=40)
        write_mask(folder, "01_001", np.ones(40, np.uint8))
        with pytest.raises(ConfigError, match="holds normal clips alone"):
            run_job(job_of(plugins, "stg-nf-supervised", *TINY, dataset=str(folder)), plugins, out=tmp_path / "runs")


class TestCampus:
    def made(self, **settings) -> SyntheticCampus:
        small = {"train_clips": 5, "validation_clips": 3, "test_clips": 4, "frames_min": 96, "frames_max": 130}
        return SyntheticCampus(SyntheticCampusConfig(**small, **settings), None)

    def test_normal_clips_and_other_splits_stay_as_they_are(self):
        plain, more = self.made(), self.made(abnormal_train_clips=7)
        for split in ("validation", "test"):
            assert plain.tracks(split).fingerprint() == more.tracks(split).fingerprint()
            assert plain.labels(split).fingerprint() == more.labels(split).fingerprint()
        before, after = plain.tracks("train"), more.tracks("train")
        names = [clip.name for clip in after.clips]
        assert names == sorted(set(names))
        assert len(names) == 12
        for number, clip in enumerate(before.clips):
            at = after.clips.index(clip)
            mine, theirs = before.clip == number, after.clip == at
            for part in ("keypoints", "person", "frame", "score"):
                np.testing.assert_array_equal(getattr(before, part)[mine], getattr(after, part)[theirs])

    def test_added_clips_are_abnormal_and_the_others_are_not(self):
        plain, more = self.made(), self.made(abnormal_train_clips=7)
        normal, labels = {clip.name for clip in plain.tracks("train").clips}, more.labels("train")
        assert labels.clips == tuple(clip.name for clip in more.tracks("train").clips)
        abnormal = {name: bool(part.any()) for name, part in zip(labels.clips, labels.abnormal, strict=True)}
        assert not any(abnormal[name] for name in normal)
        # Somebody who acts out of view gives a clip without an abnormal frame.
        assert sum(abnormal.values()) >= 5
        assert all(0 < part.sum() < len(part) for part in labels.abnormal if part.any())
        assert {event.clip for event in more.events("train")} == {name for name, found in abnormal.items() if found}

    def test_they_are_none_of_the_test_split(self):
        more = self.made(abnormal_train_clips=7)
        trained = {part.tobytes() for part in more.labels("train").abnormal if part.any()}
        assert trained.isdisjoint(part.tobytes() for part in more.labels("test").abnormal)

    def test_more_of_them_change_none_that_are_there(self):
        few, many = self.made(abnormal_train_clips=2).tracks("train"), self.made(abnormal_train_clips=6).tracks("train")
        assert set(few.clips) < set(many.clips)

    def test_says_that_it_is_for_the_supervised_track(self):
        assert not self.made().info.supervised
        assert self.made(abnormal_train_clips=1).info.supervised


@pytest.mark.parametrize("kind", [UBnormal, HRUBnormal])
def test_ubnormal_says_that_it_is_for_the_supervised_track(kind):
    assert not kind(UBnormalConfig(), None).info.supervised
    info = kind(UBnormalConfig(supervised=True), None).info
    assert info.supervised
    assert info.name == kind.about.name
    assert info.expected["train"].clips == 268
    assert info.expected["test"] == kind(UBnormalConfig(), None).info.expected["test"]
