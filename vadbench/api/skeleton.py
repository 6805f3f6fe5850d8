"""Skeleton layouts: which joint stands at which index, which are connected, which mirror each other.

A layout travels with the poses, so a model never has to guess the order of joints.
Sources: COCO keypoint order (Lin et al. 2014); the 18-joint order with neck is OpenPose's COCO model
(Cao et al. 2017), the order in which STG-NF (arXiv 2211.10946) feeds its poses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class SkeletonLayout:
    """Named joints in order, with edges and left/right pairs given by name.

    Raises:
        ValueError: if a joint is named twice or is in two pairs, or an edge or a pair names a joint that is not there.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    pairs: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if len(set(self.joints)) != len(self.joints):
            raise ValueError(f"layout {self.name!r} names a joint twice")
        unknown = {j for link in (*self.edges, *self.pairs) for j in link} - set(self.joints)
        if unknown:
            raise ValueError(f"layout {self.name!r} links unknown joints: {', '.join(sorted(unknown))}")
        paired = [joint for pair in self.pairs for joint in pair]
        if len(set(paired)) != len(paired):
            raise ValueError(f"layout {self.name!r} has a joint in two pairs")

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """The position of a named joint; raises ``ValueError`` for an unknown one."""
        return self.joints.index(joint)

    @cached_property
    def edge_indices(self) -> tuple[tuple[int, int], ...]:
        """The edges as pairs of joint indices."""
        return tuple((self.index(a), self.index(b)) for a, b in self.edges)

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """The joint that stands at each index after left and right change places."""
        partner = {a: b for pair in self.pairs for a, b in (pair, pair[::-1])}
        return tuple(self.index(partner.get(joint, joint)) for joint in self.joints)


_SIDED = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_PAIRS = tuple((f"left_{part}", f"right_{part}") for part in _SIDED)
_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"), ("eye", "ear"))
)

COCO_17 = SkeletonLayout(
    name="coco-17",
    joints=("nose", *(f"{side}_{part}" for part in _SIDED for side in ("left", "right"))),
    edges=(
        *_LIMBS,
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
    ),
    pairs=_PAIRS,
)

COCO_18 = SkeletonLayout(
    name="coco-18",
    joints=(
        "nose",
        "neck",
        *(f"{side}_{part}" for side in ("right", "left") for part in ("shoulder", "elbow", "wrist")),
        *(f"{side}_{part}" for side in ("right", "left") for part in ("hip", "knee", "ankle")),
        *(f"{side}_{part}" for part in ("eye", "ear") for side in ("right", "left")),
    ),
    edges=(
        *_LIMBS,
        ("nose", "neck"),
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        ("neck", "left_shoulder"),
        ("neck", "right_shoulder"),
        ("neck", "left_hip"),
        ("neck", "right_hip"),
    ),
    pairs=_PAIRS,
)

LAYOUTS = {layout.name: layout for layout in (COCO_17, COCO_18)}
"""Every layout by name."""
