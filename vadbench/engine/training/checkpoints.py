"""Checkpoints of trainings on disk: tensors and facts in one file, that is whole or absent, and known for what it is.

A checkpoint is a safetensors file; what is no tensor stands as JSON in its header. It is written beside its place, flushed
to the disk and moved there in one step, so that a kill at any moment leaves the one before or this one.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import torch

from vadbench.store.arrays import as_tensors

FORMAT: Final = 1
"""Version of what stands in a checkpoint."""
ASIDE: Final = ".set-aside"
"""How the name of a checkpoint ends that could not be used."""
_SUFFIX: Final = ".safetensors"
_FACTS: Final = "facts"
_DIGEST: Final = "sha256"
_LONGEST: Final = 100_000_000
"""Bytes of a header, as safetensors limits it."""
_ODD: Final = re.compile(r"[^\w.-]")

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Saved:
    """What a checkpoint holds.

    Args:
        tensors: On the CPU.
        facts: What JSON can hold; floats come back bit for bit.
    """

    tensors: dict[str, torch.Tensor]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one run.

    Args:
        folder: Where they are kept; made when the first one is.
        every_s: Seconds between two of them; 0 for one after every step.
        identity: What decides the training besides its plan, data and module: code, versions, settings of the run.
        clock: Seconds from any beginning.
    """

    folder: Path
    every_s: float = 300.0
    identity: str = ""
    clock: Clock = time.monotonic

    def of(self, name: str, number: int, identity: Mapping[str, Any], logger: logging.Logger) -> Checkpoint:
        """The checkpoint of a training.

        Args:
            name: Of the component that trains.
            number: Trainings of this component before this one.
            identity: What decides the training, as plain values; a checkpoint of another identity is not used.
            logger: Where to say what becomes of it.
        """
        path = self.folder / f"{_ODD.sub('_', name)}-{number}{_SUFFIX}"
        told = {"format": FORMAT, "run": self.identity, "name": name, **identity}
        return Checkpoint(path, self.every_s, json.loads(json.dumps(told)), name, logger, self.clock)


@dataclass(slots=True)
class Checkpoint:
    """The checkpoint of one training; see `Checkpoints.of`."""

    path: Path
    every_s: float
    identity: dict[str, Any]
    name: str
    logger: logging.Logger
    clock: Clock
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.clock()

    def due(self) -> bool:
        """Whether it is time for the next one."""
        return self.clock() - self._last >= self.every_s

    def save(self, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
        """Replaces what is there. Training goes on without a checkpoint where none can be written, and the log says so."""
        try:
            write_checkpoint(self.path, Saved(as_tensors(tensors), {"identity": self.identity, **facts}))
        except (OSError, ValueError, TypeError) as error:
            self.logger.warning("%s: no checkpoint could be written: %s: %s", self.name, self.path, error)
        self._last = self.clock()

    def load(self) -> Saved | None:
        """What is there, if it is whole and of this training; anything else is put aside, and the log says why."""
        if not self.path.is_file():
            return None
        try:
            saved = read_checkpoint(self.path)
        except ValueError as error:
            self.set_aside(f"it is damaged: {error}")
            return None
        found = saved.facts.get("identity")
        if found == self.identity:
            return saved
        found = found if isinstance(found, dict) else {}
        other = sorted(key for key in self.identity.keys() | found.keys() if self.identity.get(key) != found.get(key))
        self.set_aside(f"it is of another training: {', '.join(other)}")
        return None

    def set_aside(self, reason: str) -> None:
        """Moves what is there out of the way."""
        self.logger.warning("%s: a checkpoint cannot be used and training starts afresh: %s: %s", self.name, self.path, reason)
        try:
            self.path.replace(self.path.with_name(self.path.name + ASIDE))
        except OSError as error:
            self.logger.warning("%s: it cannot be put aside: %s", self.name, error)


def write_checkpoint(path: Path, saved: Saved) -> None:
    """Writes a checkpoint in one step.

    Raises:
        OSError: if it cannot be written; then what was there still is.
        ValueError: for a fact that is not finite.
    """
    from safetensors.torch import save

    facts = json.dumps(saved.facts, allow_nan=False, sort_keys=True)
    content = save(saved.tensors, metadata={_FACTS: facts, _DIGEST: _digest(saved.tensors, facts)})
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def read_checkpoint(path: Path) -> Saved:
    """What `write_checkpoint` wrote; raises `ValueError` for anything else, whatever bit of it is other."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        # Read at once and not mapped: another process may put its next checkpoint in this one's place meanwhile.
        content = path.read_bytes()
        header = _header(io.BytesIO(content))
        tensors = {name: tensor.clone() for name, tensor in load(content).items()}  # into memory as torch aligns it
    except (OSError, SafetensorError) as error:
        raise ValueError(str(error)) from error
    if header.get(_DIGEST) != _digest(tensors, header[_FACTS]):
        raise ValueError("it does not hold what was written")
    return Saved(tensors, json.loads(header[_FACTS]))


def read_facts(path: Path) -> dict[str, Any]:
    """The facts of a checkpoint alone, unchecked; raises `ValueError` if there are none."""
    try:
        with path.open("rb") as stream:
            facts: dict[str, Any] = json.loads(_header(stream)[_FACTS])
    except OSError as error:
        raise ValueError(str(error)) from error
    return facts


def _header(stream: BinaryIO) -> dict[str, str]:
    """The texts in the header of a safetensors file: its length in 8 bytes, and JSON."""
    length = int.from_bytes(stream.read(8), "little")
    if length > _LONGEST:
        raise ValueError(f"its header would have {length} bytes")
    header = json.loads(stream.read(length))
    texts = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(texts, dict) or not isinstance(texts.get(_FACTS), str):
        raise ValueError("it has no facts in its header")
    return texts


def _digest(tensors: Mapping[str, torch.Tensor], facts: str) -> str:
    digest = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _flush_folder(folder: Path) -> None:
    """Makes a renaming survive a power cut, where the system lets a folder be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)
