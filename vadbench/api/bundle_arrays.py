"""The arrays of a score bundle: read from an ``.npz`` that anybody wrote, with every column checked; and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.api.errors import DataError, did_you_mean
from vadbench.api.scores import WindowScores

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

TERM: Final = "term_"
"""Begins the name of an array that holds a part of the score."""
_NEEDED: Final = ("clip", "person", "start", "score")
_LENGTH: Final = "length"
"""Vadbench's own runs store T among the arrays; elsewhere it stands in ``meta.json`` alone."""


def read_window_scores(path: Path, length: int, *, flip: bool) -> WindowScores:
    """The window scores of a bundle, float64, higher = more anomalous, in the order of the file.

    Whole numbers and floats of any width are taken for numbers, bytes for UTF-8 text.

    Args:
        path: The ``.npz``.
        length: T, as ``meta.json`` says.
        flip: Whether scores and terms change their sign.

    Raises:
        DataError: for a file that cannot be read or holds pickled objects, an array that is missing, not known or of the
            wrong shape or type, a score that is not finite, a first frame that is no frame, or a window that is there twice.
    """
    return checked_window_scores(_arrays(path), length, flip=flip, path=path)


def checked_window_scores(arrays: Mapping[str, NDArray[Any]], length: int, *, flip: bool, path: Path) -> WindowScores:
    """The window scores of arrays that were read from ``path``; arguments and errors as of `read_window_scores`."""
    _check_names(arrays, path)
    clip = _texts(arrays["clip"], path)
    n = len(clip)
    if n == 0:
        raise DataError("the bundle holds no window", where=path, remedy="write one row for every window that was scored")
    if _LENGTH in arrays and (arrays[_LENGTH].shape != () or arrays[_LENGTH] != length):
        raise DataError(
            f"length is {arrays[_LENGTH]} in the arrays, and window_length {length} in meta.json",
            where=path,
            remedy="correct one",
        )
    score = _numbers("score", arrays["score"], path)
    if score.shape not in ((n,), (n, length)):
        raise DataError(
            f"score has shape {score.shape} for {n} windows of {length} frames",
            where=path,
            remedy=f"give one score a window, ({n},), or one a frame of each window, ({n}, {length}), with T as window_length",
        )
    terms = {name.removeprefix(TERM): _numbers(name, arrays[name], path) for name in arrays if name.startswith(TERM)}
    person, start = _whole("person", arrays["person"], path), _whole("start", arrays["start"], path)
    for name, column in {"person": person, "start": start, **{TERM + name: values for name, values in terms.items()}}.items():
        if column.shape != (n,):
            raise DataError(f"{name} has shape {column.shape} for {n} windows", where=path, remedy=f"give it the shape ({n},)")
    sign = -1.0 if flip else 1.0
    rows = _Rows(path, clip, person, start)
    rows.check({"score": score, **{TERM + name: values for name, values in terms.items()}})
    return WindowScores(clip, person, start, sign * score, length, {name: sign * values for name, values in terms.items()})


def write_window_scores(path: Path, scores: WindowScores) -> None:
    """Window scores as ``clip`` (str), ``person``, ``start``, ``score``, ``length``, ``term_<name>``: what a run stores.

    Equal scores give equal bytes.
    """
    terms = {TERM + name: values for name, values in scores.terms.items()}
    np.savez_compressed(
        path,
        clip=scores.clip,
        person=scores.person,
        start=scores.start,
        score=scores.score,
        length=np.int64(scores.length),
        **terms,  # type: ignore[arg-type] # the stub takes the keyword allow_pickle for one of the arrays
    )


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    name = ""
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise DataError("this is one array, not an archive of several", where=path, remedy="write it with numpy.savez")
        with loaded as archive:
            for name in archive.files:
                found[name] = archive[name]
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(
            "there is no such file of scores", where=path, remedy="give the .npz, or the folder it lies in"
        ) from error
    except Exception as error:  # of a damaged file NumPy, zipfile, zlib and tokenize each complain in their own way
        if "allow_pickle" in str(error):
            # NumPy reads what it does not recognise as a pickle, so of a whole file this says only that it is no .npz.
            what = f"the array {name} holds Python objects, which only a pickle can store" if name else "this is no .npz file"
            remedy = f"save {name}.astype(str), or of numbers {name}.astype(float)" if name else "write it with numpy.savez"
            raise DataError(what, where=path, remedy=f"{remedy}; pickles are never loaded") from error
        raise DataError(f"the file cannot be read: {error}", where=path, remedy="write it again with numpy.savez") from error
    return found


def _check_names(arrays: Mapping[str, Any], path: Path) -> None:
    missing = [name for name in _NEEDED if name not in arrays]
    # Unknown names first: a misspelt array is missing as well.
    for name in arrays:
        if name not in (*_NEEDED, _LENGTH) and not (name.startswith(TERM) and name != TERM):
            remedy = f"{did_you_mean(name, [*_NEEDED, f'{TERM}<name>'])}; parts of the score are called {TERM}<name>"
            raise DataError(f"unknown array {name!r}", where=path, remedy=remedy)
    if missing:
        raise DataError(f"the arrays {', '.join(missing)} are missing", where=path, remedy=f"a bundle holds {', '.join(_NEEDED)}")


def _texts(column: NDArray[Any], path: Path) -> NDArray[np.str_]:
    if column.dtype.kind == "S":
        try:
            column = np.char.decode(column, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"clip is not UTF-8: {error.reason}", where=path, remedy="save clip.astype(str)") from error
    if column.dtype.kind != "U" or column.ndim != 1:
        raise DataError(
            f"clip has shape {column.shape} and type {column.dtype}; names of clips are text, one a window",
            where=path,
            remedy="save names such as '01_0014', shape (W,)",
        )
    return column


def _numbers(name: str, column: NDArray[Any], path: Path) -> NDArray[np.float64]:
    if column.dtype.kind not in "iuf":
        raise DataError(f"{name} is of type {column.dtype}, not a number", where=path, remedy=f"save {name}.astype(float)")
    return column.astype(np.float64)


def _whole(name: str, column: NDArray[Any], path: Path) -> NDArray[np.int64]:
    """Whole numbers, also where they were stored as floats."""
    numbers = _numbers(name, column, path)
    odd = np.ravel(~(np.isfinite(numbers) & (numbers == np.rint(numbers)) & (np.abs(numbers) < 2**53)))
    if odd.any():
        row = int(odd.argmax())
        meant = "the first frame of its window" if name == "start" else "the number of a track"
        raise DataError(
            f"{name} is {column.reshape(-1)[row]} in row {row}, which is no whole number",
            where=path,
            remedy=f"{name} is {meant}, a whole number",
        )
    return numbers.astype(np.int64)


class _Rows:
    """Checks that need whole rows; each error names the row."""

    def __init__(self, path: Path, clip: NDArray[np.str_], person: NDArray[np.int64], start: NDArray[np.int64]) -> None:
        self.path, self.clip, self.person, self.start = path, clip, person, start

    def check(self, scores: Mapping[str, NDArray[np.float64]]) -> None:
        for name, values in scores.items():
            bad = np.asarray(~np.isfinite(values).reshape(len(self.clip), -1).all(axis=1))
            if bad.any():
                raise DataError(
                    f"{name} is not finite in {int(bad.sum())} of {len(bad)} rows",
                    where=f"{self.path}, first: {self._row(int(bad.argmax()))}",
                    remedy="give every window a finite score, or leave its row out",
                )
        if (self.start < 0).any():
            raise DataError(
                "a window starts before its clip",
                where=f"{self.path}, {self._row(int((self.start < 0).argmax()))}",
                remedy="count frames from 0",
            )
        self._check_unique()

    def _check_unique(self) -> None:
        _, code = np.unique(self.clip, return_inverse=True)
        order = np.lexsort((self.start, self.person, code))
        again = (np.diff(code[order]) == 0) & (np.diff(self.person[order]) == 0) & (np.diff(self.start[order]) == 0)
        if again.any():
            # lexsort is stable: of equal windows the one that comes first in the file comes first.
            at = int(again.argmax())
            raise DataError(
                f"{int(again.sum())} windows are there more than once",
                where=f"{self.path}, row {order[at]} and {self._row(int(order[at + 1]))}",
                remedy="give each clip, person and first frame one row; average over transformations before writing",
            )

    def _row(self, row: int) -> str:
        return f"row {row}: clip {self.clip[row]}, person {self.person[row]}, start {self.start[row]}"
