"""What ``vadbench explain`` shows of a run: text, JSON and pictures."""
