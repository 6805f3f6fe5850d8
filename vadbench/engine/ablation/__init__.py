"""Ablations: a grid of variants of a method, planned as runs that share what they have in common."""
