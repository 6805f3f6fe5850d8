"""Published data sets without published poses: the user made them, and knows the size of the pictures they were made in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field, PositiveInt

from vadbench_datasets.published_set import JsonConfig, PublishedSet

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import DatasetInfo


class OwnPosesConfig(JsonConfig):
    """Settings of a published data set whose poses the user made.

    Args:
        resolution: Width and height in pixels of the pictures that the poses were made in; None for those of the set.
        frame_rate: Frames a second that the poses were made of; None for that of the set.
    """

    resolution: tuple[PositiveInt, PositiveInt] | None = None
    frame_rate: float | None = Field(default=None, gt=0)


class OwnPoses(PublishedSet):
    """A data set whose poses the user made."""

    config: OwnPosesConfig

    def __init__(self, config: OwnPosesConfig, data_root: Path | None) -> None:
        super().__init__(config, data_root)

    @property
    def info(self) -> DatasetInfo:
        """What there is to know of it, with the size and the frame rate that the user says."""
        info, config = super().info, self.config
        return replace(info, resolution=config.resolution or info.resolution, frame_rate=config.frame_rate or info.frame_rate)

    def resolution(self, clip: str) -> tuple[int, int]:
        """As the user says, else as usual."""
        return self.config.resolution or super().resolution(clip)
