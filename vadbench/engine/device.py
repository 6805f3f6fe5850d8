"""On which device, and on how many CPU threads, a run computes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vadbench.api import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def choose_device(wish: str) -> str:
    """``auto`` to ``cuda`` where there is a GPU, else ``cpu``; raises `UsageError` for a device that is not there."""
    import torch

    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wish.partition(":")[0] not in ("cpu", "cuda", "mps"):
        raise UsageError(
            f"the device {wish!r} cannot be used: there is no such device", remedy="use --device cpu, cuda, mps or auto"
        )
    try:
        torch.zeros(1, device=wish)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"the device {wish!r} cannot be used: {reason}", remedy="use --device cpu or --device auto") from error
    return wish


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Torch and the libraries under NumPy and scikit-learn compute on ``count`` threads inside the block.

    How a sum is shared among threads decides how it is rounded, and training makes much of little differences. With a
    number that does not depend on the machine, the same seed gives the same scores on machines of any size.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)
