"""Whatever a plug-in raises by itself becomes an error that names the plug-in and what it was doing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vadbench.api import PluginError, VadbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from vadbench.api import Dataset
    from vadbench.engine.config import ResolvedMethod


def method_step(step: str, method: ResolvedMethod) -> AbstractContextManager[None]:
    """Around a step of a method, such as ``fit``."""
    parts = ", ".join(f"{kind} {component.entry.name}" for kind, component in method.components.items())
    return _blamed(f"{method.method.name} failed to {step}", parts)


def dataset_step(step: str, dataset: Dataset) -> AbstractContextManager[None]:
    """Around a step of a data set, such as ``give its poses``."""
    cls = type(dataset)
    return _blamed(f"data set {dataset.info.name} failed to {step}", f"{cls.__module__}:{cls.__qualname__}")


@contextmanager
def _blamed(what: str, where: str) -> Iterator[None]:
    try:
        yield
    except VadbenchError:
        raise
    except Exception as error:
        raise PluginError(
            f"{what}: {type(error).__name__}: {error}", where=where, remedy="--debug shows where it failed"
        ) from error
