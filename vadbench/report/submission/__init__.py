"""Rows that others send in: packed, and checked against their raw scores."""
