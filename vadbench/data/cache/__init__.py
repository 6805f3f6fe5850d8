"""Poses that were parsed once, kept on disk and mapped into memory: never the only copy of anything, never trusted unchecked."""
