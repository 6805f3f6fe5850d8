"""Where a result comes from: software, machine, and the identity of a run."""

from __future__ import annotations

import platform
import sys
import uuid
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from vadbench.engine.code_digests import code_digest, distribution_digests
from vadbench.engine.config import digest_of
from vadbench.engine.loading.sources import OWN_DISTRIBUTION
from vadbench.store.record import Environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vadbench.engine.config import Component
    from vadbench.engine.plan import Job
    from vadbench.engine.plugins import Plugins

_PACKAGES: Final = ("vadbench", "torch", "numpy", "scipy", "scikit-learn", "zuko")


def environment(device: str, *, compiled: bool = False, brought: Mapping[str, str] | None = None) -> Environment:
    """The software and the machine that a run is made with.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``, ...
        compiled: Whether losses, and what batches are scored with, are compiled.
        brought: Distribution to version of what components come from; see `brought_by`.
    """
    import torch

    return Environment(
        device=f"{device} ({torch.cuda.get_device_name(device)})" if device.startswith("cuda") else device,
        threads=torch.get_num_threads(),
        compiled=compiled,
        python=platform.python_version(),
        platform=platform.platform(),
        packages={**{name: metadata.version(name) for name in _PACKAGES}, **(brought or {})},
    )


def brought_by(job: Job, plugins: Plugins) -> dict[str, str]:
    """Distribution to version of the plug-ins that a job's components and data set come from, vadbench's own left out.

    It is what somebody else has to install who makes the run again. A file has its name and a digest of its contents.
    """
    names = {component.entry.plugin for component in job.resolved.components.values()}
    names |= {entry.plugin for entry in plugins.registry.entries("dataset") if entry.name == job.dataset.info.name}
    used = sorted((s.distribution, s.version) for s in plugins.statuses if s.name in names)
    return {distribution: version for distribution, version in used if distribution not in _PACKAGES}


def run_identity(job: Job, plugins: Plugins, *, device: str, threads: int, poses: dict[str, str], compiled: bool = False) -> str:
    """12 hex digits over all that decides the scores of a run: two runs of one identity have the same scores.

    The source code counts by its content, so a component that was edited is never taken for what it was before.

    Args:
        job: Configuration, data set, seed, protocol.
        plugins: For the versions of those that the components come from.
        device: ``cpu`` or ``cuda``, without the index.
        threads: CPU threads.
        poses: Split to fingerprint.
        compiled: Whether losses are compiled.
    """
    shared = _computed_with(job, plugins, device=device, threads=threads, compiled=compiled)
    return digest_of({"config": job.resolved.settings, "poses": poses, "protocol": job.protocol.digest(), **shared})


def training_identity(
    job: Job, plugins: Plugins, *, device: str, threads: int, poses: dict[str, str], compiled: bool = False
) -> dict[str, Any]:
    """All that decides what a part of a method learns, but for the settings of the parts themselves; arguments as above.

    The poses of the test and of the validation split are none of it, and neither is the protocol: a scorer that chooses by
    validation adds what it depends on (`Composition.validation_identity`).
    """
    return {
        "windows": job.resolved.settings["windows"],
        "poses": poses["train"],
        **({"train labels": poses["train labels"]} if "train labels" in poses else {}),
        **_computed_with(job, plugins, device=device, threads=threads, compiled=compiled),
    }


def _computed_with(job: Job, plugins: Plugins, *, device: str, threads: int, compiled: bool) -> dict[str, Any]:
    components = job.resolved.components.values()
    return {
        "seed": job.seed,
        "device": device.partition(":")[0],
        "threads": threads,
        "versions": sorted({plugins.version_of(part.entry.plugin) for part in components}),
        "code": _code_of(components, plugins),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        # A key only where it is so: identities without it are those of runs made before there was a choice.
        **({"compiled": True} if compiled else {}),
    }


def _code_of(components: Iterable[Component], plugins: Plugins) -> dict[str, str]:
    """Digests of vadbench, and of all that the distributions of components brought, by package."""
    found: dict[str, str | None] = {"vadbench": code_digest("vadbench")}
    for entry in (part.entry for part in components if part.entry.loaded is None):  # else its version never comes again
        package = entry.target.partition(":")[0].partition(".")[0]
        found[package] = code_digest(package)
        for status in plugins.statuses:
            # The plug-ins of vadbench itself share nothing but vadbench.api.
            if status.name == entry.plugin and status.origin == "installed" and status.distribution != OWN_DISTRIBUTION:
                found |= distribution_digests(status.distribution, package)
    # What cannot be told is never the same.
    return {package: digest or uuid.uuid4().hex for package, digest in sorted(found.items())}


def peak_memory_mb() -> float | None:
    """Highest resident memory of this process so far, MiB; None where the platform does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak) / (2**20 if sys.platform == "darwin" else 2**10)
