"""On which device a run computes."""

from __future__ import annotations

from vadbench.api import UsageError


def choose_device(wish: str) -> str:
    """``auto`` to ``cuda`` where there is a GPU, else ``cpu``; raises `UsageError` for a device that is not there."""
    import torch

    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wish)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"the device {wish!r} cannot be used: {reason}", remedy="use --device cpu or --device auto") from error
    return wish
