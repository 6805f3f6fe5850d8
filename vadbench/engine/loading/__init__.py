"""Loading plug-ins: where they are found, what they offer, and what is told of those that fail."""
