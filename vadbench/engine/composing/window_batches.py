"""Windows as tensors on a device, batch by batch, the next one gathered while the last is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from vadbench.engine.prefetch import prefetched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.api import Windows

BATCH: Final = 1024
"""Windows computed at once; no score depends on it."""


def window_batches(windows: Windows, device: str) -> Iterator[torch.Tensor]:
    """All windows in order, each batch (B, C, T, J) float32."""

    def batch(begin: int) -> torch.Tensor:
        return torch.from_numpy(windows.batch(slice(begin, begin + BATCH)).x).to(device)

    return prefetched(batch, range(0, len(windows), BATCH))
