"""MSG-Flow (arXiv 2603.26745): tokenizer, prior, flow and scorer, and the simplest alternative in each slot."""
