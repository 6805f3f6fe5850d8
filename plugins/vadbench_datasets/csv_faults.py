"""Says what is wrong with a person's CSV file, and in which line. Runs only after reading has failed, so it may take its time."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from vadbench.api import DataError
from vadbench_datasets.json_faults import LARGEST_COORDINATE, LARGEST_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vadbench.api import SkeletonLayout

_QUOTED: Final = re.compile(r'"([^"]*)"')
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def first_fault(
    files: Sequence[Path], raws: Sequence[bytes], layout: SkeletonLayout, first_frame: int, error: Exception
) -> DataError:
    """The error for the first line that is not as it should be.

    Args:
        files: The files of one clip.
        raws: Their contents.
        layout: Which joints the columns are.
        first_frame: The number of a clip's first frame.
        error: What the parser said, for a fault that this module does not know.
    """
    for path, raw in zip(files, raws, strict=True):
        for line, what, remedy in _faults(raw, layout, first_frame):
            return DataError(what, where=f"{path}, line {line}", remedy=remedy)
    return DataError(f"the pose files cannot be read: {error}", where=files[0].parent, remedy=_form(layout))


def _form(layout: SkeletonLayout) -> str:
    last, columns = len(layout) - 1, 1 + 2 * len(layout)
    joints = f"{len(layout)} joints of {layout.name}"
    return f"a line is frame,x0,y0,...,x{last},y{last}: {columns} numbers for the {joints}, without a header"


def _faults(raw: bytes, layout: SkeletonLayout, first_frame: int) -> Iterator[tuple[int, str, str]]:
    """Line, fault and remedy, in the order of the file."""
    form, wanted = _form(layout), 1 + 2 * len(layout)
    seen: dict[int, int] = {}
    for line, text in enumerate(raw.decode("utf-8", errors="replace").split("\n"), start=1):
        fields = [_QUOTED.sub(r"\1", field.strip()) for field in text.split(",")]
        odd = next((field for field in fields if not _NUMBER.fullmatch(field)), None)
        if not text.strip():
            yield line, "the line is empty", "delete it"
        elif len(fields) == 1 and odd is not None:
            yield line, f"{odd[:40]!r} is not a number", form
        elif len(fields) != wanted:
            yield line, f"the line has {len(fields)} columns; {wanted} were expected", form
        elif odd is not None:
            yield line, f"{odd[:40]!r} is not a number", f"{form}; a missing joint is 0,0"
        elif any(abs(float(field)) > LARGEST_COORDINATE for field in fields):
            yield line, "a coordinate is not a finite number", form
        else:
            yield from ((line, *fault) for fault in _frame_faults(float(fields[0]), fields[0], first_frame, seen, line))


def _frame_faults(number: float, text: str, first_frame: int, seen: dict[int, int], line: int) -> Iterator[tuple[str, str]]:
    if number != math.floor(number) or number > LARGEST_NUMBER:
        yield f"frame {text} is not a whole number up to {LARGEST_NUMBER}", "the first column is the frame's number"
    elif number < first_frame:
        hint = "; if this release counts frames from 0, add --set dataset.first_frame=0" if number == 0 else ""
        yield (
            f"frame {text} lies before the first frame of a clip, which is {first_frame}",
            f"the first column counts frames{hint}",
        )
    elif (other := seen.setdefault(int(number), line)) != line:
        yield f"frame {int(number)} is there twice, in lines {other} and {line}", "a person has one pose a frame: delete one"
