"""The published skeleton layouts as tables, in one vocabulary: the same joint has the same name everywhere.

Names that need a word, because sources use one name for two places or two names for one:

- ``neck`` lies between the shoulders (OpenPose, Halpe; COCO-18 computes it). Kinect's neck lies above that, between
  the shoulders and the head, and is called ``upper_neck``; what Kinect has at the height of the shoulders is ``spine_shoulder``.
- ``mid_hip`` lies between the hips (OpenPose's MidHip, Halpe's Hip). Kinect's ``spine_base`` is a joint of its own.
- ``head_top`` is Halpe's Head, the crown; ``head`` is Kinect's, the middle of the head.
"""

from __future__ import annotations

from typing import Final

from vadbench.api.skeleton import SkeletonLayout

_Links = tuple[tuple[str, str], ...]


def _both_sides(*links: tuple[str, str]) -> _Links:
    """Each link on the left and on the right; a joint written with ``*`` stands in the middle and has no side."""
    return tuple((_sided(a, side), _sided(b, side)) for side in ("left", "right") for a, b in links)


def _sided(joint: str, side: str) -> str:
    return joint.removeprefix("*") if joint.startswith("*") else f"{side}_{joint}"


def _pairs(joints: tuple[str, ...]) -> _Links:
    """Every joint of the left with its partner on the right."""
    return tuple((joint, joint.replace("left_", "right_", 1)) for joint in joints if joint.startswith("left_"))


def _layout(name: str, joints: str, edges: _Links, source: str) -> SkeletonLayout:
    ordered = tuple(joints.split())
    return SkeletonLayout(name, ordered, edges, _pairs(ordered), source)


_COCO_JOINTS: Final = """
    nose left_eye right_eye left_ear right_ear
    left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist
    left_hip right_hip left_knee right_knee left_ankle right_ankle
"""
_OPENPOSE_COCO_JOINTS: Final = """
    nose neck
    right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist
    right_hip right_knee right_ankle left_hip left_knee left_ankle
    right_eye left_eye right_ear left_ear
"""
_LIMBS: Final = _both_sides(("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
_FACE: Final = _both_sides(("*nose", "eye"), ("eye", "ear"))
_OPENPOSE_COCO_EDGES: Final = (
    *_LIMBS,
    *_FACE,
    ("nose", "neck"),
    *_both_sides(("*neck", "shoulder"), ("*neck", "hip")),
)

COCO_17: Final = _layout(
    "coco-17",
    _COCO_JOINTS,
    (
        *_LIMBS,
        *_FACE,
        ("left_eye", "right_eye"),
        *_both_sides(("ear", "shoulder"), ("shoulder", "hip")),
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
    ),
    "COCO keypoints and skeleton, as in its person_keypoints annotations (Lin et al., ECCV 2014)",
)
"""The 17 keypoints of COCO, in its order."""

COCO_18: Final = _layout(
    "coco-18",
    _OPENPOSE_COCO_JOINTS,
    _OPENPOSE_COCO_EDGES,
    "COCO-17 with a computed neck, in the order of OpenPose's COCO model, as GEPC (arXiv 1912.11850) and STG-NF "
    "(arXiv 2211.10946) feed their poses",
)
"""COCO-17 with a computed neck, in the order in which GEPC and STG-NF take their poses."""

OPENPOSE_18: Final = _layout(
    "openpose-18",
    _OPENPOSE_COCO_JOINTS,
    _OPENPOSE_COCO_EDGES,
    "OpenPose's COCO model (Cao et al., CVPR 2017), its output documentation and the pairs it draws",
)
"""The COCO model of OpenPose, whose neck is a keypoint of its own."""

OPENPOSE_25: Final = _layout(
    "openpose-25",
    """
    nose neck
    right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist
    mid_hip right_hip right_knee right_ankle left_hip left_knee left_ankle
    right_eye left_eye right_ear left_ear
    left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel
    """,
    (
        *_LIMBS,
        *_FACE,
        ("nose", "neck"),
        ("neck", "mid_hip"),
        *_both_sides(("*neck", "shoulder"), ("*mid_hip", "hip")),
        *_both_sides(("ankle", "big_toe"), ("big_toe", "small_toe"), ("ankle", "heel")),
    ),
    "OpenPose's BODY_25 model (Cao et al., TPAMI 2019), its output documentation and the pairs it draws",
)
"""BODY_25 of OpenPose."""

HALPE_26: Final = _layout(
    "halpe-26",
    f"""
    {_COCO_JOINTS}
    head_top neck mid_hip
    left_big_toe right_big_toe left_small_toe right_small_toe left_heel right_heel
    """,
    (
        *_LIMBS,
        *_FACE,
        ("left_eye", "right_eye"),
        ("head_top", "neck"),
        ("neck", "mid_hip"),
        *_both_sides(("ear", "shoulder"), ("*neck", "shoulder"), ("*mid_hip", "hip")),
        *_both_sides(("ankle", "big_toe"), ("ankle", "small_toe"), ("ankle", "heel")),
    ),
    "Halpe-FullBody's first 26 of 136 keypoints, as AlphaPose writes them (Fang et al., TPAMI 2022); edges as in MMPose's "
    "configuration of it, because Halpe's own leave the face apart from the body",
)
"""The first 26 of Halpe-FullBody's keypoints."""

NTU_25: Final = _layout(
    "ntu-25",
    """
    spine_base spine_mid upper_neck head
    left_shoulder left_elbow left_wrist left_hand right_shoulder right_elbow right_wrist right_hand
    left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot
    spine_shoulder left_hand_tip left_thumb right_hand_tip right_thumb
    """,
    (
        *_LIMBS,
        ("spine_base", "spine_mid"),
        ("spine_mid", "spine_shoulder"),
        ("spine_shoulder", "upper_neck"),
        ("upper_neck", "head"),
        *_both_sides(("*spine_shoulder", "shoulder"), ("*spine_base", "hip"), ("ankle", "foot")),
        *_both_sides(("wrist", "hand"), ("hand", "thumb"), ("thumb", "hand_tip")),
    ),
    "Kinect v2's JointType, as in NTU RGB+D (Shahroudy et al., CVPR 2016); edges as in ST-GCN (Yan et al., AAAI 2018)",
)
"""Kinect v2, as in NTU RGB+D."""

LAYOUTS: Final = {layout.name: layout for layout in (COCO_17, COCO_18, OPENPOSE_18, OPENPOSE_25, HALPE_26, NTU_25)}
"""Every layout by name."""
