"""The windows of a job, once it is clear that its method, track and data set go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vadbench.data.cache.track_cache import default_cache
from vadbench.engine.composing.validation import check_validation, chooses_by_validation
from vadbench.engine.inputs import read_inputs
from vadbench.engine.supervision import check_supervision, is_supervised

if TYPE_CHECKING:
    from vadbench.api import Progress
    from vadbench.engine.inputs import Inputs
    from vadbench.engine.plan import Job


def inputs_of_job(job: Job, progress: Progress) -> Inputs:
    """Windows of the splits that the job reads.

    Raises:
        ConfigError: if the method needs labels that the data set has not, or must not see those that it has.
        DataError: if poses or labels are missing or damaged, or a split gives no window.
    """
    check_validation(job.resolved, job.dataset)
    check_supervision(job)
    return read_inputs(
        job.dataset,
        job.resolved.method.windows,
        progress,
        settings=job.dataset_settings,
        cache=default_cache(),
        validation=chooses_by_validation(job.resolved),
        supervised=is_supervised(job),
    )
