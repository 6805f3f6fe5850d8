"""Evaluation protocols: frozen, named, versioned values that say how window scores become a number.

A protocol is data; each of its fields names a step that is written and tested by itself in this room.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final, Literal

from vadbench.api import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Protocol:
    """How window scores become frame scores and a metric.

    Args:
        name: With its version, e.g. ``standard-v1``; a protocol is never changed, a new version is added.
        placement: Which frames of a window get its score. ``centre``: frame ``start + T // 2`` only.
        persons: How the persons of a frame are combined. ``max``: the most anomalous one counts.
        fill: What a frame gets in which no window scores anybody. ``minimum``: the lowest score of the whole test set,
            so such frames count as the most normal.
        smoothing: Standard deviations, in frames, of Gaussian filters applied one after another, clip by clip.
        frames_leave: When frames outside a human-related subset are dropped, relative to smoothing.
        source: Where the rule comes from.
    """

    name: str
    placement: Literal["centre"]
    persons: Literal["max"]
    fill: Literal["minimum"]
    smoothing: tuple[float, ...]
    frames_leave: Literal["after-smoothing"]
    source: str

    def digest(self) -> str:
        """12 hex digits over every field: the same rule, the same digest."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]


STANDARD_V1: Final = Protocol(
    name="standard-v1",
    placement="centre",
    persons="max",
    fill="minimum",
    smoothing=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
    frames_leave="after-smoothing",
    source="the pipeline of STG-NF (Hirschorn and Avidan, ICCV 2023, arXiv 2211.10946) as its released code executes it",
)

PROTOCOLS: Final = {protocol.name: protocol for protocol in (STANDARD_V1,)}
"""Every protocol by name."""


def protocol_named(name: str) -> Protocol:
    """The protocol of a name; raises `UsageError` for an unknown one."""
    if name not in PROTOCOLS:
        raise UsageError(f"no evaluation protocol is named {name!r}", remedy=did_you_mean(name, PROTOCOLS))
    return PROTOCOLS[name]
