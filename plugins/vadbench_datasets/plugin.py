"""What this plug-in offers. Only names stand here: nothing is imported until a data set is used."""

from __future__ import annotations

from typing import Final

from vadbench.api import Registry, hookimpl

_HERE: Final = "vadbench_datasets"


@hookimpl
def vadbench_register(registry: Registry) -> None:
    """Registers the data sets."""
    registry.dataset(
        "synthetic-campus",
        f"{_HERE}.synthetic.campus:SyntheticCampus",
        config=f"{_HERE}.synthetic.campus:SyntheticCampusConfig",
        summary="people on a campus, generated from a seed; a stand-in, never a result",
        default=True,
    )
    registry.dataset(
        "pose-folder",
        f"{_HERE}.pose_folder:PoseFolder",
        config=f"{_HERE}.pose_folder:PoseFolderConfig",
        summary="any folder of tracked poses and frame masks in the layout of STG-NF",
        opens_folders=True,
    )
    registry.dataset(
        "shanghaitech",
        f"{_HERE}.shanghaitech:ShanghaiTech",
        config=f"{_HERE}.published_set:PublishedConfig",
        summary="ShanghaiTech Campus, all 107 test clips",
    )
    registry.dataset(
        "hr-shanghaitech",
        f"{_HERE}.shanghaitech:HRShanghaiTech",
        config=f"{_HERE}.published_set:PublishedConfig",
        summary="ShanghaiTech Campus without the 6 test clips whose anomaly is not human",
        default=True,
    )
    registry.dataset(
        "ubnormal",
        f"{_HERE}.ubnormal:UBnormal",
        config=f"{_HERE}.published_set:PublishedConfig",
        summary="UBnormal, all 211 test clips",
    )
    registry.dataset(
        "hr-ubnormal",
        f"{_HERE}.hr_ubnormal:HRUBnormal",
        config=f"{_HERE}.published_set:PublishedConfig",
        summary="UBnormal without the 2,151 test frames whose anomaly is not human",
        default=True,
    )
