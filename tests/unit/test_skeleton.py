"""Skeleton layouts: validation, left and right in a mirror, and the published tables."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vadbench.api import COCO_17, COCO_18, HALPE_26, LAYOUTS, NTU_25, OPENPOSE_18, OPENPOSE_25, SkeletonLayout


@st.composite
def layouts(draw) -> SkeletonLayout:
    joints = tuple(f"j{i}" for i in range(draw(st.integers(1, 12))))
    shuffled = draw(st.permutations(joints))
    count = draw(st.integers(0, len(joints) // 2))
    pairs = tuple((shuffled[2 * i], shuffled[2 * i + 1]) for i in range(count))
    return SkeletonLayout("drawn", joints, edges=(), pairs=pairs)


@given(layouts())
def test_mirror_is_an_involution_that_swaps_exactly_the_pairs(layout):
    mirror = layout.mirror
    assert [mirror[mirror[j]] for j in range(len(layout))] == list(range(len(layout)))
    moved = {frozenset((layout.joints[j], layout.joints[mirror[j]])) for j in range(len(layout)) if mirror[j] != j}
    assert moved == {frozenset(pair) for pair in layout.pairs}


each_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))


@each_layout
def test_shipped_layouts(layout):
    assert LAYOUTS[layout.name] is layout
    assert layout.source
    for j, partner in enumerate(layout.mirror):
        a, b = layout.joints[j], layout.joints[partner]
        assert b == a.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
    links = [frozenset(edge) for edge in layout.edge_indices]
    assert all(len(link) == 2 for link in links)
    assert len(set(links)) == len(links)


@each_layout
def test_every_sided_joint_has_a_partner(layout):
    paired = {joint for pair in layout.pairs for joint in pair}
    assert paired == {joint for joint in layout.joints if joint.startswith(("left_", "right_"))}
    assert all(left.startswith("left_") and right == "right_" + left[5:] for left, right in layout.pairs)


@each_layout
def test_edges_connect_every_joint(layout):
    links = np.array(layout.edge_indices).T
    graph = coo_array((np.ones(links.shape[1]), (links[0], links[1])), shape=(len(layout), len(layout)))
    assert connected_components(graph, directed=False)[0] == 1


@each_layout
def test_edges_are_the_same_in_a_mirror(layout):
    links = {frozenset(edge) for edge in layout.edge_indices}
    assert {frozenset(layout.mirror[j] for j in link) for link in links} == links


# As the sources print them: OpenPose's output documentation, the READMEs of Halpe-FullBody and of NTU RGB+D, COCO's annotations.
PUBLISHED = {
    "coco-17": """nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist
        right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle""",
    "openpose-18": """Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee RAnkle LHip LKnee LAnkle
        REye LEye REar LEar""",
    "openpose-25": """Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip RKnee RAnkle LHip LKnee LAnkle
        REye LEye REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel""",
    "halpe-26": """Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip LKnee RKnee LAnkle RAnkle
        HeadTop Neck MidHip LBigToe RBigToe LSmallToe RSmallToe LHeel RHeel""",
    "ntu-25": """SpineBase SpineMid UpperNeck Head ShoulderLeft ElbowLeft WristLeft HandLeft ShoulderRight ElbowRight WristRight
        HandRight HipLeft KneeLeft AnkleLeft FootLeft HipRight KneeRight AnkleRight FootRight SpineShoulder HandTipLeft ThumbLeft
        HandTipRight ThumbRight""",
}


def in_our_words(name: str) -> str:
    """``RBigToe``, ``BigToeRight``: ``right_big_toe``."""
    for short, side in (("L", "left"), ("R", "right")):
        name = re.sub(rf"^{short}(?=[A-Z])|^(\w+){side.title()}$", rf"{side.title()}\1", name)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("name", PUBLISHED)
def test_joints_stand_in_the_published_order(name):
    assert LAYOUTS[name].joints == tuple(in_our_words(joint) for joint in PUBLISHED[name].split())


def test_coco_18_is_made_from_coco_17_as_stg_nf_orders_it():
    with_neck = (*COCO_17.joints, "neck")
    assert COCO_18.joints == tuple(with_neck[j] for j in [0, 17, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3])
    assert COCO_18.joints == OPENPOSE_18.joints
    assert COCO_18 != OPENPOSE_18


def links(*numbers: int, base: int = 0) -> set[frozenset[int]]:
    return {frozenset((a - base, b - base)) for a, b in zip(numbers[::2], numbers[1::2], strict=True)}


# OpenPose's pairs to draw, MMPose's links of Halpe, ST-GCN's links (from 1) and COCO's skeleton (from 1), as published.
OPENPOSE_18_LINKS = links(
    *(1, 2, 1, 5, 2, 3, 3, 4, 5, 6, 6, 7, 1, 8, 8, 9, 9, 10, 1, 11, 11, 12, 12, 13, 1, 0, 0, 14, 14, 16, 0, 15, 15, 17)
)
OPENPOSE_25_LINKS = links(
    *(1, 8, 1, 2, 1, 5, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 10, 11, 8, 12, 12, 13, 13, 14, 1, 0, 0, 15, 15, 17, 0, 16, 16, 18),
    *(14, 19, 19, 20, 14, 21, 11, 22, 22, 23, 11, 24),
)
HALPE_LINKS = links(
    *(15, 13, 13, 11, 11, 19, 16, 14, 14, 12, 12, 19, 17, 18, 18, 19, 18, 5, 5, 7, 7, 9, 18, 6, 6, 8, 8, 10, 1, 2, 0, 1, 0, 2),
    *(1, 3, 2, 4, 3, 5, 4, 6, 15, 20, 15, 22, 15, 24, 16, 21, 16, 23, 16, 25),
)
NTU_LINKS = links(
    *(1, 2, 2, 21, 3, 21, 4, 3, 5, 21, 6, 5, 7, 6, 8, 7, 9, 21, 10, 9, 11, 10, 12, 11, 13, 1, 14, 13, 15, 14, 16, 15, 17, 1),
    *(18, 17, 19, 18, 20, 19, 22, 23, 23, 8, 24, 25, 25, 12),
    base=1,
)
COCO_LINKS = links(
    *(16, 14, 14, 12, 17, 15, 15, 13, 12, 13, 6, 12, 7, 13, 6, 7, 6, 8, 7, 9, 8, 10, 9, 11, 2, 3, 1, 2, 1, 3, 2, 4, 3, 5),
    *(4, 6, 5, 7),
    base=1,
)


@pytest.mark.parametrize(
    ("layout", "published"),
    [
        (COCO_17, COCO_LINKS),
        (COCO_18, OPENPOSE_18_LINKS),
        (OPENPOSE_18, OPENPOSE_18_LINKS),
        (OPENPOSE_25, OPENPOSE_25_LINKS),
        (HALPE_26, HALPE_LINKS),
        (NTU_25, NTU_LINKS),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_edges_are_the_published_ones(layout, published):
    assert {frozenset(edge) for edge in layout.edge_indices} == published


def test_the_source_is_a_remark():
    assert SkeletonLayout("odd", ("a",), (), (), source="here") == SkeletonLayout("odd", ("a",), (), (), source="there")


def test_index_of_unknown_joint():
    assert COCO_18.index("neck") == 1
    with pytest.raises(ValueError):  # noqa: PT011 - of tuple.index
        COCO_18.index("tail")


def test_joint_named_twice():
    with pytest.raises(ValueError, match="names a joint twice"):
        SkeletonLayout("odd", ("a", "b", "a"), (), ())


@pytest.mark.parametrize(("edges", "pairs"), [((("a", "c"),), ()), ((), (("c", "a"),))])
def test_link_to_a_joint_that_is_not_there(edges, pairs):
    with pytest.raises(ValueError, match="unknown joints: c"):
        SkeletonLayout("odd", ("a", "b"), edges, pairs)


@pytest.mark.parametrize("pairs", [(("a", "b"), ("a", "c")), (("a", "b"), ("b", "a")), (("a", "a"),)])
def test_joint_in_two_pairs(pairs):
    with pytest.raises(ValueError, match="pairs"):
        SkeletonLayout("odd", ("a", "b", "c"), (), pairs)
