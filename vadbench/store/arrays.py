"""The array files of a run folder: ``scores.npz``, ``labels.npz``, ``weights.safetensors``. No pickle, ever."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import DataError, FrameLabels, WindowScores, write_window_scores
from vadbench.api.bundle_arrays import TERM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


def save_scores(path: Path, scores: WindowScores) -> None:
    """Window scores as `vadbench.api.write_window_scores` writes them: those of a run and of a bundle have one form."""
    write_window_scores(path, scores)


def load_scores(path: Path) -> WindowScores:
    """What `save_scores` wrote; raises `DataError` for a damaged file."""
    data = _load(path, ("clip", "person", "start", "score", "length"))
    terms = {name.removeprefix(TERM): values for name, values in data.items() if name.startswith(TERM)}
    return WindowScores(data["clip"], data["person"], data["start"], data["score"], int(data["length"]), terms)


def save_labels(path: Path, labels: FrameLabels, scenes: Mapping[str, str]) -> None:
    """Frame labels of the test split, with the scene of each clip: what is needed to compute every metric again."""
    np.savez_compressed(
        path,
        clip=np.array(labels.clips, dtype=np.str_),
        scene=np.array([scenes[name] for name in labels.clips], dtype=np.str_),
        length=np.array([len(part) for part in labels.abnormal], dtype=np.int64),
        abnormal=np.concatenate([np.zeros(0, bool), *labels.abnormal]),
        keep=np.concatenate([np.zeros(0, bool), *labels.keep]),
    )


def load_labels(path: Path) -> tuple[FrameLabels, dict[str, str]]:
    """What `save_labels` wrote: labels, and clip name to scene; raises `DataError` for a damaged file."""
    data = _load(path, ("clip", "scene", "length", "abnormal", "keep"))
    clips = tuple(str(name) for name in data["clip"])
    bounds = list(pairwise(np.concatenate([[0], np.cumsum(data["length"])]).tolist()))
    labels = FrameLabels(
        clips,
        tuple(data["abnormal"][a:b] for a, b in bounds),
        tuple(data["keep"][a:b] for a, b in bounds),
    )
    return labels, dict(zip(clips, (str(scene) for scene in data["scene"]), strict=True))


def save_weights(path: Path, state: Mapping[str, Any]) -> None:
    """Named tensors (torch or NumPy) as safetensors."""
    from safetensors.torch import save

    tensors = as_tensors(state)
    # Written by ourselves: the library's own writer makes a file that nobody else may read.
    path.write_bytes(save(tensors))


def as_tensors(state: Mapping[str, Any]) -> dict[str, Any]:
    """Named tensors or arrays as torch tensors on the CPU that share no memory; raises what torch raises for anything else."""
    import torch

    return {name: torch.as_tensor(value).detach().cpu().contiguous().clone() for name, value in state.items()}


def load_weights(path: Path) -> dict[str, Any]:
    """What `save_weights` wrote, as torch tensors on the CPU; raises `DataError` for a damaged file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(str(path)))
    except (OSError, SafetensorError) as error:
        raise DataError(f"the weights cannot be read: {error}", where=path, remedy="run again with --force") from error


def _load(path: Path, keys: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            data = {name: archive[name] for name in archive.files}
    except Exception as error:  # of a damaged file NumPy, zipfile, zlib and tokenize each complain in their own way
        raise DataError(f"the file cannot be read: {error}", where=path, remedy="run again with --force") from error
    missing = [key for key in keys if key not in data]
    if missing:
        raise DataError(f"the file lacks {', '.join(missing)}", where=path, remedy="run again with --force")
    return data
