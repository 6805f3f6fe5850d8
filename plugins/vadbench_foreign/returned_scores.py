"""What a program wrote of scores, put beside the windows that it was given: each row found by clip, person and first frame."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.api import DataError, PluginError, WindowScores, read_bundle_meta, read_window_scores
from vadbench.api.bundle_arrays import checked_window_scores
from vadbench.api.bundle_meta import META
from vadbench_foreign.printable import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Windows

ARRAYS: Final = "scores.npz"
TEXT: Final = "scores.csv"
_BY_FRAME: Final = "score_"


def read_scores(folder: Path, length: int, *, higher_is_more_anomalous: bool) -> WindowScores:
    """The scores in a folder, higher = more anomalous: ``scores.npz`` or ``scores.csv``, and ``meta.json`` if there is one.

    Args:
        folder: That the program was told to write to.
        length: T.
        higher_is_more_anomalous: As the settings say; a ``meta.json`` decides where there is one.

    Raises:
        PluginError: for whatever is wrong with them.
    """
    present = [name for name in (ARRAYS, TEXT) if _is_written(folder / name)]
    if len(present) != 1:
        there = ", ".join(sorted(printable(path.name) for path in folder.iterdir())[:10])
        raise PluginError(
            f"the command of score wrote {'both' if present else 'neither'} {ARRAYS} {'and' if present else 'nor'} {TEXT}"
            + (f"; what it wrote: {there}" if there and not present else ""),
            where="{scores}",
            remedy=f"write one of them into the folder {{scores}}: {ARRAYS} with clip, person, start and score, or {TEXT}",
        )
    try:
        higher = higher_is_more_anomalous
        if _is_written(folder / META):
            meta = read_bundle_meta(folder / META)
            higher = meta.higher_is_more_anomalous
            if meta.window_length != length:
                raise DataError(
                    f"window_length is {meta.window_length}, and the windows have {length} frames",
                    where=META,
                    remedy="write the window_length of windows.json, or no meta.json",
                )
        path = folder / present[0]
        if present[0] == TEXT:
            return checked_window_scores(_columns(path), length, flip=not higher, path=path)
        return read_window_scores(path, length, flip=not higher)
    except DataError as error:
        raise PluginError(
            f"the scores of the command cannot be used: {printable(error.what)}",
            where=None if error.where is None else printable(error.where),
            remedy=None if error.remedy is None else printable(error.remedy),
        ) from error


def in_order_of(windows: Windows, scores: WindowScores) -> NDArray[np.float64]:
    """(W,) or (W, T): the score of each window, whatever the order of the rows.

    Args:
        windows: No two of one clip, person and first frame.
        scores: One row a window.

    Raises:
        PluginError: if windows have no score, or scores no window: how many, and which is the first.
    """
    names = [clip.name for clip in windows.tracks.clips]
    number = {name: place for place, name in enumerate(names)}
    codes = np.array([number.get(name, -1) for name in scores.clip.tolist()], dtype=np.int64)
    wanted = np.stack([windows.clip.astype(np.int64), windows.person.astype(np.int64), windows.start.astype(np.int64)])
    got = np.stack([codes, scores.person, scores.start])
    order, place = np.lexsort(wanted[::-1]), np.lexsort(got[::-1])
    if wanted.shape != got.shape or not np.array_equal(wanted[:, order], got[:, place]):
        _refuse(names, wanted, got, scores)
    found = np.empty_like(scores.score)
    found[order] = scores.score[place]
    return found


def _is_written(path: Path) -> bool:
    """Whether a file is there; raises `PluginError` for a link, which may lead to what the program never wrote."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(mode):
        raise PluginError(
            f"the command of score left {path.name} as a link",
            where="{scores}",
            remedy="write the file itself into the folder {scores}",
        )
    return stat.S_ISREG(mode)


def _refuse(names: list[str], wanted: NDArray[np.int64], got: NDArray[np.int64], scores: WindowScores) -> None:
    asked, given = set(map(tuple, wanted.T.tolist())), set(map(tuple, got.T.tolist()))
    told = []
    if missing := [row for row in map(tuple, wanted.T.tolist()) if row not in given]:
        clip, person, start = missing[0]
        told.append(
            f"{len(missing):,} of {len(asked):,} windows have no score, first: clip {names[clip]}, person {person}, start {start}"
        )
    if extra := [row for row, key in enumerate(map(tuple, got.T.tolist())) if key not in asked]:
        first = extra[0]
        told.append(
            f"{len(extra):,} scores are of no window, first: row {first}: clip {printable(str(scores.clip[first]))}, "
            f"person {scores.person[first]}, start {scores.start[first]}"
        )
    raise PluginError(
        f"the scores of the command are not those of the windows: {'; '.join(told)}",
        where="{scores}",
        remedy="write one row for each row of windows.csv, with its clip, person and start",
    )


def _columns(path: Path) -> dict[str, NDArray[Any]]:
    """The columns of a ``scores.csv``; ``score_0`` to ``score_<T-1>`` together are the array ``score``."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{TEXT} cannot be read: {error}", where=path, remedy="write it as UTF-8, with commas") from error
    header, body = (rows[0] if rows else []), [row for row in rows[1:] if row]
    if odd := [number for number, row in enumerate(body, start=2) if len(row) != len(header)]:
        raise DataError(
            f"line {odd[0]} does not have the {len(header)} columns of the first line", where=path, remedy="separate with commas"
        )
    if len(set(header)) != len(header):
        raise DataError("a column is there twice", where=path, remedy=f"the first line was {','.join(header)}")
    texts = dict(zip(header, map(list, zip(*body, strict=True)) if body else ([] for _ in header), strict=True))
    frames = [f"{_BY_FRAME}{frame}" for frame in range(sum(name.startswith(_BY_FRAME) for name in texts))]
    found: dict[str, NDArray[Any]] = {}
    for name, column in texts.items():
        if name == "clip":
            found[name] = np.array(column, dtype=np.str_)
        elif name not in frames:
            found[name] = _numbers(name, column, path)
    if frames and all(name in texts for name in frames):
        found["score"] = np.stack([_numbers(name, texts[name], path) for name in frames], axis=1)
    return found


def _numbers(name: str, column: list[str], path: Path) -> NDArray[np.float64]:
    try:
        return np.array(column, dtype=np.float64)
    except ValueError:
        for line, text in enumerate(column, start=2):
            try:
                float(text)
            except ValueError:
                raise DataError(
                    f"{name} is {text!r} in line {line}, which is no number", where=path, remedy="write numbers with a point"
                ) from None
        raise
