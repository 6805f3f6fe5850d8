"""A plug-in for tests of ``vadbench data``: data sets that tell all there is to tell, nothing beyond the contract, or fail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from made_tracks import made_tracks
from modules_on_disk import entry_point
from pydantic import Field

from vadbench.api import COCO_17, ComponentConfig, DataError, DatasetInfo, Expected, FrameLabels, Registry, hookimpl
from vadbench.engine.plugins import load_plugins

if TYPE_CHECKING:
    import pytest


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the command line find these data sets and no others, until the test ends."""
    plugins = load_plugins([entry_point("described_plugin")])
    monkeypatch.setattr("vadbench.cli.installed.load_plugins", lambda: plugins)


class TellingConfig(ComponentConfig):
    """Settings of `Telling`.

    Args:
        family: Not shown, because the field says it.
        size: Width and height
            of what is seen.
    """

    family: Literal["json", "csv"] = Field("json", description="which poses to read")
    size: tuple[Annotated[int, Field(gt=0)], int] | None = None
    share: float = Field(0.5, ge=0, le=1, description="a share [in brackets]")
    names: tuple[str, ...] = ("a", "b")
    strict: bool = False


class Telling:
    """Lies below the data root in ``Telling/poses`` and ``Telling/masks``."""

    def __init__(self, config: TellingConfig, data_root: Path | None) -> None:
        self.family = config.family
        self.root = None if data_root is None else data_root / "Telling"

    @property
    def info(self) -> DatasetInfo:
        return DatasetInfo(
            name="telling",
            title=f"Telling [{self.family}]",
            layout="halpe-26",
            frame_rate=29.97,
            licence="CC BY 4.0",
            citation="A. Author: A Title. 2020.",
            source="https://example.org/telling",
            splits=("train", "validation", "test"),
            notes=("One thing.", "Another [thing]."),
            resolution=(1280, 720),
            expected={"test": Expected(clips=2, frames=80, counted=70, abnormal=20), "train": Expected(poses=12_345)},
            tree="poses/<clip>.json\nmasks/<clip>.npy",
        )

    def available(self) -> bool:
        return self.root is not None and (self.root / "poses").is_dir()

    def sources(self, split):
        if self.root is None or not self.available():
            raise DataError("there is nothing", where="<data root>/Telling" if self.root is None else self.root)
        return {"": (self.root / "masks" / "all.npy",), "c0": (self.root / "poses" / split / "c0.json",)}

    def tracks(self, split):
        self.sources(split)
        return made_tracks({1: range(60), 2: range(10)}, {1: range(20)}, {}, layout=COCO_17, seed=len(split))

    def labels(self, split):
        if split == "validation":
            raise DataError("validation has no masks [yet]")
        abnormal = [np.arange(n) < 10 for n in (60, 20, 1)]
        return FrameLabels(("c0", "c1", "c2"), tuple(abnormal), tuple(np.arange(len(each)) != 3 for each in abnormal))


class Silent:
    """Nothing beyond the contract."""

    info = DatasetInfo("silent", "Silent", "own-layout", 24.0, "none", "none", "nowhere")

    def __init__(self, config, data_root) -> None:
        pass

    def tracks(self, split):
        raise NotImplementedError

    def labels(self, split):
        raise NotImplementedError


class Failing(Silent):
    def __init__(self, config, data_root) -> None:
        raise OSError("the disk is gone")


class FailingLater(Silent):
    def available(self) -> bool:
        raise OSError("the disk is gone")


@hookimpl
def vadbench_register(registry: Registry) -> None:
    config = "described_plugin:TellingConfig"
    registry.dataset("telling", "described_plugin:Telling", config=config, summary="tells [all] there is", default=True)
    registry.dataset("silent", "described_plugin:Silent", summary="tells nothing")
    registry.dataset("failing", "described_plugin:Failing", summary="cannot be opened")
    registry.dataset("failing-later", "described_plugin:FailingLater", summary="cannot be found")
