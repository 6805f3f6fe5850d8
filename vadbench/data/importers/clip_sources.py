"""Finds the clips in what the user names: one file a clip, or a folder of many; or one numbered file a frame."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from vadbench.api import DataError, UsageError
from vadbench.data.importers.raw_poses import LARGEST_NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.data.importers.json_source import Node

FrameFiles = dict[int, Path]
"""Frame to the file that holds its poses."""

# Names that estimators give their output whatever the video is called: the clip is then called like the folder.
_UNNAMED: Final = frozenset({"alphapose-results", "alphapose-results-forvis-tracked", "poseflow-results"})
_NUMBERED: Final = re.compile(r"(.*?)([0-9]+)", re.DOTALL)
_DIGITS: Final = 18


def one_file_a_clip(source: Path, suffix: str, *, ending: str = "") -> dict[str, Path]:
    """The file of each clip.

    Args:
        source: A file, which is one clip; or a folder of files, or of folders that hold one file with an estimator's fixed name.
        suffix: Of the files, e.g. ``.json``.
        ending: What stands between a clip's name and the suffix.

    Raises:
        DataError: if there is none, or two clips have the same name.
    """
    if source.is_file():
        return {_clip_name(source, ending): source}
    files = visible(source, f"{ending}{suffix}")
    files += [file for folder in folders(source) for file in visible(folder, suffix) if file.stem in _UNNAMED]
    if not files:
        raise DataError(
            f"no file ends in {ending}{suffix}",
            where=source,
            remedy=f"name a file, which is one clip; a folder of files; or a folder of folders that each hold "
            f"{' or '.join(sorted(_UNNAMED))}{suffix}",
        )
    found: dict[str, Path] = {}
    for file in files:
        name = _clip_name(file, ending)
        if name in found:
            raise DataError(f"two files are called clip {name}", where=f"{found[name]}, {file}", remedy="leave one of them out")
        found[name] = file
    return dict(sorted(found.items()))


def one_file_a_frame(source: Path, suffix: str, *, ending: str = "") -> dict[str, FrameFiles]:
    """The files of each clip, by frame: names end in a number before ``ending`` and the suffix.

    In the folder itself, what stands before the number is the clip's name, so that the frames of several clips may lie
    side by side (a number alone belongs to the clip called like the folder). Each folder below it is one clip of its name.

    Raises:
        DataError: if there is none, a name has no number, or two files are the same frame.
    """
    if source.is_file():
        raise DataError("this format has one file a frame: a folder is a clip", where=source, remedy="name the folder")
    found: dict[str, FrameFiles] = {}
    for path in visible(source, f"{ending}{suffix}"):
        before, frame = _numbered(path, ending)
        _put(found.setdefault(before or source.resolve().name, {}), frame, path)
    for folder in folders(source):
        clip: FrameFiles = {}
        numbered = [(*_numbered(path, ending), path) for path in visible(folder, f"{ending}{suffix}")]
        prefixes = {before for before, _, _ in numbered}
        if len(prefixes) > 1:
            names = " and ".join(sorted(prefixes)[:2])
            raise DataError(
                f"the frames of {len(prefixes)} clips, {names}, lie in one folder", where=folder, remedy="import that"
            )
        for _, frame, path in numbered:
            _put(clip, frame, path)
        if clip:
            found[folder.name] = clip
    if not found:
        remedy = "name the folder of a clip, or the folder above those"
        raise DataError(f"no file ends in a frame's number and {ending}{suffix}", where=source, remedy=remedy)
    return {clip: dict(sorted(files.items())) for clip, files in sorted(found.items())}


def chosen(names: Sequence[str], include: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """The names that fit a pattern of ``include`` (all, if there is none) and none of ``exclude``.

    Raises:
        UsageError: if no name is left, or a pattern fits none.
    """
    for pattern in (*include, *exclude):
        if not fnmatch.filter(names, pattern):
            some = ", ".join(names[:5])
            raise UsageError(f"no clip is called like {pattern!r}", remedy=f"clips are called {some}{', ...' * (len(names) > 5)}")
    kept = [
        name
        for name in names
        if (not include or any(fnmatch.fnmatchcase(name, pattern) for pattern in include))
        and not any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude)
    ]
    if not kept:
        raise UsageError("no clip is left", remedy="include more, or exclude less")
    return kept


class ImageNames:
    """Frames from the image names of one file: the number at the end; what stands before it must stay the same."""

    def __init__(self) -> None:
        self._before: str | None = None

    def frame(self, node: Node) -> int:
        """The frame of an image name such as ``01_0014/000012.jpg``, or of a number; raises `DataError` for another."""
        if not isinstance(node.value, str) or node.value.isdecimal():
            return node.whole_number()
        name = PurePath(node.value.replace("\\", "/"))
        match = _NUMBERED.fullmatch(name.stem)
        if match is None or len(match[2]) > _DIGITS or int(match[2]) > LARGEST_NUMBER:
            raise node.wrong(f"the image name {node.value[:60]!r} does not end in a frame's number")
        before = f"{name.parent}/{match[1]}"
        if self._before not in (None, before):
            raise node.wrong(f"image names of two clips in one file, {self._before}... and {before}...")
        self._before = before
        return int(match[2])


def visible(folder: Path, ending: str) -> list[Path]:
    """The files of a folder whose names end so, sorted; names that begin with a dot are left out."""
    return [path for path in _entries(folder) if path.name.endswith(ending) and path.is_file()]


def folders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted; names that begin with a dot are left out."""
    return [path for path in _entries(folder) if path.is_dir()]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DataError(f"there is nothing to read: {error.strerror}", where=folder, remedy="check the path") from error


def _clip_name(file: Path, ending: str) -> str:
    if file.stem in _UNNAMED:
        return file.resolve().parent.name
    return file.name.removesuffix(file.suffix).removesuffix(ending)


def _numbered(path: Path, ending: str) -> tuple[str, int]:
    """What stands before a file's number, without a separator, and the number."""
    stem = path.name.removesuffix(path.suffix).removesuffix(ending)
    match = _NUMBERED.fullmatch(stem)
    if match is None or len(match[2]) > _DIGITS or int(match[2]) > LARGEST_NUMBER:
        remedy = f"expected: <clip>_<frame>{ending}{path.suffix}"
        raise DataError("the file's name does not end in a frame's number", where=path, remedy=remedy)
    return match[1].rstrip("_-. "), int(match[2])


def _put(files: FrameFiles, frame: int, path: Path) -> None:
    if frame in files:
        raise DataError(f"two files are frame {frame}", where=f"{files[frame]}, {path}", remedy="leave one of them out")
    files[frame] = path
