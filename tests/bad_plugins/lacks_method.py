"""Bad: its class cannot score."""

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad:
    """Without score."""

    def __init__(self, config, poses):
        pass

    def fit(self, windows, context):
        pass

    def state_dict(self):
        return {}

    def load_state_dict(self, state_dict):
        pass


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-lacks-method", "lacks_method:Bad", summary="a bad example")
