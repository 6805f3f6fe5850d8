"""For which version of vadbench.api a plug-in was written: read from its file, because its import may fail for that reason."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from vadbench.api import VERSION
from vadbench.api.errors import PluginError

NAME: Final = "VADBENCH_API"


def declared_api(where: str) -> object:
    """What a file gives ``VADBENCH_API``; None if it gives it nothing, or nothing that can be read without running it."""
    path = Path(where)
    try:
        text = path.read_text(encoding="utf-8") if path.suffix == ".py" else ""
        if NAME not in text:
            return None
        for node in ast.parse(text).body:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            if any(isinstance(target, ast.Name) and target.id == NAME for target in targets):
                assert isinstance(node, (ast.Assign, ast.AnnAssign))  # noqa: S101 - only those have targets
                return None if node.value is None else ast.literal_eval(node.value)
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):  # its import will tell
        return None
    return None


def check_api(told: object, name: str) -> None:
    """Raises `PluginError` for a plug-in of another version; None is taken for ours."""
    if told is None or (told == VERSION and not isinstance(told, bool)):
        return
    where = f"plug-in {name}"
    if not isinstance(told, int) or isinstance(told, bool):
        raise PluginError(f"{NAME} is {told!r}, and no version", where=where, remedy=f"write {NAME} = {VERSION}")
    newer = told > VERSION
    raise PluginError(
        f"it was written for version {told} of vadbench.api, and this vadbench has version {VERSION}",
        where=where,
        remedy=f"{'install a newer vadbench' if newer else 'install a newer version of the plug-in'}; "
        f"its author finds in docs/api-versions.md what to change before writing {NAME} = {VERSION}",
    )
