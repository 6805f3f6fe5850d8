"""Bad: changes the environment of the process, as a package."""
