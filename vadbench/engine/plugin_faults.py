"""Whatever a plug-in raises by itself, or ends the process with, becomes an error that names it and what it was doing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vadbench.api.faults import blamed
from vadbench.api.process_state import process_kept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from vadbench.api import Dataset
    from vadbench.engine.config import ResolvedMethod


def method_step(step: str, method: ResolvedMethod) -> AbstractContextManager[None]:
    """Around a step of a method, such as ``fit``."""
    parts = ", ".join(f"{kind} {component.entry.name}" for kind, component in method.components.items())
    return blamed(f"{method.method.name} failed to {step}", parts)


def component_step(step: str, kind: str, component: object) -> AbstractContextManager[None]:
    """Around a step of one part of a composition."""
    return blamed(f"the {kind} failed to {step}", _class_of(component))


@contextmanager
def dataset_step(step: str, dataset: Dataset) -> Iterator[None]:
    """Around a step of a data set, such as ``give its poses``; what it changes of the process is put back."""
    with process_kept(), blamed(f"data set {dataset.info.name} failed to {step}", _class_of(dataset)):
        yield


def _class_of(component: object) -> str:
    cls = type(component)
    return f"{cls.__module__}:{cls.__qualname__}"
