"""Joints that are not what they are called: another layout's order, exchanged or turned axes, exchanged sides.

The rules of a body are tried on the poses as they are said to be. Where some are broken, the same poses are read in other
orders and with other axes; the reading that breaks none tells what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api.layouts import LAYOUTS
from vadbench.data.doctor.body_rules import Rule, body_rules
from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.wording import counted, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vadbench.api import SkeletonLayout
    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

SAMPLE: Final = 10_000
"""Poses that are looked at, spread evenly over the more confident half of the split."""
SIDES_POSES, SIDES_CORRELATION = 500, -0.25
"""Poses from which the correlation of face and side is judged, and below which left and right are exchanged."""

_ARMS: Final = ("shoulder", "elbow", "wrist")
_LEGS: Final = ("hip", "knee", "ankle")


def _chain(side: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for part in parts)


_HUMAN36M: Final = (
    *("mid_hip", *_chain("right", _LEGS), *_chain("left", _LEGS), "spine", "neck", "nose", "head_top"),
    *(*_chain("left", _ARMS), *_chain("right", _ARMS)),
)
"""The 17 joints of Human3.6M in the order that pose lifting made common (Martinez et al., ICCV 2017)."""
_MPII: Final = (
    *(*_chain("right", _LEGS[::-1]), *_chain("left", _LEGS), "mid_hip", "neck", "upper_neck", "head_top"),
    *(*_chain("right", _ARMS[::-1]), *_chain("left", _ARMS)),
)
"""The 16 joints of MPII Human Pose (Andriluka et al., CVPR 2014)."""


@dataclass(frozen=True, slots=True)
class _Axes:
    """Which stored numbers run to the right and downwards, in words and as a choice."""

    text: str
    exchanged: bool
    down: int


_AS_SAID: Final = _Axes("as said", exchanged=False, down=1)
_AXES: Final = (
    _AS_SAID,
    _Axes("y runs upwards", exchanged=False, down=-1),
    _Axes("x and y are exchanged", exchanged=True, down=1),
    _Axes("x and y are exchanged and run upwards", exchanged=True, down=-1),
)


def joint_order(read: ReadSplit) -> Iterator[Diagnosis]:
    """Rules of a body are broken as the poses are said to be; says under which other reading they are kept."""
    rows = _sample(read)
    if len(rows) == 0:
        return
    x, y, layout = read.x[rows], read.y[rows], read.tracks.layout
    broken = [rule for rule in body_rules(x, y, layout.joints) if rule.broken]
    if not broken:
        return
    cases = [
        Case(f"{rule.text}: in {percent(rule.holds)} of the poses", read.whole)
        for rule in sorted(broken, key=lambda rule: rule.holds)
    ]
    summary = f"{counted(len(broken), 'rule')} of a body {'is' if len(broken) == 1 else 'are'} broken, e.g. {cases[0].what}"
    axes = next((axes for axes in _AXES[1:] if not _broken(x, y, layout.joints, axes)), None)
    if axes is not None:
        remedy = "write x from left to right and y from top to bottom of the picture, in this order"
        yield read.diagnosis("axes", "error", f"{axes.text}: {summary}", remedy, cases)
        return
    order = next((name for name, joints in _orders(layout).items() if not _broken(x, y, joints, _AS_SAID)), None)
    if order is not None:
        yield read.diagnosis(
            "joint-order",
            "error",
            f"the joints are not in the order of {layout.name} but of {order}: {summary}",
            f"write them in the order of {layout.name}{_setting(order, layout)}",
            cases,
        )
    elif {rule.kind for rule in broken} == {"straight"}:
        yield read.diagnosis(
            "joint-sides",
            "error",
            f"left and right joints are exchanged in a part of the body: {summary}",
            f"write the joints in the order of {layout.name}: {', '.join(layout.joints)}",
            cases,
        )
    else:
        yield read.diagnosis(
            "joint-order",
            "error" if any(rule.kind != "above" for rule in broken) else "warning",
            f"the joints are not where {layout.name} has them, and in no other known order: {summary}",
            f"write them in the order of {layout.name}: {', '.join(layout.joints)}; a camera that looks straight down, or "
            "people who lie, break the rules of what is above what alone",
            cases,
        )


def exchanged_sides(read: ReadSplit) -> Iterator[Diagnosis]:
    """All left and right joints are exchanged: whoever shows the face has the left shoulder on the left of the picture.

    Facing the camera, a person's left is on the right of the picture, and the face is seen with more confidence than from
    behind. So the confidence of the nose and the side on which the left shoulder stands go together.
    """
    index = {name: place for place, name in enumerate(read.tracks.layout.joints)}
    if not {"nose", "left_shoulder", "right_shoulder"} <= set(index):
        return
    width = read.x[:, index["left_shoulder"]] - read.x[:, index["right_shoulder"]]
    wide = np.abs(width) > 0.1 * read.size
    nose, side = read.tracks.planes[2][wide, index["nose"]], np.sign(width[wide])
    if wide.sum() < SIDES_POSES or nose.std() == 0 or side.std() == 0:
        return
    together = float(np.corrcoef(nose, side)[0, 1])
    if together < SIDES_CORRELATION:
        yield read.diagnosis(
            "exchanged-sides",
            "warning",
            f"left and right look exchanged throughout: the surer the nose, the more often the left shoulder is on the left of "
            f"the picture (correlation {together:.2f} over {int(wide.sum()):,} poses)",
            "look whether pictures were mirrored or left and right joints written the other way round",
        )


def _setting(order: str, said: SkeletonLayout) -> str:
    """What may be set instead, where the order is a layout of as many joints."""
    if order not in LAYOUTS or len(LAYOUTS[order]) != len(said):
        return ""
    return f", or say so with --set dataset.layout={order} where the data set has this setting"


def _sample(read: ReadSplit) -> NDArray[np.int64]:
    rows = np.flatnonzero(read.comparable)
    if len(rows) == 0:
        return rows
    confidence = read.tracks.planes[2].mean(axis=1)[rows]
    rows = rows[confidence >= np.median(confidence)]
    return np.asarray(rows[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).astype(np.int64)], dtype=np.int64)


def _broken(x: NDArray[np.float32], y: NDArray[np.float32], joints: tuple[str, ...], axes: _Axes) -> list[Rule]:
    right, down = (y, x) if axes.exchanged else (x, y)
    rules = body_rules(right, down * axes.down, joints)
    return [rule for rule in rules if rule.broken] if rules else [Rule("none can be judged", "above", 0.0)]


def _orders(said: SkeletonLayout) -> dict[str, tuple[str, ...]]:
    """Other orders that poses may be in, by name, those of as many joints first; one of more is cut off, as a reader would."""
    named = {name: layout.joints for name, layout in LAYOUTS.items()}
    named["coco-18 without its neck"] = tuple(joint for joint in named["coco-18"] if joint != "neck")
    named["coco-17 with a neck at the end"] = (*named["coco-17"], "neck")
    named["Human3.6M"] = _HUMAN36M
    named["MPII"] = _MPII
    fitting = {name: joints for name, joints in named.items() if len(joints) >= len(said) and joints != said.joints}
    return dict(sorted(fitting.items(), key=lambda item: len(item[1])))
