"""The rules of the contracts, one function each, a file a kind; and those that kinds share."""
