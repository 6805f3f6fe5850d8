"""Any detector of PyOD (Zhao et al., JMLR 2019) on principal coordinates: ``vadbench run pyod:ECOD``.

PyOD is an extra: ``pip install 'vadbench[pyod]'``. Its detectors cannot be stored but by pickle, so what is stored is what they
are fitted to, a few thousand rows of coordinates and a seed; when weights are loaded the detector is fitted again to the same.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from pydantic import Field

from vadbench.api import ComponentConfig, ConfigError, Context, PluginError, PoseShape, did_you_mean
from vadbench_baselines.array_detector import CoordinateDetector, Judge
from vadbench_baselines.empirical_tails import TAIL_MODELS, EmpiricalTails

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PROBES: Final = 8
"""Rows that tell whether a score depends on the rows beside it."""
_SAME: Final = 1e-4
"""Relative difference up to which two scores are the same but for rounding."""


class PyODConfig(ComponentConfig):
    """Settings of a PyOD detector."""

    model: str = Field(default="ECOD", description="class of PyOD, e.g. ECOD, COPOD, HBOS, LOF, IForest")
    components: int = Field(default=30, ge=1, description="principal components that it sees")
    windows: int = Field(default=5_000, ge=2, description="training windows that it is fitted to, drawn at random")
    options: dict[str, bool | int | float | str] = Field(default={}, description="arguments of the class")


class PyOD(CoordinateDetector):
    """PyOD's ``decision_function`` of principal coordinates, in whatever unit the model has; higher = more anomalous.

    Raises:
        PluginError: where PyOD is not installed.
        ConfigError: for a model or an option that PyOD does not have.
    """

    def __init__(self, config: PyODConfig, poses: PoseShape) -> None:
        super().__init__(poses, width=config.components, kept=config.windows)
        self.config = config
        self._make = model_class(config.model)
        self._model: Any = None
        self._built(0)

    def learn(self, coordinates: NDArray[np.float32], rng: np.random.Generator, context: Context) -> None:  # noqa: ARG002
        """Fits the model.

        Raises:
            ConfigError: for a model whose score of a window depends on the windows beside it.
            PluginError: when PyOD fails.
        """
        self.keep(rows=coordinates, seed=np.int64(rng.integers(2**31)))
        self._refit()
        self._check_alone()

    def judge(self) -> Judge:
        """Decision values."""
        return lambda coordinates: self._decision(coordinates.astype(np.float64))

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes back what `state_dict` gave, and fits the model to it again."""
        super().load_state_dict(state_dict)
        self._refit()

    def _refit(self) -> None:
        rows = self.arrays["rows"].astype(np.float64)
        if self.config.model in TAIL_MODELS:
            self._model = EmpiricalTails(rows, TAIL_MODELS[self.config.model])
            return
        seed = int(self.arrays["seed"])
        try:
            with _scoped_seed(seed):
                self._model = self._built(seed).fit(rows)
        except Exception as error:  # whatever PyOD and what it rests on raise
            raise self._failed(error) from error

    def _built(self, seed: int) -> Any:
        """The model before it is fitted, with its own seed where it takes one."""
        options = dict(self.config.options)
        if "random_state" in inspect.signature(self._make).parameters:
            options.setdefault("random_state", seed)
        try:
            return self._make(**options)
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"PyOD's {self.config.model} cannot be made with these options: {error}",
                where="detector.options",
                remedy=f"it takes: {', '.join(inspect.signature(self._make).parameters)}",
            ) from error

    def _decision(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        try:
            with _scoped_seed(int(self.arrays["seed"])):
                return np.asarray(self._model.decision_function(rows), dtype=np.float64).reshape(len(rows))
        except Exception as error:  # whatever PyOD and what it rests on raise
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> PluginError:
        return PluginError(
            f"PyOD's {self.config.model} failed: {type(error).__name__}: {error}",
            where="detector.model",
            remedy="choose another model, other detector.options, or more detector.windows",
        )

    def _check_alone(self) -> None:
        """Refuses a model that scores a row otherwise alone than in company."""
        rows = self.arrays["rows"].astype(np.float64)
        # Between training rows: a model that knows its training rows again must not be asked about those. Not halfway: two
        # rows that are equally near, by the last digit, would make the neighbours themselves a matter of rounding.
        probes = 0.6 * rows[:_PROBES] + 0.4 * rows[::-1][:_PROBES]
        alone = np.concatenate([self._decision(probe[None]) for probe in probes])
        together = self._decision(np.concatenate([probes, 10 * probes]))[: len(probes)]
        if not np.allclose(alone, together, rtol=_SAME, atol=_SAME * float(np.abs(together).mean()), equal_nan=True):
            raise ConfigError(
                f"PyOD's {self.config.model} scores a window otherwise when other windows are scored with it",
                where="detector.model",
                remedy="choose a model that judges each window by the training windows alone, such as ECOD, LOF or IForest",
            )


def model_class(name: str) -> Any:
    """A detector's class by its name, in whichever module of ``pyod.models`` it stands.

    Raises:
        PluginError: where PyOD is not installed, or what the model needs beyond PyOD.
        ConfigError: for an unknown name.
    """
    try:
        models = importlib.import_module("pyod.models")
    except ImportError as error:
        raise PluginError(
            "the detector pyod needs PyOD, which is not installed",
            where="detector.name",
            remedy="pip install 'vadbench[pyod]'",
        ) from error
    # Modules are named as their classes are but for underscores: AutoEncoder stands in auto_encoder.
    modules = {found.name.replace("_", ""): found.name for found in pkgutil.iter_modules(models.__path__)}
    plain = name.replace("_", "").lower()
    if plain not in modules:
        raise ConfigError(f"PyOD has no detector {name!r}", where="detector.model", remedy=did_you_mean(plain, modules))
    try:
        module = importlib.import_module(f"pyod.models.{modules[plain]}")
    except ImportError as error:
        raise PluginError(
            f"PyOD's {name} needs a package that is not installed: {error}",
            where="detector.model",
            remedy="install it, or choose another model",
        ) from error
    found = getattr(module, name, None)
    if not (isinstance(found, type) and callable(getattr(found, "decision_function", None))):
        near = [known for known in vars(module) if known.lower() == name.lower()]
        remedy = f"did you mean {near[0]!r}?" if near else did_you_mean(plain, modules)
        raise ConfigError(f"PyOD has no detector {name!r}", where="detector.model", remedy=remedy)
    return found


@contextmanager
def _scoped_seed(seed: int) -> Iterator[None]:
    """The global generators seeded inside and as they were afterwards: some of PyOD's models draw from no other."""
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 - theirs, not ours
    try:
        with torch.random.fork_rng(devices=list(range(torch.cuda.device_count()))):
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            torch.manual_seed(seed)
            yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
