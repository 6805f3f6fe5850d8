"""Run folders: the truth about what was run."""
