"""Window scores to frame scores to metrics, under a named protocol."""
