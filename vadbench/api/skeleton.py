"""What a skeleton layout is: which joint stands at which index, which are connected, which mirror each other.

A layout travels with the poses, so a model never has to guess the order of joints. The published layouts are tables in
`vadbench.api.layouts`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class SkeletonLayout:
    """Named joints in order, with edges and left/right pairs given by name.

    A joint name means the same place of the body in every layout that has it; conversions rest on that.

    Args:
        name: As on the command line.
        joints: The joints, in order of their index.
        edges: Which joints are connected.
        pairs: Left and right joints that change places in a mirror.
        source: Who published the order of joints and the edges.

    Raises:
        ValueError: if a joint is named twice or is in two pairs, or an edge or a pair names a joint that is not there.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    pairs: tuple[tuple[str, str], ...]
    source: str = field(default="", compare=False)

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
