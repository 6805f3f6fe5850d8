"""A method as a composition of parts: fitting, keeping trained parts, scoring in a stream."""
