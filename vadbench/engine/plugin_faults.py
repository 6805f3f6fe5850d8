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


def component_step(step: str, kind: str, component: object) -> AbstractContextManager[None]:
    """Around a step of one part of a composition."""
    return _blamed(f"the {kind} failed to {step}", _class_of(component))


def dataset_step(step: str, dataset: Dataset) -> AbstractContextManager[None]:
    """Around a step of a data set, such as ``give its poses``."""
    return _blamed(f"data set {dataset.info.name} failed to {step}", _class_of(dataset))


def _class_of(component: object) -> str:
    cls = type(component)
    return f"{cls.__module__}:{cls.__qualname__}"


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
