"""Training windows as a component takes them: tensors on its device, and the track that each is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vadbench.api import Context, Windows


def windows_at(windows: Windows, index: torch.Tensor, context: Context) -> torch.Tensor:
    """The windows at ``index`` (B,) as a tensor (B, C, T, J) on the context's device."""
    return torch.from_numpy(windows.batch(index.numpy()).x).to(context.device)


def window_tracks(windows: Windows) -> NDArray[np.int64]:
    """(W,) the track that each window is of; what is held out is whole tracks."""
    return windows.tracks.track_bounds().searchsorted(windows.first, side="right")
