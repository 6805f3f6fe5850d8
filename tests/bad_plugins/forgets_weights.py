"""Bad: state_dict leaves out what was learned."""

from _plain import Plain

from vadbench.api import hookimpl

VADBENCH_API = 1


class Bad(Plain):
    """Has nothing to keep."""

    def state_dict(self):
        return {}

    def load_state_dict(self, state_dict):
        pass


@hookimpl
def vadbench_register(registry):
    registry.detector("bad-forgets-weights", "forgets_weights:Bad", summary="a bad example")
