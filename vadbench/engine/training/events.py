"""Events of a training for TensorBoard, where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vadbench.api import UsageError

Scalar = Callable[[str, float, int], None]
"""Takes a tag, a value and the step (or epoch) it belongs to."""


class TensorBoardEvents:
    """Writes the scalars of each training into a folder of its own, as TensorBoard reads them.

    Args:
        folder: Of the run; below it stands one folder for each training, named after the component.

    Raises:
        UsageError: if the package tensorboard is missing.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UsageError(
                f"events for TensorBoard cannot be written: {error}",
                where="--tensorboard",
                remedy="pip install 'vadbench[tensorboard]'",
            ) from error
        self.folder = folder
        self._writer: Any = SummaryWriter

    def below(self, path: Path) -> TensorBoardEvents:
        """The same for a folder below this one."""
        return TensorBoardEvents(self.folder / path)

    @contextmanager
    def of(self, name: str, step: int) -> Iterator[Scalar]:
        """Takes the scalars of a training.

        Args:
            name: Of the training.
            step: At which it begins or is taken up; what a killed process wrote of later steps is not shown.
        """
        writer = self._writer(log_dir=str(self.folder / name), purge_step=step)
        try:
            yield writer.add_scalar
        finally:
            writer.close()
