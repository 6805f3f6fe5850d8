"""The pictures of stored runs, and how they are written to a file."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import UsageError
from vadbench.report.figure_style import figure_style
from vadbench.report.roc import draw_roc
from vadbench.report.timeline import draw_timeline

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

__all__ = ["draw_roc", "draw_timeline", "save_figure"]

# What would otherwise hold the moment of writing: equal figures give equal bytes.
_METADATA: Final[dict[str, dict[str, Any]]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG, SVG or PDF, by the suffix of ``path``; whole or not at all. Makes the folders above it.

    Raises:
        UsageError: for another suffix, or where the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in _METADATA:
        raise UsageError(
            f"a figure cannot be written as {path.suffix or 'a file without suffix'}",
            where=path,
            remedy=f"use one of {', '.join(_METADATA)}",
        )
    picture = io.BytesIO()
    with figure_style():
        figure.savefig(picture, format=suffix[1:], metadata=_METADATA[suffix])
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(picture.getvalue())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"the figure cannot be written: {error.strerror}", where=path, remedy="give another path") from error
