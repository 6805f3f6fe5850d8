"""Says what is wrong with a pose file, and where in it. Runs only after reading has failed, so it may take its time."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import LAYOUTS, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import orjson

    from vadbench.api import SkeletonLayout

LARGEST_NUMBER: Final = 2**31 - 2
"""Persons and frames are kept as int32, and a clip is one frame longer than its last frame's number."""

LARGEST_COORDINATE: Final = 3.4028234663852886e38
"""Of float32."""

_SHAPE: Final = '{"<person>": {"<frame>": {"keypoints": [x, y, confidence, ...], "scores": number or null}}}'
_LAYOUT_REMEDY: Final = f"a pose file has the form {_SHAPE}; a clip in which nobody was detected holds {{}}"
_FINITE_REMEDY: Final = "every coordinate and confidence is a finite number; leave out a pose that was not estimated"


def unreadable(path: Path, error: OSError) -> DataError:
    """The error for a file that the operating system does not hand over."""
    return DataError(f"the pose file cannot be read: {error.strerror}", where=path, remedy="check the file and its permissions")


def broken_json(path: Path, raw: bytes, error: orjson.JSONDecodeError) -> DataError:
    """The error for a file that is not JSON. NaN and Infinity, which some writers put into JSON, are told apart."""
    text = raw.decode("utf-8", errors="replace")
    where = f"{path}, byte {len(text[: error.pos].encode())} (line {error.lineno}, column {error.colno})"
    if text.startswith(("NaN", "Infinity"), error.pos) or "infinity" in error.msg:
        number = re.match(r"[\w.+-]*", text[error.pos :])
        what = f"NaN coordinates: {number[0] if number else 'a number'} is not a finite number"
        return DataError(what, where=where + _holder(text), remedy=_FINITE_REMEDY)
    return DataError(
        f"the pose file is not JSON: {error.msg}", where=where, remedy="the file is cut off or damaged: copy it again"
    )


def first_fault(path: Path, document: Any, layout: SkeletonLayout) -> DataError:
    """The error for the first thing in a parsed document that is not as a pose file should be."""
    if not isinstance(document, dict):
        return DataError(f"the top level is {_kind(document)}, not an object", where=path, remedy=_LAYOUT_REMEDY)
    what, place = next(_faults(document, layout), ("the file does not hold poses", ""))
    return DataError(what, where=f"{path}{place}", remedy=_FINITE_REMEDY if "finite" in what else _LAYOUT_REMEDY)


def _faults(document: dict[str, Any], layout: SkeletonLayout) -> Iterator[tuple[str, str]]:
    """What is wrong and where within the file, in the order of the file."""
    persons: dict[int, str] = {}
    for person, frames in document.items():
        place = f", person {person}"
        yield from ((what, place) for what in _number_faults("person id", person, persons))
        if not isinstance(frames, dict):
            yield f"a person's frames are {_kind(frames)}, not an object", place
            continue
        seen: dict[int, str] = {}
        for frame, pose in frames.items():
            faults = (*_number_faults("frame", frame, seen), *_pose_faults(pose, layout))
            yield from ((what, f"{place}, frame {frame}") for what in faults)


def _number_faults(name: str, key: str, seen: dict[int, str]) -> Iterator[str]:
    if not (key.isascii() and key.isdecimal()):
        yield f"{name} {key!r} is not a whole number counted from 0"
    elif len(key.lstrip("0")) > len(str(LARGEST_NUMBER)) or int(key) > LARGEST_NUMBER:
        yield f"{name} {key[:20]!r} is too large; {LARGEST_NUMBER} is the largest"
    elif (other := seen.setdefault(int(key), key)) != key:
        yield f"{name} {int(key)} is there twice, as {other!r} and as {key!r}"


def _pose_faults(pose: Any, layout: SkeletonLayout) -> Iterator[str]:
    if not isinstance(pose, dict) or "keypoints" not in pose:
        yield (
            f"a pose is {_kind(pose)} without keypoints" if isinstance(pose, dict) else f"a pose is {_kind(pose)}, not an object"
        )
        return
    values, score, wanted = pose["keypoints"], pose.get("scores"), 3 * len(layout)
    if not isinstance(values, list):
        yield f"keypoints are {_kind(values)}, not a list of {wanted} numbers"
        return
    odd = [value for value in values if not _is_number(value)]
    if odd:
        yield f"keypoints hold {_kind(odd[0])}, not numbers alone"
    elif len(values) != wanted:
        expected = f"{wanted} = {len(layout)} x 3 (x, y, confidence) were expected for the layout {layout.name}"
        yield f"keypoints hold {len(values)} numbers; {expected}{_other_layouts(len(values))}"
    elif not all(abs(value) <= LARGEST_COORDINATE for value in values):
        yield "a keypoint is not a finite number"
    if score is not None and not _is_number(score):
        yield f"scores is {_kind(score)}, not a number or null"
    elif score is not None and not abs(score) <= LARGEST_COORDINATE:
        yield "scores is not a finite number"


def _other_layouts(numbers: int) -> str:
    fitting = [layout.name for layout in LAYOUTS.values() if 3 * len(layout) == numbers]
    return f"; {numbers} would be {' or '.join(fitting)}" if fitting else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def _holder(text: str) -> str:
    """The person and frame that hold the first number that is not finite, as far as a tolerant parser can tell."""
    try:
        document = json.loads(text)
        for person, frames in document.items():
            for frame, pose in frames.items():
                numbers = [*pose["keypoints"], pose.get("scores")]
                if any(isinstance(number, float) and not math.isfinite(number) for number in numbers):
                    return f", person {person}, frame {frame}"
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        pass  # the file has other faults as well; the byte must do
    return ""
