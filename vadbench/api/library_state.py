"""The state that libraries keep for the whole process: of torch, NumPy and others, as far as they are imported."""

from __future__ import annotations

import operator
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that belongs to the whole process.

    Args:
        name: For people.
        read: Gives it as a value that can be compared and kept.
        write: Puts a value back.
        module: The module that must have been imported for it; empty for none.
        fresh: Gives it as it is just after that import; None where that cannot be said, and then nobody relied on it.
        same: Whether a later value is the same as an earlier one.
        generator: Whether it is the state of a random generator.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    module: str = ""
    fresh: Callable[[], Any] | None = None
    same: Callable[[Any, Any], bool] = operator.eq
    generator: bool = False


_LAST_OF: Final = {"numpy": "random", "torch": "get_rng_state"}
"""An attribute that a module has when it is imported as a whole."""


def is_there(part: Part) -> bool:
    """Whether what it belongs to has been imported."""
    if not part.module:
        return True
    module = sys.modules.get(part.module)
    return module is not None and hasattr(module, _LAST_OF.get(part.module, "__name__"))


def _module(name: str) -> Any:
    return sys.modules[name]


# --- NumPy, scikit-learn, matplotlib, multiprocessing ---------------------------------------------------------------------


def _numpy_random() -> Any:
    state = _module("numpy").random.get_state(legacy=True)
    if isinstance(state, dict):  # another bit generator was put there
        return None
    name, keys, *rest = state
    return (name, tuple(keys.tolist()), *rest)


def _set_numpy_random(state: Any) -> None:
    if state is not None:
        _module("numpy").random.set_state(state)


def _sklearn_config() -> Any:
    return _module("sklearn").get_config()


def _fresh_sklearn_config() -> Any:
    """A new thread begins with the defaults, whatever was set in this one."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(_sklearn_config()))
    thread.start()
    thread.join()
    return found[0]


def _rc() -> dict[str, Any]:
    return _plain_rc(_module("matplotlib").rcParams)


def _plain_rc(given: Any) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        params = dict(given.copy())
    # Asking for the backend would choose one.
    return {name: value for name, value in params.items() if not name.startswith("backend")}


def _set_rc(params: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _module("matplotlib").rcParams.update(params)


def _default_start_method() -> str:
    return str(_module("multiprocessing").get_all_start_methods()[0])


def _start_method() -> str:
    # Whoever uses the default fixes it, which is no change.
    return _module("multiprocessing").get_start_method(allow_none=True) or _default_start_method()


# --- torch ----------------------------------------------------------------------------------------------------------------


def _torch() -> Any:
    return sys.modules["torch"]


def _torch_part(
    name: str,
    read: Callable[[Any], Any],
    write: Callable[[Any, Any], object],
    fresh: Callable[[Any], Any] | None = None,
    *,
    generator: bool = False,
) -> Part:
    return Part(
        name,
        lambda: read(_torch()),
        lambda value: write(_torch(), value),
        "torch",
        None if fresh is None else lambda: fresh(_torch()),
        generator=generator,
    )


def _set_default_device(torch: Any, device: str) -> None:
    # Of the CPU there need be no default: with one, every call of torch would look for it.
    torch.set_default_device(None if device == "cpu" else device)


def _set_default_type(torch: Any, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.set_default_tensor_type(name)


def _autocast(torch: Any) -> dict[str, Any]:
    return {device: (torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)) for device in ("cpu", "cuda")}


def _set_autocast(torch: Any, state: dict[str, Any]) -> None:
    for device, (enabled, dtype) in state.items():
        torch.set_autocast_enabled(device, enabled)
        torch.set_autocast_dtype(device, dtype)


_CUDNN: Final = ("enabled", "benchmark", "deterministic", "allow_tf32")


def _cudnn(torch: Any) -> dict[str, bool]:
    return {name: getattr(torch.backends.cudnn, name) for name in _CUDNN}


def _set_cudnn(torch: Any, state: dict[str, bool]) -> None:
    for name, value in state.items():
        setattr(torch.backends.cudnn, name, value)


def _set_torch_random(torch: Any, state: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))


def _cuda_random(torch: Any) -> list[bytes] | None:
    if not torch.cuda.is_initialized():
        return None
    return [state.numpy().tobytes() for state in torch.cuda.get_rng_state_all()]


def _set_cuda_random(torch: Any, states: list[bytes]) -> None:
    torch.cuda.set_rng_state_all([torch.frombuffer(bytearray(state), dtype=torch.uint8) for state in states])


LIBRARY_PARTS: Final[tuple[Part, ...]] = (
    Part("numpy.seterr", lambda: _module("numpy").geterr(), lambda value: _module("numpy").seterr(**value), "numpy"),
    Part("the state of NumPy's random", _numpy_random, _set_numpy_random, "numpy", generator=True),
    Part(
        "scikit-learn's configuration",
        _sklearn_config,
        lambda value: _module("sklearn").set_config(**value),
        "sklearn",
        _fresh_sklearn_config,
    ),
    Part("matplotlib.rcParams", _rc, _set_rc, "matplotlib", lambda: _plain_rc(_module("matplotlib").rcParamsOrig)),
    Part(
        "the start method of multiprocessing",
        _start_method,
        lambda name: _module("multiprocessing").set_start_method(name, force=True),
        "multiprocessing",
        _default_start_method,
    ),
    _torch_part("torch.set_grad_enabled", lambda t: t.is_grad_enabled(), lambda t, on: t.set_grad_enabled(on), lambda _: True),
    _torch_part(
        "torch.set_default_dtype",
        lambda t: t.get_default_dtype(),
        lambda t, dtype: t.set_default_dtype(dtype),
        lambda t: t.float32,
    ),
    _torch_part("torch.set_default_device", lambda t: str(t.get_default_device()), _set_default_device, lambda _: "cpu"),
    _torch_part("torch.set_default_tensor_type", lambda t: t.empty(0).type(), _set_default_type, lambda _: "torch.FloatTensor"),
    _torch_part("torch.set_num_threads", lambda t: t.get_num_threads(), lambda t, count: t.set_num_threads(count)),
    _torch_part(
        "torch.use_deterministic_algorithms",
        lambda t: (t.are_deterministic_algorithms_enabled(), t.is_deterministic_algorithms_warn_only_enabled()),
        lambda t, value: t.use_deterministic_algorithms(value[0], warn_only=value[1]),
        lambda _: (False, False),
    ),
    _torch_part("torch.autocast", _autocast, _set_autocast),
    _torch_part(
        "torch.autograd.set_detect_anomaly",
        lambda t: (t.is_anomaly_enabled(), t.is_anomaly_check_nan_enabled()),
        lambda t, value: t.autograd.set_detect_anomaly(*value),
        lambda _: (False, True),
    ),
    _torch_part(
        "torch.set_float32_matmul_precision",
        lambda t: t.get_float32_matmul_precision(),
        lambda t, value: t.set_float32_matmul_precision(value),
        lambda _: "highest",
    ),
    _torch_part(
        "torch.backends.cudnn",
        _cudnn,
        _set_cudnn,
        lambda _: dict(zip(_CUDNN, (True, False, False, True), strict=True)),
    ),
    _torch_part(
        "torch.multiprocessing.set_sharing_strategy",
        lambda t: t.multiprocessing.get_sharing_strategy(),
        lambda t, value: t.multiprocessing.set_sharing_strategy(value),
    ),
    _torch_part(
        "the state of torch's random",
        lambda t: t.get_rng_state().numpy().tobytes(),
        _set_torch_random,
        generator=True,
    ),
    _torch_part(
        "the current CUDA device",
        lambda t: t.cuda.current_device() if t.cuda.is_initialized() else 0,
        lambda t, device: t.cuda.set_device(device),
        lambda _: 0,
    ),
    _torch_part("the state of CUDA's random", _cuda_random, _set_cuda_random, generator=True),
)
"""In the order in which they are put back."""
