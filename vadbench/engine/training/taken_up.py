"""What a killed run left behind that can be taken up again, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vadbench.engine.training.checkpoints import read_facts
from vadbench.store.folders import CHECKPOINTS, PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def taken_up(unfinished: Path, method: str) -> str | None:
    """Such as ``tokenizer finished before, prior at epoch 3 of 12``; None where there is nothing.

    Whether it can be used is found out when it is: what is damaged is put aside then, and the log says so.

    Args:
        unfinished: Folder of the unfinished work of the run.
        method: Name of the method, which the names of its parts begin with.
    """
    finished = list(_parts(unfinished / PARTS))
    told = [f"{kind} finished before" for kind in finished]
    for name, epoch, epochs, over in _trainings(unfinished / CHECKPOINTS):
        part = name.removeprefix(f"{method}.")
        if part not in finished:
            told.append(f"{part} trained before" if over else f"{part} at epoch {min(epoch + 1, epochs)} of {epochs}")
    return ", ".join(told) or None


def _by_age(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern), key=lambda path: (path.stat().st_mtime_ns, path.name))


def _parts(folder: Path) -> Iterator[str]:
    """Kinds of the parts that are stored, in the order in which they were."""
    for path in _by_age(folder, "[!.]*/part.json"):
        try:
            yield str(json.loads(path.read_text(encoding="utf-8"))["kind"])
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _trainings(folder: Path) -> Iterator[tuple[str, int, int, bool]]:
    """Name, epochs done, epochs planned, and whether it is over, of each training."""
    for path in _by_age(folder, "[!.]*.safetensors"):
        try:
            facts = read_facts(path)
            position = facts["position"]
            yield str(facts["identity"]["name"]), int(position["epoch"]), int(facts["epochs"]), bool(position["finished"])
        except (ValueError, KeyError, TypeError):
            continue
