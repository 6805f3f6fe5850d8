"""What this plug-in offers."""

from __future__ import annotations

from vadbench.api import Registry, hookimpl


@hookimpl
def vadbench_register(registry: Registry) -> None:
    """Registers the components."""
    registry.detector(
        "knn",
        "vadbench_baselines.knn:KNN",
        config="vadbench_baselines.knn:KNNConfig",
        summary="distance to the nearest training windows (scikit-learn)",
    )
