"""The training loop that every torch component shares, and what it takes to stop it at any moment and go on exactly."""
