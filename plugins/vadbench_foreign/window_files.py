"""Windows as files that any program can read: ``.npy`` arrays written batch by batch, the rows as text, and a description."""

from __future__ import annotations

import csv
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from vadbench.api import Context, Windows

SCHEMA_VERSION: Final = 1
"""Of the folder; it rises when a program that reads it may break."""
_BATCH: Final = 4096


def write_windows(folder: Path, windows: Windows, *, arrays: Sequence[str], told: Mapping[str, Any], context: Context) -> None:
    """Writes a folder of windows; see ``docs/foreign-methods.md`` for what it holds. Never a label.

    Args:
        folder: Made; it must not be there.
        windows: At least one.
        arrays: Which of the large ones to write.
        told: What ``windows.json`` says beside what the windows say: step, seed, device and so on.
        context: For the progress.

    Raises:
        OSError: if something cannot be written, as on a full disk.
    """
    folder.mkdir()
    _write_rows(folder, windows)
    _write_description(folder / "windows.json", windows, arrays, told)
    count, length, joints = len(windows), windows.rule.length, len(windows.tracks.layout)
    shapes = {"x": (2, length, joints), "pixels": (2, length, joints), "confidence": (length, joints), "frame": (length,)}
    kinds = {name: np.dtype("<i4") if name == "frame" else np.dtype("<f4") for name in shapes}
    with ExitStack() as open_files, context.progress.task(f"{context.name}: write windows", count) as advance:
        files = {name: open_files.enter_context((folder / f"{name}.npy").open("wb")) for name in arrays}
        for name, file in files.items():
            _write_header(file, kinds[name], (count, *shapes[name]))
        for begin in range(0, count, _BATCH):
            for name, values in _batch(windows, slice(begin, begin + _BATCH), arrays):
                # Appended, not mapped: what is written to a map counts as memory of the process.
                files[name].write(np.ascontiguousarray(values, dtype=kinds[name]).tobytes())
            advance(min(_BATCH, count - begin))


def _batch(windows: Windows, index: slice, arrays: Sequence[str]) -> Iterator[tuple[str, NDArray[Any]]]:
    if {"x", "pixels", "confidence"} & set(arrays):
        batch = windows.batch(index)
        if "x" in arrays:
            yield "x", batch.x
        if "pixels" in arrays:
            yield "pixels", windows.placement(index).to_pixels(batch.x)
        if "confidence" in arrays:
            yield "confidence", batch.confidence
    if "frame" in arrays:
        yield "frame", windows.tracks.frame[windows.first[index][:, None] + np.arange(windows.rule.length)]


def _write_header(file: BinaryIO, kind: np.dtype[Any], shape: tuple[int, ...]) -> None:
    description = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, description)


def _write_rows(folder: Path, windows: Windows) -> None:
    names = np.array([clip.name for clip in windows.tracks.clips], dtype=np.str_)
    columns: dict[str, NDArray[Any]] = {
        "clip": names[windows.clip],
        **{name: getattr(windows, name).astype("<i8") for name in ("person", "start", "view", "track")},
    }
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column, allow_pickle=False)
    with (folder / "windows.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))


def _write_description(path: Path, windows: Windows, arrays: Sequence[str], told: Mapping[str, Any]) -> None:
    tracks, rule = windows.tracks, windows.rule
    counts = np.bincount(windows.clip, minlength=len(tracks.clips)).tolist()
    description = {
        "schema_version": SCHEMA_VERSION,
        **told,
        "windows": len(windows),
        "window_length": rule.length,
        "rule": {"stride": rule.stride, "missing": rule.missing, "keep_last": rule.keep_last},
        "arrays": list(arrays),
        "missing_joint": {"window-mean": "mean of the joint over the window", "zero": "zero"}[windows.normaliser.missing],
        "layout": tracks.layout.name,
        "joints": list(tracks.layout.joints),
        "edges": [list(edge) for edge in tracks.layout.edges],
        "pairs": [list(pair) for pair in tracks.layout.pairs],
        "views": ["plain", *(view.name for view in windows.views)],
        "clips": [
            {
                "name": clip.name,
                "scene": clip.scene,
                "n_frames": clip.n_frames,
                "width": clip.resolution[0],
                "height": clip.resolution[1],
                "windows": count,
            }
            for clip, count in zip(tracks.clips, counts, strict=True)
        ],
    }
    path.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
