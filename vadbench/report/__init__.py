"""Tables and plots, made from the store and nothing else."""
