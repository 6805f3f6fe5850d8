"""The protocols that come with vadbench: how the published methods turned window scores into AUROC, step by step.

Each follows the released code of its method, not the prose of its paper, where the two differ. What happens before there is
one score a window (pose family, normalisation, averaging over transformations) belongs to the method, not to its protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from vadbench.api.errors import UsageError, did_you_mean
from vadbench.evaluation.protocol import Pipeline, Protocol

_CASCADE: Final = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)

STANDARD_V1: Final = Protocol(
    name="standard-v1",
    version=1,
    pipeline=Pipeline(smoothing=_CASCADE),
    source="the pipeline of STG-NF (Hirschorn and Avidan, ICCV 2023, arXiv 2211.10946) as its released code executes it",
    notes=("Half a window at each end of every track has no score.",),
)

_MOCODAD: Final = Pipeline(
    origin="non-negative",
    placement="every",
    absent="zero",
    persons="mean-plus-log-range",
    fill="zero",
    frames_leave="before-smoothing",
    shift=9,
    smoothing=(15.0,),
)
_COSKAD: Final = Pipeline(
    origin="non-negative",
    placement="every",
    overlap="mean-nonzero",
    fill="zero",
    frames_leave="before-smoothing",
    shift=11,
    smoothing=(30.0,),
)
_GEPC: Final = Pipeline(
    placement="start",
    absent="zero",
    persons="min",
    fill="zero",
    shift="window",
    smoothing=(40.0,),
    smoothing_over="test-set",
)

_OTHERS: Final = (
    Protocol(
        name="mocodad",
        version=1,
        pipeline=_MOCODAD,
        per_dataset=(
            ("shanghaitech", _MOCODAD),
            ("ubnormal", replace(_MOCODAD, shift=18, smoothing=(30.0,))),
            ("avenue", replace(_MOCODAD, shift=6, smoothing=(30.0,), absence_pad=12)),
        ),
        source="MoCoDAD (Flaborea et al., ICCV 2023, arXiv 2307.07205), released code; DCMD scores the same way",
        notes=(
            "Shift and sigma were chosen for each data set by its authors.",
            "A frame's score depends on how many tracks its clip has, and on the scale of the scores.",
        ),
    ),
    Protocol(
        name="coskad",
        version=1,
        pipeline=_COSKAD,
        source="COSKAD (Flaborea et al., arXiv 2301.09489), released code",
        notes=("Shift and sigma are constants of the code; the keys of its configuration are not used.",),
    ),
    Protocol(
        name="gepc",
        version=1,
        pipeline=_GEPC,
        source="GEPC (Markovitz et al., CVPR 2020, arXiv 1912.11850), released code with its faults",
        notes=(
            "The most normal person of a frame decides, and a frame in which any track of the clip has no score gets at most 0: "
            "made for log-densities, it depends on where the scores' zero lies.",
            "Shift and smoothing run across the borders of clips, so the order of the clips matters.",
            "The code's other fault, averaging five windows in place of five transformations, lies before the window scores.",
        ),
    ),
    Protocol(
        name="gepc-fixed",
        version=1,
        pipeline=replace(_GEPC, absent="ignored", persons="max", fill="minimum", vacated="minimum", smoothing_over="clip"),
        source="GEPC's shift and smoothing, with the most anomalous person of a frame, and each clip by itself",
        notes=("Ours, to show what the faults of gepc cost; nobody published figures under it.",),
    ),
    Protocol(
        name="mped-rnn",
        version=1,
        pipeline=Pipeline(origin="non-negative", placement="every", overlap="mean", fill="zero", scenes="quantile"),
        source="MPED-RNN (Morais et al., CVPR 2019, arXiv 1903.03295), released code",
        notes=("The quantiles are those of the test scores of each scene: the protocol is transductive.",),
    ),
    Protocol(
        name="trajrec",
        version=1,
        pipeline=Pipeline(origin="non-negative", placement="target", target_frames=6, overlap="mean", fill="zero"),
        source="TrajREC (Stergiou et al., WACV 2024, arXiv 2311.01851), released code, future setting",
        notes=("Its published figures are those of the best epoch on the test set, which no protocol can undo.",),
    ),
    Protocol(
        name="sparta",
        version=1,
        pipeline=Pipeline(branches=(("current", 0), ("future", 1)), smoothing=_CASCADE),
        source="SPARTA / PoseWatch (TeCSAR), released code",
        notes=(
            "Equal to standard-v1 for scores without the terms current and future.",
            "The standardisation of the two terms uses the test scores: with both, the protocol is transductive.",
        ),
    ),
    Protocol(
        name="seeker",
        version=1,
        pipeline=Pipeline(short_tracks="leave-out", placement="next", backfill=True, fill="below-minimum", smoothing=(1.0,)),
        source="SeeKer (arXiv 2506.18368)",
        notes=("The beginnings of tracks are scored, which standard-v1 leaves out.",),
    ),
)

PROTOCOLS: Final[Mapping[str, Protocol]] = MappingProxyType({each.name: each for each in (STANDARD_V1, *_OTHERS)})
"""Every protocol by name; the standard first."""


def stand_in_values(protocol: Protocol, dataset: str) -> bool:
    """Whether shift and smoothing that were published for ShanghaiTech stand in for ones that nobody published for a data set.

    A user's own protocol says itself what holds where it has no section.
    """
    return protocol.name in PROTOCOLS and not protocol.knows(dataset)


def protocol_named(name: str) -> Protocol:
    """The protocol of a name; raises `UsageError` for an unknown one."""
    if name not in PROTOCOLS:
        raise UsageError(f"no evaluation protocol is named {name!r}", remedy=did_you_mean(name, PROTOCOLS))
    return PROTOCOLS[name]
