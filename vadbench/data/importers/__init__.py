"""Readers of what pose estimators write. A format is a function that finds clips and one that reads a clip; see `formats`."""
