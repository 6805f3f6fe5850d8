"""The settings of early stopping, which every component that is trained step by step has alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from vadbench.api import ComponentConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vadbench.api import Windows


class EarlyStopping(ComponentConfig):
    """When to stop; by default after the last epoch."""

    held_out: float = Field(default=0.0, ge=0, lt=1, description="share of the training tracks held out, to stop by")
    patience: int = Field(default=0, ge=0, description="epochs without a better held-out loss before it stops")

    @model_validator(mode="after")
    def _something_to_wait_for(self) -> Self:
        if self.patience and not self.held_out:
            raise ValueError("patience waits for a better held-out loss, and held_out is 0: set both or neither")
        return self


def window_tracks(windows: Windows) -> NDArray[np.int64]:
    """(W,) the track that each window is of; what is held out is whole tracks."""
    return windows.tracks.track_bounds().searchsorted(windows.first, side="right")
