"""Who may learn from labels: the supervised track, on training splits that have them, by components that say that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vadbench.api import ConfigError

if TYPE_CHECKING:
    from vadbench.engine.plan import Job


LEARNERS: Final = ("flow", "detector")
"""The kinds of component that may: a tokenizer is fitted on normal windows, a prior and a scorer on what is made of them."""


def learns_from_labels(component: object) -> bool:
    """Whether a component, or its class, looks at `Windows.abnormal` when it is fitted; any other gets normal windows alone."""
    return bool(getattr(component, "learns_from_labels", False))


def is_supervised(job: Job) -> bool:
    """Whether the job trains on labelled windows."""
    return job.resolved.method.track == "supervised" and job.pretrained is None


def check_supervision(job: Job) -> None:
    """Raises `ConfigError` where track, training split and components do not go together; nothing has been read yet."""
    if job.pretrained is not None:
        return
    name, info = job.resolved.method.name, job.dataset.info
    if not is_supervised(job):
        if info.supervised:
            raise ConfigError(
                f"the training split of {info.name} holds abnormal clips, and {name} would learn that they are normal",
                where=f"track {job.resolved.method.track}",
                remedy="leave out the data set's setting that includes them, or run a method of the supervised track",
            )
        return
    if not info.supervised:
        raise ConfigError(
            f"{name} learns from labels, and the training split of {info.name} holds normal clips alone",
            where="track supervised",
            remedy=f"include abnormal training clips if the data set has any: vadbench data info {info.name} shows its settings",
        )
    if not any(learns_from_labels(part.entry.load()) for kind, part in job.resolved.components.items() if kind in LEARNERS):
        parts = ", ".join(f"{kind} {part.entry.name}" for kind, part in job.resolved.components.items())
        raise ConfigError(
            f"no component of {name} learns from labels: {parts}",
            where="track supervised",
            remedy='set track = "one-class", or use a flow or detector whose class says learns_from_labels = True',
        )
