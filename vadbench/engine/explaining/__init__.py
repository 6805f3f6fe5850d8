"""What a composition saw in a run: tokens, surprises, levels, its codebook; numbers only."""
