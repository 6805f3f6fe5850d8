"""vadbench: a modular benchmark suite for skeleton-based video anomaly detection."""

__version__ = "0.1.0"
