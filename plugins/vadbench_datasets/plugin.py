"""What this plug-in offers. Only names stand here: nothing is imported until a data set is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vadbench.api import Registry, hookimpl

_HERE: Final = "vadbench_datasets"


@dataclass(frozen=True, slots=True)
class _Published:
    """A published data set: where its class and its config are, what it is, whether it is run when none is named."""

    target: str
    summary: str
    config: str = "published_set:PublishedConfig"
    default: bool = False


PUBLISHED: Final = {
    "shanghaitech": _Published("shanghaitech:ShanghaiTech", "ShanghaiTech Campus, all 107 test clips"),
    "hr-shanghaitech": _Published(
        "shanghaitech:HRShanghaiTech", "ShanghaiTech Campus without the 6 test clips whose anomaly is not human", default=True
    ),
    "ubnormal": _Published("ubnormal:UBnormal", "UBnormal, all 211 test clips", config="ubnormal:UBnormalConfig"),
    "hr-ubnormal": _Published(
        "hr_ubnormal:HRUBnormal",
        "UBnormal without the 2,151 test frames whose anomaly is not human",
        config="ubnormal:UBnormalConfig",
        default=True,
    ),
    "avenue": _Published("avenue:Avenue", "CUHK Avenue, all 21 test clips"),
    "hr-avenue": _Published("avenue:HRAvenue", "CUHK Avenue without the 616 test frames that are not human-related"),
    "chad": _Published("chad:CHAD", "CHAD, a parking lot seen by 4 cameras; poses as JSON", config="chad:CHADConfig"),
    "nwpu-campus": _Published(
        "nwpu_campus:NWPUCampus", "NWPU Campus, all 242 test clips; poses of your own", config="own_poses:OwnPosesConfig"
    ),
    "msad": _Published("msad:MSAD", "MSAD, 14 scenarios; poses of your own", config="msad:MSADConfig"),
    "poselift": _Published(
        "poselift:PoseLift", "PoseLift, shoplifting in a shop seen by 6 cameras", config="published_set:JsonConfig"
    ),
}
"""Name to data set."""

VADBENCH_API = 1


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
        summary="any folder of tracked poses and frame masks, as JSON or CSV",
        opens_folders=True,
    )
    for name, published in PUBLISHED.items():
        registry.dataset(
            name,
            f"{_HERE}.{published.target}",
            config=f"{_HERE}.{published.config}",
            summary=published.summary,
            default=published.default,
        )
