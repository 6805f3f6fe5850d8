"""The folders of each family, as published: with STG-NF, and with MPED-RNN, TrajREC, COSKAD and MoCoDAD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vadbench_datasets.frame_truth import Masks
from vadbench_datasets.pose_form import SplitForm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vadbench.api import Split
    from vadbench_datasets.pose_family import Family

POSES: Final[Mapping[Family, Mapping[Split, str]]] = {
    "json": {"train": "pose/train", "validation": "pose/validation", "test": "pose/test"},
    "csv": {"train": "training/trajectories", "validation": "validating/trajectories", "test": "testing/trajectories"},
}
"""Family and split to the folder of its poses."""

MASKS: Final[Mapping[Family, Mapping[Split, Masks]]] = {
    "json": {"validation": Masks(("gt/validation_frame_mask",)), "test": Masks(("gt/test_frame_mask",))},
    "csv": {
        # MoCoDAD and COSKAD before MPED-RNN and TrajREC; inside validating, too, MoCoDAD calls the folder test_frame_mask.
        "validation": Masks(("validating/test_frame_mask", "validating/frame_level_masks"), dashes=True),
        "test": Masks(("testing/test_frame_mask", "testing/frame_level_masks"), dashes=True),
    },
}
"""Family and split to its masks."""


def training(family: Family, **parts: Any) -> SplitForm:
    """The training split of a family: normal throughout; ``parts`` are those of `SplitForm`."""
    return SplitForm((POSES[family]["train"],), **parts)


def testing(family: Family, **parts: Any) -> SplitForm:
    """The test split of a family, with its masks; ``parts`` are those of `SplitForm`."""
    return SplitForm((POSES[family]["test"],), **{"truth": MASKS[family]["test"], **parts})
