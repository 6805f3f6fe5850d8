"""Writers of the layouts in which poses are published, so that other repositories can run on the same data."""
