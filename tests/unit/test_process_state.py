"""What belongs to the whole process is put back after a component, whatever it changed; and a check names what that was."""

from __future__ import annotations

import gc
import logging
import logging.config
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import sklearn
import torch

from vadbench.api.process_state import GENERATORS, changed_parts, imported, process_kept, process_state
from vadbench.testing.conformance import ConformanceError
from vadbench.testing.rules.conduct_checks import check_leaves_the_process_as_it_was
from vadbench.testing.trial import Trial


def disable_loggers() -> None:
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})


CHANGES: dict[str, tuple[str, Callable[[], object]]] = {
    "directory": ("the working directory", lambda: os.chdir("/")),
    "new variable": ("os.environ", lambda: os.environ.update(VADBENCH_TEST="1")),
    "lost variable": ("os.environ", lambda: os.environ.pop("PATH")),
    "import path": ("sys.path", lambda: sys.path.insert(0, "/nowhere")),
    "arguments": ("sys.argv", lambda: setattr(sys, "argv", [])),
    "stdout": ("sys.stdout", lambda: setattr(sys, "stdout", sys.stderr)),
    "excepthook": ("sys.excepthook", lambda: setattr(sys, "excepthook", print)),
    "recursion": ("the limit of recursion", lambda: sys.setrecursionlimit(12_345)),
    "gc": ("garbage collection", gc.disable),
    "umask": ("the umask", lambda: os.umask(0o077 if os.umask(0) != 0o077 else 0o022)),
    "random": ("the state of Python's random", random.random),
    "SIGINT": ("the handler of Ctrl-C", lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)),
    "SIGTERM": ("the handler of SIGTERM", lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)),
    "SIGALRM": ("the handlers of signals", lambda: signal.signal(signal.SIGALRM, signal.SIG_IGN)),
    "filters": ("the filters of warnings", lambda: warnings.simplefilter("error")),
    "showwarning": ("warnings.showwarning", lambda: setattr(warnings, "showwarning", print)),
    "root level": ("the root logger", lambda: logging.getLogger().setLevel(3)),
    "root handler": ("the root logger", lambda: logging.basicConfig(force=True)),
    "logging off": ("the root logger", lambda: logging.disable(logging.ERROR)),
    "own level": ("vadbench's loggers", lambda: logging.getLogger("vadbench").setLevel(logging.CRITICAL)),
    "own loggers off": ("vadbench's loggers", disable_loggers),
    "seterr": ("numpy.seterr", lambda: np.seterr(all="raise")),
    "numpy random": ("the state of NumPy's random", lambda: np.random.seed(3)),  # noqa: NPY002 - the fault
    "sklearn": ("scikit-learn's configuration", lambda: sklearn.set_config(transform_output="pandas")),
    "rc": ("matplotlib.rcParams", lambda: mpl.rcParams.update({"lines.linewidth": 7.5})),
    "start method": (
        "the start method of multiprocessing",
        lambda: multiprocessing.set_start_method("spawn", force=True),
    ),
    "gradients": ("torch.set_grad_enabled", lambda: torch.set_grad_enabled(False)),
    "dtype": ("torch.set_default_dtype", lambda: torch.set_default_dtype(torch.float64)),
    "device": ("torch.set_default_device", lambda: torch.set_default_device("meta")),
    "threads": ("torch.set_num_threads", lambda: torch.set_num_threads(torch.get_num_threads() + 1)),
    "deterministic": ("torch.use_deterministic_algorithms", lambda: torch.use_deterministic_algorithms(True)),
    "autocast": ("torch.autocast", lambda: torch.autocast("cpu").__enter__()),
    "anomalies": ("torch.autograd.set_detect_anomaly", lambda: torch.autograd.set_detect_anomaly(True)),
    "precision": ("torch.set_float32_matmul_precision", lambda: torch.set_float32_matmul_precision("medium")),
    "cudnn": ("torch.backends.cudnn", lambda: setattr(torch.backends.cudnn, "benchmark", True)),
    "sharing": (
        "torch.multiprocessing.set_sharing_strategy",
        lambda: torch.multiprocessing.set_sharing_strategy("file_system"),
    ),
    "torch random": ("the state of torch's random", lambda: torch.manual_seed(3)),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_named_and_put_back(case: str) -> None:
    name, change = CHANGES[case]
    before = process_state()
    with process_kept() as changes:
        change()
        assert name in changed_parts(before, process_state())
    assert name in changes.names
    assert changed_parts(before, process_state()) == []


def test_all_at_once_and_an_error_on_top() -> None:
    before = process_state()
    with suppress(KeyError), process_kept() as changes:
        for _, change in CHANGES.values():
            change()
        raise KeyError
    assert set(changes.names) >= {name for name, _ in CHANGES.values()}
    assert changed_parts(before, process_state()) == []
    assert torch.empty(1).device.type == "cpu"


def test_nothing_is_named_where_nothing_is_changed() -> None:
    with process_kept() as changes:
        multiprocessing.get_context().Lock()  # the start method is settled by whoever needs one first
        logging.getLogger("vadbench.of_a_test").warning("a new logger is no change")
        os.environ["KMP_DUPLICATE_LIB_OK"] = "True"  # scikit-learn's, which needs it later
    del os.environ["KMP_DUPLICATE_LIB_OK"]
    assert changes.names == ()


def test_parts_can_be_left() -> None:
    random.seed(2)
    wanted = random.getstate()
    random.seed(1)
    with process_kept(but=GENERATORS) as changes:
        random.seed(2)
    assert changes.names == ()
    assert random.getstate() == wanted


def test_in_another_thread() -> None:
    named: list[tuple[str, ...]] = []

    def work() -> None:
        with process_kept() as changes:
            os.environ["VADBENCH_TEST"] = "1"
        named.append(changes.names)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert named == [("os.environ",)]
    assert "VADBENCH_TEST" not in os.environ


def printed_by(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_libraries_are_not_imported_for_it() -> None:
    code = """
        import sys
        from vadbench.api.process_state import process_kept
        with process_kept():
            pass
        print(*{"torch", "numpy", "sklearn", "matplotlib"} & set(sys.modules))
    """
    assert printed_by(code) == ""


def test_a_library_that_the_block_imports_is_left_as_it_comes() -> None:
    code = """
        from vadbench.api.process_state import process_kept
        with process_kept() as changes:
            import matplotlib, sklearn, torch
            torch.set_default_dtype(torch.float64)
            torch.set_grad_enabled(False)
            sklearn.set_config(assume_finite=True)
            matplotlib.rcParams["lines.linewidth"] = 7.5
        print(torch.get_default_dtype(), torch.is_grad_enabled(), sklearn.get_config()["assume_finite"])
        print(matplotlib.rcParams["lines.linewidth"] == matplotlib.rcParamsDefault["lines.linewidth"])
        print(sorted(set(changes.names) - {"the filters of warnings"}))
    """
    names = ["matplotlib.rcParams", "scikit-learn's configuration", "torch.set_default_dtype", "torch.set_grad_enabled"]
    assert printed_by(code).splitlines() == ["torch.float32 True False", "True", str(names)]


def test_importing_a_component(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vendored").mkdir()
    (tmp_path / "vendored" / "found_later_on.py").write_text("")
    (tmp_path / "vendored" / "wave.py").write_text("raise AssertionError('hides a module of Python')")
    code = f"import os, sys, torch\nsys.path.insert(0, {str(tmp_path / 'vendored')!r})\n"
    (tmp_path / "changes_at_import.py").write_text(code + "os.environ['VADBENCH_TEST'] = '1'\ntorch.set_grad_enabled(False)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    before = process_state()
    imported("changes_at_import")
    assert changed_parts(before, process_state()) == ["sys.path"]
    imported("found_later_on")
    imported("wave")


class TrialOf(Trial):
    """A component that is nothing but what it does."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act

    def fresh(self) -> Any:
        return self

    def exercise(self) -> None:
        self.act()

    def inputs(self) -> Mapping[str, Any]:
        return {}


@pytest.mark.parametrize("case", [case for case, (name, _) in CHANGES.items() if name not in GENERATORS])
def test_the_check_names_it(case: str) -> None:
    name, change = CHANGES[case]
    with pytest.raises(ConformanceError, match=f"got a change of .*{name}"):
        check_leaves_the_process_as_it_was(TrialOf(change))


def test_the_check_names_what_was_written_to_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConformanceError, match=r"it wrote runs\.log"):
        check_leaves_the_process_as_it_was(TrialOf(lambda: Path("runs.log").write_text("")))
    check_leaves_the_process_as_it_was(TrialOf(lambda: Path("runs.log").write_text("again")))


def test_the_check_does_not_blame_a_component_for_what_a_library_does_when_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_library.py").write_text("import warnings\nwarnings.filterwarnings('ignore', message='of a library')\n")
    monkeypatch.syspath_prepend(tmp_path)
    check_leaves_the_process_as_it_was(TrialOf(lambda: __import__("a_library")))
    sys.modules.pop("a_library")
    (tmp_path / "a_library.py").write_text("import torch\ntorch.set_grad_enabled(False)\n")
    with pytest.raises(ConformanceError, match="set_grad_enabled"):
        check_leaves_the_process_as_it_was(TrialOf(lambda: __import__("a_library")))
