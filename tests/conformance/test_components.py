"""Every registered component, and every shipped method, put through the checks of its kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fixtures import SUFFIX, write_pose_folder
from published_files import write_chad, write_nwpu

from vadbench.api import Context, Detector, Entry, Kind, PoseShape
from vadbench.engine.build import build_detector
from vadbench.engine.config import resolve
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import load_preset, preset_names
from vadbench.testing.checks import Check, brief_settings, checks_for, checks_for_detector
from vadbench.testing.conformance import CheckSkipped
from vadbench.testing.trial import SEED

REGISTRY = load_plugins().registry

SETTINGS: Mapping[tuple[Kind, str], Mapping[str, Any]] = {
    ("dataset", "synthetic-campus"): {"train_clips": 2, "test_clips": 3, "frames_min": 96, "frames_max": 120},
    ("dataset", "shanghaitech"): {"partial": True},
    ("dataset", "hr-shanghaitech"): {"partial": True},
    ("dataset", "ubnormal"): {"partial": True},
    ("dataset", "hr-ubnormal"): {"partial": True},
    ("dataset", "avenue"): {"partial": True},
    ("dataset", "hr-avenue"): {"partial": True},
    ("dataset", "chad"): {},
    ("dataset", "nwpu-campus"): {"partial": True},
    ("dataset", "msad"): {},
    ("dataset", "poselift"): {},
    ("detector", "command"): {
        "folder": str(Path(__file__).parents[2] / "docs" / "examples" / "foreign"),
        "fit": [sys.executable, "nearest_window.py", "fit", "{windows}", "{model}", "{seed}"],
        "score": [sys.executable, "nearest_window.py", "score", "{windows}", "{model}", "{scores}"],
        "arrays": ["x"],
    },
    ("flow", "stgcn-coupling"): {"epochs": 2},
    ("flow", "zuko-nsf"): {"epochs": 2, "transforms": 2, "hidden": 32},
}
"""Where the short training of the checks is still too long, or a data set has to be told that it is a small one."""

SKIPS_ALLOWED = {
    "detector command: terms",
    "detector dsm: terms",
    "method dsm: terms",
    "detector seeker: terms",
    "method seeker: terms",
    "detector coskad: terms",
    "method coskad: terms",
    "detector gepc: terms",
    "method gepc: terms",
    "detector knn: terms",
    "detector trajrec: terms",
    "detector mocodad: terms",
    "detector acceleration: terms",
    "method acceleration: terms",
    "detector bone-length: terms",
    "method bone-length: terms",
    "detector gmm: terms",
    "method gmm: terms",
    "detector isolation-forest: terms",
    "method isolation-forest: terms",
    "detector last-frame: terms",
    "method last-frame: terms",
    "detector linear-ar: terms",
    "method linear-ar: terms",
    "detector ocsvm: terms",
    "method ocsvm: terms",
    "detector pca: terms",
    "method pca: terms",
    "detector pyod: terms",
    "method pyod: terms",
    "detector random: terms",
    "method random: terms",
    "detector speed: terms",
    "method speed: terms",
    "detector random: absurd_scores_higher",
    "method random: absurd_scores_higher",
    "prior uniform: learned",
    "flow stgcn-coupling: labels_unused[unconditioned]",
    "flow stgcn-coupling: labels_unused[conditioned]",
    "flow zuko-nsf: joint_surprise[unconditioned]",
    "flow zuko-nsf: joint_surprise[conditioned]",
    "method msgflow: labels_unused",
    "method stg-nf: labels_unused",
    "method stg-nf-supervised: labels_unused",
    "method knn: terms",
    "method trajrec: terms",
    "method mocodad: terms",
    "dataset synthetic-campus: missing_files_explained",
    "dataset synthetic-campus: sources",
    "dataset synthetic-campus: inspection",
}
"""Checks that do not apply; any other that is skipped is a mistake of this file."""

NEEDS = {"detector pyod": "pyod", "method pyod": "pyod"}
"""Components that rest on a package which is an extra: without it there is nothing to check."""


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small data in the layouts of the data sets that lie on disk."""
    root = tmp_path_factory.mktemp("data")
    write_pose_folder(root / "ShanghaiTech")
    write_pose_folder(root / "folder")
    write_pose_folder(root / "MSAD", train=("MSAD_normal_training_1",), test=("Fighting_10", "MSAD_normal_testing_1"))
    write_pose_folder(root / "PoseLift", train=("1_001", "2_002"), test=("1_101", "6_102"))
    write_chad(root / "CHAD")
    write_nwpu(root / "NWPUCampus")
    write_pose_folder(root / "Avenue", train=("01", "02"), test=("04", "17"))
    ubnormal = write_pose_folder(root / "UBnormal")
    for mask in sorted((ubnormal / "gt" / "test_frame_mask").glob("*.npy")):
        # As released: a NumPy array in spite of its name, and 1 = normal.
        with (ubnormal / "gt" / f"{mask.stem}_tracks.txt").open("wb") as file:
            np.save(file, 1 - np.load(mask))
    assert list((ubnormal / "pose" / "test").glob(f"*{SUFFIX}"))
    return root


def parts() -> Iterator[Any]:
    for entry in REGISTRY.entries():
        if entry.kind != "dataset":
            for check in checks_for(entry, settings=SETTINGS.get((entry.kind, entry.name))):
                yield pytest.param(f"{entry.kind} {entry.name}", check, id=f"{entry.kind}-{entry.name}-{check.name}")


def datasets() -> Iterator[Any]:
    for entry in REGISTRY.entries("dataset"):
        for check in checks_for(entry):
            yield pytest.param(entry, check.name, id=f"{entry.name}-{check.name}")


def methods() -> Iterator[Any]:
    for name in preset_names():
        for check in checks_for_detector(lambda poses, name=name: shipped_method(name, poses)):
            yield pytest.param(f"method {name}", check, id=f"{name}-{check.name}")


def shipped_method(name: str, poses: PoseShape) -> Detector:
    """A preset's detector, with the short training of the checks."""
    preset = load_preset(name, REGISTRY)
    changes = []
    for kind, section in preset.items():
        if isinstance(section, dict) and "name" in section:
            entry = REGISTRY.get(kind, section["name"])
            brief = {**brief_settings(entry), **SETTINGS.get((kind, entry.name), {})}
            changes += [f"{kind}.{key}={value}" for key, value in brief.items()]
    resolved = resolve(preset, REGISTRY, dataset="", swaps={}, changes=changes)
    return build_detector(resolved, poses, Context(seed=SEED, name=name))


ABSENT_HERE = {"moves_to_cuda": not torch.cuda.is_available()}
"""Checks that need what a machine may not have."""


def conclude(component: str, check: Check) -> None:
    if component in NEEDS:
        pytest.importorskip(NEEDS[component])
    try:
        check.run()
    except CheckSkipped as reason:
        if f"{component}: {check.name}" in SKIPS_ALLOWED or ABSENT_HERE.get(check.name.partition("[")[0], False):
            pytest.skip(str(reason))
        raise


@pytest.mark.parametrize(("component", "check"), list(parts()))
def test_part(component: str, check: Check) -> None:
    conclude(component, check)


@pytest.mark.parametrize(("component", "check"), list(methods()))
def test_method(component: str, check: Check) -> None:
    conclude(component, check)


@pytest.mark.parametrize(("entry", "name"), list(datasets()))
def test_dataset(entry: Entry, name: str, data_root: Path) -> None:
    settings = {"root": str(data_root / "folder")} if entry.opens_folders else SETTINGS[entry.kind, entry.name]
    # A folder's own data set lies where its config says, never below the data root.
    if entry.opens_folders and name == "missing_files_explained":
        settings = {}
    checks = {check.name: check for check in checks_for(entry, settings=settings, data_root=data_root)}
    conclude(f"dataset {entry.name}", checks[name])


def test_dataset_without_its_files_is_skipped_with_the_reason(tmp_path: Path) -> None:
    for entry in REGISTRY.entries("dataset"):
        if entry.name == "synthetic-campus":
            continue
        checks = {check.name: check for check in checks_for(entry, data_root=tmp_path)}
        with pytest.raises(CheckSkipped, match="are not here"):
            checks["tracks"].run()
        checks["info"].run()
