"""Ablation grids as data: the variants of a method, each with the question it answers, and named subsets of them.

One TOML a method, shipped in ``configs/ablations/`` or given as a file; ``docs/ablations.md`` describes it.
"""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vadbench.api import ConfigError, UsageError, did_you_mean
from vadbench.engine.config import parse_change
from vadbench.engine.presets import load_preset, shipped_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vadbench.api import Registry

ALL: Final = "all"
"""The subset of every variant; no grid names it."""
DEFAULT: Final = "default"
"""The subset that is run when the user names none; every variant where the grid has no such subset."""
Slot = Literal["tokenizer", "prior", "flow", "scorer"]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reading(_Part):
    """Another reading of the stored runs of a variant: nothing is trained, and nothing is scored again."""

    of: str | None = None
    """Variant whose runs are read; the base where none is named."""
    term: str | None = None
    """A term of the score, taken alone."""
    scorer: dict[str, Any] | None = None
    """Settings of the scorer that are changed: the stored terms are fused anew, with what the scorer learned in training."""
    smoothing: Literal[False] | None = None
    """False: frame scores before shift and smoothing."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(given is not None for given in (self.term, self.scorer, self.smoothing)) != 1:
            raise ValueError("a reading has exactly one of term, scorer and smoothing")
        return self


class Variant(_Part):
    """The method, changed in one respect."""

    name: _Name
    question: str = Field(min_length=1)
    """What the variant is to answer, a line."""
    swaps: dict[Slot, str] = Field(default_factory=dict)
    """Kind to component; ``none`` leaves the part out."""
    set: tuple[str, ...] = ()
    """``key=value`` strings, as ``vadbench run --set`` takes them."""
    reading: Reading | None = None

    @field_validator("set")
    @classmethod
    def _are_changes(cls, changes: tuple[str, ...]) -> tuple[str, ...]:
        for change in changes:
            try:
                parse_change(change)
            except ConfigError as error:
                raise ValueError(f"{error.what}; {error.remedy}") from None
        return changes

    @model_validator(mode="after")
    def _run_or_reading(self) -> Self:
        if self.reading is not None and (self.swaps or self.set):
            raise ValueError("a variant with a reading changes nothing: name the variant that does with reading.of")
        return self


class SweepPoint(_Part):
    """A variant's place on the axis of a sweep."""

    variant: str
    x: float


class Sweep(_Part):
    """Variants that differ in one number, drawn as a curve."""

    name: _Name
    axis: str = Field(min_length=1)
    """What the number is."""
    log: bool = False
    """Whether equal ratios are drawn equally long."""
    at: tuple[SweepPoint, ...] = Field(min_length=2)


class Grid(_Part):
    """The variants of a method."""

    base: str
    """Name of the variant that all others are compared with."""
    variant: tuple[Variant, ...] = Field(min_length=1)
    subsets: dict[_Name, tuple[str, ...]] = Field(default_factory=dict)
    sweep: tuple[Sweep, ...] = ()
    factorial: dict[Slot, tuple[str, ...]] = Field(default_factory=dict)
    """Slot to the components that are combined with all of those of the other slots."""
    diagnostics: tuple[str, ...] = ()
    """What the components say of their training that tables show, e.g. ``tokenizer.perplexity``."""

    @property
    def names(self) -> list[str]:
        """Of the variants, in the order of the file."""
        return [variant.name for variant in self.variant]

    def named(self, name: str) -> Variant:
        """The variant of a name."""
        return next(variant for variant in self.variant if variant.name == name)

    def source(self, variant: Variant) -> Variant:
        """The variant whose runs a variant is read from: its own, if it is no reading."""
        return variant if variant.reading is None else self.named(variant.reading.of or self.base)

    def chosen(self, only: Sequence[str] = ()) -> list[Variant]:
        """The base, then the variants of names and subsets, in the order of the file, each once.

        Args:
            only: Names of variants or subsets; none for the subset ``default``.

        Raises:
            UsageError: for an unknown name.
        """
        subsets = {DEFAULT: tuple(self.names), **self.subsets, ALL: tuple(self.names)}
        wanted = {self.base}
        for name in only or (DEFAULT,):
            if name not in subsets and name not in self.names:
                known = [*self.names, *subsets]
                raise UsageError(f"the grid has no variant or subset {name!r}", where="--only", remedy=did_you_mean(name, known))
            wanted |= set(subsets.get(name, (name,)))
        return sorted((each for each in self.variant if each.name in wanted), key=lambda each: each.name != self.base)

    def combinations(self) -> list[Variant]:
        """Every combination of the factors' levels, as variants.

        Raises:
            UsageError: if the grid has no factors.
        """
        if not self.factorial:
            raise UsageError(
                "the grid has no factorial", where="--factorial", remedy="add a table [factorial]: docs/ablations.md"
            )
        return [
            Variant(
                name="_".join(levels),
                question=", ".join(f"{slot} {level}" for slot, level in zip(self.factorial, levels, strict=True)),
                swaps=dict(zip(self.factorial, levels, strict=True)),
            )
            for levels in product(*self.factorial.values())
        ]


def grid_names() -> list[str]:
    """Methods whose grid is shipped."""
    return sorted(path.stem for path in (shipped_folder("configs") / "ablations").glob("*.toml"))


def grid_of(method: str, grid: str | None, registry: Registry) -> Grid:
    """The grid asked for, else that of the method: of a TOML file that of the method's name.

    Raises:
        UsageError: for an unknown method, or one for which no grid is shipped.
        ConfigError: as `load_grid` does.
    """
    return load_grid(grid if grid is not None else str(load_preset(method, registry)["name"]))


def load_grid(name: str) -> Grid:
    """The grid of a name, or a TOML file's.

    Raises:
        UsageError: if no grid of the name is shipped.
        ConfigError: for a file that cannot be read, an unknown key, or a name that the grid does not have.
    """
    path = Path(name)
    if path.suffix != ".toml":
        if name not in grid_names():
            raise UsageError(
                f"no ablation grid is shipped for {name!r}",
                remedy=f"{did_you_mean(name, grid_names())}; or give a file of your own: --grid FILE.toml, see docs/ablations.md",
            )
        path = shipped_folder("configs") / "ablations" / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the grid cannot be read: {error.strerror}", where=path, remedy="check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the grid is not valid TOML: {error}", where=path, remedy="correct the file") from error
    try:
        grid = Grid.model_validate(content)
    except ValidationError as error:
        raise _config_error(error, content, path) from None
    _check_names(grid, path)
    return grid


def _config_error(error: ValidationError, content: dict[str, Any], path: Path) -> ConfigError:
    first = error.errors()[0]
    keys = [part for part in first["loc"] if part != "[key]"]
    where = f"{path}: {_called(keys, content)}"
    if first["type"] == "extra_forbidden":
        return ConfigError(
            f"unknown key {keys[-1]!r}", where=where, remedy=did_you_mean(str(keys[-1]), _fields(keys[:-1]) or _fields([]))
        )
    if first["type"] == "missing":
        return ConfigError(f"the key {keys[-1]!r} is missing", where=where, remedy="add it: docs/ablations.md says what it means")
    given = "" if first["type"] == "value_error" else f" (given: {first['input']!r})"
    said = first["msg"].removeprefix("Value error, ")
    return ConfigError(f"{said}{given}", where=where, remedy="docs/ablations.md says what the key means")


def _called(keys: list[int | str], content: Any) -> str:
    """A path of keys in which a variant is called by its name, not its number."""
    parts: list[str] = []
    for key in keys:
        inner = content[key] if isinstance(content, list) and isinstance(key, int) and key < len(content) else None
        content = inner if inner is not None else content.get(key) if isinstance(content, dict) else None
        name = inner.get("name") if isinstance(inner, dict) else None
        parts.append(f"{key}" if name is None else repr(name))
    return ".".join(parts)


def _fields(keys: Sequence[int | str]) -> list[str]:
    """The keys known at a path of keys."""
    model: type[BaseModel] = Grid
    for key in keys:
        if not isinstance(key, str) or key not in model.model_fields:
            continue
        annotation = model.model_fields[key].annotation
        inner = [part for part in (annotation, *get_args(annotation)) if isinstance(part, type) and issubclass(part, BaseModel)]
        model = inner[0] if inner else model
    return list(model.model_fields)


def _check_names(grid: Grid, path: Path) -> None:
    """Raises `ConfigError` for a name that is given twice, or that no variant has."""
    names = grid.names
    _check_once(names, "variant", path)
    _check_once([sweep.name for sweep in grid.sweep], "sweep", path)
    for slot, levels in grid.factorial.items():
        _check_once(levels, f"factorial.{slot}", path)
        if not levels:
            raise ConfigError("a factor has no level", where=f"{path}: factorial.{slot}", remedy="name its components")
    used = [("base", grid.base)]
    used += [(f"subsets.{subset}", name) for subset, inside in grid.subsets.items() for name in inside]
    used += [(f"sweep.{sweep.name!r}.at", point.variant) for sweep in grid.sweep for point in sweep.at]
    used += [(f"variant.{v.name!r}.reading.of", v.reading.of) for v in grid.variant if v.reading is not None and v.reading.of]
    for where, name in used:
        if name not in names:
            raise ConfigError(f"there is no variant {name!r}", where=f"{path}: {where}", remedy=did_you_mean(name, names))
    for subset in grid.subsets:
        if subset == ALL or subset in names:
            what = "every variant together" if subset == ALL else "a variant"
            raise ConfigError(
                f"{subset!r} is the name of {what}", where=f"{path}: subsets.{subset}", remedy="give the subset another name"
            )
    for name in (grid.base, *(grid.source(variant).name for variant in grid.variant)):
        if grid.named(name).reading is not None:
            raise ConfigError(
                f"{name!r} is itself a reading", where=f"{path}: variant.{name!r}", remedy="read from a variant that is run"
            )


def _check_once(names: Iterable[str], where: str, path: Path) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ConfigError(f"{name!r} is there twice", where=f"{path}: {where}", remedy="give one of them another name")
        seen.add(name)
