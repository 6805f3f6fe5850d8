"""Skeleton layouts, tracks into windows, normalisation."""
