"""What the published data sets have in common: found below the data root, whole unless the user says otherwise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from vadbench.api import ComponentConfig, DataError, DatasetInfo
from vadbench_datasets.folder_form import STG_NF, FolderForm, indented
from vadbench_datasets.pose_files import partial_info

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import FrameLabels, Split, Tracks
    from vadbench_datasets.pose_files import PoseFiles


class PublishedConfig(ComponentConfig):
    """Settings of a published data set.

    Args:
        partial: Accept a test set that is not whole. Figures on it are shown as never a result.
    """

    partial: bool = False


class PublishedSet(ABC):
    """A data set of pose files below the data root; a subclass has ``info`` and says which files."""

    info: DatasetInfo

    def __init__(self, config: PublishedConfig, data_root: Path | None) -> None:
        self._config = config
        if config.partial:
            self.info = partial_info(self.info)
        self._data_root = data_root

    def available(self) -> bool:
        """Whether the data set's folders are below the data root."""
        return self._data_root is not None and self._files().available()

    def tracks(self, split: Split) -> Tracks:
        """The poses of a split, train or test; see `PoseFiles.tracks`."""
        return self._files().tracks(split)

    def labels(self, split: Split) -> FrameLabels:
        """The frame labels of a split, train or test; see `PoseFiles.labels`."""
        return self._files().labels(split)

    @abstractmethod
    def _files(self) -> PoseFiles:
        """The files, checked when they are read."""

    def _folder(self, name: str, form: FolderForm) -> Path:
        """The data set's folder; raises `DataError` where no data root was given."""
        if self._data_root is None:
            raise DataError(
                "there is no data root, the folder below which data sets lie",
                where=f"<data root>/{name}",
                remedy=(
                    f"name the folder that holds {name}/ with --data-root DIR or $VADBENCH_DATA\n"
                    f"expected in {name}/:\n{indented(form.tree)}\nwhere to get it: {STG_NF}"
                ),
            )
        return self._data_root.expanduser() / name
