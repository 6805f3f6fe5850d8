"""The released checkpoints of STG-NF (Hirschorn and Avidan, ICCV 2023, arXiv 2211.10946) as weights of our flow.

They are torch archives, a dictionary of ``epoch``, ``state_dict``, ``optimizer`` and ``args``, and are read without unpickling
anything but tensors and the plain `argparse.Namespace` of the training's options.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import torch

from vadbench.api import DataError, Released

if TYPE_CHECKING:
    from pathlib import Path

_LICENCE: Final = "CC BY-NC 4.0"
_SOURCE: Final = "STG-NF, O. Hirschorn and S. Avidan, ICCV 2023, arXiv:2211.10946; github.com/orhir/STG-NF"
_REMEDY: Final = "give one of the released files, such as ShanghaiTech_85_9.tar"
_FIXED: Final[Mapping[str, Any]] = {
    "L": 1,
    "hidden_dim": 0,
    "confidence": False,
    "headless": False,
    "strategy": "uniform",
    "max_hop": 8,
    "flow_permutation": "invcov",
    "norm_scale": 0,
    "prop_norm_scale": 1,
}
"""Options of every released model. Most leave no trace in the parameters: with others, the same numbers mean another model."""
_LAYERS: Final = "flow.layers."
_RENAMED: Final = {
    "actnorm.bias": "actnorm.bias",
    "actnorm.logs": "actnorm.log_scale",
    "block.0.gcn.conv": "conditioner.spatial",
    "block.0.tcn.0": "conditioner.spatial_norm",
    "block.0.tcn.2": "conditioner.temporal",
    "block.0.tcn.3": "conditioner.temporal_norm",
    "block.0.residual.0": "conditioner.residual",
    "block.0.residual.1": "conditioner.residual_norm",
}


def read_stgnf(path: Path) -> Released:
    """A released checkpoint; raises `DataError` for any other file."""
    archive = _archive(path)
    options, state = archive["args"], archive["state_dict"]
    told: dict[str, Any] = vars(options)
    odd = [name for name, value in _FIXED.items() if type(told.get(name)) is not type(value) or told[name] != value]
    odd += [name for name in ("seg_len", "K") if not isinstance(told.get(name), int)]
    odd += [] if _is_finite(told.get("R")) else ["R"]
    if odd:
        given = ", ".join(f"{name} = {told.get(name)!r}" for name in odd)
        raise DataError(f"the model has other options than the released ones: {given}", where=path, remedy=_REMEDY)
    supervised = bool(told.get("pose_path_train_abnormal"))
    return Released(
        state=_renamed(state, path),
        settings={"windows.length": int(told["seg_len"]), "flow.steps": int(told["K"]), "flow.base_mean": float(told["R"])},
        trained_on="ubnormal" if told.get("ubnormal") else "shanghaitech",
        track="supervised" if supervised else "one-class",
        seed=seed if isinstance(seed := told.get("seed"), int) else None,
        licence=_LICENCE,
        source=_SOURCE,
        notes=(f"Epoch {archive.get('epoch')}, as released; not to be passed on commercially.",),
    )


def _archive(path: Path) -> Mapping[str, Any]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise DataError(f"the checkpoint cannot be read: {error.strerror}", where=path, remedy="check the path") from error
    try:
        with stream, torch.serialization.safe_globals([argparse.Namespace]):
            archive = torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged file torch, pickle, struct and the system each complain in their own way
        # What torch says of it would have the user load it without these precautions.
        raise DataError("this is no torch archive of tensors and plain options", where=path, remedy=_REMEDY) from error
    parts = {"state_dict": dict, "args": argparse.Namespace}
    if not isinstance(archive, dict) or not all(isinstance(archive.get(name), kind) for name, kind in parts.items()):
        raise DataError("the checkpoint has no state_dict and args of STG-NF", where=path, remedy=_REMEDY)
    if not all(isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in archive["state_dict"].items()):
        raise DataError("the state_dict of the checkpoint holds other things than tensors", where=path, remedy=_REMEDY)
    return archive


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _renamed(state: Mapping[str, torch.Tensor], path: Path) -> dict[str, torch.Tensor]:
    """Our names and shapes: a 1x1 convolution is a linear map, a (K, 1) convolution over time one without the joint axis."""
    found = {}
    for name, value in state.items():
        if not name.startswith(_LAYERS):
            continue  # the constants of the base density
        step, _, rest = name.removeprefix(_LAYERS).partition(".")
        theirs = next((prefix for prefix in _RENAMED if rest == prefix or rest.startswith(f"{prefix}.")), None)
        if theirs is None:
            raise DataError(f"STG-NF has no parameter {name}", where=path, remedy=_REMEDY)
        ours = _RENAMED[theirs]
        convolution = rest.endswith("weight") and value.ndim == 4
        kept = 3 if ours == "conditioner.temporal" else 2
        found[f"steps.{step}.{ours}{rest.removeprefix(theirs)}"] = value.flatten(kept - 1) if convolution else value
    return found
