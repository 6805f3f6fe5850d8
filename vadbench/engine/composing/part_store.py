"""Trained parts of compositions on disk, so that a part is trained once: by a run that was killed, or by an ablation's first.

A part is known by all that decides what it learns: its settings, those of the parts before it, and the identity of the run
without its other parts. Two runs that agree in these share it, and what they compute is the same bit for bit.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from vadbench.api import DataError, UsageError, VadbenchError
from vadbench.api.context import Choice
from vadbench.data.whole_folder import staged
from vadbench.engine.config import digest_of
from vadbench.store.arrays import as_tensors, load_weights, save_weights
from vadbench.store.folders import file_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vadbench.api import Context

_WEIGHTS: Final = "weights.safetensors"
_RECORD: Final = "part.json"


class PartStore:
    """Parts by their identity, each a folder that is whole or absent.

    Args:
        folder: Where they are kept; made when the first one is.
        identity: What decides the scores of the run apart from the settings of its parts: poses, windows, seed, device,
            threads, versions.

    Attributes:
        reused: Kinds of the parts that were found trained, in order.
        reused_s: Seconds that their training took.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.folder, self._identity = folder, dict(identity)
        self.reused: list[str] = []
        self.reused_s = 0.0

    def key(self, kind: str, settings: Mapping[str, Any], before: Mapping[str, Any]) -> str:
        """12 hex digits that a part is known by.

        Args:
            kind: Of the part.
            settings: Its name and configuration.
            before: Keys of the parts that it learns from, and how it is given what they say.
        """
        return digest_of({"run": self._identity, "kind": kind, "settings": dict(settings), "before": dict(before)})

    @contextmanager
    def kept(self, key: str, kind: str, part: Any, context: Context) -> Iterator[None]:
        """Around the fitting of a part: puts it into the store if it succeeds.

        Args:
            key: As `key` gives it.
            kind: Of the part.
            part: Fitted when the block ends.
            context: Of the part; what it chose is kept, too.
        """
        declared, began, before = len(context.choices), time.perf_counter(), _resumed_s(context)
        yield
        record: dict[str, Any] = {
            "kind": kind,
            "fit_s": time.perf_counter() - began + _resumed_s(context) - before,
            # By their place within the part: a part may be shared by methods of other names.
            "choices": [
                {**asdict(choice), "component": choice.component.removeprefix(context.name)}
                for choice in context.choices[declared:]
            ],
        }
        weights = as_tensors(part.state_dict())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with staged(self.folder, [key], scratch=self.folder) as made:
                (made / key).mkdir()
                save_weights(made / key / _WEIGHTS, weights)
                record["sha256"] = file_digest(made / key / _WEIGHTS)
                (made / key / _RECORD).write_text(json.dumps(record), encoding="utf-8")
        except OSError as error:
            if (self.folder / key / _RECORD).is_file():
                return  # another process trained the same part at the same time, and was faster
            raise UsageError(
                f"a trained part cannot be stored here: {error.strerror or error}",
                where=self.folder,
                remedy="make room and check the permissions, or name another folder with --out",
            ) from error

    def taken(self, key: str, kind: str, part: Any, context: Context) -> bool:
        """Whether the part was found trained; then it has its weights, and what it chose is declared again.

        Args:
            key: As `key` gives it.
            kind: Of the part.
            part: Built and not yet fitted.
            context: Of the part.
        """
        path = self.folder / key
        if not (path / _RECORD).is_file():
            return False
        untrained = _state_of(part)
        try:
            record = json.loads((path / _RECORD).read_text(encoding="utf-8"))
            choices = [Choice(**{**choice, "component": context.name + choice["component"]}) for choice in record["choices"]]
            seconds = float(record["fit_s"])
            if file_digest(path / _WEIGHTS) != record["sha256"]:
                raise DataError("the weights are not those that were stored", where=path)
            part.load_state_dict(load_weights(path / _WEIGHTS))
        except (DataError, OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            reason = error.what if isinstance(error, VadbenchError) else error
            if untrained:
                part.load_state_dict(untrained)  # some of the other state may have been taken already
            context.logger.warning("%s: a stored part cannot be used and is trained again: %s: %s", context.name, path, reason)
            return False
        context.choices.extend(choices)
        self.reused.append(kind)
        self.reused_s += seconds
        context.logger.info("%s: trained before, taken from %s", context.name, path)
        return True


def _state_of(part: Any) -> dict[str, Any]:
    """The state of a part that is not fitted; nothing where it has none yet."""
    try:
        return as_tensors(part.state_dict())
    except (TypeError, ValueError, RuntimeError, AttributeError):
        return {}


def _resumed_s(context: Context) -> float:
    """Seconds of training that a killed run had spent already, where the trainer takes up checkpoints."""
    return float(getattr(context.trainer, "resumed_s", 0.0))
