"""Where a result comes from: software, machine, and the identity of a run."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from vadbench.engine.config import digest_of
from vadbench.store.record import Environment

if TYPE_CHECKING:
    from vadbench.engine.plan import Job
    from vadbench.engine.plugins import Plugins

_PACKAGES: Final = ("vadbench", "torch", "numpy", "scipy", "scikit-learn")


def environment(device: str) -> Environment:
    """The software and the machine that a run is made with."""
    import torch

    return Environment(
        device=f"{device} ({torch.cuda.get_device_name(device)})" if device.startswith("cuda") else device,
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        platform=platform.platform(),
        packages={name: metadata.version(name) for name in _PACKAGES},
    )


def run_identity(job: Job, plugins: Plugins, *, device: str, threads: int, poses: dict[str, str]) -> str:
    """12 hex digits over all that decides the scores of a run: two runs of one identity have the same scores.

    Args:
        job: Configuration, data set, seed, protocol.
        plugins: For the versions of those that the components come from.
        device: ``cpu`` or ``cuda``, without the index.
        threads: CPU threads.
        poses: Split to fingerprint.
    """
    identity: dict[str, Any] = {
        "config": job.resolved.settings,
        "poses": poses,
        "seed": job.seed,
        "protocol": job.protocol.digest(),
        "device": device.partition(":")[0],
        "threads": threads,
        "versions": sorted({plugins.version_of(part.entry.plugin) for part in job.resolved.components.values()}),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }
    return digest_of(identity)


def peak_memory_mb() -> float | None:
    """Highest resident memory of this process so far, MiB; None where the platform does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (2**20 if sys.platform == "darwin" else 2**10)
