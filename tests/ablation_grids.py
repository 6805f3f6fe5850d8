"""Ablation grids for tests: written as TOML, read as users' are."""

from __future__ import annotations

from pathlib import Path

from vadbench.engine.ablation.grid import Grid, load_grid

TINY_GRID = """
base = "full"
diagnostics = ["tokenizer.perplexity"]

[subsets]
default = ["counts", "semantic", "off"]
weights = ["even", "semantic-only"]

[[variant]]
name = "full"
question = "as configured"

[[variant]]
name = "counts"
question = "do counts do as well?"
swaps = { prior = "ngram" }
set = ["prior.order=2"]

[[variant]]
name = "same-codes"
question = "is this full?"
set = ["tokenizer.codebook_size=8"]

[[variant]]
name = "kmeans"
question = "do means do as well?"
swaps = { tokenizer = "kmeans" }

[[variant]]
name = "max"
question = "is the larger enough?"
swaps = { scorer = "max" }

[[variant]]
name = "flow-alone"
question = "is the flow enough?"
swaps = { tokenizer = "none", prior = "none" }

[[variant]]
name = "absent"
question = "what of a part that is not installed?"
swaps = { prior = "no-such-prior" }

[[variant]]
name = "semantic"
question = "the semantic term?"
reading = { term = "semantic" }

[[variant]]
name = "counts-semantic"
question = "the semantic term of counts?"
reading = { of = "counts", term = "semantic" }

[[variant]]
name = "no-term"
question = "a term that there is not?"
reading = { term = "reconstruction" }

[[variant]]
name = "off"
question = "without smoothing?"
reading = { smoothing = false }

[[variant]]
name = "even"
question = "weights?"
reading = { scorer = { weights = { semantic = 0.5, detail = 0.5 } } }

[[variant]]
name = "semantic-only"
question = "weights?"
reading = { scorer = { weights = { semantic = 1.0, detail = 0.0 } } }

[[variant]]
name = "uneven"
question = "weights?"
reading = { scorer = { weights = { semantic = 0.3, detail = 0.7 } } }

[[sweep]]
name = "weights"
axis = "weight of the semantic term"
at = [{ variant = "even", x = 0.5 }, { variant = "semantic-only", x = 1.0 }]

[factorial]
prior = ["transformer", "ngram"]
scorer = ["standardised", "max"]
"""


def write_grid(folder: Path, text: str = TINY_GRID) -> str:
    """Writes a grid; its path, as an option takes it."""
    path = folder / "grid.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def tiny_grid(folder: Path) -> Grid:
    """`TINY_GRID`, read."""
    return load_grid(write_grid(folder))
