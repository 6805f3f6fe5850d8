"""Skeleton layouts: validation, and left and right in a mirror."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench.api import COCO_17, COCO_18, LAYOUTS, SkeletonLayout


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


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_shipped_layouts(layout):
    assert LAYOUTS[layout.name] is layout
    for j, partner in enumerate(layout.mirror):
        a, b = layout.joints[j], layout.joints[partner]
        assert b == a.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
    assert all(0 <= a < len(layout) and 0 <= b < len(layout) and a != b for a, b in layout.edge_indices)


def test_joint_orders():
    assert len(COCO_17) == 17
    assert COCO_17.joints[:5] == ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
    assert COCO_17.joints[-2:] == ("left_ankle", "right_ankle")
    assert len(COCO_18) == 18
    assert COCO_18.joints[:3] == ("nose", "neck", "right_shoulder")


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
