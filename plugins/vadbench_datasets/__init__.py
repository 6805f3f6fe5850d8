"""Data sets: the published ones in their published formats, any folder in those formats, and a synthetic stand-in."""
