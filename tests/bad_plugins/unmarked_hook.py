"""Bad: the hook is not marked with @hookimpl."""

VADBENCH_API = 1


def vadbench_register(registry):
    registry.detector("bad-unmarked-hook", "_plain:Plain", summary="a bad example")
